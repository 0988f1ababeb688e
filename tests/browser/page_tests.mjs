// page_tests: the page before the fake dashboard: each state an operator can meet.
import { strict as assert } from 'node:assert';
import { assertAccessible, openTab } from './harness.mjs';
import { CUSTOMER, FakeDashboard, makeOrder, OPERATOR } from './fake_dashboard.mjs';

const HOUR = 3600000;

export function pageTests(chrome, folder, { verdicts, situations }, keep) {
    const fake = new FakeDashboard(folder, verdicts);

    function seed(count = 60) {
        fake.reset();
        for (let i = 0; i < count; i++)
            fake.orders.set(makeOrder(i).key, makeOrder(i));
    }

    function park(i, reason, kind, over = {}) {
        const at = Date.now() - i * 400000;
        const order = makeOrder(i, { state: 'parked', reason, class: kind, status: null, attempts: 0, first_attempt_ms: null, last_attempt_ms: null,
            settled_ms: at, confirmed_at: new Date(at - 1500).toISOString(), ...over });
        fake.orders.set(order.key, order);
        return order;
    }

    function night() {
        seed();
        for (const i of [1, 5, 9, 12, 14])
            park(i, 'missing:client_phone', 'validation');
        for (const i of [20, 21])
            park(i, 'http:422', 'refused', { status: 422, attempts: 1, first_attempt_ms: Date.now() - i * 400000 - 300, last_attempt_ms: Date.now() - i * 400000 - 300,
                response: '{"success":false,"data":{"message":"Votre formulaire contient des erreurs"}}' });
        park(30, 'exhausted:http:503', 'exhausted', { status: 503, attempts: 8, first_attempt_ms: Date.now() - 31 * 400000, last_attempt_ms: Date.now() - 30 * 400000 });
        const retrying = makeOrder(40, { state: 'retrying', reason: 'timeout', status: null, attempts: 4, next_attempt_ms: Date.now() + 17000 });
        fake.orders.set(retrying.key, retrying);
    }

    async function signedIn(options = {}, hash = '') {
        const tab = await openTab(chrome, fake.url, options);
        await tab.page.goto(`${fake.url}#token=${OPERATOR}`);
        await tab.page.locator('#bar .live.on').waitFor();
        if (hash !== '')
            await tab.page.goto(fake.url + hash);
        return tab;
    }

    const heading = (page) => page.locator('main h1').innerText();
    const row = (page, text) => page.locator('.row', { hasText: text });
    const asked = (what) => fake.seen.filter((line) => line.startsWith(what)).length;

    async function until(condition) {
        for (const end = Date.now() + 15000; !await condition();) {
            assert(Date.now() < end, 'in vain');
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }

    async function signs_in_by_the_link() {
        seed();
        const { page, close } = await signedIn();
        assert.equal(page.url(), fake.url + '#/');
        assert.equal(await page.evaluate(() => sessionStorage.getItem('token')), OPERATOR);
        assert.equal(await page.evaluate(() => localStorage.length + document.cookie.length), 0);
        await page.goBack().catch(() => null);
        assert(!page.url().includes('token'), 'not in the history either');
        await close();
    }

    async function signs_in_by_pasting() {
        seed();
        const { page, close } = await openTab(chrome, fake.url, { expected: /401/ });
        await page.goto(fake.url);
        await page.getByRole('button', { name: 'Sign in' }).click();
        await page.getByText('Paste a token first.').waitFor();
        await page.getByLabel('Your token').fill('something else');
        await page.keyboard.press('Enter');
        await page.getByText('This token is not accepted.').waitFor();
        await page.getByLabel('Your token').fill(CUSTOMER);
        await page.keyboard.press('Enter');
        await page.getByText('it is not an operator’s').waitFor();
        assert.equal(await page.evaluate(() => sessionStorage.getItem('token')), null);
        await assertAccessible(chrome, page, 'a refused token');
        await page.getByLabel('Your token').fill(`Bearer ${OPERATOR}`);
        await page.keyboard.press('Enter');
        await page.getByText('Everything is all right.').waitFor();
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.getByLabel('Your token').waitFor();
        assert.equal(await page.evaluate(() => sessionStorage.getItem('token')), null);
        await close();
    }

    async function says_that_all_is_right() {
        seed();
        const { page, close } = await signedIn();
        assert.equal(await heading(page), 'Everything is all right.');
        assert.equal(await page.title(), 'Everything is all right. · elementor-sync');
        assert.equal(await page.locator('.reason').count(), 0);
        assert.match(await page.locator('.hero').innerText(), /514 in the last hour/);
        await page.locator('.chart').first().waitFor();
        assert(await page.locator('.stick.delivered').count() > 20, 'bars are drawn');
        await keep(page, 'all-right');
        await close();
    }

    // Each situation of the program, in the page's words.
    async function every_situation_has_its_words() {
        seed();
        assert(situations.length >= 25);
        const said = {};
        for (const locale of ['en-GB', 'fr-FR']) {
            const { page, close } = await openTab(chrome, fake.url, { locale });
            await page.goto(fake.url);
            said[locale] = await page.evaluate(async ({ verdicts, now }) => {
                const { verdict } = await import('./verdict.js');
                const status = { topic: 'orders.public.orders', endpoint: 'shop.example.com#1f3a9c07', counts: { delivered: 3 }, delivered_hour: 2 };
                return Object.fromEntries(Object.entries(verdicts).filter(([name]) => name !== 'now_ms').map(([name, v]) => [name, verdict({ ...status, verdict: v }, now, 0)]));
            }, { verdicts, now: verdicts.now_ms });
            await close();
        }
        for (const { name, look, title, says, never = [] } of situations) {
            const english = said['en-GB'][name], french = said['fr-FR'][name];
            const whole = (of) => [of.title, ...of.lines, ...of.also.flatMap((a) => [a.title, ...a.lines])].join('\n');
            assert.equal(english.title, title, name);
            assert.equal(english.look, look, name);
            for (const text of says)
                assert(whole(english).includes(text), `${name}: no “${text}” in: ${whole(english)}`);
            for (const text of never)
                assert(!whole(english).includes(text), `${name}: “${text}” in: ${whole(english)}`);
            for (const text of [whole(english), whole(french)])
                assert(!/\{|\b(v|todo)_|undefined|null/.test(text), `${name}: ${text}`);
            assert.notEqual(french.title, english.title, name);
            assert.equal(whole(french).split('\n').length, whole(english).split('\n').length, name);
        }
    }

    const iconOf = (page) => page.locator('link[rel=icon]').getAttribute('href');

    async function says_what_is_wrong_and_what_to_do() {
        seed();
        const { page, close } = await signedIn();
        for (const { name, look, title, says } of situations.filter((s) => !/\d/.test(s.title))) {
            fake.situation = name;
            fake.changed();
            await page.locator('main h1', { hasText: title }).waitFor();
            for (const text of says.filter((s) => !/\d/.test(s)))
                await page.locator('.hero', { hasText: text }).waitFor();
            await page.locator(`link[rel=icon][href="icon-${look}.svg"]`).waitFor({ state: 'attached' });
            assert.match(await page.title(), new RegExp('^' + title), name);
        }
        fake.situation = 'one is parked while partitions are held';
        fake.changed();
        await page.locator('.also', { hasText: 'One order needs you.' }).waitFor();
        await assertAccessible(chrome, page, 'two causes');
        await keep(page, 'two-causes');
        seed(0);
        fake.busiest = 0;
        fake.changed();
        await page.getByText('No order has been confirmed yet.').waitFor();
        await close();
    }

    // Every other view shows it too: by a banner, the title, the icon, and aloud.
    async function the_verdict_is_on_every_view() {
        seed();
        const { page, close } = await signedIn({}, '#/orders');
        await row(page, 'CMD-100000').waitFor();
        assert.equal(await page.locator('.banner').count(), 0);
        assert.equal(await page.title(), 'Orders · elementor-sync');
        fake.situation = 'the webhook is down';
        fake.changed();
        const banner = page.locator('.banner.bad', { hasText: 'The webhook is not working.' });
        await banner.waitFor();
        await page.locator('#polite', { hasText: 'The webhook is not working.' }).waitFor({ state: 'attached' });
        assert.equal(await page.title(), 'The webhook is not working. · Orders · elementor-sync');
        assert.equal(await iconOf(page), 'icon-bad.svg');
        await assertAccessible(chrome, page, 'a banner');
        await keep(page, 'banner');
        await page.goto(fake.url + '#/order/order-000004');
        await page.locator('.timeline').waitFor();
        await banner.click();
        await page.locator('main h1', { hasText: 'The webhook is not working.' }).waitFor();
        assert.equal(await page.locator('.banner').count(), 0, 'the overview says it itself');
        fake.situation = null;
        fake.changed();
        await page.locator('#polite', { hasText: 'Everything is all right.' }).waitFor({ state: 'attached' });
        await close();
    }

    // By a connection that breaks, or by one on which nothing comes any more.
    async function a_dashboard_that_does_not_answer_is_never_green() {
        for (const mute of [false, true]) {
            seed();
            const { page, close } = await signedIn({ expected: /ERR_|Failed to load|503/ }, '#/orders');
            assert.equal(await iconOf(page), 'icon-good.svg');
            fake.mute = mute;
            fake.failing = 503;
            if (!mute)
                fake.streams.forEach((stream) => stream.destroy());
            await page.locator('.banner.blind', { hasText: 'The dashboard does not answer.' }).waitFor();
            assert.equal(await iconOf(page), 'icon-blind.svg');
            fake.reset();
            fake.streams.forEach((stream) => stream.destroy());
            await page.locator('.banner').waitFor({ state: 'detached' });
            await page.locator('link[rel=icon][href="icon-good.svg"]').waitFor({ state: 'attached' });
            await close();
        }
    }

    // Before anything is known, and after the session.
    async function nothing_known_is_not_green() {
        seed();
        const { page, close } = await openTab(chrome, fake.url, { expected: /401/ });
        await page.goto(fake.url);
        await page.getByLabel('Your token').waitFor();
        assert.equal(await iconOf(page), 'icon-blind.svg');
        await page.getByLabel('Your token').fill(OPERATOR);
        await page.keyboard.press('Enter');
        await page.getByText('Everything is all right.').waitFor();
        assert.equal(await iconOf(page), 'icon-good.svg');
        fake.expire();
        await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
        assert.equal(await iconOf(page), 'icon-blind.svg');
        assert.match(await page.title(), /^Your session has ended/);
        await close();
    }

    async function what_is_unknown_is_no_zero() {
        seed();
        Object.assign(fake.status, { lag: null, waiting: null });
        fake.situation = 'nobody was ever heard of';
        const { page, close } = await signedIn();
        await page.locator('.figure', { hasText: 'changes to read' }).getByText('not known').waitFor();
        await page.locator('.figure', { hasText: 'waiting for the webhook' }).getByText('not known').waitFor();
        await close();
    }

    async function a_pause_says_who_when_and_why_and_ends() {
        seed();
        const { page, close } = await signedIn({ expected: /503/ });
        const dialog = page.getByRole('dialog'), note = page.locator('.paused');
        await page.getByRole('button', { name: 'Pause deliveries…' }).click();
        await assertAccessible(chrome, page, 'the question before a pause');
        await dialog.getByRole('button', { name: 'Pause deliveries' }).click();
        assert.equal(asked('POST /api/v1/pause'), 0, 'not without a reason');
        await dialog.getByLabel('Why').fill('é'.repeat(150));
        await page.keyboard.press('Enter');
        await dialog.getByText('200 bytes at most').waitFor();
        await dialog.getByLabel('Why').fill('stock count');
        fake.failing = 503;
        await page.keyboard.press('Enter');
        await dialog.getByRole('alert').getByText('The view cannot be read.').waitFor();
        fake.failing = null;
        await page.keyboard.press('Enter');
        await dialog.waitFor({ state: 'hidden' });
        await page.locator('main h1', { hasText: 'Deliveries are paused.' }).waitFor();
        assert.match(await note.innerText(), /By night@shop\.example, since \d.*: “stock count”/);
        assert.equal(await page.getByRole('button', { name: 'Pause deliveries…' }).count(), 0);
        await assertAccessible(chrome, page, 'a pause');
        await keep(page, 'paused');
        fake.status.members[0].paused = false; // of a release that knows no pause
        fake.status.paused.at_ms -= 60000;
        fake.changed();
        await note.getByText('One program does not say that it obeys').waitFor();
        await note.getByRole('button', { name: 'Resume deliveries…' }).click();
        await dialog.getByText('stock count').waitFor();
        await dialog.getByRole('button', { name: 'Resume deliveries' }).click();
        await page.locator('main h1', { hasText: 'Everything is all right.' }).waitFor();
        assert.equal(await note.count(), 0);
        await close();
    }

    // A browser opens six connections to a host, and a stream holds one.
    async function eight_tabs_share_one_stream_and_one_sign_in() {
        seed();
        const others = new Set(fake.streams); // of tests before, which are closed by and by
        const { page, another, close } = await signedIn({ expected: /401/ });
        const tabs = [page], streams = () => [...fake.streams].filter((stream) => !others.has(stream) && !stream.writableEnded && !stream.destroyed).length;
        for (let i = 0; i < 7; i++) {
            const tab = await another();
            await tab.goto(`${fake.url}#/orders`);
            await tab.locator('#bar .live.on').waitFor();
            tabs.push(tab);
        }
        await until(() => streams() === 1);
        park(3, 'http:422', 'refused');
        fake.put(fake.orders.get(makeOrder(3).key));
        for (const tab of tabs)
            await tab.getByText('One order needs you.').first().waitFor();
        await page.close();
        await until(() => streams() === 1);
        fake.put({ ...fake.orders.get(makeOrder(3).key), state: 'delivered', reason: null });
        for (const tab of tabs.slice(1))
            await tab.locator('#banner .banner').waitFor({ state: 'detached' });
        fake.expire();
        for (const tab of tabs.slice(1))
            await tab.getByRole('heading', { name: 'Your session has ended' }).waitFor();
        await close();
    }

    // Control and a click on a link opens a new tab without what the tab keeps.
    async function a_link_in_a_new_tab_stays_signed_in_and_signing_out_is_for_all() {
        seed();
        const { page, close } = await signedIn({}, '#/orders');
        const [tab] = await Promise.all([page.context().waitForEvent('page'), page.locator('.row a').first().click({ modifiers: ['Control'] })]);
        await tab.bringToFront(); // it was opened behind the other one, where little is drawn
        await tab.locator('#bar .live.on').waitFor();
        assert.match(new URL(tab.url()).hash, /^#\/order\//);
        await page.getByRole('button', { name: 'Sign out' }).click();
        await tab.getByLabel('Your token').waitFor();
        await close();
    }

    async function the_search_box_says_what_the_address_says() {
        seed();
        const { page, close } = await signedIn({}, '#/orders?q=CMD-1000');
        const box = page.getByRole('searchbox');
        await until(async () => await box.inputValue() === 'CMD-1000');
        await page.goto(`${fake.url}#/`);
        await page.locator('.figures').waitFor();
        assert.equal(await box.inputValue(), '');
        await page.goBack();
        await page.getByRole('heading', { name: 'Orders found' }).waitFor();
        assert.equal(await box.inputValue(), 'CMD-1000');
        await close();
    }

    async function a_dialog_closes_on_its_backdrop_and_not_on_its_padding() {
        seed();
        const { page, close } = await signedIn();
        const dialog = page.getByRole('dialog');
        await page.getByRole('button', { name: 'Pause deliveries…' }).click();
        const { x, y } = await dialog.boundingBox();
        await page.mouse.click(x + 5, y + 5);
        assert(await dialog.isVisible());
        await page.mouse.move(x + 60, y + 60);
        await page.mouse.down();
        await page.mouse.move(x - 30, y - 30);
        await page.mouse.up();
        assert(await dialog.isVisible(), 'a text was selected');
        await page.mouse.click(x - 30, y - 30);
        await dialog.waitFor({ state: 'hidden' });
        await close();
    }

    async function a_reason_whose_orders_are_old_shows_some_of_them() {
        seed(0);
        for (let i = 0; i < 101; i++)
            park(i, 'missing:client_phone', 'validation');
        const old = park(900, 'http:422', 'refused');
        const { page, close } = await signedIn();
        await row(page, old.order_number).waitFor();
        await close();
    }

    async function a_redrive_that_runs_is_shown_after_a_reload_with_who_began_it() {
        night();
        fake.redrives.push({ id: 'other', action: 'redrive', answers: {}, state: 'running', count: 8, sent: 2, failed: 0, rate: 5, started_ms: Date.now(), ended_ms: null, by: 'olga', selection: {} });
        const { page, close } = await signedIn();
        await page.getByText('Sending 8 orders again').waitFor();
        await page.getByText('by olga').waitFor();
        await close();
    }

    async function an_order_that_will_never_be_sent_is_dismissed_and_taken_back() {
        night();
        const { page, close } = await signedIn({ expected: /409/ });
        const [order] = fake.list(new URLSearchParams('state=parked')).orders, dialog = page.getByRole('dialog');
        await page.goto(`${fake.url}#/order/${order.key}`);
        await page.getByRole('button', { name: 'Dismiss…' }).click();
        await dialog.getByText(order.order_number).waitFor();
        await assertAccessible(chrome, page, 'the question before a dismissal');
        await keep(page, 'dismiss');
        await dialog.getByRole('button', { name: 'Dismiss the order' }).click();
        assert.equal(asked(`POST /api/v1/orders/${order.key}/dismiss`), 0, 'not without a reason');
        await dialog.getByLabel('Why').fill('<i>cancelled</i>');
        await page.keyboard.press('Enter');
        await dialog.waitFor({ state: 'hidden' });
        const card = page.locator('.todo-card');
        await card.getByText('“<i>cancelled</i>”').waitFor();
        assert.match(await card.innerText(), /By night@shop\.example, since \d/);
        assert.equal(await page.locator('.hero .chip').innerText(), 'Dismissed');
        assert.match(await page.locator('section[aria-labelledby=asked]').innerText(), /Dismissed\n.*\s+by night@shop\.example\s+“<i>cancelled/);
        await assertAccessible(chrome, page, 'a dismissed order');
        await keep(page, 'dismissed');
        await page.goto(`${fake.url}#/`);
        await page.locator('main h1', { hasText: '7 orders need you.' }).waitFor();
        await row(page, order.order_number).waitFor({ state: 'detached' });
        await page.goto(`${fake.url}#/orders?state=dismissed`);
        await page.getByRole('link', { name: /^Dismissed/ }).waitFor();
        await page.locator('.row', { hasText: order.order_number }).locator('a').click();
        fake.orders.get(order.key).gone = true;
        await page.getByRole('button', { name: 'Take it back' }).click();
        await card.getByRole('alert').waitFor();
        fake.orders.get(order.key).gone = false;
        await page.getByRole('button', { name: 'Take it back' }).click();
        await page.getByRole('button', { name: 'Dismiss…' }).waitFor();
        await page.locator('section[aria-labelledby=asked]', { hasText: 'Dismissal taken back' }).waitFor();
        await close();
    }

    async function a_dismissed_order_is_said_in_french_too() {
        night();
        const [order] = fake.list(new URLSearchParams('state=parked')).orders;
        fake.dismiss(fake.orders.get(order.key), { at_ms: Date.now() - 2 * HOUR, by: 'olga@shop-1', reason: 'annulée par téléphone' });
        const { page, close } = await signedIn({ locale: 'fr-FR', viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
        await page.goto(`${fake.url}#/order/${order.key}`);
        await page.locator('.todo-card', { hasText: '« annulée par téléphone »' }).waitFor();
        await assertAccessible(chrome, page, 'a dismissed order, on a phone, in the dark');
        await keep(page, 'dismissed-phone');
        await close();
    }

    // Another's pause, or one from a terminal, reaches each page.
    async function a_pause_of_another_is_said_in_french_too() {
        seed();
        const { page, close } = await signedIn({ locale: 'fr-FR', viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
        fake.pause({ by: 'olga@shop-1', at_ms: Date.now() - 2 * HOUR, reason: '<b>inventaire</b>' });
        await page.locator('.paused', { hasText: 'olga@shop-1' }).waitFor();
        assert.match(await page.locator('.paused').innerText(), /«\s<b>inventaire<\/b>\s»/);
        await assertAccessible(chrome, page, 'a pause, on a phone, in the dark');
        await keep(page, 'paused-phone');
        await close();
    }

    // Times are the server's: this computer's clock is an hour ahead of it.
    async function a_clock_that_is_wrong_changes_no_verdict() {
        seed();
        const { page, close } = await signedIn();
        const now = Date.now() - HOUR;
        Object.assign(fake.status, { now_ms: now, hold_until_ms: now + 600000 });
        fake.situation = 'Retry-After 600';
        fake.changed();
        await page.locator('main h1', { hasText: 'The webhook asks to wait.' }).waitFor();
        const said = await page.locator('section[aria-labelledby=behind] dd').first().innerText();
        assert.match(said, /asks to wait/);
        await close();
    }

    async function retries_one_and_sees_it_delivered() {
        night();
        const { page, close } = await signedIn();
        assert.equal(await heading(page), '8 orders need you.');
        await keep(page, 'orders-need-you');
        await row(page, 'CMD-100020').getByRole('link').click();
        await page.locator('.timeline').waitFor();
        assert.equal(await heading(page), 'CMD-100020');
        await page.getByText('Votre formulaire contient des erreurs').waitFor();
        await keep(page, 'one-order');
        const before = asked('POST');
        await page.getByRole('button', { name: 'Send again: CMD-100020' }).dblclick();
        await page.locator('.hero .chip.good', { hasText: 'Delivered' }).waitFor();
        assert.equal(asked('POST') - before, 1, 'asked once');
        await page.getByText('Delivered after being sent again').waitFor();
        await page.locator('#polite', { hasText: 'CMD-100020 is delivered.' }).waitFor({ state: 'attached' });
        await page.getByRole('link', { name: 'Back' }).click();
        await page.locator('main h1', { hasText: '7 orders need you.' }).waitFor();
        await page.locator('.request.good', { hasText: 'CMD-100020' }).waitFor();
        await close();
    }

    async function says_when_a_retry_is_parked_again() {
        night();
        fake.onRetry = (order) => fake.later(50, () => fake.put({ ...order, state: 'parked', reason: 'http:422' }));
        const { page, close } = await signedIn();
        await page.getByRole('button', { name: 'Send again: CMD-100020' }).click();
        await page.locator('.request.bad', { hasText: 'set aside again: refused by the webhook (answer 422)' }).waitFor();
        await page.getByRole('button', { name: 'Send again: CMD-100020' }).waitFor();
        await page.getByRole('button', { name: 'Clear' }).click();
        await page.locator('.request').waitFor({ state: 'detached' });
        await close();
    }

    async function offers_no_retry_where_none_can_succeed() {
        night();
        const { page, close } = await signedIn();
        const card = page.locator('.reason', { hasText: 'The client’s phone number is missing.' });
        await row(card, 'CMD-100001').waitFor();
        await card.getByText('Correct the order in the shop').waitFor();
        assert.equal(await card.getByRole('button').count(), 0);
        await close();
    }

    async function redrives_after_a_preview_and_a_yes() {
        night();
        const { page, close } = await signedIn();
        await page.locator('.reason', { hasText: '422' }).getByRole('button', { name: 'Send all again…' }).click();
        const dialog = page.getByRole('dialog', { name: 'Send set-aside orders again' });
        await dialog.getByText('2 orders will be sent again.').waitFor();
        assert.equal(asked('POST /api/v1/redrives') - asked('POST /api/v1/redrives/preview'), 0, 'nothing sent yet');
        await dialog.getByLabel('Which ones').selectOption({ index: 0 });
        await dialog.getByText('8 orders will be sent again.').waitFor();
        await dialog.getByText('5 of them would be set aside again').waitFor();
        await keep(page, 'redrive');
        await assertAccessible(chrome, page, 'the preview');
        await page.keyboard.press('Escape');
        await dialog.waitFor({ state: 'hidden' });
        assert.equal(asked('POST /api/v1/redrives') - asked('POST /api/v1/redrives/preview'), 0, 'Escape sends nothing');
        await page.locator('.reason', { hasText: '422' }).getByRole('button', { name: 'Send all again…' }).click();
        await dialog.getByRole('button', { name: 'Send 2 orders again' }).click();
        await page.locator('.request', { hasText: 'Sending 2 orders again' }).getByText('all asked').waitFor();
        await page.locator('main h1', { hasText: '6 orders need you.' }).waitFor();
        await close();
    }

    async function asks_again_when_the_number_changed() {
        night();
        const { page, close } = await signedIn({ expected: /409/ });
        await page.locator('.reason', { hasText: '422' }).getByRole('button', { name: 'Send all again…' }).click();
        await page.getByRole('button', { name: 'Send 2 orders again' }).waitFor();
        park(22, 'http:422', 'refused'); // earlier than those, and heard of later
        await page.getByRole('button', { name: 'Send 2 orders again' }).click();
        await page.getByText('The number has changed meanwhile.').waitFor();
        await page.getByRole('button', { name: 'Send 3 orders again' }).waitFor();
        assert.equal(fake.redrives.length, 0);
        await close();
    }

    async function a_redrive_sends_what_its_preview_showed() {
        night();
        const { page, close } = await signedIn();
        await page.locator('.reason', { hasText: '422' }).getByRole('button', { name: 'Send all again…' }).click();
        await page.getByRole('button', { name: 'Send 2 orders again' }).waitFor();
        const later = park(0, 'http:422', 'refused'); // and more may follow
        await page.getByRole('button', { name: 'Send 2 orders again' }).click();
        await page.locator('.request', { hasText: 'Sending 2 orders again' }).getByText('all asked').waitFor();
        assert.equal(fake.orders.get(later.key).state, 'parked');
        await close();
    }

    // The stream and the answer overtake each other.
    async function a_redrive_that_ends_before_its_answer_has_ended() {
        night();
        const { page, close } = await signedIn();
        const ended = page.locator('.request', { hasText: 'Sending 2 orders again' }).getByText('all asked');
        await page.route('**/api/v1/redrives', async (route) => {
            const response = await route.fetch();
            await ended.waitFor();
            await route.fulfill({ response });
        });
        await page.locator('.reason', { hasText: '422' }).getByRole('button', { name: 'Send all again…' }).click();
        await page.getByRole('button', { name: 'Send 2 orders again' }).click();
        await page.getByRole('dialog').waitFor({ state: 'hidden' });
        assert.equal(await ended.count(), 1);
        await close();
    }

    async function an_expired_session_comes_back_to_where_it_was() {
        night();
        const { page, close } = await signedIn({ expected: /401/ }, '#/order/order-000020');
        await page.locator('.timeline').waitFor();
        fake.expire();
        await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
        assert.equal(await page.evaluate(() => sessionStorage.getItem('token')), null);
        assert.equal(await page.getByText('CMD-100020').count(), 0, 'nothing is left to read');
        await assertAccessible(chrome, page, 'an ended session');
        await keep(page, 'session-ended');
        fake.expired = false;
        await page.getByLabel('Your token').fill(OPERATOR);
        await page.keyboard.press('Enter');
        await page.locator('.timeline').waitFor();
        assert.equal(await heading(page), 'CMD-100020');
        await close();
    }

    async function a_session_that_ends_while_nothing_answers_says_so() {
        seed();
        fake.lifeMs = 10000;
        const { page, close } = await signedIn({ expected: /net::ERR_|Failed to load resource/ });
        await page.waitForFunction(() => performance.getEntriesByType('resource').some((file) => file.name.endsWith('/login.js')));
        assert.notEqual(await page.evaluate(() => sessionStorage.getItem('token')), null, 'fetched before the end');
        await page.route('**', (route) => route.abort());
        await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
        await close();
    }

    async function a_token_refused_by_any_call_ends_the_session() {
        seed();
        const { page, close } = await signedIn({ expected: /401/ });
        fake.expired = true;
        await page.evaluate(() => { location.hash = '#/orders'; }); /* a link might be gone: any other call ends it too */
        await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
        await close();
    }

    async function ten_thousand_orders() {
        seed(10000);
        const { page, close } = await signedIn({}, '#/orders');
        await row(page, 'CMD-100000').waitFor();
        assert.equal(await page.locator('.row').count(), 50);
        for (let pages = 2; pages <= 5; pages++) {
            await page.getByRole('button', { name: 'Show more' }).click();
            await page.getByText(`${pages * 50} orders shown.`).waitFor();
        }
        const names = await page.locator('.row-name').allTextContents();
        assert.equal(new Set(names).size, 250);
        await page.getByRole('searchbox').fill('cmd-107777');
        await page.keyboard.press('Enter');
        await page.getByText('One order shown.').waitFor();
        assert.deepEqual(await page.locator('.row-name').allTextContents(), ['CMD-107777']);
        await page.getByRole('searchbox').fill('nothing');
        await page.getByRole('button', { name: 'Search' }).click();
        await page.getByText('No order with “nothing” in its number or id.').waitFor();
        await page.goBack();
        await page.goBack();
        await page.getByText('250 orders shown.').waitFor();
        await close();
    }

    async function what_is_asked_while_it_reads_is_not_lost() {
        seed(120);
        const { page, close } = await signedIn({}, '#/orders');
        await row(page, 'CMD-100000').waitFor();
        fake.hold();
        park(0, 'http:422', 'refused');
        fake.changed();
        await until(() => fake.held.length === 1);
        await page.getByRole('button', { name: 'Show more' }).click();
        fake.release();
        await page.getByText('100 orders shown.').waitFor();
        await close();
    }

    async function what_changes_while_it_reads_is_shown() {
        seed(20);
        const { page, close } = await signedIn({}, '#/orders');
        await row(page, 'CMD-100000').waitFor();
        fake.hold();
        park(1, 'http:422', 'refused');
        fake.changed();
        await until(() => fake.held.length === 1);
        const late = makeOrder(77, { settled_ms: Date.now(), order_number: 'CMD-late' });
        fake.orders.set(late.key, late);
        fake.changed();
        await page.locator('.filters .count', { hasText: '20' }).waitFor();
        await page.evaluate(() => new Promise((done) => setTimeout(done, 1200))); // after the page's own timer, started before
        fake.release();
        await page.getByRole('button', { name: 'One new. Show it' }).click();
        await row(page, 'CMD-late').waitFor();
        await close();
    }

    // Nothing moves under the pointer: what is new is asked for, and what has changed says so where it stands.
    async function the_list_stands_still() {
        seed(30);
        park(1, 'http:422', 'refused');
        park(2, 'http:422', 'refused');
        const { page, close } = await signedIn({}, '#/orders');
        const stands = () => page.locator('.row').evaluateAll((rows) => rows.map((r) => [r.dataset.key, r.getBoundingClientRect().top]));
        await row(page, 'CMD-100000').waitFor();
        const before = await stands();
        for (let i = 0; i < 12; i++)
            fake.orders.set(`new-${i}`, makeOrder(0, { key: `new-${i}`, order_number: `NEW-${i}` }));
        Object.assign(fake.orders.get('order-000003'), { state: 'retrying', reason: 'timeout' });
        fake.changed();
        const news = page.getByRole('button', { name: '12 new. Show them' });
        await news.waitFor();
        await row(page, 'CMD-100003').getByText('Being tried again').waitFor();
        assert.deepEqual(await stands(), before);
        await assertAccessible(chrome, page, 'a list with news');
        await keep(page, 'list-news');
        await news.click();
        await row(page, 'NEW-11').waitFor();
        await news.waitFor({ state: 'detached' });
        await page.getByRole('link', { name: /^Need you/ }).click();
        await row(page, 'CMD-100003').waitFor({ state: 'detached' });
        await row(page, 'CMD-100002').waitFor();
        const parked = await stands();
        Object.assign(fake.orders.get('order-000001'), { state: 'delivered' });
        fake.changed();
        await row(page, 'CMD-100001').getByText('Has changed since').waitFor();
        assert.deepEqual(await stands(), parked);
        await keep(page, 'list-changed');
        await page.getByRole('button', { name: 'The list has changed. Show it' }).click();
        await row(page, 'CMD-100001').waitFor({ state: 'detached' });
        await row(page, 'CMD-100002').waitFor();
        for (let i = 100; i < 160; i++)
            park(i, 'http:422', 'refused');
        fake.changed();
        await page.getByRole('button', { name: '49 or more new. Show them' }).click();
        await page.getByText('50 orders shown.').waitFor();
        Object.assign(fake.orders.get('order-000002'), { state: 'delivered' }); // another one comes up from behind, and is none that is new
        fake.changed();
        await row(page, 'CMD-100002').getByText('Has changed since').waitFor();
        await page.getByRole('button', { name: 'The list has changed. Show it' }).waitFor();
        await close();
    }

    async function hostile_texts_are_texts() {
        const evil = '<script>window.owned=1</script><img src=x onerror="window.owned=1">';
        seed(3);
        park(1, `http:422`, 'refused', { order_number: evil, response: evil, detail: evil, status: 422, attempts: 1 });
        park(2, evil, 'refused', { order_number: null, order_id: null, key: 'orders/3/10492', detail: '{n} $& {why}' });
        const { page, close } = await signedIn();
        await page.getByText(evil).first().waitFor();
        await row(page, evil).first().getByRole('link').click();
        await page.locator('.timeline').waitFor();
        assert.equal(await heading(page), evil);
        assert.equal(await page.locator('pre').first().innerText(), evil);
        await page.goto(fake.url + '#/orders?q=' + encodeURIComponent(evil));
        await page.getByRole('heading', { name: evil }).waitFor();
        await page.goto(fake.url + '#/order/orders%2F3%2F10492');
        await page.getByText('Record without a number').first().waitFor();
        assert.equal(await page.locator('main script, main img').count(), 0);
        assert.equal(await page.evaluate(() => window.owned), undefined);
        await close();
    }

    async function policy_refuses_what_is_inline() {
        seed(3);
        const { page, close } = await signedIn({ expected: /violates|TrustedHTML|Trusted/ });
        const refused = await page.evaluate(() => new Promise((resolve) => {
            document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
            const script = document.createElement('script');
            script.append('window.owned = 1');
            document.body.append(script);
        }));
        assert.match(refused, /script|trusted-types/);
        assert.equal(await page.evaluate(() => window.owned), undefined);
        await close();
    }

    async function keyboard_alone_is_enough() {
        night();
        const { page, close } = await signedIn();
        await row(page, 'CMD-100020').waitFor();
        const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent);
        await page.keyboard.press('Tab');
        assert.equal(await focused(), 'Skip to the content');
        await page.keyboard.press('Enter');
        for (let i = 0; i < 40 && await focused() !== 'Send again: CMD-100020'; i++)
            await page.keyboard.press('Tab');
        assert.equal(await focused(), 'Send again: CMD-100020');
        const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
        assert.equal(ring, 'solid', 'the focus is seen');
        await page.keyboard.press('Enter');
        await page.locator('.request.good', { hasText: 'CMD-100020' }).waitFor();
        await row(page.locator('.reason'), 'CMD-100020').waitFor({ state: 'detached' });
        assert.notEqual(await page.evaluate(() => document.activeElement.localName), 'body', 'the focus is not lost');
        await close();
    }

    async function a_redraw_keeps_the_focus() {
        night();
        const { page, close } = await signedIn();
        const button = page.getByRole('button', { name: 'Send again: CMD-100030' });
        await button.focus();
        await page.getByRole('searchbox').fill('half');
        await button.focus();
        park(31, 'exhausted:http:503', 'exhausted');
        park(7, 'missing:client_name', 'validation');
        fake.changed();
        await page.locator('main h1', { hasText: '10 orders need you.' }).waitFor();
        await page.locator('.reason').filter({ hasText: 'CMD-100030' }).getByText('2 orders').waitFor();
        assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Send again: CMD-100030');
        assert.equal(await page.getByRole('searchbox').inputValue(), 'half');
        await close();
    }

    async function nothing_moves_under_the_pointer() {
        night();
        const { page, close } = await signedIn();
        const names = () => page.locator('.reason .row-name').allTextContents();
        await row(page, 'CMD-100020').waitFor();
        const before = await names();
        const refused = page.locator('.reason', { hasText: '422' });
        for (let i = 0; i < 6; i++)
            fake.orders.set(`new-${i}`, makeOrder(i, { key: `new-${i}`, order_number: `NEW-${i}`, state: 'parked', reason: 'http:422', class: 'refused', status: 422 }));
        fake.changed();
        await refused.getByText('8 orders').waitFor();
        await row(refused, 'NEW-0').waitFor();
        assert.deepEqual((await names()).filter((name) => !name.startsWith('NEW')), before, 'what was there is where it was');
        await close();
    }

    async function fits_a_phone() {
        night();
        fake.orders.get('order-000020').order_number = 'CMD-' + '9'.repeat(60);
        fake.status.breaker = { state: 'open', reason: 'x; the last answer: http:503', since_ms: Date.now() - HOUR, next_probe_ms: Date.now() + 9000 };
        fake.situation = 'one is parked while the webhook is down';
        const phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
        const { page, close } = await signedIn(phone);
        for (const hash of ['#/', '#/orders', '#/orders?state=parked', '#/order/order-000020']) {
            await page.goto(fake.url + hash);
            await page.locator('main .row, main .timeline').first().waitFor();
            assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, `${hash} scrolls sideways`);
            const small = await page.evaluate(() => [...document.querySelectorAll('button, .bar a, .row-link, input')]
                .filter((node) => node.checkVisibility() && node.getBoundingClientRect().height < 24).map((node) => node.textContent));
            assert.deepEqual(small, [], 'targets too small for a thumb');
        }
        await page.goto(fake.url + '#/');
        fake.status.breaker = { state: 'closed', reason: '', since_ms: null, next_probe_ms: null };
        fake.situation = null;
        fake.changed();
        await page.locator('main h1', { hasText: 'need you' }).waitFor();
        await keep(page, 'phone');
        await page.locator('.reason', { hasText: '422' }).getByRole('button', { name: 'Send all again…' }).tap();
        await page.getByRole('button', { name: 'Send 2 orders again' }).tap();
        await page.getByText('all asked').waitFor();
        await close();
    }

    async function shows_what_is_sent_and_personal_data_only_when_asked() {
        for (const [locale, button, missing, empty] of [['en-GB', 'Show personal data', 'client’s phone number', 'empty'],
            ['fr-FR', 'Afficher les données personnelles', 'téléphone du client', 'vide']]) {
            night();
            const { page, close } = await signedIn({ locale }, '#/order/order-000005');
            const section = page.locator('section[data-key=payload]');
            await section.getByRole('button', { name: button }).waitFor();
            assert.match(await section.locator('dd.fault').innerText(), new RegExp(`${empty}\\s+.*${missing}`, 'is'), 'the offending field is marked');
            assert(!(await section.innerText()).includes('Amina'), 'masked');
            assert.match(await section.innerText(), /1250\.50/);
            await assertAccessible(chrome, page, 'a masked payload');
            const before = asked('POST /api/v1/orders/order-000005/payload/show');
            await section.getByRole('button', { name: button }).click();
            await section.getByText('Amina Él').waitFor();
            assert.equal(asked('POST /api/v1/orders/order-000005/payload/show'), before + 1);
            assert.equal(await section.getByRole('button', { name: button }).count(), 0);
            await keep(page, `payload-${locale.slice(0, 2)}`);
            await page.goto(fake.url + '#/order/order-000002');
            await section.getByRole('button', { name: button }).click();
            await section.locator('summary').click();
            await section.getByText('"form_name":"order_confirmation"').waitFor();
            await close();
        }
    }

    async function says_that_kafka_keeps_a_record_no_longer() {
        seed();
        fake.orders.get('order-000003').gone = true;
        const { page, close } = await signedIn({ expected: /410/ }, '#/order/order-000003');
        await page.locator('section[data-key=payload]').getByText('Kafka no longer keeps its record').waitFor();
        await page.locator('.timeline').waitFor();
        await close();
    }

    async function speaks_french() {
        night();
        const { page, close } = await signedIn({ locale: 'fr-FR', colorScheme: 'dark' });
        assert.equal(await heading(page), '8 commandes ont besoin de vous.');
        assert.equal(await page.evaluate(() => document.documentElement.lang), 'fr');
        await row(page, 'CMD-100020').waitFor();
        await page.getByRole('button', { name: 'Renvoyer\u00a0: CMD-100020' }).waitFor();
        const text = await page.locator('body').innerText();
        for (const english of ['order', 'again', 'delivered', 'undefined', '{'])
            assert(!new RegExp(`\\b${english}\\b|\\{`, 'i').test(text.replace(/orders\.public\.orders/g, '')), `English in the French page: ${english}`);
        await keep(page, 'french-dark');
        await close();
    }

    async function the_language_is_chosen_and_kept() {
        night();
        const { page, close } = await signedIn({}, '#/orders');
        await page.getByRole('button', { name: 'Français' }).click();
        await page.getByRole('heading', { name: 'Commandes' }).waitFor();
        await page.locator('#bar .live.on', { hasText: 'En direct' }).waitFor();
        assert.equal(await page.evaluate(() => document.documentElement.lang), 'fr');
        await page.reload();
        await page.getByRole('heading', { name: 'Commandes' }).waitFor();
        await page.getByRole('button', { name: 'Se déconnecter' }).click();
        await page.getByLabel('Votre jeton').waitFor();
        await page.getByRole('button', { name: 'English' }).click();
        await page.getByLabel('Your token').waitFor();
        await assertAccessible(chrome, page, 'signing in, with the other language');
        await close();
    }

    async function times_have_a_zone() {
        seed();
        for (const [locale, foot, offset] of [['en-GB', 'Times: Africa/Algiers, GMT+1', 'GMT+1'], ['fr-FR', 'Heures\u00a0: Africa/Algiers, UTC+1', 'UTC+1']]) {
            const { page, close } = await signedIn({ locale, timezoneId: 'Africa/Algiers' }, '#/orders');
            await page.locator('#foot', { hasText: foot }).waitFor();
            const title = await page.locator('.row time').first().getAttribute('title');
            assert(title.endsWith(offset), title);
            await close();
        }
    }

    // One is not several, in either language; nought is one in French and several in English.
    async function figures_are_of_their_number() {
        for (const [locale, none, one, two] of [['en-GB', '0 need you', '1 needs you', '2 need you'], ['fr-FR', '0 a besoin de vous', '1 a besoin de vous', '2 ont besoin de vous']]) {
            seed(0);
            const { page, close } = await signedIn({ locale });
            const figure = (text) => page.locator('.figure', { hasText: new RegExp(`^${text}$`) }).waitFor();
            await figure(none);
            park(1, 'http:422', 'refused');
            fake.changed();
            await figure(one);
            park(2, 'http:422', 'refused');
            fake.changed();
            await figure(two);
            await close();
        }
    }

    // Of many the first and the newest are kept; those of another member, or before a restart, are not.
    async function each_attempt_is_told() {
        seed(0);
        const at = Date.now() - HOUR, tries = [503, 503, null, 200].map((status, i) => ({ at_ms: at + i * 20000, took_ms: [35, 1400, 15000, 120][i], status, reason: status === 200 ? '' : status === null ? 'timeout' : 'http:503' }));
        const many = makeOrder(1, { attempts: 9, tries, first_attempt_ms: at }), later = makeOrder(2, { attempts: 5, tries, first_attempt_ms: null });
        const short = makeOrder(3, { attempts: 4, tries, first_attempt_ms: at });
        const waits = makeOrder(4, { state: 'retrying', reason: 'http:503', status: 503, attempts: 2, tries: tries.slice(0, 2), first_attempt_ms: at, settled_ms: null, next_attempt_ms: at + 28400 });
        for (const order of [many, later, short, waits])
            fake.orders.set(order.key, order);
        const told = async (order, lines) => {
            await page.goto(`${fake.url}#/order/${order.key}`);
            await page.locator('h1', { hasText: order.order_number }).waitFor();
            const found = await page.locator('.moment', { hasText: /ttempt|ssai/ }).evaluateAll((list) => list.map((m) => [m.querySelector('strong'), ...m.querySelectorAll('p')].map((e) => e.textContent).join(' | ')));
            assert.deepEqual(found, lines);
        };
        const { page, close } = await signedIn();
        await told(short, ['Attempt 1 | answer 503, after 35 ms | The next one 20 s later.', 'Attempt 2 | answer 503, after 1.4 s | The next one 19 s later.',
            'Attempt 3 | no answer in time, after 15 s | The next one 5 s later.', 'Attempt 4 | answer 200, after 120 ms']);
        await told(many, ['Attempt 1 | answer 503, after 35 ms', '5 attempts are not kept', 'Attempt 7 | answer 503, after 1.4 s | The next one 19 s later.',
            'Attempt 8 | no answer in time, after 15 s | The next one 5 s later.', 'Attempt 9 | answer 200, after 120 ms']);
        await told(later, ['One attempt is not kept', 'Attempt 2 | answer 503, after 35 ms | The next one 20 s later.', 'Attempt 3 | answer 503, after 1.4 s | The next one 19 s later.',
            'Attempt 4 | no answer in time, after 15 s | The next one 5 s later.', 'Attempt 5 | answer 200, after 120 ms']);
        await told(waits, ['Attempt 1 | answer 503, after 35 ms | The next one 20 s later.', 'Attempt 2 | answer 503, after 1.4 s | The next one 7 s later.',
            'Waits for another attempt | The webhook failed (answer 503).']);
        await close();
    }

    async function who_asked_for_what_is_told() {
        seed(0);
        const at = Date.now() - HOUR, audit = [['retry', 'a customer'], ['redrive', 'olga'], ['show', '<b>yves</b>'], ['retry', 'a command'], ['retry', null]];
        fake.orders.set('order-000001', makeOrder(1, { audit: audit.map(([what, by], i) => ({ at_ms: at + i * 1000, what, by, request: null })) }));
        fake.orders.set('order-000002', makeOrder(2));
        for (const [locale, title, lines] of [['en-GB', 'Who asked for what', ['Asked to send it again, by a customer', 'Asked to send it again, with others, by olga', 'Personal values shown, by <b>yves</b>',
            'Asked to send it again, by a command in a terminal', 'Asked to send it again, by whom is not known']],
        ['fr-FR', 'Qui a demandé quoi', ['Renvoi demandé, par un client', 'Renvoi demandé, avec d’autres, par olga', 'Données personnelles affichées, par <b>yves</b>',
            'Renvoi demandé, par une commande dans un terminal', 'Renvoi demandé, par qui, on ne le sait pas']]]) {
            const { page, close } = await signedIn({ locale }, '#/order/order-000001');
            const list = page.getByRole('region', { name: title }).locator('.moment');
            await list.first().waitFor();
            assert.deepEqual(await list.evaluateAll((all) => all.map((m) => [m.querySelector('strong'), m.querySelector('p')].map((e) => e.textContent).join(', '))), lines);
            await page.goto(`${fake.url}#/order/order-000002`);
            await page.locator('h1', { hasText: 'CMD-100002' }).waitFor();
            assert.equal(await list.count(), 0, 'of this one nothing was asked');
            await close();
        }
    }

    // Their address is all that a filtered list is: it says the same in a tab of its own.
    async function filters_are_in_the_address() {
        seed(0);
        const at = Date.parse('2026-11-28T12:00:00Z');
        for (const [i, status, source] of [[1, 200, 'cdc'], [2, 503, 'retry'], [3, 503, 'cdc'], [4, 503, 'retry'], [5, null, 'retry']])
            fake.orders.set(`order-00000${i}`, makeOrder(i, { status, source, state: status === 200 ? 'delivered' : 'parked', reason: status === 200 ? null : 'http:503', class: 'exhausted', attempts: i,
                confirmed_at: new Date(at + i * 3600000 - 1400).toISOString(), settled_ms: at + i * 3600000 }));
        const { page, close } = await signedIn({ viewport: { width: 1920, height: 900 }, timezoneId: 'Africa/Algiers' }, '#/orders');
        const names = (on) => on.locator('.row-name').allTextContents();
        await row(page, 'CMD-100005').waitFor();
        await row(page, 'CMD-100001').getByText('in 1.4 s').waitFor();
        await row(page, 'CMD-100004').getByText('4 attempts').waitFor();
        assert((await row(page, 'CMD-100001').boundingBox()).height <= 37, 'a row is as low as its text');
        await keep(page, 'orders-1920');
        await page.getByText('More filters').click();
        await page.getByLabel('Answer').fill('503');
        await page.getByLabel('Sent by').selectOption('a retry by hand');
        await page.getByLabel('From').fill('2026-11-28T14:30');
        await page.getByLabel('Order', { exact: true }).selectOption('oldest first');
        await page.getByRole('button', { name: 'Show these' }).click();
        await row(page, 'CMD-100001').waitFor({ state: 'detached' });
        await row(page, 'CMD-100002').waitFor();
        assert.deepEqual(await names(page), ['CMD-100002', 'CMD-100004']);
        const address = page.url();
        assert(address.endsWith(`#/orders?status=503&source=retry&since=${at + 5400000}&sort=oldest`), address);
        await assertAccessible(chrome, page, 'filters');
        await page.getByRole('link', { name: 'Need you', exact: true }).click();
        await row(page, 'CMD-100004').waitFor();
        assert(page.url().includes('state=parked&status=503&source=retry'), 'the others stay');
        await close();
        const other = await openTab(chrome, fake.url, { timezoneId: 'UTC' });
        await other.page.goto(address);
        await other.page.getByLabel('Your token').fill(OPERATOR);
        await other.page.keyboard.press('Enter');
        await row(other.page, 'CMD-100002').waitFor();
        assert.deepEqual(await names(other.page), ['CMD-100002', 'CMD-100004']);
        assert.equal(await other.page.getByLabel('From').inputValue(), '2026-11-28T13:30');
        await other.page.getByRole('link', { name: 'Without these' }).click();
        await row(other.page, 'CMD-100001').waitFor();
        await other.close();
    }

    // rule.overtaken=skip: in the filters with its count, in the list, and in the order's view.
    async function an_overtaken_order_is_shown_as_such() {
        for (const [locale, name, why] of [
            ['en-GB', 'Not sent any more', 'the order was no longer confirmed when its turn came'],
            ['fr-FR', 'Non envoyée', 'la commande n’était plus confirmée quand son tour est venu']]) {
            seed();
            for (const i of [3, 8])
                fake.orders.set(makeOrder(i).key, makeOrder(i, { state: 'overtaken', reason: 'overtaken', class: 'overtaken', status: null,
                    attempts: 0, first_attempt_ms: null, last_attempt_ms: null }));
            const { page, close } = await signedIn({ locale }, '#/orders');
            const filter = page.locator('nav.filters a', { hasText: name });
            await filter.waitFor();
            assert.equal(await filter.locator('.count').innerText(), '2');
            await filter.click();
            await page.waitForFunction(() => document.querySelectorAll('.row').length === 2);
            assert((await row(page, 'CMD-100003').innerText()).includes(name));
            await row(page, 'CMD-100003').getByRole('link').first().click();
            await page.locator('main h1', { hasText: 'CMD-100003' }).waitFor();
            const said = await page.locator('main').innerText();
            assert(said.toLowerCase().includes(why), said);
            await close();
        }
        seed();
        const { page, close } = await signedIn({}, '#/orders');
        await page.locator('nav.filters a').first().waitFor();
        assert.equal(await page.locator('nav.filters a', { hasText: 'Not sent any more' }).count(), 0, 'shown where there are some');
        await close();
    }

    // elementor-sync reconcile: up to when nothing is missing, by the shop's own table.
    async function the_last_comparison_is_shown() {
        const at = new Date();
        at.setHours(9, 15, 0, 0);
        const complete = { at_ms: Date.now() - 60000, since_ms: null, until_ms: at.getTime(), compared: 1200, missing: 0 };
        for (const [locale, last, said] of [
            ['en-GB', complete, 'Compared with the shop’s own table: complete up to 09:15. (1,200 orders, 1 min ago)'],
            ['fr-FR', complete, 'Comparé à la table de la boutique : complet jusqu’à 09:15. (1 200 commandes, il y a 1 min)'],
            ['en-GB', { ...complete, missing: 1 }, 'one confirmed order never came. “elementor-sync reconcile --send” sends it.'],
            ['fr-FR', { ...complete, missing: 3 }, '3 commandes confirmées ne sont jamais arrivées.']]) {
            seed();
            fake.status.reconciled = last;
            const { page, close } = await signedIn({ locale });
            const line = (await page.locator('.reconciled').innerText()).replace(/[\u00a0\u202f]/g, ' ');
            assert(line.includes(said), line);
            await close();
        }
        seed();
        const { page, close } = await signedIn();
        await page.locator('.figures').waitFor();
        assert.equal(await page.locator('.reconciled').count(), 0, 'shown only after a comparison');
        await close();
    }

    async function is_accessible_in_light_and_dark() {
        for (const colorScheme of ['light', 'dark']) {
            night();
            const { page, close } = await signedIn({ colorScheme });
            await row(page, 'CMD-100020').waitFor();
            await page.locator('summary').click();
            const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
            assert.equal(Number(/\d+/.exec(paper)[0]) < 60, colorScheme === 'dark', paper);
            for (const hash of ['#/', '#/orders', '#/orders?state=parked&reason=http:422', '#/order/order-000020', '#/order/order-000002', '#/order/none']) {
                await page.goto(fake.url + hash);
                await page.locator('main .row, main .timeline, main h1').last().waitFor();
                await assertAccessible(chrome, page, `${colorScheme} ${hash}`);
            }
            await close().catch((error) => assert.match(error.message, /404/));
        }
    }

    async function says_when_something_cannot_be_loaded() {
        night();
        const { page, close } = await signedIn({ expected: /500/ });
        fake.failing = 500;
        await page.getByRole('link', { name: 'Orders' }).click();
        await page.getByText('This could not be loaded. The view cannot be read.').waitFor();
        await assertAccessible(chrome, page, 'a failure');
        const before = asked('GET /api/v1/orders');
        await page.getByRole('button', { name: 'Try again' }).click();
        await until(() => asked('GET /api/v1/orders') > before);
        fake.failing = null;
        park(3, 'http:400', 'refused');
        fake.changed();
        await row(page, 'CMD-100000').waitFor();
        await close();
    }

    async function follows_again_after_a_break() {
        night();
        const { page, close } = await signedIn({ expected: /ERR_|Failed to load|503/ });
        fake.failing = 503;
        for (const stream of fake.streams)
            stream.destroy();
        await page.getByText('Reconnecting…').waitFor();
        fake.failing = null;
        park(3, 'http:400', 'refused', { status: 400 });
        await page.locator('#bar .live.on').waitFor();
        await page.locator('main h1', { hasText: '9 orders need you.' }).waitFor();
        await close();
    }

    async function a_delivered_order_is_sent_again_only_after_a_yes() {
        seed();
        const { page, close } = await signedIn({}, '#/order/order-000004');
        await page.getByRole('button', { name: 'Send again all the same…' }).click();
        const dialog = page.getByRole('dialog', { name: 'Send a delivered order again?' });
        await dialog.getByRole('button', { name: 'Cancel' }).click();
        const before = asked('POST');
        await page.getByRole('button', { name: 'Send again all the same…' }).click();
        await dialog.getByRole('button', { name: 'Send it again' }).click();
        await page.getByText('Delivered after being sent again').waitFor();
        assert.equal(asked('POST') - before, 1);
        await close();
    }

    const tests = [signs_in_by_the_link, signs_in_by_pasting, says_that_all_is_right, every_situation_has_its_words, says_what_is_wrong_and_what_to_do, the_verdict_is_on_every_view,
        a_dashboard_that_does_not_answer_is_never_green, nothing_known_is_not_green, what_is_unknown_is_no_zero, a_clock_that_is_wrong_changes_no_verdict,
        retries_one_and_sees_it_delivered, says_when_a_retry_is_parked_again, offers_no_retry_where_none_can_succeed, redrives_after_a_preview_and_a_yes, asks_again_when_the_number_changed, a_redrive_sends_what_its_preview_showed, a_redrive_that_ends_before_its_answer_has_ended,
        an_expired_session_comes_back_to_where_it_was, a_session_that_ends_while_nothing_answers_says_so, a_token_refused_by_any_call_ends_the_session, ten_thousand_orders,
        what_is_asked_while_it_reads_is_not_lost, what_changes_while_it_reads_is_shown, the_list_stands_still, hostile_texts_are_texts,
        policy_refuses_what_is_inline, keyboard_alone_is_enough, a_redraw_keeps_the_focus, nothing_moves_under_the_pointer, fits_a_phone, shows_what_is_sent_and_personal_data_only_when_asked, says_that_kafka_keeps_a_record_no_longer, speaks_french, the_language_is_chosen_and_kept, times_have_a_zone, figures_are_of_their_number, the_last_comparison_is_shown, each_attempt_is_told, filters_are_in_the_address, who_asked_for_what_is_told, an_overtaken_order_is_shown_as_such,
        is_accessible_in_light_and_dark, a_pause_says_who_when_and_why_and_ends, a_pause_of_another_is_said_in_french_too,
        eight_tabs_share_one_stream_and_one_sign_in, a_link_in_a_new_tab_stays_signed_in_and_signing_out_is_for_all,
        the_search_box_says_what_the_address_says, a_dialog_closes_on_its_backdrop_and_not_on_its_padding,
        a_reason_whose_orders_are_old_shows_some_of_them, a_redrive_that_runs_is_shown_after_a_reload_with_who_began_it,
        an_order_that_will_never_be_sent_is_dismissed_and_taken_back, a_dismissed_order_is_said_in_french_too,
        says_when_something_cannot_be_loaded, follows_again_after_a_break, a_delivered_order_is_sent_again_only_after_a_yes];
    return { start: () => fake.start(), stop: () => fake.stop(), tests: tests.map((test) => [test.name, test]) };
}
