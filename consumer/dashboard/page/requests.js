/* requests: what this operator asked for since the page was opened, followed until its end. */
import { el, icon } from './dom.js';
import { orderLink, orderName } from './parts.js';
import { explain } from './reasons.js';
import { moment, t } from './words.js';

const WORDS = ['dismiss', 'restore']; /* of these nothing comes behind */
const LOOK_EVERY_MS = 3000, LOOK_UNTIL_MS = 120000;

/* Gives app: requests, bulk, retry, requestSettled, bulkStarted, clearRequests. */
export function watchRequests(app) {
    app.requests = new Map();
    app.bulk = new Map();

    app.retry = async (order, force = false) => {
        const known = app.requests.get(order.key);
        if (known !== undefined && ['asking', 'asked'].includes(known.state))
            return;
        const request = { order, state: 'asking', began: Date.now() };
        app.requests.delete(order.key); /* the latest is the last */
        app.requests.set(order.key, request);
        app.redraw();
        try {
            const asked = await app.api.retry(order.key, force);
            request.id = asked.request;
            request.asked_ms = asked.asked_ms;
            if (request.state === 'asking') /* its outcome may have come first */
                request.state = 'asked';
            app.announce(t('said_asked', { order: orderName(order) }));
            setTimeout(() => look(request), LOOK_EVERY_MS);
        } catch (error) {
            request.state = 'failed';
            request.why = error.message;
            app.announce(t('said_failed', { order: orderName(order), why: request.why }));
        }
        app.onRequest?.(order.key);
        app.redraw();
    };

    /* The stream says it first; this is for when it was away. */
    async function look(request) {
        if (request.state !== 'asked' || Date.now() - request.began > LOOK_UNTIL_MS || app.requests.get(request.order.key) !== request)
            return;
        try {
            app.requestSettled(await app.api.order(request.order.key));
        } catch {
            /* looked at again */
        }
        setTimeout(() => look(request), LOOK_EVERY_MS);
    }

    app.requestSettled = (order) => {
        const request = app.requests.get(order.key);
        if (request === undefined || !['asking', 'asked', 'retrying'].includes(request.state))
            return;
        const answers = request.id !== undefined && order.request === request.id;
        if (!answers && !(request.asked_ms !== undefined && order.retry === null && order.settled_ms >= request.asked_ms))
            return;
        settle(request, order);
    };

    function settle(request, order, isPast = false) {
        request.at_ms = order.settled_ms;
        request.why = order.state === 'parked' ? explain(order).why : '';
        if (!isPast && request.state !== order.state && order.state !== 'retrying')
            app.announce(t(`said_${order.state}`, { order: orderName(order), why: request.why }));
        request.state = order.state;
        app.redraw();
    }

    /* Answers and events overtake each other, and a redrive never goes back. */
    app.bulkStarted = (redrive) => {
        const known = app.bulk.get(redrive.id);
        if (known !== undefined && (known.state !== 'running' || known.sent + known.failed > redrive.sent + redrive.failed))
            return;
        app.bulk.set(redrive.id, redrive);
        app.redraw();
    };

    const isCleared = (ms) => ms <= Number(sessionStorage.getItem('cleared'));

    /* What runs already, by whichever page it was begun; and this operator's own requests, which the server knows. */
    app.readAsked = async () => {
        try {
            const { requests, bulk } = await app.api.requests();
            bulk.reverse().filter((one) => !isCleared(one.ended_ms ?? Infinity)).forEach(app.bulkStarted);
            requests.reverse().forEach(recall);
        } catch {
            /* the stream tells of what goes on */
        }
    };

    /* Asked for before the page was loaded. */
    function recall({ order, request: id, asked_ms }) {
        if (isCleared(asked_ms) || app.requests.has(order.key))
            return;
        const request = { order, id, asked_ms, state: 'asked', began: Date.now() };
        app.requests.set(order.key, request);
        if (order.retry === null || order.request === id)
            settle(request, order, true);
        else
            look(request);
    }

    app.clearRequests = () => {
        sessionStorage.setItem('cleared', app.now());
        app.requests.clear();
        app.bulk.clear();
        app.redraw();
    };
}

function requestRow(request) {
    const look = { delivered: 'good', parked: 'bad', failed: 'bad' }[request.state] ?? 'wait';
    const words = { why: request.why ?? '', time: request.at_ms ? moment(request.at_ms) : '' };
    return el(`li.request.${look}`, { 'data-key': request.order.key }, icon(look),
        el('a', { href: orderLink(request.order) }, orderName(request.order)), el('span', {}, t(`req_${request.state}`, words)));
}

/* Of one that is over, or goes on. */
export function bulkWords(one) {
    const words = { done: one.sent + one.failed, n: one.count };
    if (one.state === 'running')
        return t('redrive_progress', words);
    return t(one.state === 'done' && WORDS.includes(one.action) ? 'word_done' : `redrive_${one.state}`, words);
}

function bulkRow(app, redrive) {
    const look = redrive.state === 'done' ? 'good' : 'wait';
    return el(`li.request.${look}`, { 'data-key': redrive.id }, icon(look),
        el('strong', {}, t(`bulk_${redrive.action}`, { n: redrive.count })),
        el('span', {}, bulkWords(redrive)),
        redrive.by !== app.subject() && el('span.soft', {}, redrive.by === null ? t('by_unknown') : t('by_whom', { who: redrive.by })),
        redrive.failed > 0 && el('span.soft', {}, t('redrive_failed', { n: redrive.failed })),
        redrive.state === 'running' && el('button.plain', { type: 'button', onclick: () => cancel(app, redrive) }, t('redrive_stop')));
}

async function cancel(app, redrive) {
    try {
        app.bulkStarted(await app.api.cancelBulk(redrive));
    } catch (error) {
        app.announce(error.message);
    }
}

export function requestList(app) {
    if (app.requests.size + app.bulk.size === 0)
        return null;
    return el('section', { 'aria-labelledby': 'asked', 'data-key': 'asked' },
        el('div.head', {}, el('h2', { id: 'asked' }, t('your_requests')),
            el('button.plain', { type: 'button', onclick: () => app.clearRequests() }, t('clear'))),
        el('ul.card.requests', {}, [...app.bulk.values()].reverse().map((r) => bulkRow(app, r)),
            [...app.requests.values()].reverse().map(requestRow)));
}
