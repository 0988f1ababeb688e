// several_tests: many orders at once, and a time that is replayed, before the real program.
import { strict as assert } from 'node:assert';
import { assertAccessible, openTab } from './harness.mjs';
import { mint } from './group.mjs';

const SIZES = [['phone', 390, 844, 'dark'], ['laptop', 1280, 800, 'light'], ['wide', 1920, 1080, 'light']];

export function severalTests(chrome, newGroup, keep) {
    let group = null;

    async function begun() {
        if (group !== null)
            return;
        group = newGroup();
        await group.start();
        for (let i = 1; i <= 8; i++) {
            if (i % 2 === 0)
                group.answers.set(`CMD-00020${i}`, 422);
            await group.write([await group.confirmation(`CMD-00020${i}`, { partition: i % 6 })]);
        }
    }

    async function signedIn(hash, options = {}) {
        await begun();
        const tab = await openTab(chrome, group.url, options);
        await tab.page.goto(`${group.url}#token=${mint({ role: 'service_role' })}`);
        await tab.page.locator('#bar .live.on').waitFor();
        await tab.page.goto(group.url + hash);
        return tab;
    }

    const row = (page, number) => page.locator('.row', { hasText: number });
    const box = (page, number) => page.getByRole('checkbox', { name: number });
    const sent = (number) => group.received.filter((r) => r.number === number);

    // The state as it is, in each width; each colour in one of them.
    async function keepAll(page, name) {
        for (const [size, width, height, colorScheme] of SIZES) {
            await page.emulateMedia({ colorScheme });
            await page.setViewportSize({ width, height });
            assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} fits ${size}`);
            if (size !== 'laptop') {
                await assertAccessible(chrome, page, `${name}, ${size}, ${colorScheme}`);
                await keep(page, `${name}-${size}-${colorScheme}`);
            }
        }
        await page.emulateMedia({ colorScheme: null });
        await page.setViewportSize({ width: 1100, height: 900 });
    }

    async function real_several_are_sent_again_by_one_question() {
        const { page, close } = await signedIn('#/orders');
        const names = () => page.locator('.row-name').allTextContents();
        await row(page, 'CMD-000208').locator('.chip.bad').waitFor();
        await page.waitForFunction(() => document.querySelectorAll('.row').length === 8);
        const stood = await names();
        await box(page, stood[0]).focus();
        await page.keyboard.press('Space');
        await page.getByText('One selected').first().waitFor();
        await box(page, stood[5]).click({ modifiers: ['Shift'] });
        await page.getByText('6 selected').first().waitFor();
        await box(page, stood[5]).click();
        await box(page, stood[5]).click();
        await keepAll(page, 'several-picked');
        await page.getByRole('button', { name: 'Send again…' }).click();
        const dialog = page.getByRole('dialog');
        await dialog.locator('.preview p').first().waitFor();
        const parked = stood.slice(0, 6).filter((number) => group.answers.has(number)), n = parked.length;
        await dialog.getByText(`${n} orders will be sent again.`).waitFor();
        await dialog.getByText(`Not with ${6 - n}: it was delivered already`).waitFor();
        await keepAll(page, 'several-asked');
        parked.forEach((number) => group.answers.delete(number));
        await dialog.getByRole('button', { name: `Send ${n} orders again` }).click();
        await dialog.waitFor({ state: 'hidden' });
        await page.locator('.several .job', { hasText: 'all asked' }).waitFor();
        for (const number of parked)
            await row(page, number).locator('.chip.good').waitFor();
        assert.deepEqual(await names(), stood, 'the list stands still');
        for (const number of parked) {
            assert.deepEqual(sent(number).map((r) => r.status), [422, 200]);
            assert.equal(sent(number)[0].id, sent(number)[1].id, 'the same identity');
        }
        await keepAll(page, 'several-done');
        await page.locator('.several').getByRole('button', { name: 'Clear' }).click();
        await page.locator('.several').waitFor({ state: 'detached' });
        await close();
    }

    async function real_several_that_match_are_dismissed_and_taken_back() {
        const { page, close } = await signedIn('#/orders?state=parked&reason=missing:client_phone');
        await group.write(Array.from({ length: 120 }, (_, i) => group.outcome({ order_id: `never-${i}`, order_number: `NEVER-${String(i).padStart(3, '0')}`, state: 'parked', reason: 'missing:client_phone', status: null, offset: 5000 + i })));
        await row(page, 'NEVER-119').waitFor();
        await box(page, 'NEVER-119').click();
        await page.getByRole('button', { name: 'Select the 50 shown' }).click();
        await page.getByRole('button', { name: 'Select all that match' }).click();
        await page.getByText('All 120 that match are selected').first().waitFor();
        await page.locator('.several').getByRole('button', { name: 'Dismiss…' }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByText('120 orders will be dismissed.').waitFor();
        await dialog.getByLabel('Why').fill('a test of the shop');
        await keepAll(page, 'several-dismiss');
        await dialog.getByRole('button', { name: 'Dismiss 120 orders' }).click();
        await page.locator('.several .job', { hasText: 'all done' }).waitFor({ timeout: 60000 });
        const { counts } = await group.status();
        assert.equal(counts.dismissed, 120);
        await page.goto(`${group.url}#/orders?state=dismissed`);
        await box(page, 'NEVER-119').click();
        await box(page, 'NEVER-117').click({ modifiers: ['Shift'] });
        await page.getByRole('button', { name: 'Take dismissals back…' }).click();
        await dialog.getByRole('button', { name: 'Take 3 dismissals back' }).click();
        await page.locator('.several .job', { hasText: 'all done' }).waitFor();
        assert.equal((await group.status()).counts.dismissed, 117);
        await close();
    }

    async function real_several_that_cannot_are_told_order_by_order() {
        const { page, close } = await signedIn('#/orders?state=parked&reason=missing:client_phone');
        await box(page, 'NEVER-119').click();
        await box(page, 'NEVER-118').click();
        await page.locator('.several').getByRole('button', { name: 'Send again…' }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByRole('button', { name: 'Send 2 orders again' }).click();
        await page.locator('.several .job', { hasText: 'Not with 2: Kafka no longer keeps its record' }).waitFor({ timeout: 60000 });
        await page.locator('.several .job', { hasText: 'NEVER-118' }).waitFor();
        await keepAll(page, 'several-refused');
        await page.getByRole('link', { name: 'Overview' }).click();
        await page.locator('.request', { hasText: 'Sending 2 orders again' }).getByText('2 could not be').waitFor();
        await page.reload();
        await page.locator('.request', { hasText: 'Sending 2 orders again' }).waitFor(); // the server knows
        await close();
    }

    async function real_several_of_a_time_are_replayed_as_the_preview_said() {
        const { page, close } = await signedIn('#/orders?q=CMD-00020');
        await row(page, 'CMD-000201').waitFor();
        const before = group.received.length;
        await page.getByRole('button', { name: 'Replay a time…' }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByText(/^\d+ orders will be sent once more\.$/).waitFor();
        const said = await dialog.locator('.preview').innerText();
        const { counts } = await group.status();
        assert(said.includes(`${counts.delivered} of them were delivered already`), said);
        assert.match(said, /Not with 117: it is dismissed/);
        assert.equal(group.received.length, before, 'nothing was sent by looking');
        await keepAll(page, 'replay-asked');
        await dialog.getByRole('button', { name: /^Replay \d+ orders$/ }).click();
        await page.locator('.several .job', { hasText: 'all asked' }).waitFor({ timeout: 60000 });
        for (let i = 1; i <= 7; i += 2) {
            for (const end = Date.now() + 15000; sent(`CMD-00020${i}`).length < 2;) {
                assert(Date.now() < end, `CMD-00020${i} in vain`);
                await new Promise((resolve) => setTimeout(resolve, 20));
            }
            assert.equal(new Set(sent(`CMD-00020${i}`).map((r) => r.id)).size, 1, 'the same identity');
        }
        await keepAll(page, 'replay-done');
        await close();
    }

    async function real_several_in_french() {
        const { page, close } = await signedIn('#/orders?q=CMD-00020', { locale: 'fr-FR' });
        await page.getByRole('checkbox', { name: 'Sélectionner CMD-000201' }).click();
        await page.getByRole('button', { name: 'Rejouer une période…' }).click();
        await page.getByRole('dialog').getByText('seront envoyées une fois de plus').waitFor();
        await keepAll(page, 'replay-french');
        await close();
        await group.stop();
    }

    return [real_several_are_sent_again_by_one_question, real_several_that_match_are_dismissed_and_taken_back, real_several_that_cannot_are_told_order_by_order,
        real_several_of_a_time_are_replayed_as_the_preview_said, real_several_in_french].map((test) => [test.name, test]);
}
