// parts: what the tests of docker/supabase are made of: a stand-in of the dashboard that notes what reaches it,
// the function in a Deno of its own with no more rights than it needs, and the shop's client library. That the
// real dashboard understands these calls is shown by tests/e2e/supabase_shop.py.
import { createClient, type SupabaseClient } from "@supabase/supabase-js";

export interface Call {
  method: string;
  path: string;
  headers: Headers;
  body: string;
}

export class Server {
  calls: Call[] = [];
  #server: Deno.HttpServer<Deno.NetAddr>;
  #end = new AbortController();

  /** answer: what it says to a call, perhaps later. */
  constructor(public answer: (call: Call) => Response | Promise<Response>) {
    this.#server = Deno.serve({ port: 0, hostname: "127.0.0.1", signal: this.#end.signal, onListen() {} }, async (request) => {
      const url = new URL(request.url);
      const call = { method: request.method, path: url.pathname + url.search, headers: request.headers, body: await request.text() };
      this.calls.push(call);
      return this.answer(call);
    });
  }

  get port() {
    return this.#server.addr.port;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose]() {
    this.#end.abort(); // with its connections: shutdown() would wait for those that clients keep
    await this.#server.finished;
  }
}

function freePort(): number {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  return (listener.addr as Deno.NetAddr).port;
}

/** functions/sync-order-elementor, as Supabase's runtime starts it; env is all that it may read. */
export class EdgeFunction {
  log = "";
  #process!: Deno.ChildProcess;
  #ends: Promise<unknown>[] = [];
  url = "";

  static async start(dashboard: string | null): Promise<EdgeFunction> {
    const self = new EdgeFunction();
    const here = `127.0.0.1:${freePort()}`;
    const there = dashboard === null || !URL.canParse(dashboard) ? [] : [new URL(dashboard).host];
    self.url = `http://${here}`;
    self.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-env=ELEMENTOR_SYNC_URL", `--allow-net=${[here, ...there]}`,
        "functions/sync-order-elementor/index.ts"],
      clearEnv: true,
      env: { DENO_SERVE_ADDRESS: `tcp:${here}`, NO_COLOR: "1", HOME: Deno.env.get("HOME") ?? "/",
        ...(dashboard === null ? {} : { ELEMENTOR_SYNC_URL: dashboard }) },
      stdin: "null", stdout: "piped", stderr: "piped",
    }).spawn();
    const listens = Promise.withResolvers<void>();
    for (const stream of [self.#process.stdout, self.#process.stderr]) {
      self.#ends.push((async () => {
        for await (const text of stream.pipeThrough(new TextDecoderStream())) {
          self.log += text;
          if (self.log.includes("Listening on")) listens.resolve();
        }
        listens.reject(new Error(`the function ended: ${self.log}`));
      })());
    }
    await listens.promise;
    return self;
  }

  async [Symbol.asyncDispose]() {
    this.#process.kill();
    await Promise.all([this.#process.status, ...this.#ends]);
  }
}

export const TOKEN = "header.claims.signature-of-amina";

/** The project as the shop's client sees it: its functions, and its orders by a stand-in of PostgREST. */
export class Project {
  server: Server;

  constructor(edge: string, orders: (call: Call) => Response | Promise<Response> = () => new Response(null, { status: 404 })) {
    this.server = new Server(async (call) => {
      if (!call.path.startsWith("/functions/v1/")) return await orders(call);
      const body = call.method === "POST" ? call.body : undefined;
      const answer = await fetch(edge + call.path.replace("/functions/v1", ""), { method: call.method, headers: call.headers, body });
      return new Response(await answer.arrayBuffer(), { status: answer.status, headers: answer.headers });
    });
  }

  client(): SupabaseClient {
    return createClient(this.server.url, "sb_publishable_shop", { accessToken: () => Promise.resolve(TOKEN) });
  }

  async [Symbol.asyncDispose]() {
    await this.server[Symbol.asyncDispose]();
  }
}

export function delivered(orderId = "o-1"): Response {
  return Response.json({ success: true, order_id: orderId, status: "delivered" });
}
