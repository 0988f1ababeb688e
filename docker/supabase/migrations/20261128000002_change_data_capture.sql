-- What Debezium needs to follow the outbox: a role, its rights, a publication. After order_confirmations.sql; it
-- may be run again. The password is no part of a migration. Set it by hand, in the SQL editor:
--
--     ALTER ROLE debezium PASSWORD '…';
--
-- The outbox is kept short, for a lost replication slot is made good from it, and it holds personal data. Where
-- the extension pg_cron is on (Database → Extensions), this keeps a week of it; a deletion reaches no topic:
--
--     SELECT cron.schedule('order_confirmations', '17 3 * * *',
--         $job$DELETE FROM public.order_confirmations WHERE confirmed_at < now() - interval '7 days'$job$);

DO $$
BEGIN
    IF current_setting('wal_level') <> 'logical' THEN
        RAISE EXCEPTION 'wal_level is %, and change data capture needs logical', current_setting('wal_level')
            USING HINT = 'a Supabase project has it; elsewhere set it in postgresql.conf, and restart';
    END IF;
    IF to_regclass('public.order_confirmations') IS NULL THEN
        RAISE EXCEPTION 'there is no table public.order_confirmations'
            USING HINT = 'run the migration order_confirmations first';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'debezium') THEN
        BEGIN
            CREATE ROLE debezium LOGIN REPLICATION; -- without a password nobody can log in
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'this user may not create a role that replicates: %', SQLERRM
                USING HINT = 'as a superuser: CREATE ROLE debezium LOGIN REPLICATION; then run this again';
        END;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles
               WHERE rolname = 'debezium' AND NOT (rolcanlogin AND rolreplication)) THEN
        RAISE EXCEPTION 'the role debezium may not log in, or not replicate'
            USING HINT = 'ALTER ROLE debezium LOGIN REPLICATION';
    END IF;
END $$;

-- Changes reach the role by the publication alone. It selects for the snapshot, which row level security would
-- show empty.
GRANT USAGE ON SCHEMA public TO debezium;
GRANT SELECT ON public.order_confirmations TO debezium;
DROP POLICY IF EXISTS debezium_reads ON public.order_confirmations;
CREATE POLICY debezium_reads ON public.order_confirmations FOR SELECT TO debezium USING (true);

-- A row of the outbox is written once: inserts alone are published, so deletions of old rows send nothing, and
-- the replica identity, which only updates and deletions need, stays the primary key. (The table orders itself,
-- if that were captured, would need REPLICA IDENTITY FULL.)
ALTER TABLE public.order_confirmations REPLICA IDENTITY DEFAULT;
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = 'order_confirmations') THEN
        CREATE PUBLICATION order_confirmations FOR TABLE public.order_confirmations WITH (publish = 'insert');
    ELSIF NOT EXISTS (SELECT FROM pg_catalog.pg_publication_tables
                      WHERE pubname = 'order_confirmations' AND schemaname = 'public'
                        AND tablename = 'order_confirmations') THEN
        RAISE EXCEPTION 'the publication order_confirmations exists, without the table public.order_confirmations'
            USING HINT = 'DROP PUBLICATION order_confirmations; then run this again';
    END IF;
END $$;

-- A slot that nobody reads keeps the write-ahead log until the disk is full, and the shop stands still.
DO $$
BEGIN
    IF current_setting('max_slot_wal_keep_size') = '-1' THEN
        RAISE WARNING 'max_slot_wal_keep_size is not set: a connector that stops for long fills the disk'
            USING HINT = 'supabase postgres-config update --config max_slot_wal_keep_size=4GB; '
                'elsewhere ALTER SYSTEM SET max_slot_wal_keep_size = ''4GB''; SELECT pg_reload_conf()';
    END IF;
END $$;
