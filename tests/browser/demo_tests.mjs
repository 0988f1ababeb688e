// demo_tests: a new user of `elementor-sync demo`: opens the printed link, finds what is parked, reads
// why, sends one again and sees it delivered.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { openTab } from './harness.mjs';
import { countWire } from './wire.mjs';

const LIVE_MS = 8000;

async function startDemo(program) {
    const demo = spawn(program, ['demo', '--rate', '30'], { stdio: ['ignore', 'pipe', 'pipe'] });
    demo.said = '';
    demo.stdout.on('data', (data) => { demo.said += data; });
    demo.stderr.on('data', (data) => { demo.said += data; });
    demo.gone = new Promise((resolve) => demo.on('exit', resolve));
    demo.link = await new Promise((resolve, reject) => {
        createInterface({ input: demo.stdout }).on('line', (line) => {
            const found = /^its dashboard, signed in already: (http\S+)/.exec(line);
            if (found)
                resolve(found[1]);
        });
        demo.gone.then((code) => reject(new Error(`the demo ended with ${code}:\n${demo.said}`)));
    });
    return demo;
}

export function demoTests(chrome, program, keep) {
    async function demo_a_new_user_sends_a_parked_order_again() {
        const demo = await startDemo(program);
        let wire = null;
        try {
            wire = await countWire(demo.link);
            const { page, close } = await openTab(chrome, wire.url);
            page.setDefaultTimeout(60000); // until the shop has made a mistake
            await page.goto(wire.url + new URL(demo.link).hash);
            const card = page.locator('.reason', { hasText: 'Refused by the webhook (answer 422).' });
            const row = card.locator('.row').last();
            await row.waitFor();
            await keep(page, 'demo-overview');
            wire.take(); // with the page's own files
            await new Promise((resolve) => setTimeout(resolve, LIVE_MS)); // thirty orders a second come meanwhile
            const rate = wire.take() / (LIVE_MS / 1000);
            console.log(`      live, thirty orders a second: ${Math.round(rate)} bytes a second`);
            assert(rate <= 5 * 1024, `${rate} bytes a second`);
            const number = await row.locator('.row-name').innerText();
            await row.getByRole('link').click();
            await page.getByText('quantity: 99 at most').waitFor();
            await keep(page, 'demo-order');
            await page.getByRole('button', { name: `Send again: ${number}` }).click();
            await page.locator('.hero .chip.good').waitFor();
            await page.getByText('Delivered after being sent again').waitFor();
            await keep(page, 'demo-delivered');
            await close();
        } finally {
            await wire?.close();
            demo.kill('SIGINT');
        }
        assert.equal(await demo.gone, 0, demo.said);
        assert.match(demo.said, /The accounts balance/);
    }

    return [[demo_a_new_user_sends_a_parked_order_again.name, demo_a_new_user_sends_a_parked_order_again]];
}
