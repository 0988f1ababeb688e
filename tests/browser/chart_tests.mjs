// chart_tests: the charts beside the overview's cards, before the fake dashboard.
import { strict as assert } from 'node:assert';
import { assertAccessible, openTab } from './harness.mjs';
import { FakeDashboard, makeOrder, OPERATOR } from './fake_dashboard.mjs';

export const REASONS = [['missing:client_phone', 'validation', null], ['http:422', 'refused', 422], ['exhausted:http:503', 'exhausted', 503], ['undecodable', 'undecodable', null], ['unknown_result', 'exhausted', null]];

export function chartTests(chrome, folder, { verdicts }, keep) {
    const fake = new FakeDashboard(folder, verdicts);

    // count of REASONS, with some orders each.
    function seed(reasons = 0) {
        fake.reset();
        for (let i = 0; i < 30; i++)
            fake.orders.set(makeOrder(i).key, makeOrder(i));
        REASONS.slice(0, reasons).forEach(([reason, kind, status], r) => {
            for (let i = 0; i < 6 - r; i++) {
                const order = makeOrder(100 + r * 10 + i, { state: 'parked', reason, class: kind, status });
                fake.orders.set(order.key, order);
            }
        });
    }

    async function opened(options = {}) {
        const tab = await openTab(chrome, fake.url, { viewport: { width: 1280, height: 900 }, ...options });
        await tab.page.goto(`${fake.url}#token=${OPERATOR}`);
        await tab.page.locator('.chart').first().waitFor();
        return tab;
    }

    const chart = (page, name) => page.locator('.chart', { hasText: name });
    const plot = (page, name) => page.getByRole('slider', { name });

    const at = (page, place) => page.locator(`.plot[aria-valuenow="${place}"]`).first().waitFor();

    async function charts_say_what_is_not_known() {
        seed();
        const { page, close } = await opened();
        assert.equal(await page.locator('.chart').count(), 4);
        assert.deepEqual(await page.locator('.chart').evaluateAll((all) => all.map((one) => one.querySelectorAll('.gap').length)), [1, 1, 1, 2]);
        const delivered = plot(page, 'Delivered a minute');
        await delivered.focus();
        await page.keyboard.press('Home');
        await at(page, 0);
        assert.match(await delivered.getAttribute('aria-valuetext'), /^\d\d:\d\d: delivered not known$/);
        const latency = plot(page, 'From confirmed to delivered');
        await latency.focus();
        const known = fake.trends(1), none = known.delivered.findIndex((n) => n === 0);
        await page.keyboard.press('Home');
        for (let i = 0; i < none; i++)
            await page.keyboard.press('ArrowRight');
        await at(page, none);
        assert.match(await latency.getAttribute('aria-valuetext'), /half of them within none, 95 % within none/);
        const bars = await chart(page, 'Delivered a minute').locator('.stick.delivered').count();
        assert.equal(bars, known.delivered.filter((n) => n > 0).length + 1, 'a bar for each that is not 0, and the legend');
        await close();
    }

    async function a_point_is_read_out_by_pointer_and_by_keys() {
        seed();
        const { page, close } = await opened();
        const one = plot(page, 'Delivered a minute'), legend = chart(page, 'Delivered a minute').locator('.legend');
        const newest = await legend.innerText(), box = await one.boundingBox(), said = fake.trends(1).delivered;
        assert(newest.endsWith(`delivered ${said.at(-1)}`), newest);
        await page.mouse.move(box.x + box.width * 45.5 / 60, box.y + box.height / 2);
        await page.locator('.cursor').first().waitFor({ state: 'attached' });
        assert.equal(await page.locator('.cursor').count(), 4, 'all charts tell of the same time');
        assert((await legend.innerText()).endsWith(`delivered ${said[45]}`), await legend.innerText());
        await page.mouse.move(2, 2);
        await page.locator('.cursor').first().waitFor({ state: 'detached' });
        assert.equal(await legend.innerText(), newest);
        await one.focus();
        await page.keyboard.press('ArrowLeft');
        await page.locator('.plot[aria-valuenow=\"58\"]').first().waitFor();
        assert((await legend.innerText()).endsWith(`delivered ${said[58]}`));
        await page.keyboard.press('PageDown');
        await page.locator('.plot[aria-valuenow=\"52\"]').first().waitFor();
        await page.keyboard.press('End');
        await page.locator('.plot[aria-valuenow=\"59\"]').first().waitFor();
        await page.keyboard.press('Escape');
        await page.locator('.cursor').first().waitFor({ state: 'detached' });
        await close();
    }

    async function an_hour_a_day_and_a_week_are_chosen() {
        seed();
        const { page, close } = await opened();
        for (const [button, title, hours, points] of [['24 h', 'The last 24 hours', 24, 96], ['7 d', 'The last seven days', 168, 168], ['1 h', 'The last hour', 1, 60]]) {
            const asked = fake.seen.length;
            await page.getByRole('button', { name: button, exact: true }).click();
            await page.getByRole('heading', { name: title }).waitFor();
            await page.locator('.chart').first().waitFor();
            assert.equal(await page.getByRole('button', { name: button, exact: true }).getAttribute('aria-pressed'), 'true');
            assert.equal(await plot(page, 'Delivered a minute').getAttribute('aria-valuemax'), String(points - 1));
            assert(fake.seen.slice(asked).includes('GET /api/v1/trends'), `${hours}`);
        }
        await close();
    }

    async function the_numbers_are_a_table_too() {
        seed();
        const { page, close } = await opened();
        await page.getByText('The numbers as a table').click();
        const table = page.getByRole('region', { name: 'The numbers as a table' });
        assert.equal(await table.locator('tbody tr').count(), 60);
        assert.equal(await table.locator('thead th').count(), 8);
        assert.deepEqual(await table.locator('tbody tr').last().locator('td').allInnerTexts(), Array(7).fill('not known'));
        await assertAccessible(chrome, page, 'the table');
        await close();
    }

    async function charts_come_back_when_they_could_not_be_fetched() {
        seed();
        const { page, close } = await openTab(chrome, fake.url, { expected: /Failed to load|ERR_/ });
        let broken = true;
        await page.route('**/charts.js', (route) => broken ? route.abort() : route.continue());
        await page.goto(`${fake.url}#token=${OPERATOR}`);
        await page.locator('#bar .live.on').waitFor();
        await page.waitForEvent('requestfailed');
        assert.equal(await page.locator('main h1').innerText(), 'Everything is all right.');
        broken = false;
        await page.locator('.chart').first().waitFor();
        await close();
    }

    async function charts_fit_every_screen_light_and_dark() {
        for (const [width, colorScheme, locale, reasons] of [[390, 'light', 'en-GB', 5], [1280, 'light', 'en-GB', 5], [1920, 'dark', 'fr-FR', 5], [390, 'dark', 'fr-FR', 0], [1280, 'dark', 'en-GB', 0], [1920, 'light', 'fr-FR', 2]]) {
            seed(reasons);
            const { page, close } = await opened({ viewport: { width, height: 900 }, colorScheme, locale });
            if (reasons > 0)
                await page.locator('.reason .row').first().waitFor();
            const where = `charts-${width}-${colorScheme}-${reasons}`;
            await assertAccessible(chrome, page, where);
            assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, where);
            console.log(`      ${where}: ${await page.evaluate(() => document.documentElement.scrollHeight)} px high`);
            await page.setViewportSize({ width, height: await page.evaluate(() => document.documentElement.scrollHeight) });
            await keep(page, where);
            await close();
        }
    }

    const tests = [charts_say_what_is_not_known, a_point_is_read_out_by_pointer_and_by_keys, an_hour_a_day_and_a_week_are_chosen, the_numbers_are_a_table_too,
        charts_come_back_when_they_could_not_be_fetched, charts_fit_every_screen_light_and_dark];
    return { start: () => fake.start(), stop: () => fake.stop(), tests: tests.map((test) => [test.name, test]) };
}
