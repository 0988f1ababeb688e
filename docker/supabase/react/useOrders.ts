// useOrders: the shop's orders, and their confirmation.
import { useCallback, useEffect, useState } from "react";
import type { SupabaseClient } from "@supabase/supabase-js";
import { syncOrder } from "./syncOrder";

export interface Order {
  id: string;
  order_number: string | null;
  status: string;
}

const COLUMNS = "id, order_number, status";

export function useOrders(supabase: SupabaseClient) {
  const [orders, setOrders] = useState<Order[]>([]);
  const [error, setError] = useState<string | null>(null);

  const load = useCallback(async () => {
    const { data, error } = await supabase.from("orders").select(COLUMNS).order("order_number");
    setError(error ? error.message : null);
    if (data) setOrders(data);
  }, [supabase]);

  useEffect(() => void load(), [load]);

  /** Rejects where the shop's database refuses the confirmation, and for no other reason: what becomes of the
   * webhook is neither awaited nor an error of the confirmation. */
  const confirm = useCallback(async (id: string): Promise<Order> => {
    const { data, error } = await supabase.from("orders").update({ status: "confirmed" }).eq("id", id)
      .select(COLUMNS).single<Order>();
    if (error) throw error;
    setOrders((known) => known.map((order) => order.id === id ? data : order));
    void syncOrder(supabase, id).then((sync) => {
      if (sync.state === "failed") console.warn(`order ${id} is confirmed; its webhook: ${sync.why}`);
    });
    return data;
  }, [supabase]);

  return { orders, error, reload: load, confirm };
}
