// sync-order-elementor: makes sure that a confirmed order reaches the webhook. The dashboard of elementor-sync
// does the work (its POST /functions/v1/sync-order-elementor); this function stands in front of it, so that the
// shop calls it as it calls its other functions:
//
//     supabase.functions.invoke("sync-order-elementor", { body: { order_id } })
//
// It holds no secret. The caller's own token goes on, and the dashboard alone judges it; the one setting is where
// the dashboard is:
//
//     supabase secrets set ELEMENTOR_SYNC_URL=https://orders.example.com

const PATH = "/functions/v1/sync-order-elementor";
const BODY_MAX = 16 * 1024;
const WAIT_MS = 65_000; // the dashboard answers within dashboard.wait (60 s at most), with 202 where it takes longer

/** Of the caller's headers: who it is, and in which trace. */
const SENT_ON = ["authorization", "apikey", "traceparent", "tracestate"];
/** Of the dashboard's: what the answer is, and when to come again. */
const HANDED_BACK = ["content-type", "location", "retry-after"];

/** Any origin may ask: the right lies in the token, which no browser sends by itself as it would a cookie. */
function crossOrigin(request: Request): Record<string, string> {
  return {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    // Client libraries keep adding headers of their own: whatever is asked for is allowed, and not sent on.
    "Access-Control-Allow-Headers": request.headers.get("access-control-request-headers") ??
      "authorization, apikey, content-type, x-client-info",
    "Access-Control-Expose-Headers": "location, retry-after",
    "Access-Control-Max-Age": "3600",
    "Vary": "Access-Control-Request-Headers",
  };
}

/** An answer of this function's own, in the form of the dashboard's problems. */
function problem(request: Request, status: number, title: string): Response {
  return Response.json({ status, title, success: false }, {
    status,
    headers: { ...crossOrigin(request), "Content-Type": "application/problem+json" },
  });
}

/** Where the dashboard is. A token goes over TLS, or no further than this machine. */
function dashboard(): URL {
  const text = Deno.env.get("ELEMENTOR_SYNC_URL");
  if (!text) throw new Error("ELEMENTOR_SYNC_URL is not set: supabase secrets set ELEMENTOR_SYNC_URL=https://…");
  const url = new URL(text);
  const isHere = ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isHere)) {
    throw new Error("ELEMENTOR_SYNC_URL is not https: tokens would travel in the clear");
  }
  url.pathname = url.pathname.replace(/\/$/, "") + PATH;
  return url;
}

/** The body up to its bound; null: there is more. */
async function bodyOf(request: Request): Promise<Uint8Array<ArrayBuffer> | null> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.length;
    if (size > BODY_MAX) return null;
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

/** With its cause, which alone says why a request failed. */
function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${inWords(error.cause)}`;
}

async function ask(request: Request, body: BodyInit | undefined): Promise<Response> {
  const url = dashboard();
  const query = new URL(request.url).searchParams;
  for (const name of ["order_id", "confirmed_at"]) { // of GET; forceFunctionRegion and the like are the platform's
    const value = query.get(name);
    if (value !== null) url.searchParams.set(name, value);
  }
  const headers = new Headers();
  for (const name of SENT_ON) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  // A body that is a string comes as text/plain from the client library; the dashboard reads JSON and says so.
  if (body !== undefined) headers.set("content-type", "application/json");
  return await fetch(url, {
    method: request.method,
    headers,
    body,
    redirect: "manual", // the token goes to no other place
    signal: AbortSignal.timeout(WAIT_MS),
  });
}

async function answer(request: Request): Promise<Response> {
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: crossOrigin(request) });
  if (request.method !== "POST" && request.method !== "GET") return problem(request, 405, "POST or GET");
  const body = request.method === "POST" ? await bodyOf(request) : undefined;
  if (body === null) return problem(request, 413, `a body of more than ${BODY_MAX} bytes`);

  const got = await ask(request, body);
  const text = await got.text();
  if (got.status >= 300 && got.status < 400) throw new Error(`the dashboard answers with a redirect (${got.status})`);
  if (got.status >= 400) console.error(`sync-order-elementor: the dashboard answers ${got.status}: ${text.slice(0, 500)}`);
  const headers = new Headers(crossOrigin(request));
  for (const name of HANDED_BACK) {
    const value = got.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(text, { status: got.status, headers });
}

Deno.serve(async (request) => {
  try {
    return await answer(request);
  } catch (error) { // not reached, no answer in time, or not set up
    console.error(`sync-order-elementor: ${inWords(error)}`);
    return problem(request, 502, "the order's state could not be asked for; it is sent all the same once it is confirmed");
  }
});
