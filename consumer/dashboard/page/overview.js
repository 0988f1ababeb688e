/* overview: is everything all right, what is not, and what flows. */
import { el, icon } from './dom.js';
import { failure, orderRow, skeleton } from './parts.js';
import { pauseButton, pauseNote } from './pausing.js';
import { explain } from './reasons.js';
import { reconciledLine } from './reconciled.js';
import { requestList } from './requests.js';
import { verdict } from './verdict.js';
import { duration, number, t } from './words.js';

const SHOWN = 3; /* orders of each reason */
const CHARTS_AFTER_MS = 300, CHARTS_AGAIN_MS = 5000;

export function overview(app) {
    let parked = null, failed = null, loading = false, again = false;
    let stale = true, counted = ''; /* one that is parked has changed; how many there were */
    let flow = null, chartsDue = Date.now() + CHARTS_AFTER_MS; /* null: not fetched yet */
    const rooms = new Map(); /* reason → number of orders */
    const shown = new Map(); /* reason → keys: what is under the pointer stays there while it is parked */

    function counts() {
        return JSON.stringify([app.status?.counts.parked, app.status?.reasons]);
    }

    function onOrder(changed) {
        stale ||= changed.state === 'parked' || parked?.some((o) => o.key === changed.key) === true;
    }

    /* A delivery is no reason to read the list of those that are not. */
    function onChange(unnamed) {
        if (unnamed || stale || failed !== null || counted !== counts())
            load();
    }

    /* The newest, and a few of each reason that these leave out. */
    async function readParked() {
        const { orders } = await app.api.orders({ state: 'parked', limit: 40 });
        const left = (app.status?.reasons ?? []).filter(({ reason }) => reason !== null && !orders.some((o) => o.reason === reason));
        const pages = await Promise.all(left.map(({ reason }) => app.api.orders({ state: 'parked', reason, limit: SHOWN })));
        return orders.concat(...pages.map((page) => page.orders));
    }

    async function load() {
        if (loading) {
            again = true;
            return;
        }
        loading = true;
        stale = false;
        counted = counts();
        try {
            parked = await readParked();
            failed = null;
        } catch (error) {
            failed = error;
        }
        loading = false;
        app.redraw();
        if (again) {
            again = false;
            load();
        }
    }

    function hero(status) {
        const said = verdict(status, app.now(), app.staleSince());
        return el(`section.hero.${said.look}`, { 'aria-labelledby': 'h1', 'data-key': 'hero' },
            el('h1', { id: 'h1', tabindex: -1 }, icon(said.look), el('span', {}, said.title)),
            said.lines.map((line) => el('p', {}, line)),
            said.also.length > 0 && el('ul.also', {}, said.also.map(also)));
    }

    /* Further facts. */
    function also(cause) {
        return el(`li.${cause.look}`, { 'data-key': cause.key }, icon(cause.look),
            el('div', {}, el('p', {}, el('strong', {}, cause.title)), cause.lines.map((line) => el('p', {}, line))));
    }

    function figure(look, value, label, href) {
        const inside = [el('strong', {}, value === null ? t('unknown') : number(value)), ' ', el('span', {}, t(label, { n: value ?? 0 }))];
        return el(`li.figure.${value > 0 ? look : 'calm'}`, {}, el(href ? 'a' : 'div', { href }, inside));
    }

    function figures(status) {
        return el('ul.figures', { 'data-key': 'figures' },
            figure('good', status.delivered_hour, 'fig_delivered', '#/orders?state=delivered'),
            figure('wait', status.waiting, 'fig_waiting', '#/orders?state=retrying'),
            figure('bad', status.counts.parked, 'fig_parked', '#/orders?state=parked'),
            figure('calm', status.lag, 'fig_lag'));
    }

    /* Orders that a reason has room for: more than two reasons would push away what is below them. What has it keeps it. */
    function room(reason) {
        if (!rooms.has(reason))
            rooms.set(reason, rooms.size < 2 ? SHOWN : 1);
        return rooms.get(reason);
    }

    /* The newest of a reason, but those that are shown already stay, where they are. */
    function pick(reason) {
        const all = new Map((parked ?? []).filter((o) => (o.reason ?? '') === reason).map((o) => [o.key, o]));
        const kept = (shown.get(reason) ?? []).filter((key) => all.has(key));
        const keys = [...new Set([...kept, ...all.keys()])].slice(0, room(reason));
        shown.set(reason, keys);
        return keys.map((key) => all.get(key));
    }

    /* In the order in which they were first seen, the most frequent first. */
    function inOrder(reasons) {
        const places = [...shown.keys()];
        const place = (group) => places.includes(group.reason ?? '') ? places.indexOf(group.reason ?? '') : places.length;
        return [...reasons].sort((a, b) => place(a) - place(b));
    }

    function since(group) {
        if (group.oldest_ms === null)
            return null;
        const time = duration(app.now() - group.oldest_ms);
        return ' · ' + t(group.count === 1 ? 'ago' : 'oldest', { time });
    }

    /* An order that can't succeed as it is has no button here: its own page still has one. */
    function reasonPart(group, look, todo) {
        const said = explain({ state: 'parked', reason: group.reason });
        const orders = pick(group.reason ?? '');
        const link = '#/orders?' + new URLSearchParams({ state: 'parked', ...(group.reason && { reason: group.reason }) });
        return el(`article${look}.reason`, { 'data-key': group.reason ?? '' },
            el('header', {},
                el('h3', {}, said.whole),
                el('p.soft', {}, t('count_orders', { n: group.count }), since(group))),
            el('div.actions', {},
                group.count > orders.length && el('a.more', { href: link }, t('all_of_these', { n: group.count })),
                group.count > 1 && !said.hopeless && el('button.quiet', { type: 'button', onclick: () => app.redrive(group.reason) }, t('send_all'))),
            todo && el('p.todo', {}, said.todo),
            el('ul.rows', {}, orders.map((o) => orderRow(app, o, { state: false, why: false, retry: !said.hopeless }))));
    }

    /* One card for each kind of cure, which is said once. */
    function cards(reasons) {
        const cures = new Map();
        for (const group of inOrder(reasons)) {
            const { todo } = explain({ state: 'parked', reason: group.reason });
            cures.set(todo, [...cures.get(todo) ?? [], group]);
        }
        return [...cures].map(([todo, groups]) => groups.length === 1 ? reasonPart(groups[0], '.card', true)
            : el('div.card.cure', { 'data-key': `cure ${todo}` }, el('p.todo', {}, todo), groups.map((group) => reasonPart(group, '', false))));
    }

    function needsYou(status) {
        if (failed !== null)
            return failure(failed, load);
        if (status.counts.parked === 0)
            return null;
        return el('section', { 'aria-labelledby': 'needs', 'data-key': 'needs' },
            el('h2', { id: 'needs' }, t('needs_you')),
            status.counts.expiring > 0 && el('p.todo', {}, t('expiring', { n: status.counts.expiring })),
            parked === null ? skeleton() : cards(status.reasons));
    }

    /* The charts' code and style are fetched once the first view stands. */
    async function fetchCharts() {
        const sheet = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: new URL('charts.css', import.meta.url).href });
        try {
            const module = await import('./charts.js');
            if (document.querySelector('link[href$="charts.css"]') === null)
                document.head.append(sheet);
            flow = module.charts(app);
            flow.tick();
        } catch {
            chartsDue = Date.now() + CHARTS_AGAIN_MS;
        }
    }

    function tick() {
        if (flow !== null)
            flow.tick();
        else if (app.status !== null && Date.now() >= chartsDue) {
            chartsDue = Infinity;
            fetchCharts();
        }
    }

    function chartsSection() {
        return el('section', { 'aria-labelledby': 'flow', 'data-key': 'flow' },
            flow !== null ? flow.draw() : [el('h2', { id: 'flow' }, t('chart_title_1')), el('div.card.charts', {}, skeleton(4))]);
    }

    load();
    return {
        title: () => app.status === null ? t('home') : verdict(app.status, app.now(), app.staleSince()).title,
        onChange, onOrder, tick,
        draw() {
            if (app.status === null)
                return app.statusError === null ? [el('h1.unseen', { tabindex: -1 }, t('home')), skeleton(4)]
                                                : [el('h1', { tabindex: -1 }, t('stale_title')), failure(app.statusError, app.refresh)];
            const status = app.status;
            return [hero(status), pauseNote(app), figures(status), reconciledLine(status, app.now()), requestList(app), el('div.beside', { 'data-key': 'beside' }, needsYou(status), chartsSection()), machinery(app, status)];
        },
    };
}

/* ---- the technical side, folded away ---- */

function partitionRows(member, partitions, retry) {
    return partitions.map((p) => el('tr', {},
        el('th', { scope: 'row' }, retry ? `${p.partition} (${t('retry_topic')})` : String(p.partition)),
        el('td', {}, number(p.committed)), el('td', {}, number(p.end)), el('td', {}, number(p.lag)),
        el('td', {}, number(p.open)), el('td.text', {}, t(`p_${p.state}`)), el('td.text.mono', {}, member.member)));
}

function partitionTable(status) {
    const columns = ['partition', 'committed', 'end', 'lag', 'open', 'state', 'members'];
    return el('details', {}, el('summary', {}, t('details')),
        el('div.scroll', { tabindex: 0, role: 'region', 'aria-label': t('details') },
            el('table', {},
                el('thead', {}, el('tr', {}, columns.map((c) => el(c === 'state' || c === 'members' ? 'th.text' : 'th', { scope: 'col' }, t(c))))),
                el('tbody', {}, status.members.map((m) => [partitionRows(m, m.partitions, false), partitionRows(m, m.retry_partitions, true)])))));
}

function machinery(app, status) {
    const held = status.hold_until_ms > app.now(); /* null: not */
    const endpointState = status.members.length === 0 ? 'unknown' : { closed: held ? 'held' : 'good' }[status.breaker.state] ?? status.breaker.state;
    const look = { good: 'good', open: 'bad', probing: 'bad', held: 'wait', unknown: 'wait' }[endpointState];
    return el('section', { 'aria-labelledby': 'behind', 'data-key': 'behind' },
        el('h2', { id: 'behind' }, t('machinery')),
        el('div.card', {},
            el('dl.facts', {},
                el('dt', {}, t('endpoint')), el('dd', {}, el('span.mono', {}, status.endpoint || '–'), ' ', el(`span.${look}-text`, {}, t(`endpoint_${endpointState}`))),
                el('dt', {}, t('members')), el('dd', {}, status.members.length === 0 ? t('members_none') : t('members_n', { n: status.members.length })),
                el('dt', {}, t('reading')), el('dd.mono', {}, status.topic || '–')),
            status.members.length > 0 && partitionTable(status),
            pauseButton(app)));
}
