/* parts: what several views show alike: an order's row, its state, a time, a retry's button. */
import { el, icon } from './dom.js';
import { explain } from './reasons.js';
import { ago, fullMoment, moment, sentence, t, took } from './words.js';

export const LOOK = { delivered: 'good', retrying: 'wait', parked: 'bad', overtaken: 'wait', dismissed: 'idle', changed: 'idle' };

export function orderName(order) {
    return order.order_number || order.order_id || t('no_number');
}

export function orderLink(order) {
    return '#/order/' + encodeURIComponent(order.key);
}

export function time(ms, now) {
    if (ms === null || ms === undefined || ms < 0)
        return null;
    return el('time', { datetime: new Date(ms).toISOString(), title: fullMoment(ms) }, now ? ago(ms, now) : moment(ms));
}

export function chip(state) {
    return el(`span.chip.${LOOK[state] ?? 'wait'}`, {}, icon(LOOK[state] ?? 'wait'), el('span', {}, t(`s_${state}`)));
}

export function lastMoment(order) {
    return order.state === 'retrying' ? order.last_attempt_ms : order.settled_ms ?? order.last_attempt_ms;
}

/* The button that sends one order again, or what became of it. */
export function retryButton(app, order, look = 'quiet') {
    const request = app.requests.get(order.key);
    const asked = order.retry !== null && order.retry !== undefined;
    const waits = asked || request?.state === 'asking' || request?.state === 'asked';
    return el(`button.${look}`, { /* one and the same button, so that it keeps the focus */
        type: 'button', 'data-retry': order.key, 'aria-disabled': waits && 'true',
        'aria-label': waits ? null : t('send_again_of', { order: orderName(order) }),
        onclick: waits ? null : () => app.retry(order),
    }, waits && el('span.spin', { 'aria-hidden': 'true' }), waits ? t('asked') : t('send_again'));
}

/* The order in the shop's own admin (dashboard.order_link); null where no address is set, or it asks for a number that the
 * order has not. */
export function shopLink(app, order) {
    const values = { order_id: order.order_id, order_number: order.order_number };
    const template = app.orderLink(), isKnown = (name) => values[name] || !template.includes(`{${name}}`);
    if (template === null || !Object.keys(values).every(isKnown))
        return null;
    const href = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name]));
    return el('a.shop-link', { href, target: '_blank', rel: 'noopener noreferrer', title: t('open_in_shop'), 'aria-label': `${t('open_in_shop')}: ${orderName(order)}` },
        el('span', {}, t('open_in_shop')), ' ↗');
}

/* The columns of a wide screen: when the order was confirmed, how long it took from there, and how often it was tried. */
function facts(order) {
    const confirmed = order.confirmed_at === null ? NaN : Date.parse(order.confirmed_at);
    const latency = order.state === 'delivered' && order.settled_ms >= confirmed ? order.settled_ms - confirmed : null;
    return [el('span.row-fact.confirmed', {}, Number.isNaN(confirmed) ? null : [t('fact_confirmed'), ' ', time(confirmed)]),
        el('span.row-fact.latency', {}, latency !== null && t('fact_latency', { time: took(latency) })),
        el('span.row-fact.attempts', {}, order.attempts > 0 && t('e_attempts', { n: order.attempts }))];
}

/* One order as a line of a list; the whole line leads to it. */
export function orderRow(app, order, options = {}) {
    const why = order.state === 'delivered' ? null : explain(order).whole;
    return el('li.row', { 'data-key': order.key }, options.box,
        el('a.row-link', { href: orderLink(order) },
            el('span.row-name', {}, orderName(order)),
            options.state !== false && chip(order.changed ? 'changed' : order.state),
            options.why !== false && why !== null && el('span.row-why', {}, why),
            options.facts && facts(order),
            el('span.row-when', {}, time(lastMoment(order), app.now()))),
        options.facts && shopLink(app, order),
        (options.retry ?? !explain(order).hopeless) && order.state === 'parked' && retryButton(app, order));
}

export function failure(error, again) {
    return el('div.card.notice.bad', { role: 'alert' },
        el('p', {}, t('load_failed'), ' ', sentence(error.message), '.'),
        el('button.quiet', { type: 'button', onclick: again }, t('try_again')));
}

export function skeleton(lines = 3) {
    return el('div.skeleton', { role: 'status' }, el('span.unseen', {}, t('loading')),
        Array.from({ length: lines }, () => el('span.bone', { 'aria-hidden': 'true' })));
}
