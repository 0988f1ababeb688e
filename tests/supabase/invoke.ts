// invoke: the shop's call by its own client library, for tests of other languages.
//
//   deno run invoke.ts FUNCTION_URL TOKEN BODY     prints {"status": …, "body": …}
import { FunctionsClient } from "@supabase/functions-js";

const [url, token, body] = Deno.args as [string, string, string];
const client = new FunctionsClient(url, { headers: { Authorization: `Bearer ${token}` } });
const { data, error, response } = await client.invoke("sync-order-elementor", { body: JSON.parse(body) });
if (!response) throw error;
console.log(JSON.stringify({ status: response.status, body: data ?? await response.json() }));
