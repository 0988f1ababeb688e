/* orders: the list: filtered by state and reason, searched, a page at a time. */
import { el } from './dom.js';
import { asked as askedOf, listLink, moreFilters, readFilters } from './filters.js';
import { failure, orderRow, skeleton } from './parts.js';
import { explain } from './reasons.js';
import { t } from './words.js';

const PAGE = 50;
const FILTERS = ['all', 'parked', 'retrying', 'delivered', 'overtaken', 'dismissed'];
const RARE = ['overtaken', 'dismissed'];

export function orders(app, query) {
    const filtered = readFilters(query), { q, reason, state } = filtered;
    let list = null, cursor = null, pages = 0, failed = null, newer = false;
    let reading = null, asked = null, changed = false;

    function page(what) {
        if (reading === null)
            read(what);
        else if (what !== reading) /* a second click asks for nothing more */
            asked = what;
    }

    async function read(what) {
        reading = what;
        try {
            const newest = what === 'newest';
            const got = await app.api.orders({ ...askedOf(filtered), cursor: newest ? null : cursor, limit: PAGE });
            const known = new Set(newest ? [] : list.map((o) => o.key));
            list = newest ? got.orders : list.concat(got.orders.filter((o) => !known.has(o.key)));
            pages = newest ? 1 : pages + 1;
            cursor = got.next;
            failed = null;
            newer = newest ? false : newer;
        } catch (error) {
            failed = error;
        }
        reading = null;
        readOn();
        app.redraw();
    }

    /* The order that was asked for, and the changes, while it read. */
    function readOn() {
        const next = asked, again = changed;
        asked = null;
        changed = false;
        if (next === 'newest' || (next === 'more' && cursor !== null))
            read(next);
        if (again)
            onChange();
    }

    /* While one page is shown it follows by itself; a longer reading is not disturbed. */
    function onChange() {
        if (reading !== null)
            changed = true;
        else if (pages <= 1)
            read('newest');
        else
            newer = true;
    }

    function onOrder(order) {
        const i = list === null ? -1 : list.findIndex((o) => o.key === order.key);
        if (i >= 0)
            list[i] = { ...list[i], ...order };
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
            return failure(failed, () => page('newest'));
        if (list === null)
            return skeleton(8);
        if (list.length === 0)
            return el('p.card.notice', {}, empty());
        return [
            newer && el('button.quiet', { type: 'button', onclick: () => page('newest') }, t('list_newer')),
            el('ul.card.rows.wide', { 'aria-label': t('list_title') }, list.map((o) => orderRow(app, o, { facts: true }))),
            failed !== null && failure(failed, () => page('more')),
            el('div.actions.under', {},
                el('span.soft', { role: 'status' }, t('list_shown', { n: list.length })),
                cursor !== null && el('button.quiet', { type: 'button', onclick: () => page('more'), 'aria-disabled': reading === 'more' && 'true' }, t('more'))),
        ];
    }

    let ticks = 0;
    read('newest');
    return {
        title: () => t('list_title'),
        tick: () => ++ticks % 15 === 0, /* a long list is not redrawn every second */
        onChange,
        onOrder,
        draw: () => [
            el('div.head', { 'data-key': 'head' },
                el('h1', { tabindex: -1 }, q === '' ? t('list_title') : t('list_found', { q })),
                state === 'parked' && q === '' && (list?.length ?? 0) > 0 &&
                    el('button.quiet', { type: 'button', onclick: () => app.redrive(reason) }, t('send_all'))),
            filters(), moreFilters(filtered),
            reason !== '' && el('p.soft', {}, t('any_reason', { why: explain({ state: 'parked', reason }).why }), ' ',
                el('a', { href: link('parked') }, t('drop_reason'))),
            body(),
        ],
    };
}
