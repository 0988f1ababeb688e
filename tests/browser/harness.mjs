// harness: a real Chromium, and what every test of the page holds the page to: no error in the
// console, no violation of the policy, no request to another host, no dialog that nobody opened.
import { strict as assert } from 'node:assert';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];
const WAIT_MS = 15000;

export async function openBrowser(modules) {
    const require = createRequire(join(modules, 'package.json'));
    const { chromium } = require('playwright-core');
    const axe = require.resolve('axe-core/axe.min.js');
    return { browser: await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS }), axe };
}

// One tab with a fresh profile; another() opens one more in it. options: Playwright's (locale, viewport, colorScheme, …) and `expected`,
// a regular expression of console lines that the test itself provokes; `also`: another origin that the page may ask.
export async function openTab(chrome, url, options = {}) {
    const { expected, also, ...context } = options;
    const profile = await chrome.browser.newContext({ locale: 'en-GB', viewport: { width: 1100, height: 900 }, ...context });
    const wrong = [], homes = [new URL(url).origin, also];
    profile.on('page', (page) => {
        page.setDefaultTimeout(WAIT_MS);
        page.on('console', (m) => m.type() === 'error' && !expected?.test(m.text()) && wrong.push(`console: ${m.text()}`));
        page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
        page.on('dialog', (dialog) => {
            wrong.push(`dialog: ${dialog.message()}`);
            dialog.dismiss();
        });
        page.on('request', (request) => homes.includes(new URL(request.url()).origin) || wrong.push(`another host: ${request.url()}`));
    });
    return { page: await profile.newPage(), another: () => profile.newPage(), close: async () => {
        await profile.close();
        assert.deepEqual(wrong, []);
    } };
}

// axe-core over the page as it stands: WCAG 2.2 A and AA, and its best practices.
export async function assertAccessible(chrome, page, where) {
    const { readFile } = await import('node:fs/promises');
    const results = await page.evaluate(`${await readFile(chrome.axe, 'utf8')};
        axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`);
    const said = results.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(' ') + ' ' + n.any.map((a) => a.message).join('; ')).join(' | ')}`);
    assert.deepEqual(said, [], where);
    assert(results.passes.length > 10, 'axe looked at something');
}

// Runs each of [name, function]; prints a line each and the closing one. Returns the exit code.
export async function runTests(tests) {
    let passed = 0, failed = 0;
    for (const [name, test] of tests) {
        try {
            await test();
            passed++;
            console.log(`ok    browser: ${name}`);
        } catch (error) {
            failed++;
            console.log(`FAIL  browser: ${name}\n${error.stack}`);
        }
    }
    console.log(`${passed} passed, ${failed} failed`);
    return failed === 0 && passed > 0 ? 0 : 1;
}
