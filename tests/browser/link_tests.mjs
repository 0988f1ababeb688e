// link_tests: the link to an order in the shop's own admin (dashboard.order_link), before the fake dashboard.
import { strict as assert } from 'node:assert';
import { assertAccessible, openTab } from './harness.mjs';
import { FakeDashboard, makeOrder, OPERATOR } from './fake_dashboard.mjs';

export function linkTests(chrome, folder, { verdicts }, keep) {
    const fake = new FakeDashboard(folder, verdicts);

    function seed(orderLink) {
        fake.reset();
        fake.orderLink = orderLink;
        for (let i = 0; i < 30; i++)
            fake.orders.set(makeOrder(i).key, makeOrder(i, i === 7 ? { order_id: 'a&b=c#{order_number}/"é', state: 'parked', reason: 'http:422', class: 'refused', status: 422 } : i === 8 ? { order_number: null } : {}));
    }

    async function listed(options = {}) {
        const tab = await openTab(chrome, fake.url, options);
        await tab.page.goto(`${fake.url}#token=${OPERATOR}`);
        await tab.page.locator('#bar .live.on').waitFor();
        await tab.page.goto(`${fake.url}#/orders`);
        await tab.page.locator('.row').first().waitFor();
        return tab;
    }

    const linkOf = (page, text) => page.locator('.row', { hasText: text }).locator('.shop-link');

    async function an_order_leads_to_the_shop() {
        seed('https://shop.example/wp-admin/post.php?post={order_id}&n={order_number}');
        const { page, close } = await listed();
        const link = linkOf(page, 'CMD-100007');
        assert.equal(await link.innerText(), '↗');
        assert.equal(await link.getAttribute('title'), 'Open in the shop');
        assert.equal(await link.getAttribute('aria-label'), 'Open in the shop: CMD-100007');
        assert.equal(await link.getAttribute('href'), 'https://shop.example/wp-admin/post.php?post=a%26b%3Dc%23%7Border_number%7D%2F%22%C3%A9&n=CMD-100007');
        assert.deepEqual([await link.getAttribute('rel'), await link.getAttribute('target')], ['noopener noreferrer', '_blank']);
        assert.equal(await linkOf(page, 'order-000008').count(), 0, 'it has no number to name');
        assert.equal(await page.locator('.shop-link').count(), 29);
        await assertAccessible(chrome, page, 'the list with links');
        await page.locator('.row-link', { hasText: 'CMD-100007' }).click();
        await page.getByRole('link', { name: 'Open in the shop' }).waitFor();
        await assertAccessible(chrome, page, 'an order with a link');
        await close();
    }

    async function without_an_address_there_is_no_link() {
        seed(null);
        const { page, close } = await listed();
        await page.locator('.row-link').first().click();
        await page.locator('.timeline').waitFor();
        assert.equal(await page.locator('.shop-link').count(), 0);
        await close();
    }

    async function the_link_fits_every_screen_and_language() {
        for (const width of [390, 1280, 1920]) {
            seed('https://shop.example/{order_id}');
            const { page, close } = await listed({ viewport: { width, height: 900 }, locale: 'fr-FR' });
            assert.equal(await linkOf(page, 'CMD-100007').innerText(), width < 1536 ? '↗' : 'Ouvrir dans la boutique ↗');
            assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, 'nothing to scroll sideways');
            const middles = await page.locator('.row', { hasText: 'CMD-100007' }).evaluate((one) => [...one.children].map((part) => part.getBoundingClientRect()).map(({ top, height }) => Math.round(top + height / 2)));
            if (width > 390)
                assert(middles.length === 4 && Math.max(...middles) - Math.min(...middles) <= 2, `box, order, link and button stand in one line: ${middles}`);
            await keep(page, `links-${width}`);
            await page.locator('.row-link', { hasText: 'CMD-100007' }).click();
            await page.locator('.hero .shop-link').waitFor();
            await keep(page, `link-order-${width}`);
            await close();
        }
    }

    const tests = [an_order_leads_to_the_shop, without_an_address_there_is_no_link, the_link_fits_every_screen_and_language];
    return { start: () => fake.start(), stop: () => fake.stop(), tests: tests.map((test) => [test.name, test]) };
}
