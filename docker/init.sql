-- The shop's orders table as the demo pipeline has it, and what change data capture needs of it.
-- Run by psql (14 or newer) as a superuser; DEBEZIUM_PASSWORD comes from the environment.
\set ON_ERROR_STOP on
SET client_min_messages = warning; -- "already exists, skipping" is no news
\getenv debezium_password DEBEZIUM_PASSWORD

CREATE TABLE IF NOT EXISTS orders (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    order_number   text           NOT NULL,
    client_name    text           NOT NULL,
    client_phone   text           NOT NULL,
    client_address text,
    client_city    text,
    product_name   text           NOT NULL,
    quantity       integer        NOT NULL,
    unit_price     numeric(12, 2) NOT NULL,
    total_amount   numeric(12, 2) NOT NULL,
    status         text           NOT NULL DEFAULT 'pending',
    confirmed_at   timestamptz,
    created_at     timestamptz    NOT NULL DEFAULT now()
);

-- Every update then carries the row as it was before: a transition can be told from an edit.
ALTER TABLE orders REPLICA IDENTITY FULL;

SELECT 'CREATE ROLE debezium REPLICATION LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'debezium') \gexec
ALTER ROLE debezium PASSWORD :'debezium_password';
GRANT SELECT ON orders TO debezium;

SELECT 'CREATE PUBLICATION elementor_sync FOR TABLE orders'
WHERE NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'elementor_sync') \gexec
