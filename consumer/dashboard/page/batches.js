/* batches: what is asked before many orders are sent again, dismissed, taken back or replayed: how many can, which
 * cannot and why. */
import { closeDialog, el } from './dom.js';
import { cancelButton, open } from './dialogs.js';
import { fromLocal, toLocal } from './filters.js';
import { orderName } from './parts.js';
import { duration, fullMoment, has, learnMore, sentence, t } from './words.js';

await learnMore();
await new Promise((resolve) => { /* the style of what is fetched later */
    document.head.append(el('link', { rel: 'stylesheet', href: new URL('several.css', import.meta.url).href, onload: resolve, onerror: resolve }));
});

const REASON_MAX = 200; /* bytes, as of the API */

/* answer: "already", or the name of a problem. */
export function whyNot(action, answer) {
    const name = answer.replaceAll('-', '_');
    return has(`c_${action}_${name}`) ? t(`c_${action}_${name}`) : t(`x_${name}`);
}

function cannot(preview) {
    return preview.cannot.map(({ answer, count, sample }) => el('li', {}, t('b_not', { n: count, why: whyNot(preview.action, answer) }),
        sample.length > 0 && el('span.soft', {}, ` ${sample.map(orderName).join(', ')}${count > sample.length ? ' …' : ''}`)));
}

function summary(preview) {
    const { action, can, delivered, first_ms, last_ms, seconds, sample } = preview;
    return [
        el('p.big', {}, can === 0 ? t('b_none') : t(`can_${action}`, { n: can })),
        action === 'replay' && can > 0 && el('p', {}, t('replay_which', { n: delivered, first: fullMoment(first_ms), last: fullMoment(last_ms) })),
        seconds > 1 && el('p', {}, t('redrive_time', { time: duration(seconds * 1000) })),
        action === 'retry' && can > 0 && el('p', {}, t('redrive_same')),
        can > 0 && el('p.soft', {}, t('redrive_sample', { list: sample.map(orderName).join(', ') })),
        preview.cannot.length > 0 && el('ul.cannot', {}, cannot(preview)),
    ].filter(Boolean);
}

/* what(): {query, keys}, or null while it cannot be said. fields: above the preview. */
function askWith(app, action, what, fields, started) {
    const result = el('div.preview', { role: 'status' }), go = el('button.loud', { type: 'submit', disabled: true }, t('redrive_counting'));
    const why = el('input', { id: 'why', required: true, maxlength: REASON_MAX, autocomplete: 'off', 'aria-describedby': 'why-help' });
    let preview = null, turn = 0;

    async function count() {
        const mine = ++turn, given = what();
        preview = null;
        go.disabled = true;
        go.textContent = t('redrive_counting');
        if (given === null)
            return;
        try {
            const got = await app.api.previewBatch(given.query ?? {}, { action, keys: given.keys });
            if (mine === turn)
                show(got, given);
        } catch (error) {
            if (mine === turn)
                result.replaceChildren(el('p.warning', {}, sentence(error.message), '.'));
        }
    }

    function show(got, given) {
        preview = { ...got, ...given };
        result.replaceChildren(...summary(got));
        go.textContent = t(`yes_${action}`, { n: got.can });
        go.disabled = got.can === 0;
    }

    async function start(event) {
        event.preventDefault();
        if (preview === null)
            return;
        go.disabled = true;
        const { query, keys, can, until_ms } = preview, reason = action === 'dismiss' ? why.value : undefined;
        try {
            if (reason !== undefined && new TextEncoder().encode(reason).length > REASON_MAX)
                throw new Error(t('why_long'));
            started(await app.api.batch(keys === undefined ? { ...query, until_ms: until_ms ?? query.until_ms } : {}, { action, keys, reason, confirm: can }));
            closeDialog();
        } catch (error) {
            await count();
            result.prepend(el('p.warning', { role: 'alert' }, error.count !== undefined ? t('redrive_changed') : `${sentence(error.message)}.`));
        }
    }

    open(el('h2', { id: 'dialog-title' }, t(`title_${action}`)),
        el('form', { onsubmit: start }, fields(count), result,
            action === 'dismiss' ? [el('p', {}, t('dismiss_why')), el('label', { for: 'why' }, t('why')), why, el('p.soft', { id: 'why-help' }, t('dismiss_reason_help'))] : [],
            el('div.actions', {}, cancelButton(), go)));
    count();
}

/* what: {query} of a filter, or {keys}; started(batch): it has begun. */
export function askBatch(app, action, what, started) {
    askWith(app, action, () => what, () => [], started);
}

/* All of a time, once more. from, to: milliseconds, "" where nothing is known yet. */
export function askReplay(app, from, to, started) {
    const HOUR = 3600000, now = app.now();
    const field = (id, ms, count) => el('input', { id, type: 'datetime-local', required: true, value: toLocal(ms), onchange: count });
    let since, until;
    const what = () => {
        const since_ms = fromLocal(since.value), until_ms = fromLocal(until.value);
        return since_ms === '' || until_ms === '' ? null : { query: { since_ms, until_ms } };
    };
    askWith(app, 'replay', what, (count) => {
        since = field('r_since', from === '' ? now - HOUR : from, count);
        until = field('r_until', to === '' ? now + 60000 : to, count); /* the minute that has begun is in it */
        return [el('p', {}, t('replay_how')), el('label', { for: 'r_since' }, t('replay_since')), since, el('label', { for: 'r_until' }, t('replay_until')), until];
    }, started);
}
