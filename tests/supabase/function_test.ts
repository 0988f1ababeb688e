// The function before the dashboard, called by the client library that shops use.
import assert from "node:assert/strict";
import { delivered, EdgeFunction, Project, Server, TOKEN } from "./parts.ts";

Deno.test("the caller's own token and order reach the dashboard, and no other header", async () => {
  await using dashboard = new Server(() => delivered());
  await using edge = await EdgeFunction.start(dashboard.url);
  await using project = new Project(edge.url);
  const { data, error } = await project.client().functions.invoke("sync-order-elementor", { body: { order_id: "o-1" } });
  assert.equal(error, null, edge.log);
  assert.deepEqual(data, { success: true, order_id: "o-1", status: "delivered" });
  assert.equal(dashboard.calls.length, 1);
  const [call] = dashboard.calls;
  assert.equal(`${call!.method} ${call!.path}`, "POST /functions/v1/sync-order-elementor");
  assert.equal(call!.headers.get("authorization"), `Bearer ${TOKEN}`);
  assert.equal(call!.headers.get("content-type"), "application/json");
  assert.equal(call!.body, '{"order_id":"o-1"}');
  const own = ["accept", "accept-encoding", "accept-language", "content-length", "content-type", "host", "user-agent"];
  assert.deepEqual([...call!.headers.keys()].filter((name) => !own.includes(name)), ["apikey", "authorization"]);
});

Deno.test("a path before the dashboard's stays", async () => {
  await using dashboard = new Server(() => delivered());
  await using edge = await EdgeFunction.start(`${dashboard.url}/ops/`);
  await (await fetch(edge.url, { method: "POST", body: "{}" })).body?.cancel();
  assert.equal(dashboard.calls[0]!.path, "/ops/functions/v1/sync-order-elementor");
});

Deno.test("a body that is a string, and a region, are understood", async () => {
  await using dashboard = new Server(() => delivered());
  await using edge = await EdgeFunction.start(dashboard.url);
  await using project = new Project(edge.url);
  const { error } = await project.client().functions.invoke("sync-order-elementor",
    { body: JSON.stringify({ order_id: 42 }), region: "eu-west-3" as never });
  assert.equal(error, null, edge.log);
  assert.equal(dashboard.calls[0]!.path, "/functions/v1/sync-order-elementor");
  assert.equal(dashboard.calls[0]!.headers.get("content-type"), "application/json");
});

Deno.test("what a browser asks for in the preflight is allowed, and every answer may be read", async () => {
  await using dashboard = new Server(() => delivered());
  await using edge = await EdgeFunction.start(dashboard.url);
  const asked = "apikey,authorization,content-type,traceparent,x-client-info,x-region,x-retry-count";
  const preflight = await fetch(edge.url, { method: "OPTIONS", headers: {
    Origin: "https://shop.example.com", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked } });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-headers"), asked);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
  assert.match(preflight.headers.get("access-control-allow-methods")!, /POST/);
  assert.equal(dashboard.calls.length, 0, "a preflight reached the dashboard");
  for (const method of ["POST", "PUT"]) {
    const answer = await fetch(edge.url, { method, body: "{}" });
    await answer.body?.cancel();
    assert.equal(answer.headers.get("access-control-allow-origin"), "*", method);
  }
});

Deno.test("a refusal comes back whole, and is logged without the token", async () => {
  const refusal = { status: 409, title: "refused by the endpoint", detail: "it was parked again", reason: "http:422" };
  await using dashboard = new Server(() => Response.json(refusal, { status: 409,
    headers: { "Content-Type": "application/problem+json", "Retry-After": "30" } }));
  await using edge = await EdgeFunction.start(dashboard.url);
  await using project = new Project(edge.url);
  const { error } = await project.client().functions.invoke("sync-order-elementor", { body: { order_id: "o-1" } });
  const response: Response = error!.context;
  assert.equal(response.status, 409);
  assert.equal(response.headers.get("retry-after"), "30");
  assert.deepEqual(await response.json(), refusal);
  assert.match(edge.log, /the dashboard answers 409: .*it was parked again/);
  assert.doesNotMatch(edge.log, /signature-of-amina/);
});

Deno.test("a state is asked for by GET, and 202 says where", async () => {
  await using dashboard = new Server(() => Response.json({ status: "queued" }, { status: 202,
    headers: { Location: "/functions/v1/sync-order-elementor?order_id=o-1" } }));
  await using edge = await EdgeFunction.start(dashboard.url);
  const answer = await fetch(`${edge.url}/sync-order-elementor?order_id=o%201&forceFunctionRegion=eu-west-3`);
  assert.equal(answer.status, 202);
  assert.equal(answer.headers.get("location"), "/functions/v1/sync-order-elementor?order_id=o-1");
  assert.deepEqual(await answer.json(), { status: "queued" });
  assert.equal(dashboard.calls[0]!.path, "/functions/v1/sync-order-elementor?order_id=o+1");
});

Deno.test("a redirect is not followed: the token goes to no other place", async () => {
  await using other = new Server(() => delivered());
  await using dashboard = new Server(() => Response.redirect(`${other.url}/`, 307));
  await using edge = await EdgeFunction.start(dashboard.url);
  const answer = await fetch(edge.url, { method: "POST", body: "{}", headers: { Authorization: `Bearer ${TOKEN}` } });
  assert.equal(answer.status, 502);
  assert.equal((await answer.json()).success, false);
  assert.equal(other.calls.length, 0);
  assert.match(edge.log, /a redirect \(307\)/);
});

Deno.test("a dashboard that is down, not set or without TLS: 502, and the log says which", async () => {
  const port = await (async () => {
    await using gone = new Server(() => delivered());
    return gone.port;
  })();
  for (const [url, said] of [[`http://127.0.0.1:${port}`, /error sending request/], [null, /ELEMENTOR_SYNC_URL is not set/],
    ["http://orders.example.com", /is not https/], ["orders", /Invalid URL/]] as const) {
    await using edge = await EdgeFunction.start(url);
    const answer = await fetch(edge.url, { method: "POST", body: "{}", headers: { Authorization: `Bearer ${TOKEN}` } });
    assert.equal(answer.status, 502, String(url));
    assert.match((await answer.json()).title, /sent all the same/);
    assert.match(edge.log, said);
    assert.doesNotMatch(edge.log, /signature-of-amina/);
  }
});

Deno.test("a body without end is refused", async () => {
  await using dashboard = new Server(() => delivered());
  await using edge = await EdgeFunction.start(dashboard.url);
  const answer = await fetch(edge.url, { method: "POST", body: "x".repeat(16 * 1024 + 1) });
  assert.equal(answer.status, 413);
  await answer.body?.cancel();
  assert.equal(dashboard.calls.length, 0);
});
