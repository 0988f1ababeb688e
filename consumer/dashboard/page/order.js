/* order: one order: its state, what to do, what happened, and where everything is. */
import { announce, el, icon } from './dom.js';
import { chip, failure, LOOK, orderName, retryButton, shopLink, skeleton, time } from './parts.js';
import { payload } from './payload.js';
import { explain, lastWords } from './reasons.js';
import { duration, learnMore, moment as when, number, sentence, t, took } from './words.js';

await learnMore();

export function order(app, key) {
    let shown = null, failed = null, refused = null; /* why a dismissal could not be taken back */
    const sent = payload(app, key);

    async function load() {
        try {
            shown = await app.api.order(key);
            failed = null;
            sent.of(shown);
        } catch (error) {
            failed = error;
        }
        app.redraw();
    }

    function next() {
        if (shown.state !== 'retrying' || shown.next_attempt_ms === null)
            return '';
        const wait = shown.next_attempt_ms - app.now();
        return ' ' + (wait > 0 ? t('order_next', { time: duration(wait) }) : t('order_next_now'));
    }

    function hero() {
        const look = LOOK[shown.state], said = explain(shown);
        return el(`section.hero.small.${look}`, { 'data-key': 'hero', 'aria-labelledby': 'h1' },
            el('a.back', { href: '#/', onclick: app.back }, '← ' + t('order_back')),
            el('h1', { id: 'h1', tabindex: -1 }, el('span', {}, orderName(shown))),
            el('p.state', {}, chip(shown.state), ' ', shown.state === 'delivered' ? null : el('span', {}, said.whole, next()), shopLink(app, shown)));
    }

    async function dismiss(reason) {
        await app.api.dismiss(key, reason);
        app.announce(t('said_dismissed', { order: orderName(shown) }));
        await load();
    }

    async function restore() {
        refused = null;
        try {
            await app.api.restore(key);
            app.announce(t('said_restored', { order: orderName(shown) }));
        } catch (error) {
            refused = error;
        }
        await load();
    }

    function dismissed() {
        const { by, at_ms, reason } = shown.dismissed;
        return el('section.card.todo-card', { 'data-key': 'dismissed', 'aria-labelledby': 'dismissed' },
            el('h2', { id: 'dismissed' }, t('s_dismissed')),
            el('p', {}, t('paused_by', { by, time: when(at_ms), reason })), el('p.soft', {}, t('dismissed_why')),
            refused !== null && el('p.warning', { role: 'alert' }, sentence(refused.message), '.'),
            el('div.actions', {}, el('button.loud', { type: 'button', onclick: restore }, t('restore')), retryButton(app, shown)));
    }

    function todo() {
        if (shown.state === 'delivered')
            return null;
        if (shown.state === 'dismissed')
            return dismissed();
        const said = explain(shown);
        const useless = said.hopeless ? 'quiet' : 'loud';
        return el('section.card.todo-card', { 'data-key': 'todo', 'aria-labelledby': 'todo' },
            el('h2', { id: 'todo' }, t('what_to_do')), el('p', {}, said.todo),
            shown.state === 'parked' && el('div.actions', {}, retryButton(app, shown, useless),
                shown.retry === null && el('button.quiet', { type: 'button', onclick: () => app.ask('askDismiss', shown, dismiss) }, t('dismiss'))));
    }

    function quote(name, text) {
        return text ? el('section', { 'data-key': name, 'aria-labelledby': name },
            el('h2', { id: name }, t(name)), el('pre.card', { tabindex: 0 }, text)) : null;
    }

    function force() {
        if (shown.state !== 'delivered')
            return null;
        return el('div.actions', { 'data-key': 'force' },
            el('button.quiet', { type: 'button', onclick: () => app.force(shown) }, t('force')));
    }

    load();
    return {
        title: () => shown === null ? t('list_title') : orderName(shown),
        onOrder(changed) {
            if (changed.key === key)
                load();
        },
        onChange: () => {},
        onRequest: load,
        draw() {
            if (failed !== null && failed.status === 404)
                return [el('a.back', { href: '#/', onclick: app.back }, '← ' + t('order_back')),
                    el('h1', { tabindex: -1 }, t('order_unknown_title')), el('p', {}, t('order_unknown_why'))];
            if (shown === null)
                return failed !== null ? [el('h1', { tabindex: -1 }, t('list_title')), failure(failed, load)]
                                       : [el('h1.unseen', { tabindex: -1 }, t('list_title')), skeleton(6)];
            return [hero(), todo(), timeline(shown, app.now()), audit(shown), quote('its_answer', shown.response),
                quote('its_detail', shown.detail), sent.draw(), facts(shown), force()];
        },
    };
}

/* ---- what happened, oldest first ---- */

function moment(look, what, at, ...more) {
    return el(`li.moment.${look}`, {}, look === 'calm' ? el('span.dot', { 'aria-hidden': 'true' }) : icon(look),
        el('div', {}, el('strong', {}, what), el('span.soft', {}, time(at)), more.filter(Boolean).map((m) => el('p', {}, m))));
}

function answer(outcome) {
    return outcome.status ? t('e_answer', { status: outcome.status }) : null;
}

function ending(outcome) {
    if (outcome.reason === 'superseded' || outcome.reason === 'already_delivered')
        return moment('calm', t(`e_${outcome.reason}`), outcome.settled_ms);
    if (outcome.state === 'overtaken')
        return moment('calm', t('e_overtaken'), outcome.settled_ms);
    if (outcome.state === 'delivered') {
        const what = outcome.source === 'retry' || outcome.source === 'redrive' ? 'e_delivered_by_retry' : 'e_delivered';
        return moment('good', t(what), outcome.settled_ms, answer(outcome));
    }
    const said = explain(outcome);
    const aside = outcome.state === 'parked' || outcome.state === 'dismissed';
    return moment(aside ? 'bad' : 'wait', t(aside ? 'e_parked' : 'e_retrying'), outcome.settled_ms, said.whole);
}

/* The end shows the last one of a single attempt, and what is not known is not shown. */
function attempts(outcome) {
    const n = outcome.attempts ?? 0, known = outcome.first_attempt_ms !== null && outcome.first_attempt_ms !== undefined;
    if (n < 2)
        return n === 1 && known && outcome.state !== 'delivered' ? [moment('calm', t('e_first'), outcome.first_attempt_ms)] : [];
    return [known && moment('calm', t('e_first'), outcome.first_attempt_ms),
        moment('calm', t('e_attempts', { n }), outcome.last_attempt_ms, outcome.last_attempt_ms ? t('e_last') : null)].filter(Boolean);
}

/* Each attempt that is kept: its answer, how long that took, and when the next one came. */
function tried(shown) {
    const kept = shown.tries, left = (shown.attempts ?? kept.length) - kept.length;
    const hasFirst = left > 0 && kept[0].at_ms === shown.first_attempt_ms;
    const unkept = left > 0 && moment('calm', t('e_unkept', { n: left }), null);
    return kept.flatMap((one, i) => {
        const next = kept[i + 1]?.at_ms ?? (shown.state === 'retrying' ? shown.next_attempt_ms : null);
        const gap = hasFirst && i === 0; /* the second one is not kept */
        const said = t('e_took', { answer: one.status ? t('e_answer', { status: one.status }) : lastWords(one.reason), time: took(one.took_ms) });
        const line = moment(one.reason === '' ? 'good' : 'calm', t('e_attempt', { n: gap ? 1 : left + i + 1 }), one.at_ms, said,
            next !== null && !gap && t('e_next', { time: took(Math.max(0, next - one.at_ms - one.took_ms)) }));
        return hasFirst ? [line, i === 0 && unkept] : [i === 0 && unkept, line];
    });
}

function sentAgain(outcome) {
    if (outcome.source === 'redrive')
        return [moment('calm', t('e_redrive'), outcome.first_attempt_ms)];
    if (outcome.source === 'retry')
        return [moment('calm', t('e_asked_nobody'), outcome.first_attempt_ms)];
    return [];
}

function timeline(shown, now) {
    const moments = [];
    let confirmed = null;
    const newest = shown.history[0];
    for (const outcome of [...shown.history].reverse()) {
        if (outcome.confirmed_at && outcome.confirmed_at !== confirmed)
            moments.push(moment('calm', t('e_confirmed'), Date.parse(outcome.confirmed_at)));
        confirmed = outcome.confirmed_at ?? confirmed;
        moments.push(...sentAgain(outcome),
            ...(outcome === newest && shown.tries.length > 0 ? tried(shown) : attempts(outcome)), ending(outcome));
    }
    if (shown.retry !== null)
        moments.push(moment('wait', t('e_asked_nobody'), shown.retry.asked_ms, t('sending')));
    if (shown.state === 'retrying' && shown.next_attempt_ms > now)
        moments.push(moment('wait', t('order_next', { time: duration(shown.next_attempt_ms - now) }), shown.next_attempt_ms));
    return el('section', { 'data-key': 'happened', 'aria-labelledby': 'happened' },
        el('h2', { id: 'happened' }, t('what_happened')), el('ol.card.timeline', {}, moments));
}

/* ---- who asked for what, oldest first ---- */

const OTHERS = { 'a customer': 'by_customer', 'a command': 'by_command' };

function dismissals({ dismissed }) {
    return dismissed === null ? [] : [
        { at_ms: dismissed.at_ms, what: 'dismiss', by: dismissed.by, why: t('a_why', { reason: dismissed.reason }) },
        ...dismissed.undone_ms === undefined ? [] : [{ at_ms: dismissed.undone_ms, what: 'restore', by: dismissed.undone_by }],
    ];
}

function audit(shown) {
    const by = (who) => who === null ? t('by_unknown') : t('by_whom', { who: OTHERS[who] ? t(OTHERS[who]) : who });
    const asked = [...shown.audit, ...dismissals(shown)].sort((a, b) => a.at_ms - b.at_ms);
    return asked.length === 0 ? null : el('section', { 'data-key': 'asked', 'aria-labelledby': 'asked' },
        el('h2', { id: 'asked' }, t('who_asked')),
        el('ol.card.timeline', {}, asked.map((a) => moment('calm', t(`a_${a.what}`), a.at_ms, by(a.by), a.why))));
}

/* ---- where everything is ---- */

async function copy(text) {
    await navigator.clipboard.writeText(text);
    announce(t('copied'));
}

/* kind: 'copy' for what one pastes elsewhere, 'code', or 'text'. */
function fact(name, value, kind) {
    if (value === null || value === undefined || value === '')
        return null;
    return [el('dt', {}, t(name)), el(kind === 'text' ? 'dd' : 'dd.mono', {}, el('span', {}, value),
        kind === 'copy' && navigator.clipboard && el('button.plain', { type: 'button', 'aria-label': `${t('copy')} ${t(name)}`, onclick: () => copy(value) }, t('copy')))];
}

function facts(shown) {
    const c = shown.coordinates;
    const place = c.topic === null ? null : `${c.topic} / ${c.partition} / ${c.offset}`;
    return el('section', { 'data-key': 'facts', 'aria-labelledby': 'facts' },
        el('h2', { id: 'facts' }, t('its_details')),
        el('dl.card.facts', {},
            fact('d_order_number', shown.order_number, 'copy'), fact('d_order_id', shown.order_id, 'copy'),
            fact('d_confirmed_at', shown.confirmed_at, 'code'), fact('d_webhook_id', shown.webhook_id, 'copy'),
            fact('d_place', place, 'copy'), fact('d_lsn', shown.lsn === null ? null : String(shown.lsn), 'code'),
            fact('d_attempts', shown.attempts === null ? null : number(shown.attempts), 'text'),
            fact('d_status', shown.status ? String(shown.status) : null, 'text'),
            fact('d_source', shown.source === null ? null : t(`src_${shown.source}`), 'text'),
            fact('d_reason', shown.reason, 'code'), fact('d_member', shown.member, 'code')));
}
