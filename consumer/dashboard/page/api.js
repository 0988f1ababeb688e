/* api: the only file that knows the dashboard's paths (schemas/openapi.yaml). */

import { has, t } from './words.js';

/* A problem document (RFC 9457) in the reader's words, where its name has some. */
export class Problem extends Error {
    constructor(status, name, said, count) {
        super(has(`x_${name}`) ? t(`x_${name}`) : said);
        this.status = status;
        this.count = count;
    }
}

async function problemOf(response) {
    try {
        const said = await response.json();
        const name = String(said.type).split(':').pop().replaceAll('-', '_');
        return new Problem(response.status, name, said.detail || said.title, said.count);
    } catch {
        return new Problem(response.status, '', `HTTP ${response.status}`);
    }
}

/* token(): the token of now. expired(token): called when the server says that this one is over. */
export function connect(token, expired) {
    async function send(method, path, body, signal) {
        const sent = token(), headers = { Authorization: `Bearer ${sent}` };
        if (body !== undefined)
            headers['Content-Type'] = 'application/json';
        const options = { method, headers, signal, cache: 'no-store', credentials: 'omit' };
        let response;
        try {
            response = await fetch(path, { ...options, body: body === undefined ? undefined : JSON.stringify(body) });
        } catch (error) {
            throw error.name === 'AbortError' ? error : new Problem(0, 'away', '');
        }
        if (response.ok)
            return response;
        const problem = await problemOf(response);
        if (problem.status === 401)
            expired(sent);
        throw problem;
    }

    const json = async (...args) => (await send(...args)).json();
    const given = (query) => new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== ''));
    const bulk = ({ action, id }) => `api/v1/${action === 'redrive' ? 'redrives' : 'batches'}/${encodeURIComponent(id)}`;
    const order = (key) => `api/v1/orders/${encodeURIComponent(key)}`;

    return {
        signInOffer: async () => (await json('GET', 'api/v1/sign-in')).supabase,
        session: () => json('GET', 'api/v1/session'),
        status: () => json('GET', 'api/v1/status'),
        trends: (hours) => json('GET', `api/v1/trends?hours=${hours}`),
        async orders(query) {
            const got = await json('GET', `api/v1/orders?${given(query)}`);
            return { orders: got.orders, next: got.next_cursor };
        },
        exported: async (query, format) => (await send('GET', `api/v1/orders.${format}?${given(query)}`)).blob(),
        order: (key) => json('GET', order(key)),
        payload: (key) => json('GET', `${order(key)}/payload`),
        showPayload: (key) => json('POST', `${order(key)}/payload/show`, {}),
        retry: (key, force) => json('POST', `${order(key)}/retry`, force ? { force: true } : {}),
        dismiss: (key, reason) => json('POST', `${order(key)}/dismiss`, { reason }),
        restore: (key) => json('POST', `${order(key)}/restore`, {}),
        requests: () => json('GET', 'api/v1/requests'),
        previewRedrive: (selection) => json('POST', 'api/v1/redrives/preview', selection),
        redrive: (selection, confirm) => json('POST', 'api/v1/redrives', { ...selection, confirm }),
        previewBatch: (query, body) => json('POST', `api/v1/batches/preview?${given(query)}`, body),
        batch: (query, body) => json('POST', `api/v1/batches?${given(query)}`, body),
        batchState: (id) => json('GET', bulk({ id })),
        cancelBulk: (one) => json('DELETE', bulk(one)),
        pause: (reason) => json('POST', 'api/v1/pause', { reason }),
        resume: () => json('POST', 'api/v1/resume', {}),
        events: (signal, on) => send('GET', 'api/v1/events', undefined, signal).then((response) => readEvents(response, on)),
    };
}

/* Server-sent events by hand, since EventSource cannot carry a token (HTML standard, 9.2.6). Calls
 * on(event, data) for each, and ends when the stream does. */
async function readEvents(response, on) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '', event = 'message', data = '';
    on('open', null);
    for (;;) {
        const { done, value } = await reader.read();
        if (done)
            return;
        const lines = (rest + value).split('\n');
        rest = lines.pop();
        for (const line of lines.map((l) => l.replace(/\r$/, ''))) {
            if (line === '') {
                if (data !== '')
                    on(event, JSON.parse(data));
                event = 'message';
                data = '';
            } else if (line.startsWith(':')) {
                on('beat', null);
            } else if (line.startsWith('event:')) {
                event = line.slice(6).trim();
            } else if (line.startsWith('data:')) {
                data += line.slice(5).trim();
            }
        }
    }
}
