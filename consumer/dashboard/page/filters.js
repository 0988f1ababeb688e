/* filters: what a list of orders is asked for: read from its address, and written there. */
import { el } from './dom.js';
import { t } from './words.js';

const NAMES = ['state', 'q', 'reason', 'status', 'source', 'since', 'until', 'sort'];
const SOURCES = ['cdc', 'retry', 'redrive', 'replay'];

/* Texts, "" where nothing is asked. Times are milliseconds since 1970: the same moment in any zone. */
export function readFilters(query) {
    return Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? '']));
}

export function listLink(filters) {
    const given = NAMES.filter((name) => filters[name] !== '').map((name) => [name, filters[name]]);
    return '#/orders' + (given.length > 0 ? `?${new URLSearchParams(given)}` : '');
}

/* As the API wants it. */
export function asked({ since, until, ...rest }) {
    return { ...rest, since_ms: since, until_ms: until };
}

/* For an input of type datetime-local, and back. */
export function toLocal(ms) {
    const date = new Date(Number(ms));
    if (ms === '' || Number.isNaN(date.getTime()))
        return '';
    return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

export function fromLocal(text) {
    return text === '' ? '' : String(new Date(text).getTime());
}

function field(name, input) {
    return el('div.field', {}, el('label', { for: `f_${name}` }, t(`by_${name}`)), input);
}

function choice(name, now, options) {
    return field(name, el('select', { id: `f_${name}`, name },
        options.map(([value, text]) => el('option', { value, selected: value === now }, text))));
}

function moment(name, now) {
    return field(name, el('input', { id: `f_${name}`, name, type: 'datetime-local', value: toLocal(now) }));
}

function submit(event, filters) {
    event.preventDefault();
    const form = new FormData(event.target), text = (name) => String(form.get(name) ?? '').trim();
    location.hash = listLink({ ...filters, status: text('status'), source: text('source'), sort: text('sort'),
        since: fromLocal(text('since')), until: fromLocal(text('until')) });
}

/* The filters that are seldom needed, open where one is set. */
export function moreFilters(filters) {
    const { status, source, since, until, sort } = filters, set = [status, source, since, until, sort].some((text) => text !== '');
    return el('details.more-filters', { 'data-key': 'more-filters', open: set },
        el('summary', {}, t('more_filters')),
        el('form', { onsubmit: (event) => submit(event, filters) },
            field('status', el('input', { id: 'f_status', name: 'status', value: status, inputmode: 'numeric', pattern: '[1-5][0-9][0-9]|none', placeholder: '503', autocomplete: 'off', title: t('by_status_hint') })),
            choice('source', source, [['', t('any')], ...SOURCES.map((name) => [name, t(`src_${name}`)])]),
            moment('since', since), moment('until', until),
            choice('sort', sort, [['', t('sort_newest')], ['oldest', t('sort_oldest')]]),
            el('div.actions', {}, el('button.quiet', { type: 'submit' }, t('apply')),
                set && el('a', { href: listLink({ ...filters, status: '', source: '', since: '', until: '', sort: '' }) }, t('drop_filters')))));
}
