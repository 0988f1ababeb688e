"""A Supabase shop's database on the stack's PostgreSQL: tests/supabase/shop.sql in a database of its own,
whose owner is no superuser, with docker/supabase's migrations."""
import os, secrets, subprocess, uuid

from harness import TESTS

SUPABASE = TESTS.parent / "docker" / "supabase"
MIGRATIONS = sorted((SUPABASE / "migrations").glob("*.sql"))
INSTALLED = TESTS.parent / "build" / "supabase"  # what tests/run.sh made of tests/supabase/package.json
AMINA, WATCH = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


class Refused(Exception):
    """PostgreSQL's message on a statement that failed."""


class ShopDatabase:
    def __init__(self, stack, migrated=True):
        self.stack = stack
        self.name = f"shop_{secrets.token_hex(4)}"
        self.password = secrets.token_hex(8)
        self.notices = ""  # of the last statement
        self.sql(f"CREATE DATABASE {self.name}", database="postgres")
        self.run_file(TESTS / "supabase" / "project.sql", user="postgres")
        self.sql(f"ALTER ROLE shop_owner LOGIN PASSWORD '{self.password}'")
        self.run_file(TESTS / "supabase" / "shop.sql", *(MIGRATIONS if migrated else []))

    def begin_again(self, migrated=True):
        """The shop's first day: faster than another database."""
        self.sql("DROP PUBLICATION IF EXISTS order_confirmations; DROP SCHEMA public, auth CASCADE; CREATE SCHEMA public")
        self.run_file(TESTS / "supabase" / "project.sql", user="postgres")
        self.run_file(TESTS / "supabase" / "shop.sql", *(MIGRATIONS if migrated else []))

    def env(self, user, database):
        return {**os.environ, **self.stack.env, "PGUSER": user, "PGDATABASE": database or self.name,
                "PGPASSWORD": self.password if user == "shop_owner" else self.stack.env["PGPASSWORD"]}

    def psql(self, *arguments, user="shop_owner", database=None, text=None):
        done = subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", *arguments], input=text, text=True,
                              capture_output=True, env=self.env(user, database), timeout=60)
        self.notices = done.stderr
        if done.returncode != 0:
            raise Refused(done.stderr)
        return done.stdout.strip()

    def sql(self, text, role=None, database=None):
        """As the superuser; or as a role, by the shop's owner."""
        if role is None:
            return self.psql("-c", text, user="postgres", database=database)
        return self.psql("-c", f"SET ROLE {role}", "-c", text)

    def run_file(self, *paths, user="shop_owner"):
        """Like the SQL editor: all of it is one transaction."""
        return self.psql("-1", *(word for path in paths for word in ("-f", str(path))), user=user)

    def migrate(self):
        self.run_file(*MIGRATIONS)

    def order(self, number, client=AMINA, product=WATCH, **columns):
        """Inserts a pending order of Amina's, for a watch; returns its id."""
        self.sql(f"INSERT INTO clients VALUES ('{AMINA}', 'Amina Él', '+213600000000', '12 rue Didouche', 'Alger') "
                 f"ON CONFLICT DO NOTHING; INSERT INTO products VALUES ('{WATCH}', 'Montre \"X\"', 1250.50) "
                 "ON CONFLICT DO NOTHING")
        row = {"id": str(uuid.uuid4()), "order_number": number, "client_id": client, "product_id": product,
               "quantity": "2", "unit_price": "1250.50", "total_amount": "2501.00"} | columns
        values = ", ".join("NULL" if v is None else f"'{v}'" for v in row.values())
        self.sql(f"INSERT INTO orders ({', '.join(row)}) VALUES ({values})")
        return row["id"]

    def set_status(self, order, *statuses, role=None):
        for status in statuses:
            self.sql(f"UPDATE orders SET status = '{status}' WHERE id = '{order}'", role=role)

    def status(self, order):
        return self.sql(f"SELECT status FROM orders WHERE id = '{order}'")

    def confirmations(self, order, columns="*"):
        return self.sql(f"SELECT {columns} FROM order_confirmations WHERE order_id = '{order}' "
                        "ORDER BY confirmation").splitlines()

    def drop(self):
        self.sql(f"DROP DATABASE {self.name} (FORCE)", database="postgres")
