-- A Supabase shop's own tables, as many have them: the customer and the product are rows of other tables.
CREATE TYPE order_status AS ENUM ('pending', 'confirmed', 'in_transit', 'delivered', 'partial', 'cancelled', 'reported');
CREATE TABLE clients (
    id uuid PRIMARY KEY, full_name text NOT NULL, phone text NOT NULL, address text, city text);
CREATE TABLE products (
    id uuid PRIMARY KEY, name text NOT NULL, price numeric(10, 2) NOT NULL);
CREATE TABLE orders (
    id uuid PRIMARY KEY, order_number text UNIQUE,
    client_id uuid NOT NULL REFERENCES clients, product_id uuid REFERENCES products,
    quantity int NOT NULL DEFAULT 1, unit_price numeric(10, 2) NOT NULL, total_amount numeric(12, 2) NOT NULL,
    amount_paid numeric(12, 2) NOT NULL DEFAULT 0,
    amount_due numeric(12, 2) GENERATED ALWAYS AS (total_amount - amount_paid) STORED,
    status order_status NOT NULL DEFAULT 'pending', delivery_address text, client_phone text,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
