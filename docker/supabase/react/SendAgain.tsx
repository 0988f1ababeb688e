// SendAgain: a button that has an order sent again which did not reach the webhook, and says what came of it.
import { useState } from "react";
import type { SupabaseClient } from "@supabase/supabase-js";
import { type Sync, syncOrder } from "./syncOrder";

interface Props {
  supabase: SupabaseClient;
  orderId: string | number;
  /** A delivered order once more: for operators. */
  force?: boolean;
}

function words(sync: Sync): string {
  switch (sync.state) {
    case "delivered":
      return "Delivered";
    case "waiting":
      return "On its way";
    case "failed":
      return `Not sent: ${sync.why}`;
  }
}

export function SendAgain({ supabase, orderId, force = false }: Props) {
  const [isBusy, setBusy] = useState(false);
  const [sync, setSync] = useState<Sync | null>(null);

  async function send() {
    setBusy(true);
    setSync(null);
    setSync(await syncOrder(supabase, orderId, force));
    setBusy(false);
  }

  return (
    <>
      <button type="button" disabled={isBusy} onClick={() => void send()}>
        {isBusy ? "Sending…" : "Send again"}
      </button>
      <span role="status">{sync ? words(sync) : ""}</span>
    </>
  );
}
