// syncOrder: asks that a confirmed order reach the webhook, and says in which state it is. The order is sent
// without this call as well: it only asks for it sooner, and for one that was refused once more.
import type { SupabaseClient } from "@supabase/supabase-js";

export type Sync =
  | { state: "delivered" }
  | { state: "waiting" } // it is under way, or was not seen yet
  | { state: "failed"; why: string };

interface Answer {
  status?: string;
  title?: string;
  detail?: string;
}

/** What a refusal says in words; the error of the client library knows its status alone. */
async function why(error: unknown): Promise<string> {
  const response: unknown = (error as { context?: unknown }).context;
  if (response instanceof Response) {
    const answer: Answer = await response.json().catch(() => ({}));
    const words = [answer.title, answer.detail].filter(Boolean).join(": ");
    return words || `status ${response.status}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** Never rejects. force: a delivered order once more, which operators alone may ask for. */
export async function syncOrder(supabase: SupabaseClient, orderId: string | number, force = false): Promise<Sync> {
  try {
    const { data, error } = await supabase.functions.invoke<Answer>("sync-order-elementor", {
      body: force ? { order_id: orderId, force } : { order_id: orderId },
    });
    if (error) return { state: "failed", why: await why(error) };
    return { state: data?.status === "delivered" ? "delivered" : "waiting" };
  } catch (error) {
    return { state: "failed", why: await why(error) };
  }
}
