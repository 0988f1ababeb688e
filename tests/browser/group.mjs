// group: the real program before the page: `elementor-sync run` and `elementor-sync dashboard` on a mock
// Kafka, with captured change events, a registry that knows their schemas, and a webhook whose answers
// the test decides. All on loopback, all ended by stop().
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FakeAuth, PUBLISHABLE } from './fake_auth.mjs';

const TOPIC = 'orders.public.orders', HEARTBEATS = '__debezium-heartbeat.orders', PARTITIONS = 6;
// The mock cluster has no CreateTopics: names that it is started with.
const OWN = { PARKED_TOPIC: 'elementor-sync.parked', DELIVERIES_TOPIC: 'elementor-sync.deliveries', RETRY_TOPIC: 'elementor-sync.retry', MEMBERS_TOPIC: 'elementor-sync.members', CONTROL_TOPIC: 'elementor-sync.control' };
const SECRET = 'a secret of thirty-two bytes at least, for tests';

const base64 = (text) => Buffer.from(text).toString('base64');
const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function mint(claims, seconds = 3600) {
    const now = Math.floor(Date.now() / 1000);
    const body = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url({ sub: 'night', iat: now, exp: now + seconds, ...claims })}`;
    return `${body}.${createHmac('sha256', SECRET).update(body).digest('base64url')}`;
}

function listen(handler) {
    const server = createServer(handler);
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({ server, url: `http://127.0.0.1:${server.address().port}` })));
}

export class Group {
    constructor(program, tools, cases) {
        Object.assign(this, { program, tools, cases, children: [], servers: [] });
        this.received = []; // {number, id, status} of each request
        this.answers = new Map(); // order number → status; the others get 200
        this.retryAfter = null; // of the webhook's answers
        this.answered = null; // when the last of them was
        this.registryDown = false;
        this.asked = new Map(); // schema id → when the registry was first asked for it
        this.late = new Map(); // schema id → {of, over}: the registry answers as for `of`, when `over` is resolved
    }

    spawnChild(command, args, env = {}) {
        const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
        child.log = '';
        child.stderr.on('data', (data) => { child.log = (child.log + data).slice(-20000); });
        child.lines = [child.stdout, child.stderr].map((input) => createInterface({ input }));
        child.gone = new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal)));
        this.children.push(child);
        return child;
    }

    // Resolves with the match of a line on either stream; rejects when the child ends first.
    async line(child, pattern) {
        let look;
        const found = new Promise((resolve) => { look = (text) => pattern.test(text) && resolve(pattern.exec(text)); });
        child.lines.forEach((lines) => lines.on('line', look));
        try {
            return await Promise.race([found, child.gone.then((code) => { throw new Error(`ended with ${code}:\n${child.log}`); })]);
        } finally {
            child.lines.forEach((lines) => lines.off('line', look));
        }
    }

    async startKafka() {
        this.kafka = this.spawnChild(join(this.tools, 'mock_kafka'), [`${TOPIC}=${PARTITIONS}`, `elementor-sync.retry=${PARTITIONS}`,
            'elementor-sync.parked=1', 'elementor-sync.deliveries=1', 'elementor-sync.members=1', 'elementor-sync.control=1', `${HEARTBEATS}=1`]);
        this.brokers = (await this.line(this.kafka, /^brokers (\S+)/))[1];
    }

    async write(records) {
        for (const record of records)
            this.kafka.stdin.write(JSON.stringify(record) + '\n');
        const written = this.line(this.kafka, /^written/);
        this.kafka.stdin.write('\n');
        await written;
    }

    // An outcome as another member would have written it.
    outcome(over) {
        const now = Date.now();
        const record = { version: 1, state: 'delivered', reason: '', confirmed_at: null, webhook_id: null, source: 'cdc', request: null, topic: TOPIC, partition: 0,
            offset: 0, timestamp_ms: null, lsn: null, attempts: 1, status: 200, first_attempt_ms: now, last_attempt_ms: now, settled_ms: now, next_attempt_ms: null,
            member: 'other', previous: [], ...over };
        return { topic: 'elementor-sync.deliveries', partition: 0, timestamp: record.settled_ms, key: base64(record.order_id), value: base64(JSON.stringify(record)), headers: [] };
    }

    async captured() {
        const lines = (await readFile(join(this.cases, 'records.ndjson'), 'utf8')).trim().split('\n');
        return lines.map((line) => ({ ...JSON.parse(line), topic: TOPIC }));
    }

    // Debezium's record of each interval, with the fields that are read.
    heartbeat() {
        return { topic: HEARTBEATS, partition: 0, timestamp: Date.now(), key: base64('{"serverName":"orders"}'), value: base64(`{"ts_ms":${Date.now()}}`), headers: [] };
    }

    // The captured confirmation of CMD-000123, as that of another order; schema: another id for the same one.
    async confirmation(number, { partition = 0, schema = null } = {}) {
        const [, , , , , record] = await this.captured(), id = `11111111-0000-4000-8000-${number.slice(-6).padStart(12, '9')}`;
        const value = Buffer.from(Buffer.from(record.value, 'base64').toString('latin1').replaceAll('CMD-000123', number)
            .replaceAll('11111111-0000-4000-8000-000000000001', id), 'latin1');
        if (schema !== null)
            value.writeUInt32BE(schema, 1);
        const key = Buffer.from(Buffer.from(record.key, 'base64').toString('latin1').replaceAll('11111111-0000-4000-8000-000000000001', id), 'latin1');
        return { ...record, partition, timestamp: Date.now(), key: key.toString('base64'), value: value.toString('base64') };
    }

    async status() {
        const response = await fetch(`${this.url}api/v1/status`, { headers: { Authorization: `Bearer ${mint({ role: 'service_role' })}` } });
        return response.json();
    }

    // The same address refuses connections, until it is opened again.
    closeWebhook() {
        this.webhook.server.close();
        this.webhook.server.closeAllConnections();
    }

    async openWebhook() {
        await new Promise((resolve) => this.webhook.server.listen(new URL(this.webhook.url).port, '127.0.0.1', resolve));
    }

    async startServers() {
        const schemas = JSON.parse(await readFile(join(this.cases, 'schemas.json'), 'utf8'));
        this.registry = await listen(async (request, response) => {
            const id = request.url.split('/').pop().split('?')[0], late = this.late.get(id), known = schemas[late?.of ?? id];
            if (!this.asked.has(id))
                this.asked.set(id, Date.now());
            await late?.over;
            response.writeHead(this.registryDown ? 503 : known ? 200 : 404, { 'Content-Type': 'application/json' });
            response.end(JSON.stringify(known ?? { error_code: 40403 }));
        });
        this.webhook = await listen(async (request, response) => {
            let text = '';
            for await (const chunk of request)
                text += chunk;
            const number = JSON.parse(text).fields.order_number;
            const status = this.answers.get(number) ?? this.answers.get('*') ?? 200;
            this.received.push({ number, id: request.headers['webhook-id'], status });
            this.answered = Date.now();
            response.writeHead(status, { 'Content-Type': 'application/json', ...this.retryAfter !== null && { 'Retry-After': this.retryAfter } });
            response.end(status === 422 ? '{"success":false,"data":{"message":"Le numéro de téléphone est refusé"}}' : '{}');
        });
        this.auth = new FakeAuth(mint);
        await this.auth.start();
        this.servers = [this.registry.server, this.webhook.server, this.auth.server];
    }

    async startRun() {
        this.run = this.spawnChild(this.program, ['run', '--set', 'breaker.probe_first=300ms', '--set', 'retry.base=200ms', '--set', 'retry.cap=1s', '--set', 'registry.timeout=30s'], {
            KAFKA_BROKERS: this.brokers, ...OWN, KAFKA_TOPIC: TOPIC, KAFKA_START: 'earliest', REGISTRY_URL: this.registry.url, ELEMENTOR_WEBHOOK_URL: `${this.webhook.url}/hook` });
    }

    // Its former place, for a later start.
    async startDashboard() {
        this.folder ??= await mkdtemp(join(tmpdir(), 'elementor-sync-'));
        const address = this.url ? new URL(this.url).host : '127.0.0.1:0';
        this.dashboard = this.spawnChild(this.program, ['dashboard', '--set', `dashboard.listen=${address}`, '--set', 'dashboard.redrive_rate=50'], {
            KAFKA_BROKERS: this.brokers, ...OWN, KAFKA_TOPIC: TOPIC, REGISTRY_URL: this.registry.url, AUTH_HS256_SECRET: SECRET, AUTH_OPERATOR_CLAIM: 'app_metadata.role', AUTH_OPERATOR_VALUES: 'operator',
            DASHBOARD_SUPABASE_URL: this.auth.url, DASHBOARD_SUPABASE_KEY: PUBLISHABLE, DASHBOARD_DATABASE: join(this.folder, 'view.db') });
        this.url = `http://${(await this.line(this.dashboard, /address="?([\d.]+:\d+)/))[1]}/`;
    }

    async start() {
        await this.startServers();
        await this.startKafka();
        await this.startRun();
        await this.startDashboard();
    }

    async kill(child) {
        child.kill('SIGKILL');
        await child.gone;
    }

    async end(child) {
        child.kill('SIGTERM');
        const late = setTimeout(() => child.kill('SIGKILL'), 15000);
        const code = await child.gone;
        clearTimeout(late);
        return code;
    }

    async stop() {
        for (const child of this.children.reverse())
            if (child.exitCode === null && child.signalCode === null)
                await this.end(child);
        for (const server of this.servers) {
            server.closeAllConnections();
            server.close();
        }
        if (this.folder)
            await rm(this.folder, { recursive: true });
    }
}
