// run: the page in a real Chromium.
//
//   node tests/browser/run.mjs MODULES PROGRAM TOOLS [--only TEXT] [--keep]
//
// MODULES is the folder where package.json's packages are installed, TOOLS that of mock_kafka and verdict_test.
// Screenshots go to MODULES/screenshots; --keep writes those that the repository shows beside this file.
import { execFileSync } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chartTests } from './chart_tests.mjs';
import { demoTests } from './demo_tests.mjs';
import { Group } from './group.mjs';
import { groupTests } from './group_tests.mjs';
import { openBrowser, runTests } from './harness.mjs';
import { linkTests } from './link_tests.mjs';
import { pageTests } from './page_tests.mjs';
import { severalTests } from './several_tests.mjs';
import { signInTests } from './sign_in_tests.mjs';
import { troubleTests } from './trouble_tests.mjs';
import { wordsTests } from './words_tests.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, '../../consumer/dashboard/page');
const [modules, program, tools, ...options] = process.argv.slice(2);
const only = options.includes('--only') ? options[options.indexOf('--only') + 1] : '';
const shots = join(resolve(modules), 'screenshots');
const shown = new Set(options.includes('--keep') ? ['orders-need-you', 'redrive', 'phone', 'french-dark', 'session-ended', 'demo-delivered'] : []);
await mkdir(shots, { recursive: true });

async function keep(page, name) {
    await page.evaluate(() => document.activeElement?.blur());
    await page.screenshot({ path: join(shown.has(name) ? here : shots, `${name}.png`), animations: 'disabled' });
}

const chrome = await openBrowser(resolve(modules));
const verdicts = JSON.parse(execFileSync(join(resolve(tools), 'verdict_test'), ['--print'], { encoding: 'utf8' }));
const { situations } = JSON.parse(await readFile(join(here, '../unit/dashboard/verdict/situations.json'), 'utf8'));
const fake = pageTests(chrome, folder, { verdicts, situations }, keep);
const links = linkTests(chrome, folder, { verdicts }, keep);
const charts = chartTests(chrome, folder, { verdicts }, keep);
const newGroup = () => new Group(resolve(program), resolve(tools), join(here, '../cases/default'));
const group = newGroup();
try {
    await fake.start();
    await links.start();
    await charts.start();
    await group.start();
    const tests = [...await wordsTests(folder), ...fake.tests, ...links.tests, ...charts.tests, ...groupTests(chrome, group, keep), ...severalTests(chrome, newGroup, keep), ...signInTests(chrome, group, keep),
        ...troubleTests(chrome, newGroup), ...demoTests(chrome, resolve(program), keep)];
    process.exitCode = await runTests(tests.filter(([name]) => name.includes(only)));
} finally {
    fake.stop();
    links.stop();
    charts.stop();
    await group.stop();
    await chrome.browser.close();
}
