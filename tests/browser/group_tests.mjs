// group_tests: the page before the real program: what an operator does, and what then really happens.
import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import { assertAccessible, openTab } from './harness.mjs';
import { mint } from './group.mjs';
import { countWire } from './wire.mjs';

const OPERATOR = { role: 'service_role' };

// They build on one another: one group, one night.
export function groupTests(chrome, group, keep) {
    async function signedIn(options = {}, hash = '', seconds = 3600) {
        const tab = await openTab(chrome, group.url, { ...options });
        await tab.page.goto(`${group.url}#token=${mint(OPERATOR, seconds)}`);
        await tab.page.locator('#bar .live.on').waitFor();
        if (hash !== '')
            await tab.page.goto(group.url + hash);
        return tab;
    }

    const headline = (page, text) => page.locator('main h1', { hasText: text });
    const row = (page, text) => page.locator('.row', { hasText: text });
    const requests = (number) => group.received.filter((r) => r.number === number);

    async function until(condition) {
        for (const end = Date.now() + 15000; !condition();) {
            assert(Date.now() < end, 'in vain');
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }

    async function real_files_come_with_a_strict_policy() {
        for (const file of ['', 'main.js', 'page.css', 'icon-good.svg']) {
            const response = await fetch(group.url + file);
            assert.equal(response.status, 200, file);
            assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
            assert(!/https?:\/\/(?!www\.w3\.org\/2000\/svg)/.test(await response.text()), `${file} names another host`);
            if (/\.(js|css)$/.test(file)) // a policy is a document's
                continue;
            const policy = response.headers.get('content-security-policy').replace(`connect-src 'self' ${group.auth.url};`, "connect-src 'self';");
            for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"])
                assert(policy.includes(part), `${part} is not in ${policy}`);
            assert(!/unsafe|https?:|\*|data:/.test(policy), policy);
        }
    }

    // The whole of it: document, modules, style, icons, the API's answers and the stream's first events. The charts come after it.
    async function real_the_first_view_is_45_kb_and_the_next_one_a_tenth() {
        const wire = await countWire(group.url);
        const tab = await openTab(chrome, wire.url);
        const seen = async () => {
            await tab.page.locator('#bar .live.on').waitFor();
            await tab.page.locator('.figures').waitFor();
            await tab.page.waitForLoadState('load');
            return wire.take();
        };
        let release;
        const seenFirst = new Promise((resolve) => { release = resolve; });
        await tab.page.route('**/charts.js', async (route) => {
            await seenFirst;
            await route.continue();
        });
        await tab.page.goto(`${wire.url}#token=${mint(OPERATOR)}`);
        const first = await seen();
        release();
        await tab.page.locator('.chart').first().waitFor();
        await tab.page.unroute('**/charts.js'); /* while there is a route, nothing is taken from the cache */
        const charts = wire.take();
        await tab.page.reload();
        const next = await seen();
        await tab.close();
        await wire.close();
        console.log(`      first view ${first} bytes, its charts ${charts}, the next one ${next}`);
        assert(first <= 45 * 1024, `${first} bytes`);
        assert(charts <= 8 * 1024, `${charts} bytes`);
        assert(next <= 6 * 1024, `${next} bytes`);
    }

    async function real_nobody_but_operators_signs_in() {
        const { page, close } = await openTab(chrome, group.url, { expected: /40[13]/ });
        await page.goto(group.url);
        await page.getByText('Use a token instead').click();
        for (const [token, why] of [['nonsense', 'This token is not accepted.'], [mint(OPERATOR, -60), 'This token is not accepted.'],
            [mint({ role: 'authenticated' }), 'it is not an operator’s'], [mint({ role: 'anon' }), /not accepted|not an operator’s/]]) {
            await page.getByLabel('Your token').fill(token);
            await page.keyboard.press('Enter');
            await page.locator('#wrong', { hasText: why }).waitFor();
        }
        await close();
    }

    async function real_a_refused_order_is_seen_understood_retried_and_delivered() {
        group.answers.set('CMD-000124', 422);
        group.answers.set('CMD-000125', 400);
        const { page, close } = await signedIn();
        await group.write(await group.captured());
        await headline(page, '3 orders need you.').waitFor();
        const card = page.locator('.reason', { hasText: 'Refused by the webhook (answer 422).' });
        await row(card, 'CMD-000124').getByRole('link').click();
        await page.getByText('Le numéro de téléphone est refusé').waitFor();
        await keep(page, 'real-refused');
        group.answers.delete('CMD-000124');
        await page.getByRole('button', { name: 'Send again: CMD-000124' }).click();
        await page.locator('.hero .chip.good').waitFor();
        await page.getByText('Delivered after being sent again').waitFor();
        await assertAccessible(chrome, page, 'a delivered order');
        const seen = requests('CMD-000124');
        assert.deepEqual(seen.map((r) => r.status), [422, 200]);
        assert.equal(seen[0].id, seen[1].id, 'the same identity');
        await page.getByRole('link', { name: 'Back' }).click();
        await headline(page, '2 orders need you.').waitFor();
        await close();
    }

    async function real_what_can_never_be_sent_says_why() {
        const { page, close } = await signedIn();
        const card = page.locator('.reason', { hasText: 'The unit price is negative.' });
        await card.getByText('Correct the order in the shop').waitFor();
        assert.equal(await card.getByRole('button').count(), 0);
        await close();
    }

    async function real_a_redrive_sends_what_its_preview_said() {
        const { page, close } = await signedIn({}, '#/orders?state=parked');
        await page.getByRole('button', { name: 'Send all again…' }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByText('2 orders will be sent again.').waitFor();
        await dialog.getByText('One of them would be set aside again').waitFor();
        await dialog.getByLabel('Which ones').selectOption({ label: 'Refused by the webhook (answer 400). (1)' });
        await dialog.getByText('One order will be sent again.').waitFor();
        assert.equal(requests('CMD-000125').length, 1, 'nothing was sent by looking');
        group.answers.delete('CMD-000125');
        await dialog.getByRole('button', { name: 'Send one order again' }).click();
        await dialog.waitFor({ state: 'hidden' });
        await row(page, 'CMD-000125').locator('.chip.good').waitFor(); // it stands still, and says what became of it
        await page.getByRole('link', { name: 'Overview' }).click();
        await headline(page, 'One order needs you.').waitFor();
        assert.deepEqual(requests('CMD-000125').map((r) => r.status), [400, 200]);
        await close();
    }

    async function real_an_endpoint_that_is_down_is_said_and_heals() {
        const { page, close } = await signedIn({}, '#/orders?q=CMD-000125');
        await row(page, 'CMD-000125').getByRole('link').click();
        group.answers.set('*', 404);
        await page.getByRole('button', { name: 'Send again all the same…' }).click();
        await page.getByRole('button', { name: 'Send it again' }).click();
        await page.getByRole('link', { name: 'Overview' }).click();
        await headline(page, 'The webhook is not working.').waitFor();
        await page.locator('.hero', { hasText: 'answer 404' }).waitFor();
        await keep(page, 'real-webhook-down');
        group.answers.delete('*');
        await headline(page, 'One order needs you.').waitFor();
        await page.locator('.request.good', { hasText: 'CMD-000125' }).getByRole('link').click();
        await page.locator('.moment.good', { hasText: /^Attempt [2-9]\d*.*answer 200, after [\d.]+ m?s$/ }).waitFor();
        await page.locator('.moment.calm', { hasText: /^Attempt 1.*answer 404, after [\d.]+ m?s.*The next one [\d.]+ (m?s|min) later\.$/ }).waitFor();
        await page.getByRole('region', { name: 'Who asked for what' }).locator('.moment', { hasText: /^Asked to send it again[\d:]+by night$/ }).waitFor();
        await assertAccessible(chrome, page, 'an order that was tried several times');
        await keep(page, 'real-attempts');
        await close();
    }

    async function real_ten_thousand_orders_are_listed_and_found() {
        const { page, close } = await signedIn({}, '#/orders');
        await group.write(Array.from({ length: 10000 }, (_, i) => group.outcome({ order_id: `bulk-${i}`, order_number: `BULK-${String(i).padStart(5, '0')}`, offset: i })));
        await page.getByRole('searchbox').fill('bulk-09999');
        await page.keyboard.press('Enter');
        await row(page, 'BULK-09999').waitFor({ timeout: 60000 }); /* ten thousand records are read before it is there */
        await page.getByRole('link', { name: 'Orders' }).click();
        await page.getByRole('button', { name: 'Show more' }).click();
        await page.getByText('100 orders shown.').waitFor();
        const names = () => page.locator('.row-name').allTextContents();
        const shown = await names();
        assert.equal(new Set(shown).size, 100);
        await page.getByText('100 orders shown.').scrollIntoViewIfNeeded();
        const top = () => row(page, shown[98]).evaluate((node) => node.getBoundingClientRect().top);
        const stood = await top();
        await group.write(Array.from({ length: 12 }, (_, i) => group.outcome({ order_id: `new-${i}`, order_number: `NEW-${i}`, offset: 10001 + i })));
        const news = page.getByRole('button', { name: '12 new. Show them' });
        await news.waitFor();
        assert.deepEqual([await names(), await top()], [shown, stood]);
        await news.click();
        await row(page, 'NEW-0').waitFor();
        assert.equal(await page.evaluate(() => scrollY), 0);
        await page.goto(`${group.url}#/orders?status=200&source=retry&sort=oldest`);
        await row(page, 'NEW-0').waitFor({ state: 'detached' });
        await row(page, 'CMD-000124').waitFor();
        assert.deepEqual(await names(), ['CMD-000124', 'CMD-000125']);
        const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'All as CSV' }).click()]);
        assert.match(file.suggestedFilename(), /^orders-\d{4}-\d{2}-\d{2}\.csv$/);
        const lines = (await readFile(await file.path(), 'utf8')).split('\r\n');
        assert.deepEqual(lines.slice(1).map((line) => line.split(',')[0]), ['CMD-000124', 'CMD-000125', '']);
        await close();
    }

    async function real_hostile_texts_are_texts() {
        const evil = '<script>window.owned=1</script><img src=x onerror="window.owned=1">';
        await group.write([group.outcome({ order_id: evil, order_number: evil, state: 'parked', reason: evil })]);
        const { page, close } = await signedIn({ expected: /410/ }); // Kafka has no record of it
        await row(page, evil).first().getByRole('link').click();
        await page.locator('.timeline').waitFor();
        assert.equal(await page.locator('main h1').innerText(), evil);
        assert.equal(await page.locator('main script, main img').count(), 0);
        assert.equal(await page.evaluate(() => window.owned), undefined);
        await close();
    }

    async function real_a_session_ends_by_itself() {
        const { page, close } = await openTab(chrome, group.url, { expected: /401/ });
        await page.goto(`${group.url}#token=${mint(OPERATOR, -10)}`);
        await page.getByRole('heading', { name: 'Your session has ended' }).waitFor({ timeout: 30000 });
        await close();
    }

    async function real_nobody_delivering_is_said() {
        const { page, close } = await signedIn();
        assert.equal(await group.end(group.run), 0);
        await headline(page, 'Nobody is delivering.').waitFor();
        await group.startRun();
        await headline(page, 'need you.').waitFor();
        await close();
    }

    async function real_what_is_asked_for_in_a_pause_is_sent_after_it() {
        const { page, close } = await signedIn();
        const dialog = page.getByRole('dialog'), before = requests('CMD-000125').length;
        await page.getByRole('button', { name: 'Pause deliveries…' }).click();
        await dialog.getByLabel('Why').fill('stock count');
        await dialog.getByRole('button', { name: 'Pause deliveries' }).click();
        await page.locator('.paused', { hasText: 'stock count' }).waitFor();
        await until(() => /event="deliveries paused".* reason="stock count"/.test(group.run.log));
        await page.goto(group.url + '#/orders?q=CMD-000125');
        await row(page, 'CMD-000125').getByRole('link').click();
        await page.getByRole('button', { name: 'Send again all the same…' }).click();
        await page.getByRole('button', { name: 'Send it again' }).click();
        await page.getByRole('link', { name: 'Overview' }).click();
        await page.locator('.request', { hasText: 'CMD-000125' }).getByText('asked; waiting for the answer').waitFor();
        await page.locator('.figure.wait strong', { hasText: '1' }).waitFor(); // a member has it, and holds it back
        await page.reload(); // the server knows what was asked for
        await page.locator('.request', { hasText: 'CMD-000125' }).getByText('asked; waiting for the answer').waitFor();
        assert.equal(requests('CMD-000125').length, before);
        await page.getByRole('button', { name: 'Resume deliveries…' }).click();
        await dialog.getByRole('button', { name: 'Resume deliveries' }).click();
        await page.locator('.request.good', { hasText: 'CMD-000125' }).waitFor();
        assert.equal(requests('CMD-000125').length, before + 1);
        assert.equal(await page.locator('.paused').count(), 0);
        await page.reload();
        await page.locator('.request.good', { hasText: 'CMD-000125' }).waitFor();
        await page.getByRole('button', { name: 'Clear' }).click();
        await page.reload();
        await headline(page, 'need').waitFor();
        assert.equal(await page.locator('.request').count(), 0, 'what was cleared stays so');
        await close();
    }

    return [real_files_come_with_a_strict_policy, real_the_first_view_is_45_kb_and_the_next_one_a_tenth, real_nobody_but_operators_signs_in, real_a_refused_order_is_seen_understood_retried_and_delivered, real_what_can_never_be_sent_says_why,
        real_a_redrive_sends_what_its_preview_said, real_an_endpoint_that_is_down_is_said_and_heals, real_ten_thousand_orders_are_listed_and_found,
        real_hostile_texts_are_texts, real_a_session_ends_by_itself, real_what_is_asked_for_in_a_pause_is_sent_after_it, real_nobody_delivering_is_said].map((test) => [test.name, test]);
}
