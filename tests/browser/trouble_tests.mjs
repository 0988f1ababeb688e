// trouble_tests: whatever is wrong is on the page within five seconds of the moment from which it can be
// known, on every view, and until it is over nothing there says that all is well: not the title, not the
// icon, not the banner. The real program, two groups side by side; Debezium is its heartbeats in a mock Kafka.
import { strict as assert } from 'node:assert';
import { openTab } from './harness.mjs';
import { mint } from './group.mjs';

const SAID_WITHIN_MS = 5000, EARLY_MS = 1000;
// The program's own limits: a member is missed for 15 s, a heartbeat for two intervals and 5 s, and a
// partition that waits for less than 3 s waits for a schema as each new one makes it wait.
const SILENT_MS = 15000, BEAT_MS = 500, BEATS_MISSED_MS = 2 * BEAT_MS + 5000, HELD_MS = 3000, REPORT_MS = 5000, SESSION_S = 15;
const OPERATOR = { role: 'service_role' };
const VIEWS = { overview: '', orders: '#/orders' };

// Runs in the page, before its scripts: notes what is shown, and since when by the page's clock.
function noteWhatIsShown() {
    window.shown = [];
    const look = () => {
        const text = ['#banner', '.hero', '.also', 'main h1'].flatMap((place) => [...document.querySelectorAll(place)].map((found) => found.textContent)).join(' | ');
        const now = { icon: /icon-(\w+)/.exec(document.querySelector('link[rel=icon]')?.href)?.[1], title: document.title, text };
        const last = window.shown.at(-1);
        if (last?.icon !== now.icon || last.title !== now.title || last.text !== now.text)
            window.shown.push({ at: Date.now(), ...now });
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}

function deferred() {
    const made = {};
    made.promise = new Promise((resolve) => { made.resolve = resolve; });
    return made;
}

const says = (shown, title) => [shown.title, shown.text].some((text) => text.includes(title));
const saysWell = (shown) => /good|idle/.test(shown.icon) || [shown.title, shown.text].some((text) => /all right|Quiet for/.test(text));

export function troubleTests(chrome, newGroup) {
    const sleepUntil = (ms) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms - Date.now())));

    async function until(what, condition, ms = 30000) {
        for (const end = Date.now() + ms; ;) {
            const found = await condition();
            if (found)
                return found;
            assert(Date.now() < end, `in vain: ${what}`);
            await sleepUntil(Date.now() + 50);
        }
    }

    // One group before each of the views.
    class Watched {
        async start() {
            this.group = newGroup();
            this.tabs = new Map();
            await this.group.start();
            for (const [name, hash] of Object.entries(VIEWS))
                this.tabs.set(name, await this.open(hash));
        }

        async open(hash, token = mint(OPERATOR)) {
            const tab = await openTab(chrome, this.group.url, { expected: /net::ERR_|Failed to load resource/ });
            await tab.page.addInitScript(noteWhatIsShown);
            await tab.page.goto(`${this.group.url}#token=${token}`);
            await tab.page.locator('#bar .live.on').waitFor();
            await tab.page.goto(this.group.url + hash);
            return tab;
        }

        async stop() {
            for (const tab of this.tabs.values())
                await tab.close();
            await this.group.stop();
        }

        async confirm(number, options) {
            await this.group.write([await this.group.confirmation(number, options)]);
        }

        // Every view says that all is well: what follows is of the trouble's making.
        async well() {
            for (const { page } of this.tabs.values())
                await page.waitForFunction(() => /icon-(good|idle)/.test(document.querySelector('link[rel=icon]').href), null, { timeout: 30000 });
        }
    }

    // `knowable`: a time, or what finds it. The trouble must last until this returns.
    async function said(what, tabs, title, knowable) {
        for (const { page } of tabs.values())
            await page.waitForFunction((text) => [window.shown.at(-1).title, window.shown.at(-1).text].some((all) => all.includes(text)), title, { timeout: 45000 });
        const from = typeof knowable === 'function' ? await knowable() : knowable;
        for (const [name, { page }] of tabs) {
            const [shown, end] = await page.evaluate(() => [[...window.shown], Date.now()]);
            const first = shown.findLastIndex((s, i) => says(s, title) && (i === 0 || !says(shown[i - 1], title)));
            const late = shown[first].at - from;
            console.log(`      ${what}: said ${(late / 1000).toFixed(1)} s after it could be known (${name})`);
            assert(late >= -EARLY_MS, `${what}: said before it can be known, ${late} ms (${name})`);
            assert(late <= SAID_WITHIN_MS, `${what}: said after ${late} ms (${name})`);
            for (const after of shown.slice(first))
                assert(!saysWell(after), `${what}: ${name} says that all is well, ${after.at - from} of ${end - from} ms after: ${JSON.stringify(after)}`);
        }
    }

    async function theRegistryAndTheReceiver(w) {
        await w.well();
        const { group } = w;
        group.registryDown = true; // before any schema is known
        await w.confirm('CMD-000901');
        await said('registry down', w.tabs, 'The schema registry is in trouble.', group.asked.get('27') ?? await until('the registry is asked', () => group.asked.get('27')));
        group.registryDown = false;
        await w.well();

        // The worst moment: the next report comes just before it counts.
        const [{ at_ms: reported }] = (await group.status()).members, heal = deferred();
        group.late.set('999', { of: '27', over: heal.promise });
        await sleepUntil(reported + REPORT_MS * Math.ceil((Date.now() - reported) / REPORT_MS) + REPORT_MS - HELD_MS + 500);
        await w.confirm('CMD-000902', { partition: 2, schema: 999 });
        const asked = await until('the registry is asked for it', () => group.asked.get('999'));
        await said('one partition held', w.tabs, 'Some orders wait to be read.', asked + HELD_MS);
        heal.resolve();
        await w.well();

        group.closeWebhook();
        await w.confirm('CMD-000903');
        await said('receiver down', w.tabs, 'The webhook is not working.', async () => (await group.status()).breaker.since_ms);
        await group.openWebhook();
        await w.well();

        group.answers.set('*', 429);
        group.retryAfter = '600';
        group.answered = null;
        await w.confirm('CMD-000904');
        await said('Retry-After 600', w.tabs, 'The webhook asks to wait.', await until('it was answered', () => group.answered));
    }

    // Debezium's, until they are stopped; stop() resolves with the time of the last.
    function heartbeats(group) {
        let on = true, count = 0, last = 0;
        const ended = (async () => {
            for (; on; await sleepUntil(last + BEAT_MS)) {
                await group.write([group.heartbeat()]);
                last = Date.now();
                count++;
            }
        })();
        return { count: () => count, stop: async () => { on = false; await ended; return last; } };
    }

    async function theSourceTheDashboardAndTheMember(w) {
        const { group } = w;
        let beats = heartbeats(group);
        await w.well();
        const token = mint(OPERATOR, SESSION_S), over = JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).exp * 1000;
        const night = new Map([['overview', await w.open('', token)]]);
        await until('an interval can be known', () => beats.count() >= 5);
        await said('Debezium stopped', w.tabs, 'No changes arrive.', await beats.stop() + BEATS_MISSED_MS);
        beats = heartbeats(group);
        await w.well();

        await group.kill(group.dashboard);
        await said('API gone', w.tabs, 'The dashboard does not answer.', Date.now());
        await group.startDashboard();
        await w.well();

        await group.kill(group.run);
        await said('member killed', w.tabs, 'Nobody is delivering.', async () => (await group.status()).members[0].at_ms + SILENT_MS);
        await beats.stop();
        await said('session over', night, 'Your session has ended', over);
        await night.get('overview').close();
    }

    async function real_whatever_is_wrong_is_said_and_never_all_right() {
        const watched = [new Watched(), new Watched()];
        try {
            await Promise.all(watched.map((w) => w.start()));
            const ends = await Promise.allSettled([theRegistryAndTheReceiver(watched[0]), theSourceTheDashboardAndTheMember(watched[1])]);
            for (const end of ends)
                assert.equal(end.status, 'fulfilled', end.reason);
        } finally {
            for (const w of watched)
                await w.stop();
        }
    }

    return [real_whatever_is_wrong_is_said_and_never_all_right].map((test) => [test.name, test]);
}
