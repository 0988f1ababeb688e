// receiver.mjs: takes the orders that elementor-sync sends, each once. Node >= 18, nothing else.
//
//   WEBHOOK_SIGNING_KEYS   whsec_…, the same as the program's; several with a space between while they rotate
//   ORDERS_FOLDER          one file an order, named by its webhook-id; orders
//   PORT                   on 127.0.0.1; 8090. TLS is a reverse proxy's
//
// Without a database the order's file is its own claim: it is written under another name, made durable, and
// gets its name by link(), which fails where the name is taken. So an order is there whole, or not at all.
// With a database do as receiver.py does: claim and work in one transaction.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { link, mkdir, open, readdir, unlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';

const TOLERANCE_SECONDS = 300;
const BODY_MAX = 1024 * 1024;
const FOLDER = process.env.ORDERS_FOLDER ?? 'orders';
const KEYS = process.env.WEBHOOK_SIGNING_KEYS.trim().split(/[\s,]+/).map((word) => {
    const key = Buffer.from(word.slice('whsec_'.length), 'base64');
    if (!word.startsWith('whsec_') || key.length < 24)
        throw new Error('WEBHOOK_SIGNING_KEYS: a key is whsec_ and the base64 of 24 bytes or more');
    return key;
});

// body: the bytes as they came; a body that was parsed and written again has another signature.
function isSigned(id, time, signatures, body) {
    if (!/^[\w-]{1,200}$/.test(id) || !/^\d{1,12}$/.test(time) || Math.abs(Date.now() / 1000 - Number(time)) > TOLERANCE_SECONDS)
        return false;
    return KEYS.some((key) => {
        const wanted = Buffer.from(`v1,${createHmac('sha256', key).update(`${id}.${time}.`).update(body).digest('base64')}`);
        return signatures.split(' ').some((signature) => {
            const given = Buffer.from(signature);
            return given.length === wanted.length && timingSafeEqual(given, wanted);
        });
    });
}

async function sync(path) {
    const file = await open(path, 'r');
    await file.sync().finally(() => file.close());
}

let written = 0;

// False: the id was claimed before.
async function storeOnce(id, body) {
    const draft = join(FOLDER, `.${process.pid}-${++written}`);
    const file = await open(draft, 'wx');
    try {
        await file.writeFile(body);
        await file.sync();
        await link(draft, join(FOLDER, id));
        return true;
    } catch (error) {
        if (error.code === 'EEXIST')
            return false;
        throw error;
    } finally {
        await file.close();
        await unlink(draft);
        await sync(FOLDER); // A duplicate too is answered only once its order cannot be lost.
    }
}

// The body up to its bound; null: there is more. The connection stays open for the answer.
async function bodyOf(request) {
    const chunks = [];
    let size = 0;
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        size += chunk.length;
        if (size > BODY_MAX)
            return null;
        chunks.push(chunk);
    }
    return Buffer.concat(chunks);
}

async function receive(request) {
    if (request.method !== 'POST')
        return [405, { ok: false, error: 'POST is meant' }];
    const body = await bodyOf(request), header = (name) => request.headers[name] ?? '';
    if (body === null)
        return [413, { ok: false, error: `a body of more than ${BODY_MAX} bytes` }];
    if (!isSigned(header('webhook-id'), header('webhook-timestamp'), header('webhook-signature'), body))
        return [401, { ok: false, error: 'the signature does not fit, or the clocks are 5 minutes apart' }];
    if (header('webhook-source') === 'ping')
        return [200, { ok: true }];
    let order;
    try {
        order = JSON.parse(body); // To read: its numbers are floats, and 1250.50 is 1250.5. The file has the digits.
    } catch {
        return [422, { ok: false, error: 'no JSON' }];
    }
    if (typeof order?.fields?.order_id !== 'string')
        return [422, { ok: false, error: 'no order' }];
    return [200, { ok: true, duplicate: !await storeOnce(header('webhook-id'), body) }];
}

await mkdir(FOLDER, { recursive: true });
for (const name of await readdir(FOLDER))
    if (name.startsWith('.'))
        await unlink(join(FOLDER, name)); // the draft of a process that was killed; one process for a folder
createServer(async (request, response) => {
    const [status, what] = await receive(request).catch((error) => {
        console.error(error);
        return [500, { ok: false, error: 'not stored' }];
    });
    const rest = status === 413 ? { Connection: 'close' } : {}; // what was not read is not awaited
    response.writeHead(status, { 'Content-Type': 'application/json', ...rest }).end(JSON.stringify(what));
}).listen(Number(process.env.PORT ?? 8090), '127.0.0.1');
