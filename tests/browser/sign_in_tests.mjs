// sign_in_tests: signing in at Supabase Auth, before the real program and a stand-in of Auth's documented API (fake_auth.mjs); no
// hosted project was at hand.
import { strict as assert } from 'node:assert';
import { assertAccessible, openTab } from './harness.mjs';

const EMAIL = 'night@shop.example', PASSWORD = 'correct horse';
const OPERATOR = { role: 'authenticated', app_metadata: { role: 'operator' } };

export function signInTests(chrome, group, keep) {
    const auth = () => group.auth;
    const asked = (what) => auth().seen.filter((line) => line.includes(what)).length;
    const live = (page) => page.locator('#bar .live.on').waitFor();

    async function opened(options = {}, hash = '') {
        auth().reset();
        auth().users = new Map([[EMAIL, { password: PASSWORD, claims: OPERATOR }], ['shopper@shop.example', { password: PASSWORD, claims: { role: 'authenticated' } }]]);
        const tab = await openTab(chrome, group.url, { also: auth().url, expected: /40[0-9]|42[29]|500|ERR_/, ...options });
        await tab.page.goto(group.url + hash);
        return tab;
    }

    async function enter(page, email = EMAIL, password = PASSWORD) {
        await page.getByLabel('E-mail').fill(email);
        await page.getByLabel('Password').fill(password);
        await page.keyboard.press('Enter');
    }

    async function until(condition) {
        for (const end = Date.now() + 30000; !condition();) {
            assert(Date.now() < end, 'in vain');
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }

    const stored = (page) => page.evaluate(() => ({ url: location.href, lasting: localStorage.length + document.cookie.length, token: sessionStorage.getItem('token') }));

    async function auth_signs_in_by_password_for_every_tab_of_the_browser() {
        const { page, another, close } = await opened({}, '#/orders');
        await page.getByLabel('E-mail').waitFor();
        await assertAccessible(chrome, page, 'signing in by e-mail');
        await keep(page, 'sign-in');
        await enter(page, EMAIL, 'wrong');
        await page.getByRole('alert').getByText('E-mail and password do not match.').waitFor();
        await assertAccessible(chrome, page, 'a wrong password');
        await enter(page, 'shopper@shop.example');
        await page.getByRole('alert').getByText('it is not an operator’s').waitFor();
        await enter(page);
        await live(page);
        await page.getByRole('heading', { name: 'Orders', level: 1 }).waitFor();
        const kept = await stored(page);
        assert(!kept.url.includes(kept.token) && kept.lasting === 0, 'neither in the address nor for ever');
        const second = await another();
        await second.goto(`${group.url}#/orders?state=delivered`);
        await live(second);
        assert.equal(new URL(second.url()).hash, '#/orders?state=delivered');
        assert.equal(asked('grant_type=password'), 3, 'nobody was asked again');
        await second.getByRole('button', { name: 'Sign out' }).click();
        await page.getByLabel('E-mail').waitFor();
        await second.getByLabel('E-mail').waitFor();
        await until(() => asked('logout?scope=local') === 1);
        assert.equal((await stored(page)).token, null);
        await close();
    }

    async function auth_sends_a_code_and_refusals_are_said_in_french_too() {
        const { page, close } = await opened({ locale: 'fr-FR', viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
        await page.getByRole('button', { name: 'Recevoir un code' }).click();
        await page.getByLabel('Adresse e-mail').fill('nobody@shop.example');
        await page.keyboard.press('Enter');
        await page.getByRole('alert').getByText('ce compte n’existe pas').waitFor();
        auth().refusal = [429, 'over_email_send_rate_limit'];
        await page.keyboard.press('Enter');
        await page.getByRole('alert').getByText('Attendez quelques minutes').waitFor();
        auth().refusal = [500, 'unexpected_failure', 'upstream'];
        await page.getByLabel('Adresse e-mail').press('Enter');
        await page.getByRole('alert').getByText('a refusé').waitFor();
        auth().refusal = null;
        auth().away = true;
        await page.getByLabel('Adresse e-mail').press('Enter');
        await page.getByRole('alert').getByText('n’est pas joignable').waitFor();
        auth().away = false;
        await page.getByLabel('Adresse e-mail').fill(EMAIL);
        await page.keyboard.press('Enter');
        await page.getByLabel('Le code reçu').fill('000000');
        await assertAccessible(chrome, page, 'a code, on a phone, in the dark');
        await keep(page, 'sign-in-code-phone');
        await page.getByLabel('Le code reçu').press('Enter');
        await page.getByRole('alert').getByText('faux ou trop ancien').waitFor();
        await page.getByLabel('Le code reçu').fill('123456');
        await page.keyboard.press('Enter');
        await live(page);
        await close();
    }

    async function auth_asks_for_the_second_factor_that_an_account_has() {
        const { page, close } = await opened();
        auth().users.get(EMAIL).factor = true;
        await enter(page);
        await page.getByLabel('authenticator app').fill('000000');
        await page.keyboard.press('Enter');
        await page.getByRole('alert').getByText('This code is wrong').waitFor();
        await page.getByLabel('authenticator app').fill('654321');
        await page.keyboard.press('Enter');
        await live(page);
        const [, claims] = (await stored(page)).token.split('.');
        assert.equal(JSON.parse(Buffer.from(claims, 'base64url')).aal, 'aal2');
        await close();
    }

    // Auth ends the session of a refresh token that two tabs use.
    async function auth_renews_a_session_before_its_end_once_for_all_tabs() {
        const { page, another, close } = await opened();
        auth().seconds = 10;
        await enter(page);
        await live(page);
        const second = await another();
        await second.goto(group.url);
        await live(second);
        const first = (await stored(page)).token;
        await until(() => asked('refresh_token') >= 3); // longer than the first token lasts
        for (const tab of [page, second]) {
            await live(tab);
            assert.equal(await tab.getByText('Your session has ended').count(), 0);
            assert.notEqual((await stored(tab)).token, first);
        }
        assert([...auth().sessions.values()].every((session) => !session.ended), 'each token once');
        await close();
    }

    async function auth_that_renews_no_more_ends_the_session_and_one_is_back_where_one_was() {
        const { page, close } = await opened({}, '#/orders?state=delivered');
        auth().seconds = 6;
        await enter(page);
        await live(page);
        auth().refusal = [400, 'refresh_token_not_found'];
        await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
        assert.match(await page.title(), /Your session has ended/);
        auth().refusal = null;
        await enter(page);
        await live(page);
        assert.equal(new URL(page.url()).hash, '#/orders?state=delivered');
        await page.getByRole('heading', { name: 'Orders', level: 1 }).waitFor();
        await close();
    }

    return [auth_signs_in_by_password_for_every_tab_of_the_browser, auth_sends_a_code_and_refusals_are_said_in_french_too,
        auth_asks_for_the_second_factor_that_an_account_has, auth_renews_a_session_before_its_end_once_for_all_tabs,
        auth_that_renews_no_more_ends_the_session_and_one_is_back_where_one_was].map((test) => [test.name, test]);
}
