"""docker/supabase/migrations on a real PostgreSQL: what the outbox records, and that it never fails the shop."""
import contextlib, json, re, subprocess, uuid

from harness import TESTS as FOLDER
from shop_database import MIGRATIONS, Refused, ShopDatabase

FIELDS = ("order_number, client_name, client_phone, client_address, client_city, product_name, quantity, "
          "unit_price, total_amount, status, error")
WHOLE = 'CMD-1|Amina Él|+213600000000|12 rue Didouche|Alger|Montre "X"|2|1250.50|2501.00|confirmed|'


@contextlib.contextmanager
def shop(t, **how):
    database = ShopDatabase(t.stack, **how)
    try:
        yield database
    finally:
        database.drop()


def refusal(action, *words):
    try:
        action()
    except Refused as refused:
        assert all(word in str(refused) for word in words), (words, str(refused))
    else:
        raise AssertionError(f"not refused: {words}")


def outbox_records_each_confirmation(t):
    with shop(t) as db:
        order = db.order("CMD-1")
        assert db.confirmations(order) == []
        db.set_status(order, "confirmed")
        assert db.confirmations(order, FIELDS) == [WHOLE]
        db.sql(f"UPDATE orders SET quantity = 3 WHERE id = '{order}'")
        db.set_status(order, "confirmed", "in_transit", "delivered")
        assert len(db.confirmations(order)) == 1, "an edit was taken for a confirmation"
        db.set_status(order, "pending", "confirmed")
        again = db.confirmations(order, "quantity, confirmed_at")
        assert [line.split("|")[0] for line in again] == ["2", "3"] and len(set(again)) == 2, again
        both = db.order("CMD-2")
        db.sql(f"BEGIN; UPDATE orders SET status = 'confirmed' WHERE id = '{both}'; UPDATE orders SET status = "
               f"'pending' WHERE id = '{both}'; UPDATE orders SET status = 'confirmed' WHERE id = '{both}'; COMMIT")
        assert len(set(db.confirmations(both, "confirmed_at"))) == 2, "two confirmations have one time"
        assert len(db.confirmations(db.order("CMD-3", status="confirmed"))) == 1, "inserted as confirmed"
        undone = db.order("CMD-4")
        db.sql(f"BEGIN; UPDATE orders SET status = 'confirmed' WHERE id = '{undone}'; ROLLBACK")
        assert db.confirmations(undone) == []
        own = db.order("CMD-5", client_phone="+213", delivery_address="", unit_price="0.10")
        db.set_status(own, "confirmed")
        assert db.confirmations(own, "client_phone, client_address, unit_price") == ["+213|12 rue Didouche|0.10"]


def outbox_is_not_the_customers(t):
    with shop(t) as db:
        order = db.order("CMD-1")
        db.set_status(order, "confirmed", role="authenticated")
        assert db.confirmations(order, FIELDS) == [WHOLE], "a customer's own confirmation"
        for role in ("anon", "authenticated"):
            for text in ("SELECT FROM order_confirmations", "INSERT INTO order_confirmations (order_id) VALUES ('x')",
                         "DELETE FROM order_confirmations", "TRUNCATE order_confirmations"):
                refusal(lambda: db.sql(text, role=role), "permission denied for table order_confirmations")
            refusal(lambda: db.sql("SELECT access_token_with_user_roles('{}')", role=role), "permission denied")
        db.sql("GRANT ALL ON order_confirmations TO authenticated")  # row level security is behind it
        assert db.sql("SELECT count(*) FROM order_confirmations", role="authenticated") == "0"
        db.sql("CREATE SCHEMA mine; CREATE FUNCTION mine.to_jsonb(anyelement) RETURNS jsonb LANGUAGE sql AS "
               "$$SELECT '{\"status\": \"confirmed\", \"id\": \"forged\"}'::jsonb$$; GRANT USAGE ON SCHEMA mine TO public")
        db.psql("-c", "SET search_path = mine, pg_catalog, public", "-c",
                "INSERT INTO public.orders (id, client_id, unit_price, total_amount) "
                f"SELECT '{uuid.uuid4()}', client_id, 1, 1 FROM public.orders")
        assert db.confirmations("forged") == [], "a function of the caller's own was called as the owner"


@contextlib.contextmanager
def locked(db, table):
    """Another session is altering it."""
    holder = subprocess.Popen(["psql", "-qAtX"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env=db.env("postgres", None))
    holder.stdin.write(f"BEGIN; LOCK TABLE {table};\n\\echo held\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "held\n"
    try:
        yield
    finally:
        holder.stdin.close()
        holder.wait(30)


# The change to the shop; the outbox's values of a confirmation after it (None: none, a warning); and the words.
TROUBLES = [
    ("ALTER TABLE orders DROP CONSTRAINT orders_client_id_fkey; DELETE FROM clients",
     "CMD-1|||||Montre \"X\"|2|1250.50|2501.00|confirmed|", "client: query returned no rows"),
    ("UPDATE orders SET product_id = NULL",
     "CMD-1|Amina Él|+213600000000|12 rue Didouche|Alger||2|1250.50|2501.00|confirmed|", "product: query returned no rows"),
    ("ALTER TABLE clients DROP COLUMN city",
     "CMD-1|Amina Él|+213600000000|12 rue Didouche||Montre \"X\"|2|1250.50|2501.00|confirmed|",
     "clients has no column city"),
    ("ALTER TABLE products RENAME name TO title",
     "CMD-1|Amina Él|+213600000000|12 rue Didouche|Alger||2|1250.50|2501.00|confirmed|", "products has no column name"),
    ("ALTER TABLE orders DROP COLUMN client_id",
     "CMD-1|||||Montre \"X\"|2|1250.50|2501.00|confirmed|", 'has no field "client_id"'),
    ("ALTER TABLE orders DROP COLUMN unit_price",
     "CMD-1|Amina Él|+213600000000|12 rue Didouche|Alger|Montre \"X\"|2||2501.00|confirmed|",
     "orders has no column unit_price"),
    ("ALTER TABLE orders ALTER quantity DROP DEFAULT, ALTER quantity TYPE text USING 'two'",
     "CMD-1|Amina Él|+213600000000|12 rue Didouche|Alger|Montre \"X\"||||confirmed|",
     'amounts: invalid input syntax for type numeric: "two"'),
    ("ALTER TABLE orders DROP COLUMN amount_due, ALTER unit_price TYPE numeric(10, 3) USING 19.999",
     "CMD-1|Amina Él|+213600000000|12 rue Didouche|Alger|Montre \"X\"||||confirmed|", "amounts: they have more decimals"),
    ("ALTER TABLE orders ALTER quantity TYPE numeric(10, 2) USING 1.5",
     "CMD-1|Amina Él|+213600000000|12 rue Didouche|Alger|Montre \"X\"||||confirmed|", "amounts: they have more decimals"),
    ("ALTER TABLE orders DROP COLUMN amount_due, ALTER total_amount TYPE numeric USING 1e15",
     "CMD-1|Amina Él|+213600000000|12 rue Didouche|Alger|Montre \"X\"||||confirmed|", "amounts: numeric field overflow"),
    ("ALTER TABLE orders ALTER quantity TYPE numeric(10, 2)", WHOLE, ""),
    ("DROP TABLE clients CASCADE",
     "CMD-1|||||Montre \"X\"|2|1250.50|2501.00|confirmed|", 'relation "public.clients" does not exist'),
    ("ALTER TABLE clients OWNER TO postgres; REVOKE ALL ON clients FROM shop_owner, anon, authenticated",
     "CMD-1|||||Montre \"X\"|2|1250.50|2501.00|confirmed|", "permission denied for table clients"),
    ("ALTER TABLE clients RENAME TO customers",
     "CMD-1|||||Montre \"X\"|2|1250.50|2501.00|confirmed|", 'relation "public.clients" does not exist'),
    ("ALTER TABLE order_confirmations OWNER TO postgres; REVOKE ALL ON order_confirmations FROM shop_owner",
     None, "permission denied for table order_confirmations"),
    ("DROP TABLE order_confirmations", None, 'relation "public.order_confirmations" does not exist'),
    ("ALTER TABLE order_confirmations ADD CHECK (false) NOT VALID", None, "violates check constraint"),
]


def outbox_never_fails_the_shop(t):
    with shop(t) as db:
        for done, expected, words in TROUBLES:
            db.begin_again()
            order = db.order("CMD-1")
            db.sql(done)
            db.set_status(order, "confirmed")
            said = db.notices
            assert db.status(order) == "confirmed", done
            if expected is None:
                assert "WARNING" in said and words in said and order in said, (done, said)
            else:
                [row] = db.confirmations(order, FIELDS)
                assert row.startswith(expected) and words in row, (done, row)
                assert said == "", (done, said)


def outbox_does_not_wait_for_the_shops_migrations(t):
    """A table that is being altered, and columns that the trigger would otherwise hold fast."""
    with shop(t) as db:
        order, other = db.order("CMD-1"), db.order("CMD-2")
        with locked(db, "clients"):
            db.set_status(order, "confirmed")
        [row] = db.confirmations(order, FIELDS)
        assert "client: canceling statement due to lock timeout" in row, row
        with locked(db, "order_confirmations"):
            db.set_status(other, "confirmed")
        assert "WARNING" in db.notices and "lock timeout" in db.notices, db.notices
        assert (db.status(order), db.status(other), db.confirmations(other)) == ("confirmed", "confirmed", [])
        db.set_status(other, "pending", "confirmed")  # what the warning says to do
        assert len(db.confirmations(other)) == 1
        db.sql("ALTER TABLE orders ALTER status DROP DEFAULT, ALTER status TYPE text")
        db.set_status(order, "pending", "confirmed")
        assert len(db.confirmations(order)) == 2
        db.sql("ALTER TABLE orders RENAME status TO state")
        db.sql(f"UPDATE orders SET state = 'pending' WHERE id = '{order}'")
        assert "orders has no column status" in db.notices, db.notices


def schema_of(db):
    dump = subprocess.run(["pg_dump", "-s", db.name], check=True, capture_output=True, text=True,
                          env=db.env("postgres", None)).stdout
    return [line for line in dump.splitlines() if "restrict" not in line]  # newer ones write a random key there


def migrations_run_twice_or_say_what_is_wrong(t):
    with shop(t) as db:
        before = schema_of(db)
        db.migrate()
        assert schema_of(db) == before
        assert "max_slot_wal_keep_size is not set" in (db.run_file(MIGRATIONS[1]), db.notices)[1]
        first, second, third = MIGRATIONS
        for done, path, *words in (
                ("ALTER TABLE clients RENAME full_name TO name", first, "column c.full_name does not exist"),
                ("DROP TABLE products CASCADE", first, 'relation "public.products" does not exist'),
                ("ALTER TABLE orders DROP CONSTRAINT orders_client_id_fkey, ALTER client_id TYPE text", first,
                 "operator does not exist: uuid = text"),
                ("CREATE TABLE order_confirmations (id uuid PRIMARY KEY, client_name text NOT NULL)", first,
                 "exists already, without confirmation, order_id, order_number", "rename that table"),
                ("SELECT 1", second, "there is no table public.order_confirmations", "order_confirmations first"),
                ("CREATE TABLE user_roles (user_id uuid, role text); ALTER TABLE user_roles OWNER TO shop_owner; "
                 "GRANT ALL ON user_roles TO authenticated", third, "every customer may write public.user_roles",
                 "ENABLE ROW LEVEL SECURITY"),
                ("CREATE TABLE user_roles (id uuid); ALTER TABLE user_roles OWNER TO shop_owner", third,
                 'column "user_id" does not exist'),
                # Behind the others: each begins by dropping that schema.
                ("DROP SCHEMA auth CASCADE", third, "there is no table auth.users", "the first two only")):
            db.begin_again(migrated=False)
            db.sql(done)
            before = schema_of(db)
            refusal(lambda: db.run_file(path), *words)
            assert schema_of(db) == before, "half a migration stays"


def mapped_by_the_page():
    """The outbox's migration with the blocks of "Several tables" in their places."""
    lines = MIGRATIONS[0].read_text().splitlines()
    page = (FOLDER.parent / "consumer" / "doc" / "mapping.md").read_text()
    blocks = [block.splitlines() for block in re.findall(r"^```sql\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)]
    assert len(blocks) == sum("-- MAPPING, " in line for line in lines) == 4, len(blocks)
    for block in blocks:
        at = next(n for n, line in enumerate(lines) if line.startswith(block[0]))
        end = lines.index(block[-1], at)
        lines[at:end + 1] = block
    return "\n".join(lines)


def outbox_of_another_shop(t):
    """Other names, cents, several lines an order, as consumer/doc/mapping.md maps them."""
    with shop(t, migrated=False) as db:
        db.run_file(FOLDER / "supabase" / "other_shop.sql")
        db.psql("-1", text=mapped_by_the_page())
        db.sql("UPDATE bestellungen SET status = 'bestätigt' WHERE id = 1; UPDATE bestellungen SET status = 'versandt' WHERE id = 1")
        assert db.confirmations(1, FIELDS) == ['B-1001|Jürgen Weiß|+49 30 123456|Müllerstr. 5|10115 Berlin|'
                                               '2 × Tasse "Blau", 1 × Teller|1|49.97|49.97|confirmed|']
        db.sql("UPDATE bestellungen SET status = 'bestätigt' WHERE id = 2")
        assert db.confirmations(2, "client_name, product_name, total_amount, error") == [
            "Jürgen Weiß||0.05|lines: query returned no rows"]
        db.sql("ALTER TABLE bestellungen DROP COLUMN gesamtbetrag_cent; UPDATE bestellungen SET status = 'offen' WHERE id = 1;"
               "UPDATE bestellungen SET status = 'bestätigt' WHERE id = 1")
        assert "has no column total_amount" in db.confirmations(1, "COALESCE(error, '')")[-1]
        refusal(lambda: db.psql("-1", text=mapped_by_the_page()), "gesamtbetrag_cent", "does not exist")


def token_hook_copies_roles(t):
    with shop(t) as db:
        olga, amina = str(uuid.uuid4()), str(uuid.uuid4())
        db.sql(f"INSERT INTO auth.users VALUES ('{olga}'), ('{amina}')")
        db.sql(f"INSERT INTO user_roles VALUES ('{olga}', 'operator'), ('{olga}', 'accounts')", role="shop_owner")

        def claims(user, **given):
            """As the auth server calls it."""
            event = json.dumps({"user_id": user, "authentication_method": "password", "claims": {"sub": user, **given}})
            return json.loads(db.sql(f"SELECT public.access_token_with_user_roles('{event}')",
                                     role="supabase_auth_admin"))["claims"]

        assert claims(olga) == {"sub": olga, "user_roles": ["accounts", "operator"]}
        assert claims(amina, user_roles=["operator"]) == {"sub": amina, "user_roles": []}, "a claim of her own stays"
        assert claims("no uuid")["user_roles"] == []
        for role in ("anon", "authenticated"):
            assert db.sql("SELECT count(*) FROM user_roles", role=role) == "0"
            refusal(lambda: db.sql(f"INSERT INTO user_roles VALUES ('{amina}', 'operator')", role=role),
                    "row-level security")
        db.sql("DROP TABLE user_roles")
        assert claims(olga, user_roles=["operator"]) == {"sub": olga, "user_roles": []}
        assert "WARNING" in db.notices and "the roles of user" in db.notices, "signing in must not fail"


TESTS = [outbox_records_each_confirmation, outbox_is_not_the_customers, outbox_never_fails_the_shop,
         outbox_does_not_wait_for_the_shops_migrations, migrations_run_twice_or_say_what_is_wrong, outbox_of_another_shop,
         token_hook_copies_roles]
