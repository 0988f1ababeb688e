// The hook and the button in a DOM, with the shop's client library and the function before a stand-in dashboard.
// The orders come from a stand-in of PostgREST.
import assert from "node:assert/strict";
import { Window } from "happy-dom";

const page = new Window();
Object.assign(globalThis, { window: page, document: page.document, IS_REACT_ACT_ENVIRONMENT: true });

const { act, useEffect } = await import("react");
const { createRoot } = await import("react-dom/client");
const { useOrders } = await import("./react/useOrders.ts");
const { SendAgain } = await import("./react/SendAgain.tsx");
import type { ReactNode } from "react";
import { type Call, delivered, EdgeFunction, Project, Server } from "./parts.ts";

type Orders = ReturnType<typeof useOrders>;

/** Until probe() is true; what React does meanwhile is done. */
async function until(what: string, probe: () => boolean) {
  const deadline = Date.now() + 10_000;
  while (!probe()) {
    assert.ok(Date.now() < deadline, `not within 10 s: ${what}`);
    await act(() => new Promise((resolve) => setTimeout(resolve, 5)));
  }
}

async function mounted(node: ReactNode) {
  const place = page.document.createElement("div") as unknown as HTMLElement;
  const root = createRoot(place);
  await act(() => root.render(node));
  return { place, async [Symbol.asyncDispose]() {
    await act(() => root.unmount());
  } };
}

/** PostgREST's answers for one order, which is confirmed unless the database refuses it. */
function orders(refusal?: string) {
  let status = "pending";
  return (call: Call) => {
    const row = () => ({ id: "o-1", order_number: "CMD-1", status });
    if (call.method === "GET") return Response.json([row()]);
    assert.equal(call.method, "PATCH");
    assert.equal(new URL(call.path, "http://x").searchParams.get("id"), "eq.o-1");
    if (refusal !== undefined) return Response.json({ message: refusal, code: "42501", details: null, hint: null }, { status: 403 });
    status = JSON.parse(call.body).status;
    return Response.json(row());
  };
}

async function hook(project: Project) {
  const held: { now: Orders } = { now: undefined! };
  const client = project.client();
  function Shop() {
    const now = useOrders(client);
    useEffect(() => void (held.now = now));
    return <p>{now.error ?? now.orders.map((order) => `${order.order_number} ${order.status}`).join()}</p>;
  }
  const shop = await mounted(<Shop />);
  return { ...shop, held };
}

/** What is written to console.warn meanwhile. */
function warnings() {
  const said: string[] = [], before = console.warn;
  console.warn = (...words: unknown[]) => void said.push(words.join(" "));
  return { said, [Symbol.dispose]: () => void (console.warn = before) };
}

Deno.test("a confirmation does not wait for the webhook", async () => {
  const answer = Promise.withResolvers<Response>();
  await using dashboard = new Server(() => answer.promise);
  await using edge = await EdgeFunction.start(dashboard.url);
  await using project = new Project(edge.url, orders());
  await using shop = await hook(project);
  await until("the order is shown", () => shop.place.textContent === "CMD-1 pending");
  let row: unknown;
  void shop.held.now.confirm("o-1").then((confirmed) => row = confirmed);
  await until("it is confirmed, while the dashboard has not answered", () => row !== undefined);
  assert.deepEqual(row, { id: "o-1", order_number: "CMD-1", status: "confirmed" });
  assert.equal(shop.place.textContent, "CMD-1 confirmed");
  await until("the webhook was asked for", () => dashboard.calls.length === 1);
  assert.equal(dashboard.calls[0]!.body, '{"order_id":"o-1"}');
  answer.resolve(delivered());
});

Deno.test("a webhook that fails does not fail the confirmation", async () => {
  await using dashboard = new Server(() => Response.json({ title: "unavailable", detail: "try again later" }, { status: 503 }));
  await using edge = await EdgeFunction.start(dashboard.url);
  await using project = new Project(edge.url, orders());
  await using shop = await hook(project);
  using warned = warnings();
  await act(() => shop.held.now.confirm("o-1"));
  await until("it is warned of", () => warned.said.length > 0);
  assert.deepEqual(warned.said, ["order o-1 is confirmed; its webhook: unavailable: try again later"]);
  assert.equal(shop.place.textContent, "CMD-1 confirmed");
});

Deno.test("a confirmation that the database refuses is an error, and no webhook is asked for", async () => {
  await using dashboard = new Server(() => delivered());
  await using edge = await EdgeFunction.start(dashboard.url);
  await using project = new Project(edge.url, orders("permission denied for table orders"));
  await using shop = await hook(project);
  await until("the order is shown", () => shop.place.textContent === "CMD-1 pending");
  await act(() => assert.rejects(shop.held.now.confirm("o-1"), { message: "permission denied for table orders" }));
  assert.equal(shop.place.textContent, "CMD-1 pending");
  assert.equal(dashboard.calls.length, 0);
});

for (const [name, status, body, words] of [
  ["delivered", 200, { success: true, status: "delivered" }, "Delivered"],
  ["under way", 202, { success: false, status: "queued" }, "On its way"],
  ["refused", 409, { title: "refused by the endpoint", detail: "it was parked again" },
    "Not sent: refused by the endpoint: it was parked again"],
  ["not understood", 500, "<html>", "Not sent: status 500"],
] as const) {
  Deno.test(`send again: ${name}`, async () => {
    const answer = Promise.withResolvers<void>();
    await using dashboard = new Server(async () => {
      await answer.promise;
      return typeof body === "string" ? new Response(body, { status }) : Response.json(body, { status });
    });
    await using edge = await EdgeFunction.start(dashboard.url);
    await using project = new Project(edge.url);
    await using shown = await mounted(<SendAgain supabase={project.client()} orderId="o-1" />);
    const button = shown.place.querySelector("button")!, state = shown.place.querySelector("[role=status]")!;
    assert.equal(`${button.textContent}|${state.textContent}`, "Send again|");
    page.document.body.appendChild(shown.place as never);
    await act(() => button.click());
    assert.equal(button.textContent, "Sending…");
    assert.equal(button.disabled, true);
    await act(() => button.click()); // a second click asks for nothing
    answer.resolve();
    await until("the answer is shown", () => state.textContent !== "");
    assert.equal(state.textContent, words);
    assert.equal(`${button.textContent} ${button.disabled}`, "Send again false");
    assert.equal(dashboard.calls.length, 1);
    shown.place.remove();
  });
}

Deno.test("send again: no connection", async () => {
  await using project = new Project("http://127.0.0.1:1");
  const client = project.client();
  await project[Symbol.asyncDispose]();
  await using shown = await mounted(<SendAgain supabase={client} orderId={42} />);
  page.document.body.appendChild(shown.place as never);
  await act(() => shown.place.querySelector("button")!.click());
  await until("the answer is shown", () => shown.place.querySelector("[role=status]")!.textContent !== "");
  assert.match(shown.place.textContent!, /Not sent: /);
  shown.place.remove();
});
