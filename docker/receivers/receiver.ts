// receiver.ts: takes the orders that elementor-sync sends, each once. Deno >= 2.2, nothing else.
//
//   deno run --allow-net --allow-env --allow-read --allow-write receiver.ts
//
//   WEBHOOK_SIGNING_KEYS   whsec_…, the same as the program's; several with a space between while they rotate
//   ORDERS_DATABASE        a file of SQLite's; orders.db
//   PORT                   on 127.0.0.1; 8090. TLS is a reverse proxy's
//
// The claim of the webhook-id and the work stand in one transaction: a second request with this id waits for
// the first one's, and whatever dies in between leaves nothing. Ids are kept for good. In a Supabase Edge
// Function the same two INSERTs belong into one function of PostgreSQL, called by rpc().
import { DatabaseSync } from "node:sqlite";

const TOLERANCE_SECONDS = 300;
const BODY_MAX = 1024 * 1024;
const db = new DatabaseSync(Deno.env.get("ORDERS_DATABASE") ?? "orders.db");
db.exec("PRAGMA busy_timeout = 10000");
db.exec("CREATE TABLE IF NOT EXISTS claims (webhook_id TEXT NOT NULL PRIMARY KEY)");
db.exec("CREATE TABLE IF NOT EXISTS orders (order_id TEXT NOT NULL, body TEXT NOT NULL)");

function keyOf(word: string): Promise<CryptoKey> {
  const bytes = Uint8Array.from(atob(word.replace(/^whsec_/, "")), (c) => c.charCodeAt(0));
  if (!word.startsWith("whsec_") || bytes.length < 24) {
    throw new Error("WEBHOOK_SIGNING_KEYS: a key is whsec_ and the base64 of 24 bytes or more");
  }
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

const KEYS = await Promise.all(Deno.env.get("WEBHOOK_SIGNING_KEYS")!.trim().split(/[\s,]+/).map(keyOf));

/** body: the bytes as they came; a body that was parsed and written again has another signature. */
async function isSigned(headers: Headers, body: Uint8Array): Promise<boolean> {
  const id = headers.get("webhook-id") ?? "", time = headers.get("webhook-timestamp") ?? "";
  if (id === "" || !/^\d{1,12}$/.test(time) || Math.abs(Date.now() / 1000 - Number(time)) > TOLERANCE_SECONDS) {
    return false;
  }
  const head = new TextEncoder().encode(`${id}.${time}.`), signed = new Uint8Array(head.length + body.length);
  signed.set(head);
  signed.set(body, head.length);
  for (const signature of (headers.get("webhook-signature") ?? "").split(" ")) {
    const base64 = /^v1,([A-Za-z0-9+/]{43}=)$/.exec(signature)?.[1];
    const bytes = base64 && Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    for (const key of bytes ? KEYS : []) {
      if (await crypto.subtle.verify("HMAC", key, bytes as Uint8Array<ArrayBuffer>, signed)) return true;
    }
  }
  return false;
}

/** False: the id was claimed before. */
function storeOnce(id: string, orderId: string, body: string): boolean {
  db.exec("BEGIN IMMEDIATE");
  try {
    const claim = db.prepare("INSERT INTO claims VALUES (?) ON CONFLICT DO NOTHING").run(id);
    // The work: here, one row. An act that cannot be rolled back (an e-mail) comes behind the commit.
    if (claim.changes) db.prepare("INSERT INTO orders VALUES (?, ?)").run(orderId, body);
    db.exec("COMMIT");
    return Boolean(claim.changes);
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}

/** To read: JSON.parse() makes floats of amounts, and 1250.50 is 1250.5; the body that is stored has the digits. */
function orderIdOf(text: string): string | undefined {
  try {
    const id = JSON.parse(text)?.fields?.order_id;
    return typeof id === "string" ? id : undefined;
  } catch {
    return undefined;
  }
}

function answer(status: number, what: Record<string, unknown>): Response {
  return Response.json(what, { status });
}

/** The body up to its bound; null: there is more. */
async function bodyOf(request: Request): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.length;
    if (size > BODY_MAX) return null;
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

async function receive(request: Request): Promise<Response> {
  if (request.method !== "POST") return answer(405, { ok: false, error: "POST is meant" });
  const body = await bodyOf(request);
  if (body === null) return answer(413, { ok: false, error: `a body of more than ${BODY_MAX} bytes` });
  if (!await isSigned(request.headers, body)) {
    return answer(401, { ok: false, error: "the signature does not fit, or the clocks are 5 minutes apart" });
  }
  if (request.headers.get("webhook-source") === "ping") return answer(200, { ok: true });
  const text = new TextDecoder().decode(body), orderId = orderIdOf(text);
  if (orderId === undefined) return answer(422, { ok: false, error: "no order" });
  try {
    return answer(200, { ok: true, duplicate: !storeOnce(request.headers.get("webhook-id")!, orderId, text) });
  } catch (error) {
    console.error(error);
    return answer(500, { ok: false, error: "not stored" });
  }
}

Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.env.get("PORT") ?? 8090) }, receive);
