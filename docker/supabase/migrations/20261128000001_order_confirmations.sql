-- The outbox: each confirmation of an order becomes a row of public.order_confirmations, written by a trigger
-- in the shop's own transaction, with the client's and the product's data of that moment. Debezium reads this
-- table in place of orders.
--
-- Change the names in the places marked MAPPING to those of your own tables and columns. For the SQL editor or
-- `supabase db push`; PostgreSQL 15 to 17; it may be run again, and changes nothing when a name is wrong.
-- MAPPING, 1 of 4: no row is read; PostgreSQL names the table or column that does not exist.
DO $$
BEGIN
    PERFORM o.id, o.status, o.order_number, o.quantity, o.unit_price, o.total_amount, o.client_phone,
            o.delivery_address, c.full_name, c.phone, c.address, c.city, p.name
    FROM public.orders AS o
    LEFT JOIN public.clients AS c ON c.id = o.client_id
    LEFT JOIN public.products AS p ON p.id = o.product_id
    LIMIT 0;
END $$;

-- Every column may be null: a confirmation that lacks something is recorded all the same, and the reason is in
-- `error`. Prices need a scale, as many decimals as the shop's: without one Debezium drops zeros at the end.
CREATE TABLE IF NOT EXISTS public.order_confirmations (
    confirmation   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id       text        NOT NULL,
    order_number   text,
    client_name    text,
    client_phone   text,
    client_address text,
    client_city    text,
    product_name   text,
    quantity       integer,
    unit_price     numeric(14, 2),
    total_amount   numeric(14, 2),
    status         text        NOT NULL DEFAULT 'confirmed',
    confirmed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    error          text
);

-- A table of that name that was made otherwise would refuse what the trigger writes.
DO $$
DECLARE
    wrong text;
BEGIN
    SELECT string_agg(wanted, ', ') INTO wrong
    FROM unnest(ARRAY['confirmation', 'order_id', 'order_number', 'client_name', 'client_phone', 'client_address',
                      'client_city', 'product_name', 'quantity', 'unit_price', 'total_amount', 'status',
                      'confirmed_at', 'error']) AS wanted
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute
                      WHERE attrelid = 'public.order_confirmations'::regclass AND attname = wanted
                        AND NOT attisdropped);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'public.order_confirmations exists already, without %', wrong
            USING HINT = 'rename that table, or this file''s: it is no outbox of elementor-sync';
    END IF;
END $$;

-- Customers neither read nor write it: Supabase grants every new table of `public` to them.
ALTER TABLE public.order_confirmations ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.order_confirmations FROM PUBLIC;

-- Whatever goes wrong in here, the shop's own statement succeeds. A lookup that fails leaves its fields null and
-- its error in the row; only where the row itself cannot be written is there a warning instead.
CREATE OR REPLACE FUNCTION public.record_order_confirmation() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER         -- the customer who confirms may not write the outbox
    SET search_path = ''
    SET lock_timeout = '1s'  -- a table that is being altered must not hold up the shop
AS $$
DECLARE
    shop_order jsonb; -- rows as JSON: a column that is dropped later is null here, no error
    client     jsonb;
    product    jsonb;
    quantity     integer; -- no %TYPE: without its table the function would not even begin
    unit_price   numeric(14, 2);
    total_amount numeric(14, 2);
    problems text[] := '{}';
BEGIN
    shop_order := to_jsonb(NEW);
    -- MAPPING, 2 of 4: the status column, and the value that confirms. The outbox says "confirmed" in any language.
    IF shop_order -> 'status' IS NULL THEN
        RAISE undefined_column USING MESSAGE = 'orders has no column status';
    END IF;
    IF shop_order ->> 'status' IS DISTINCT FROM 'confirmed'
        OR (TG_OP = 'UPDATE' AND to_jsonb(OLD) ->> 'status' = 'confirmed') THEN
        RETURN NULL;
    END IF;

    -- MAPPING, 3 of 4: where the client and the product are, and which column feeds which field. Tables with other
    -- names, cents, several lines an order: consumer/doc/mapping.md has these lines for such a shop.
    BEGIN
        SELECT to_jsonb(c) INTO STRICT client FROM public.clients AS c WHERE c.id = NEW.client_id;
    EXCEPTION WHEN OTHERS THEN
        problems := problems || ('client: ' || SQLERRM);
    END;
    BEGIN
        SELECT to_jsonb(p) INTO STRICT product FROM public.products AS p WHERE p.id = NEW.product_id;
    EXCEPTION WHEN OTHERS THEN
        problems := problems || ('product: ' || SQLERRM);
    END;
    -- MAPPING ends.
    BEGIN
        quantity := (shop_order ->> 'quantity')::numeric;
        unit_price := (shop_order ->> 'unit_price')::numeric;
        total_amount := (shop_order ->> 'total_amount')::numeric;
        IF (quantity, unit_price, total_amount) IS DISTINCT FROM ((shop_order ->> 'quantity')::numeric,
            (shop_order ->> 'unit_price')::numeric, (shop_order ->> 'total_amount')::numeric) THEN
            RAISE EXCEPTION 'they have more decimals than order_confirmations'; -- rounded, they would be wrong
        END IF;
    EXCEPTION WHEN OTHERS THEN
        quantity := NULL;
        unit_price := NULL;
        total_amount := NULL;
        problems := problems || ('amounts: ' || SQLERRM);
    END;
    problems := problems || ARRAY(
        SELECT format('%s has no column %s', table_name, column_name)
        FROM (VALUES ('orders', shop_order, '{order_number,quantity,unit_price,total_amount}'::text[]),
                     ('clients', client, '{full_name,phone,address,city}'),
                     ('products', product, '{name}')) AS read(table_name, content, columns),
             unnest(columns) AS column_name
        WHERE content IS NOT NULL AND content -> column_name IS NULL);

    INSERT INTO public.order_confirmations
        (order_id, order_number, client_name, client_phone, client_address, client_city,
         product_name, quantity, unit_price, total_amount, error)
    VALUES
        (shop_order ->> 'id',
         shop_order ->> 'order_number',
         client ->> 'full_name',
         COALESCE(NULLIF(shop_order ->> 'client_phone', ''), client ->> 'phone'),
         COALESCE(NULLIF(shop_order ->> 'delivery_address', ''), client ->> 'address'),
         client ->> 'city',
         product ->> 'name',
         quantity, unit_price, total_amount,
         NULLIF(array_to_string(problems, '; '), ''));
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'the confirmation of order % was not recorded: %', shop_order ->> 'id', SQLERRM
        USING HINT = 'mend it, then set the order to another status and to confirmed again';
    RETURN NULL;
END $$;

-- MAPPING, 4 of 4: the table of the orders.
-- No `WHEN (…)` and no `UPDATE OF status`: either would keep the shop from altering that column.
CREATE OR REPLACE TRIGGER record_order_confirmation
    AFTER INSERT OR UPDATE ON public.orders
    FOR EACH ROW EXECUTE FUNCTION public.record_order_confirmation();

REVOKE ALL ON FUNCTION public.record_order_confirmation() FROM PUBLIC;
DO $$
DECLARE
    customer text;
BEGIN
    FOR customer IN SELECT rolname FROM pg_catalog.pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON public.order_confirmations FROM %I', customer);
        EXECUTE format('REVOKE ALL ON FUNCTION public.record_order_confirmation() FROM %I', customer);
    END LOOP;
END $$;
