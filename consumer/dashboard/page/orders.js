/* orders: the list: filtered, searched, a page at a time. It stands still: a row is kept up to date in its place, and
 * what is new is counted above the list until it is asked for. */
import { el } from './dom.js';
import { asked as askedOf, listLink, moreFilters, readFilters } from './filters.js';
import { failure, lastMoment, orderRow, skeleton } from './parts.js';
import { explain } from './reasons.js';
import { askReplay } from './batches.js';
import { several } from './several.js';
import { t } from './words.js';

const PAGE = 50;
const FILTERS = ['all', 'parked', 'retrying', 'delivered', 'overtaken', 'dismissed'];
const RARE = ['overtaken', 'dismissed'];

export function orders(app, query) {
    const filtered = readFilters(query), { q, reason, state, sort } = filtered;
    let list = null, cursor = null, failed = null;
    let news = 0, isMany = false; /* of those that are new; isMany: and there may be more */
    let end = 0; /* the place of the last row: what was read with it is before it */
    let reading = null, asked = null, changed = false, saving = false;

    const many = several(app, filtered, () => list ?? []);

    /* Rises from the list's first row to its last. */
    const place = (order) => lastMoment(order) * (sort === 'oldest' ? 1 : -1);

    function page(what) {
        if (reading === null)
            read(what);
        else if (what !== reading) /* a second click asks for nothing more */
            asked = what;
    }

    /* what: 'newest' begins anew, 'more' goes on, 'look' sees what became of what is shown. */
    async function read(what) {
        reading = what;
        try {
            const got = await app.api.orders({ ...askedOf(filtered), cursor: what === 'more' ? cursor : null, limit: PAGE });
            if (what === 'look' && list.length > 0)
                compare(got);
            else
                take(got, what === 'more');
            failed = null;
        } catch (error) {
            failed = { error, again: () => page(what) };
        }
        reading = null;
        readOn();
        app.redraw();
    }

    function take(got, isMore) {
        const known = new Set(isMore ? list.map((o) => o.key) : []);
        list = isMore ? list.concat(got.orders.filter((o) => !known.has(o.key))) : got.orders;
        cursor = got.next;
        end = got.orders.length > 0 ? place(got.orders.at(-1)) : end;
        news = isMore ? news : 0;
    }

    function compare(got) {
        const now = new Map(got.orders.map((o) => [o.key, o])), shown = new Set(list.map((o) => o.key));
        list = list.map((o) => now.get(o.key) ?? (isAway(o, got) ? { ...o, changed: true } : o));
        const isNew = (o) => !shown.has(o.key) && (cursor === null || place(o) < end);
        news = got.orders.filter(isNew).length;
        isMany = got.next !== null && isNew(got.orders.at(-1));
    }

    /* It would be on the page that was read, were it still as it is shown. */
    function isAway(order, got) {
        return (state === '' || order.state === state) && (got.next === null || place(order) < place(got.orders.at(-1)));
    }

    /* The order that was asked for, and the changes, while it read. */
    function readOn() {
        const next = asked, again = changed;
        asked = null;
        changed = false;
        if (next !== null && (next !== 'more' || cursor !== null))
            read(next);
        if (again)
            onChange();
    }

    function onChange() {
        if (reading !== null)
            changed = true;
        else
            read(list === null ? 'newest' : 'look');
    }

    /* A return to the top of the list begins anew; a return to a row further down finds it where it was. */
    function onEnter(scroll) {
        if (list === null || (list.length <= PAGE && scroll === 0))
            page('newest');
        else
            onChange();
    }

    function showNews() {
        page('newest');
        scrollTo(0, 0);
    }

    function newsText() {
        if (news > 0)
            return t(isMany ? 'list_news_many' : 'list_news', { n: news });
        return list.some((o) => o.changed) ? t('list_changed') : null;
    }

    /* Always there, so that nothing moves when it has something to say. */
    function newsButton() {
        const text = newsText();
        return el('div.news', { role: 'status', 'data-key': 'news' }, text !== null && el('button.quiet', { type: 'button', onclick: showNews }, text));
    }

    /* The whole of it, by the server; the address has no token, so the page asks for it. */
    async function save(format) {
        if (saving)
            return;
        saving = true;
        app.redraw();
        try {
            const { sort: _, ...which } = askedOf(filtered), link = URL.createObjectURL(await app.api.exported(which, format));
            el('a', { href: link, download: `orders-${new Date(app.now()).toISOString().slice(0, 10)}.${format}` }).click();
            setTimeout(() => URL.revokeObjectURL(link), 60000);
            failed = null;
        } catch (error) {
            failed = { error, again: () => save(format) };
        }
        saving = false;
        app.redraw();
    }

    const saveButton = (format) => el('button.plain', { type: 'button', onclick: () => save(format), 'aria-disabled': saving && 'true' },
        t('export_as', { format: format.toUpperCase() }));

    function onOrder(order) {
        const i = list === null ? -1 : list.findIndex((o) => o.key === order.key);
        if (i >= 0)
            list[i] = { ...list[i], ...order, changed: false };
    }

    function link(filter) {
        return listLink({ ...filtered, state: filter === 'all' ? '' : filter, reason: '' });
    }

    const isPlain = () => listLink(filtered) === listLink({ ...readFilters(new URLSearchParams()), state });

    function filters() {
        const now = state === '' ? 'all' : state;
        const shown = FILTERS.filter((filter) => !RARE.includes(filter) || filter === now || app.status?.counts[filter] > 0);
        return el('nav.filters', { 'aria-label': t('filters') }, shown.map((filter) => {
            const count = filter === 'all' || !isPlain() ? undefined : app.status?.counts[filter];
            return el('a', { href: link(filter), 'aria-current': filter === now && 'page' },
                t(`filter_${filter}`), count !== undefined && el('span.count', {}, t('just', { n: count })));
        }));
    }

    function empty() {
        if (q !== '')
            return t('list_empty_q', { q });
        return t(['parked', 'retrying'].includes(state) && isPlain() ? `list_empty_${state}` : 'list_empty');
    }

    function body() {
        if (failed !== null && list === null)
            return failure(failed.error, failed.again);
        if (list === null)
            return skeleton(8);
        if (list.length === 0)
            return el('p.card.notice', {}, empty());
        return [
            newsButton(),
            el('ul.card.rows.wide', { 'aria-label': t('list_title') }, list.map((o) => orderRow(app, o, { facts: true, box: many.box(o) }))),
            many.bar(cursor),
            failed !== null && failure(failed.error, failed.again),
            el('div.actions.under', {},
                el('span.soft', { role: 'status' }, t('list_shown', { n: list.length })),
                el('span', {}, saveButton('csv'), saveButton('ndjson')),
                cursor !== null && el('button.quiet', { type: 'button', onclick: () => page('more'), 'aria-disabled': reading === 'more' && 'true' }, t('more'))),
        ];
    }

    let ticks = 0;
    read('newest');
    return {
        title: () => t('list_title'),
        tick: () => ++ticks % 15 === 0, /* a long list is not redrawn every second */
        onChange,
        onEnter,
        onOrder,
        draw: () => [
            el('div.head', { 'data-key': 'head' },
                el('h1', { tabindex: -1 }, q === '' ? t('list_title') : t('list_found', { q })),
                el('div.actions', {}, state === 'parked' && q === '' && (list?.length ?? 0) > 0 &&
                    el('button.quiet', { type: 'button', onclick: () => app.redrive(reason) }, t('send_all')),
                    el('button.quiet', { type: 'button', onclick: () => askReplay(app, filtered.since, filtered.until, many.begun) }, t('b_replay')))),
            filters(), moreFilters(filtered),
            reason !== '' && el('p.soft', {}, t('any_reason', { why: explain({ state: 'parked', reason }).why }), ' ',
                el('a', { href: link('parked') }, t('drop_reason'))),
            body(),
        ],
    };
}
