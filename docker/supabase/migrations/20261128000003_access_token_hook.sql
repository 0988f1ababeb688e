-- The roles of public.user_roles as the claim `user_roles` of each access token: by it the dashboard knows an
-- operator (shop.yaml: auth.operator_claim). It may be run again. The hook is then switched on in config.toml, or in
-- the project's settings (Authentication → Hooks → Customize access token). A project has one such hook: where
-- yours has one already, take over the lines between the dashes. A role given or taken counts from the next
-- token on, within the hour.

DO $$
BEGIN
    IF to_regclass('auth.users') IS NULL THEN
        RAISE EXCEPTION 'there is no table auth.users: this migration is for Supabase alone'
            USING HINT = 'leave it out elsewhere: confirmations need the first two only';
    END IF;
    IF to_regclass('public.user_roles') IS NULL THEN
        CREATE TABLE public.user_roles (
            user_id uuid NOT NULL REFERENCES auth.users ON DELETE CASCADE,
            role    text NOT NULL,
            PRIMARY KEY (user_id, role)
        );
        ALTER TABLE public.user_roles ENABLE ROW LEVEL SECURITY; -- no policy: customers see nothing of it
    END IF;
    PERFORM user_id, role FROM public.user_roles LIMIT 0;
    -- Who may write this table is an operator within a minute.
    IF EXISTS (SELECT FROM pg_catalog.pg_class AS t, pg_catalog.pg_roles AS customer
               WHERE t.oid = 'public.user_roles'::regclass AND NOT t.relrowsecurity
                 AND customer.rolname IN ('anon', 'authenticated')
                 AND (has_table_privilege(customer.oid, t.oid, 'INSERT, UPDATE')
                      OR has_any_column_privilege(customer.oid, t.oid, 'INSERT, UPDATE'))) THEN
        RAISE EXCEPTION 'every customer may write public.user_roles, and so become an operator'
            USING HINT = 'ALTER TABLE public.user_roles ENABLE ROW LEVEL SECURITY, without a policy that lets them';
    END IF;
END $$;

-- It never raises: an error here would keep everybody from signing in. Without roles the claim is empty, and
-- what a user wrote into it before is gone.
CREATE OR REPLACE FUNCTION public.access_token_with_user_roles(event jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    STABLE
    SET search_path = ''
AS $$
DECLARE
    roles jsonb := '[]';
BEGIN
    -- ----
    BEGIN
        SELECT COALESCE(jsonb_agg(r.role::text ORDER BY r.role::text), '[]') INTO roles
        FROM public.user_roles AS r
        WHERE r.user_id::text = event ->> 'user_id';
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'the roles of user % are not in the token: %', event ->> 'user_id', SQLERRM;
    END;
    event := jsonb_set(event, '{claims,user_roles}', roles);
    -- ----
    RETURN event;
END $$;

REVOKE ALL ON FUNCTION public.access_token_with_user_roles(jsonb) FROM PUBLIC;
DO $$
DECLARE
    customer text;
BEGIN
    FOR customer IN SELECT rolname FROM pg_catalog.pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION public.access_token_with_user_roles(jsonb) FROM %I', customer);
    END LOOP;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'supabase_auth_admin') THEN
        GRANT USAGE ON SCHEMA public TO supabase_auth_admin;
        GRANT SELECT ON public.user_roles TO supabase_auth_admin;
        GRANT EXECUTE ON FUNCTION public.access_token_with_user_roles(jsonb) TO supabase_auth_admin;
        DROP POLICY IF EXISTS auth_admin_reads ON public.user_roles;
        CREATE POLICY auth_admin_reads ON public.user_roles FOR SELECT TO supabase_auth_admin USING (true);
    ELSE
        RAISE WARNING 'there is no role supabase_auth_admin: nothing may call the hook yet';
    END IF;
END $$;
