// fake_dashboard: the dashboard's API (schemas/openapi.yaml) over plain objects, with the real page.
// For states that a real group rarely shows: an endpoint that is down, no member delivering,
// a view that is rebuilt, an answer that fails.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';

const TYPES = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

export const OPERATOR = 'operator.good.token', CUSTOMER = 'customer.good.token';
const MINUTE = 60000;

export function makeOrder(i, over = {}) {
    const at = Date.now() - i * 7000;
    return {
        key: `order-${String(i).padStart(6, '0')}`, order_id: `order-${String(i).padStart(6, '0')}`,
        order_number: `CMD-${String(100000 + i)}`, state: 'delivered', reason: null, class: null, detail: null, status: 200,
        attempts: 1, confirmed_at: new Date(at - 900).toISOString(), webhook_id: `msg_${i}`, source: 'cdc', request: null,
        settled_ms: at, first_attempt_ms: at - 120, last_attempt_ms: at - 120, next_attempt_ms: null, retry: null, response: null, ...over,
    };
}

export class FakeDashboard {
    // verdicts: what the program itself says of each situation (verdict_test --print).
    constructor(page, verdicts) {
        this.page = page;
        this.verdicts = verdicts;
        this.streams = new Set();
        this.seen = []; // what was asked: "POST /api/v1/…"
        this.timers = new Set();
        this.reset();
    }

    // Later, unless the scene has changed by then.
    later(ms, act) {
        this.timers.add(setTimeout(act, ms));
    }

    reset() {
        for (const timer of this.timers)
            clearTimeout(timer);
        this.timers.clear();
        this.orders = new Map();
        this.redrives = [];
        this.requests = []; // of GET /api/v1/requests
        this.failing = null; // a status that every API call answers with
        this.expired = false;
        this.lifeMs = 3600000; // of a session
        this.orderLink = null;
        this.situation = null; // a name of situations.json; null: by the orders that there are
        this.mute = false; // streams stay open, and nothing comes
        this.held = null; // answers to GET /api/v1/orders that wait for release()
        this.busiest = 20;
        this.status = {
            group: 'elementor-sync', topic: 'orders.public.orders', endpoint: 'shop.example.com#1f3a9c07', lag: 0,
            oldest_unsettled_ms: null, delivered_per_s: 0.3, in_flight: 0, waiting: 0,
            breaker: { state: 'closed', reason: '', since_ms: Date.now() - 3600000, next_probe_ms: null },
            hold_until_ms: null, paused: null,
            members: [this.member('shop-1-4711', [0, 1, 2]), this.member('shop-2-4712', [3, 4, 5])],
            view: { caught_up: true, behind: 0, kafka: true },
        };
        this.onRetry = (order) => this.later(150, () => this.put({ ...order, state: 'delivered', reason: null, status: 200 }));
    }

    member(name, partitions) {
        const part = (p) => ({ partition: p, position: 18211 + p, committed: 18211 + p, end: 18211 + p, lag: 0, open: 0, state: 'reading' });
        return { member: name, alive: true, at_ms: Date.now(), paused: false, partitions: partitions.map(part), retry_partitions: partitions.map(part) };
    }

    put(order) {
        this.orders.set(order.key, order);
        this.say('order', this.summary(order));
        this.say('status', this.currentStatus());
    }

    changed() {
        this.say('status', this.currentStatus());
    }

    // Its times as seen from now.
    verdict(counts) {
        const name = this.situation ?? (this.status.paused !== null ? 'deliveries are paused' : counts.parked > 0 ? 'eight orders are parked' : counts.retrying > 0 ? 'one order is tried again' : 'all is well');
        const verdict = structuredClone(this.verdicts[name]), later = Date.now() - this.verdicts.now_ms;
        const shift = (of, key) => of[key] !== null && (of[key] += later);
        shift(verdict, 'since_ms');
        for (const cause of verdict.causes) {
            shift(cause, 'since_ms');
            shift(cause, 'until_ms');
            if (this.situation === null)
                cause.count = counts[cause.code];
        }
        return verdict;
    }

    say(event, data) {
        if (this.mute)
            return;
        for (const stream of this.streams)
            stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    }

    expire() {
        this.expired = true;
        this.say('expired', {});
        for (const stream of this.streams)
            stream.end();
    }

    reasons() {
        const groups = new Map();
        for (const o of this.orders.values()) {
            if (o.state !== 'parked')
                continue;
            const group = groups.get(o.reason) ?? { reason: o.reason, class: o.class, count: 0, oldest_ms: o.settled_ms };
            group.count++;
            group.oldest_ms = Math.min(group.oldest_ms, o.settled_ms);
            groups.set(o.reason, group);
        }
        return [...groups.values()].sort((a, b) => b.count - a.count);
    }

    currentStatus() {
        const counts = { delivered: 0, retrying: 0, parked: 0, overtaken: 0, dismissed: 0, queued: 0 };
        for (const o of this.orders.values()) {
            counts[o.state]++;
            counts.queued += o.retry !== null;
        }
        return { verdict: this.verdict(counts), now_ms: Date.now(), ...this.status, counts, reasons: this.reasons(), delivered_hour: Array.from({ length: 60 }, (_, i) => Math.round(this.wave(i) * this.busiest)).reduce((a, b) => a + b, 0) };
    }

    // What settled in minute i of the last hour.
    wave(i) {
        return Math.abs(Math.sin(i / 7) * Math.cos(i / 3.1));
    }

    // The dashboard began at a third of the time; the members were not heard for a while after its half.
    trends(hours) {
        const step = { 1: 1, 24: 15, 168: 60 }[hours] * MINUTE, count = hours * 60 * MINUTE / step, now = Date.now();
        const list = (value) => Array.from({ length: count }, (_, i) => value(i * 60 / count, i));
        const outcome = (value) => list((at, i) => at < 8 ? null : value(at, i));
        const heard = (value) => list((at, i) => at < 20 || (at > 32 && at < 37) ? null : value(at, i));
        const latency = (share) => outcome((at) => Math.round(this.wave(at) * this.busiest) === 0 ? null : Math.round((180 + 9000 * this.wave(at + 3) ** 6) * share));
        return {
            from_ms: Math.floor(now / step) * step - (count - 1) * step, step_ms: step, now_ms: now, delivered: outcome((at) => Math.round(this.wave(at) * this.busiest)),
            parked: outcome((at, i) => i % 11 === 3 ? 1 : 0), failed: heard((at, i) => i % 9 === 4 ? 3.25 : 0), lag: heard((at) => Math.round(this.wave(at) ** 2 * 12)),
            p50_ms: latency(1), p95_ms: latency(4), p99_ms: latency(20),
        };
    }

    summary(order) {
        const { response, history, tries, audit, dismissed, ...rest } = order;
        return rest;
    }

    detail(order) {
        return {
            ...order, coordinates: { topic: 'orders.public.orders', partition: 3, offset: 18211 }, timestamp_ms: order.settled_ms, lsn: 24023128,
            member: 'shop-1-4711', parked_at: null, dismissed: order.dismissed ?? null, tries: order.tries ?? [], history: [this.summary(order), ...(order.history ?? [])], audit: order.audit ?? [],
        };
    }

    payload(order, shown) {
        const values = { order_id: order.order_id, order_number: order.order_number, client_name: 'Amina Él', client_phone: '+213600000000', client_address: '',
            client_city: 'Alger', product_name: 'Montre', quantity: '2', unit_price: '1250.50', total_amount: '2501.00', status: 'confirmed', confirmed_at: order.confirmed_at };
        const [reason, wrong] = (order.class === 'validation' ? order.reason : ':').split(':');
        const fields = Object.entries(values).map(([name, value]) => {
            const text = name === wrong ? '' : value ?? '', masked = !shown && name.startsWith('client_') && text !== '';
            return { name, column: name, value: masked ? null : text, masked, characters: [...text].length, reason: name === wrong ? reason : '' };
        });
        const body = shown && wrong === '' ? JSON.stringify({ form_name: 'order_confirmation', fields: values }) : null;
        return { key: order.key, verdict: wrong === '' ? 'deliver' : 'reject', reason: wrong === '' ? '' : order.reason, detail: '', shown, content_type: 'application/json', body, fields };
    }

    selected(selection) {
        return [...this.orders.values()].filter((o) => o.state === 'parked' && o.retry === null &&
            (selection.reason === undefined || o.reason === selection.reason) && (selection.since_ms === undefined || o.settled_ms >= selection.since_ms) &&
            (selection.until_ms === undefined || o.settled_ms < selection.until_ms));
    }

    list(query) {
        const state = query.get('state'), reason = query.get('reason'), q = query.get('q')?.toLowerCase();
        const limit = Number(query.get('limit') ?? 50), from = Number(query.get('cursor') ?? 0);
        const status = query.get('status'), source = query.get('source'), way = query.get('sort') === 'oldest' ? -1 : 1;
        const since = Number(query.get('since_ms') ?? 0), until = Number(query.get('until_ms') ?? Infinity);
        const found = [...this.orders.values()].filter((o) => (!state || o.state === state) && (!reason || o.reason === reason) &&
            (!status || String(o.status ?? 'none') === status) && (!source || o.source === source) && o.settled_ms >= since && o.settled_ms < until &&
            (!q || [o.order_id, o.order_number].some((t) => t?.toLowerCase().startsWith(q)))).sort((a, b) => way * (b.settled_ms - a.settled_ms));
        return { orders: found.slice(from, from + limit).map((o) => this.summary(o)), next_cursor: found.length > from + limit ? String(from + limit) : null };
    }

    retry(order) {
        const request = `req-${this.seen.length}`;
        order.retry = { request, asked_ms: Date.now() };
        this.put(order);
        this.onRetry({ ...order, retry: null, request, source: 'retry', settled_ms: Date.now() + 200, attempts: (order.attempts ?? 0) + 1, history: [this.summary({ ...order, retry: null })] });
        return { key: order.key, request, asked_ms: order.retry.asked_ms };
    }

    pause(word) {
        this.status.paused = word;
        for (const member of this.status.members)
            member.paused = word !== null;
        this.changed();
        return { paused: word };
    }

    // By whom, when and why; null: it is taken back.
    dismiss(order, dismissed) {
        this.put({ ...order, state: dismissed ? 'dismissed' : 'parked', dismissed: dismissed ?? { ...order.dismissed, undone_ms: Date.now(), undone_by: 'night@shop.example' } });
        return { key: order.key, dismissed };
    }

    redrive(body) {
        const chosen = this.selected(body);
        if (chosen.length !== body.confirm)
            return [409, { count: chosen.length }];
        const redrive = { id: `redrive-${this.redrives.length}`, action: 'redrive', answers: {}, state: 'running', count: chosen.length, sent: 0, failed: 0, rate: 5, started_ms: Date.now(), ended_ms: null, by: 'night@shop.example', selection: {} };
        this.redrives.unshift(redrive);
        const step = () => {
            const order = chosen.shift();
            if (order === undefined || redrive.state === 'cancelled')
                return;
            this.retry(order);
            redrive.sent++;
            redrive.state = redrive.sent === redrive.count ? 'done' : redrive.state;
            this.say('redrive', redrive);
            this.later(40, step);
        };
        this.later(40, step);
        return [202, redrive];
    }

    answer(method, path, query, body) {
        const [, , , what, id, verb] = path.split('/').map(decodeURIComponent);
        const order = this.orders.get(id);
        switch (`${method} ${what}`) {
        case 'GET session': return [200, { subject: 'night@shop.example', role: 'service_role', operator: true, order_link: this.orderLink, expires_ms: Date.now() + this.lifeMs, now_ms: Date.now() }];
        case 'GET status': return [200, this.currentStatus()];
        case 'GET trends': return [200, this.trends(Number(query.get('hours')))];
        case 'POST pause': return [200, this.pause({ by: 'night@shop.example', at_ms: Date.now(), reason: body.reason })];
        case 'POST resume': return [200, this.pause(null)];
        case 'GET requests': return [200, { requests: this.requests, bulk: this.redrives }];
        case 'DELETE redrives': return [200, Object.assign(this.redrives.find((r) => r.id === id), { state: 'cancelled' })];
        case 'GET orders': if (order && verb === 'payload')
            return order.gone ? [410, {}] : [200, this.payload(order, false)];
            return id === undefined ? [200, this.list(query)] : order ? [200, this.detail(order)] : [404, {}];
        case 'POST orders': if (order && verb === 'payload')
            return [200, this.payload(order, true)];
            if (order && verb === 'dismiss')
                return [200, this.dismiss(order, { at_ms: Date.now(), by: 'night@shop.example', reason: body.reason })];
            if (order && verb === 'restore')
                return order.gone ? [409, {}] : [200, this.dismiss(order, null)];
            return order && verb === 'retry' ? [202, this.retry(order)] : [404, {}];
        case 'POST redrives': {
            if (id !== 'preview')
                return this.redrive(body);
            const chosen = this.selected(body);
            const reasons = this.reasons().filter((r) => body.reason === undefined || r.reason === body.reason);
            return [200, { count: chosen.length, reasons, until_ms: Math.max(...chosen.map((o) => o.settled_ms)) + 1, oldest_ms: null, newest_ms: null, sample: chosen.slice(0, 10), rate: 5, seconds: Math.ceil(chosen.length / 5) }];
        }
        default: return [404, {}];
        }
    }

    api(request, response, url, body) {
        const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
        const problem = (status, title, name = 'x') => {
            response.writeHead(status, { 'Content-Type': 'application/problem+json' });
            response.end(JSON.stringify({ type: `urn:elementor-sync:problem:${name}`, title, status }));
        };
        this.seen.push(`${request.method} ${url.pathname}`);
        if (url.pathname === '/api/v1/sign-in') {
            response.writeHead(200, { 'Content-Type': 'application/json' });
            return response.end('{"supabase":null}');
        }
        if ((token !== OPERATOR && token !== CUSTOMER) || this.expired)
            return problem(401, 'not signed in');
        if (token === CUSTOMER && url.pathname === '/api/v1/session') {
            response.writeHead(200, { 'Content-Type': 'application/json' });
            return response.end(JSON.stringify({ subject: 'someone', role: 'authenticated', operator: false, order_link: null, expires_ms: Date.now() + 3600000, now_ms: Date.now() }));
        }
        if (this.failing !== null && url.pathname !== '/api/v1/session')
            return problem(this.failing, 'The view cannot be read');
        if (url.pathname === '/api/v1/events') {
            response.writeHead(200, { 'Content-Type': 'text/event-stream' });
            this.streams.add(response);
            request.on('close', () => this.streams.delete(response));
            return response.write(`: hello\n\nevent: status\ndata: ${JSON.stringify(this.currentStatus())}\n\n`);
        }
        const [status, answer] = this.answer(request.method, url.pathname, url.searchParams, body);
        if (status >= 400 && answer.count === undefined)
            return problem(status, 'not known', status === 410 ? 'gone' : 'x');
        const send = () => {
            response.writeHead(status, { 'Content-Type': 'application/json' });
            response.end(JSON.stringify(answer));
        };
        if (this.held !== null && request.method === 'GET' && url.pathname === '/api/v1/orders')
            return this.held.push(send);
        return send();
    }

    // From now on, lists are made but kept back; release() sends them.
    hold() {
        this.held = [];
    }

    release() {
        const held = this.held;
        this.held = null;
        for (const send of held)
            send();
    }

    async file(response, path) {
        try {
            const bytes = await readFile(join(this.page, normalize(path === '/' ? '/index.html' : path)));
            response.writeHead(200, { 'Content-Type': `${TYPES[extname(path)] ?? 'text/html'}; charset=utf-8`, 'Content-Security-Policy': CSP, 'Cache-Control': 'no-cache' });
            response.end(bytes);
        } catch {
            response.writeHead(404);
            response.end();
        }
    }

    async serve(request, response) {
        const url = new URL(request.url, 'http://localhost');
        let text = '';
        for await (const chunk of request)
            text += chunk;
        if (url.pathname.startsWith('/api/'))
            this.api(request, response, url, text === '' ? {} : JSON.parse(text));
        else
            await this.file(response, url.pathname);
    }

    start(port = 0) {
        this.server = createServer((request, response) => this.serve(request, response));
        this.beats = setInterval(() => this.mute || this.streams.forEach((stream) => stream.write(':\n\n')), 2000);
        return new Promise((resolve) => this.server.listen(port, '127.0.0.1', () => {
            this.url = `http://127.0.0.1:${this.server.address().port}/`;
            resolve(this.url);
        }));
    }

    stop() {
        clearInterval(this.beats);
        this.server.closeAllConnections();
        this.server.close();
    }
}
