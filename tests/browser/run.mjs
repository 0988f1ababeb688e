// run: the page in a real Chromium.   node tests/browser/run.mjs MODULES [--only TEXT] [--keep]
//
// MODULES is the folder where package.json's packages are installed. --keep writes the screenshots
// beside this file; without it they go to MODULES/screenshots.
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBrowser, runTests } from './harness.mjs';
import { pageTests } from './page_tests.mjs';
import { wordsTests } from './words_tests.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, '../../consumer/dashboard/page');
const [modules, ...options] = process.argv.slice(2);
const only = options.includes('--only') ? options[options.indexOf('--only') + 1] : '';
const shots = options.includes('--keep') ? here : join(resolve(modules), 'screenshots');
await mkdir(shots, { recursive: true });

async function keep(page, name) {
    await page.evaluate(() => document.activeElement?.blur());
    await page.screenshot({ path: join(shots, `${name}.png`), animations: 'disabled' });
}

const chrome = await openBrowser(resolve(modules));
const fake = pageTests(chrome, folder, keep);
await fake.start();
const tests = [...await wordsTests(folder), ...fake.tests].filter(([name]) => name.includes(only));
process.exitCode = await runTests(tests);
fake.stop();
await chrome.browser.close();
