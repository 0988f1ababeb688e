"""docker/supabase on the real stack: from the shop's own tables to the receiver, and the shop's own call."""
import contextlib, json, os, pathlib, shutil, subprocess, sys

from dashboard import Dashboard, jwt
from harness import STACK, TESTS as FOLDER, ask, header, wait_for
from newcomer import check
from shop_database import INSTALLED, SUPABASE, ShopDatabase
from supabase import Project

sys.path.insert(0, str(STACK))
from ports import free_ports

DENO, CLI = (INSTALLED / "node_modules" / ".bin" / name for name in ("deno", "supabase"))
PAGE = FOLDER.parent / "consumer" / "doc" / "supabase.md"
CONFIG = str(SUPABASE / "shop.yaml")
OUTBOX = "public.order_confirmations"


def commands():
    """The page's, from the shop's own tables to the first webhook."""
    return [line.strip() for line in PAGE.read_text().splitlines() if line.startswith("    ")]


class Shop:
    """A developer's checkout, with a database that has the shop's tables, and the commands at hand."""

    def __init__(self, t):
        self.t, self.db, self.folder = t, ShopDatabase(t.stack, migrated=False), t.folder / "shop"
        self.connector = None
        (self.folder / "supabase").mkdir(parents=True)
        shutil.copytree(SUPABASE, self.folder / "docker" / "supabase")
        shutil.copy(SUPABASE / "config.toml", self.folder / "supabase")
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / "elementor-sync").symlink_to(pathlib.Path(t.binary).resolve())
        url = f"@127.0.0.1:{t.stack.env['PGPORT']}/{self.db.name}?sslmode=disable"
        # The project is not linked, so that the command is told where it is.
        shim = self.folder / "bin" / "supabase"
        shim.write_text(f"#!/bin/sh\nexec {CLI} \"$@\" --yes --db-url 'postgresql://shop_owner:{self.db.password}{url}'\n")
        shim.chmod(0o755)
        secret = (pathlib.Path(t.stack.folder) / "secret").read_text()
        self.env = {**os.environ, **t.env(), "HOME": str(self.folder), "DO_NOT_TRACK": "1",
                    "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "CONNECT_URL": t.stack.env["CONNECT_URL"],
                    "DATABASE_URL": f"postgresql://postgres:{t.stack.env['PGPASSWORD']}{url}",
                    "DEBEZIUM_PASSWORD": secret.split("DEBEZIUM_PASSWORD=")[1].strip(),
                    "KAFKA_START": "earliest"}

    def run(self, command):
        done = subprocess.run(["sh", "-ec", command], cwd=self.folder, text=True, timeout=180, env=self.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, f"{command}: {done.stdout}"
        return done.stdout

    def adapt_connector(self, **changes):
        """The stack has no TLS, and its slots and topics are other shops' too."""
        self.connector = Connector(self.t, self.db.name, self.folder / "docker" / "supabase" / "connector.json", changes)
        self.t.env_always |= {"KAFKA_TOPIC": self.connector.topic, "KAFKA_START": "earliest"}
        self.env["KAFKA_TOPIC"] = self.connector.topic
        return self.connector

    def capture(self):
        """As the page says, up to a connector that reads."""
        connector = self.adapt_connector()
        for command in commands()[:4]:
            self.run(command)
        connector.await_reading()
        return connector

    def close(self):
        for program in self.t.programs:
            if program.process.poll() is None:
                program.kill()
        if self.connector is not None:
            self.connector.close()
        self.db.drop()


class Connector:
    """docker/supabase/connector.json on this shop's database."""

    def __init__(self, t, name, file, changes):
        whole = json.loads(file.read_text())
        config = whole["config"]
        assert f"topic: {config['topic.prefix']}.{OUTBOX}\n" in pathlib.Path(CONFIG).read_text()
        config |= {"slot.name": name, "topic.prefix": name, "database.dbname": name, "database.sslmode": "disable",
                   "heartbeat.interval.ms": "500", **changes}
        file.write_text(json.dumps({"name": name, "config": config}))
        self.t, self.name, self.slot = t, name, name
        self.topic = f"{name}.{config['table.include.list']}"

    def await_topic(self):
        """Connect makes it with the first record."""
        wait_for("the topic", lambda: f'"{self.topic}"' in subprocess.run(
            ["kcat", "-L", "-b", self.t.stack.env["KAFKA_BROKERS"]], check=True, capture_output=True, text=True).stdout)

    def partitions_of(self, order):
        read = subprocess.run(["kcat", "-C", "-q", "-e", "-o", "beginning", "-b", self.t.stack.env["KAFKA_BROKERS"],
                               "-t", self.topic, "-f", r"%p %k\n"], check=True, capture_output=True).stdout
        return {line.split()[0] for line in read.splitlines() if order.encode() in line}

    def call(self, method, path):
        return ask(method, self.t.stack.env["CONNECT_URL"] + path)

    def states(self):
        status = self.call("GET", f"/connectors/{self.name}/status")
        return [status["connector"]["state"], *(task["state"] for task in status["tasks"])]

    def slots(self, columns):
        return self.t.stack.sql(f"SELECT {columns} FROM pg_replication_slots WHERE slot_name = '{self.slot}'")

    def await_reading(self):
        wait_for("the slot is read", lambda: self.slots("active") == "t", 120)

    def stop(self):
        self.call("PUT", f"/connectors/{self.name}/stop")
        wait_for("the connector has stopped", lambda: self.states() == ["STOPPED"] and self.slots("active") == "f")

    def resume(self):
        self.call("PUT", f"/connectors/{self.name}/resume")
        self.await_reading()

    def close(self):
        if self.name in self.call("GET", "/connectors"):
            self.call("DELETE", f"/connectors/{self.name}")
        wait_for("the slot is let go", lambda: self.slots("active") in ("f", ""))
        self.slots("pg_drop_replication_slot(slot_name)")


@contextlib.contextmanager
def shop_of(t):
    shop = Shop(t)
    try:
        yield shop
    finally:
        shop.close()


def own_tables_to_first_webhook(t):
    """The page's commands, in a shop whose clients and products are tables of their own."""
    *until_check, the_run = commands()
    assert the_run.startswith("elementor-sync run ") and len(until_check) == 6, commands()
    with shop_of(t) as shop:
        db, connector = shop.db, shop.adapt_connector()
        early = [db.order("CMD-1"), db.order("CMD-0")]
        for command in until_check:
            if command.startswith("curl"):  # a confirmation before anything reads: the snapshot's
                db.set_status(early[1], "confirmed")
            if command.startswith("elementor-sync check"):
                connector.await_topic()
            said = shop.run(command)
        print("\n".join("      " + line for line in said.splitlines()), flush=True)
        program = t.start(*the_run.split()[1:])
        t.wait_delivered(early)
        order = db.order("CMD-2", quantity="3", total_amount="3751.50")
        db.set_status(order, "confirmed", role="authenticated")
        t.wait_delivered([order])
        db.set_status(order, "pending", "confirmed", "in_transit")
        wait_for("confirmed again, delivered again", lambda: t.receiver.delivered().count(order) >= 2)
        for _ in range(6):
            db.set_status(order, "pending", "confirmed")
        wait_for("each time", lambda: t.receiver.delivered().count(order) >= 8)
        assert len(connector.partitions_of(order)) == 1, "its confirmations could overtake each other"
        many = [db.order(f"CMD-1{n}") for n in range(20)]
        db.sql("UPDATE orders SET status = 'confirmed' WHERE order_number LIKE 'CMD-1%' AND status = 'pending'")
        t.wait_delivered(many)
        lost = db.order("CMD-3", product=None)
        db.set_status(lost, "confirmed")
        wait_for("an order without a product is parked", lambda: program.says("missing:product_name"))
        last = db.order("CMD-4")
        db.sql("DELETE FROM order_confirmations")  # the week is over: no message is sent
        db.set_status(last, "confirmed")
        t.wait_delivered([last])
        assert program.stop() == 0
        sent = t.receiver.delivered()
        assert sorted(sent) == sorted([*early, *[order] * 8, *many, last]), sent
        assert len({header(e, "webhook-id") for e in t.receiver.journal()}) == len(sent)
        body = json.loads(next(e["body"] for e in t.receiver.journal() if order in e["body"]))["fields"]
        at = body.pop("confirmed_at")
        assert body == {"order_id": order, "order_number": "CMD-2", "client_name": "Amina Él",
                        "client_phone": "+213600000000", "client_address": "12 rue Didouche", "client_city": "Alger",
                        "product_name": "Montre \"X\"", "quantity": 3, "unit_price": 1250.5, "total_amount": 3751.5,
                        "status": "confirmed"}, body
        assert at.endswith("Z") and len(at) == len("2026-11-28T12:00:00.123456Z"), at
        assert '"unit_price":1250.50,"total_amount":3751.50,' in next(
            e["body"] for e in t.receiver.journal() if order in e["body"]), "the database's own digits"


def check_points_to_the_outbox(t):
    """A shop that captures orders itself is told where the names would come from."""
    with shop_of(t) as shop:
        shop.db.sql("CREATE PUBLICATION orders_alone FOR TABLE orders; GRANT SELECT ON orders TO debezium; "
                    "ALTER TABLE orders REPLICA IDENTITY FULL")
        connector = shop.adapt_connector(**{"table.include.list": "public.orders", "publication.name": "orders_alone",
                                            "message.key.columns": "public.orders:id"})
        shop.run(commands()[3])
        connector.await_reading()
        shop.db.set_status(shop.db.order("CMD-1"), "confirmed")
        connector.await_topic()
        code, findings = check(t)
        assert code == 1
        for field, key in (("client_name", "client_id"), ("product_name", "product_id")):
            said = findings["fields", field]
            assert f"{key} is the key of another table's row" in said and "docker/supabase makes one" in said, said


def lost_slot_loses_nothing(t):
    """A dropped slot: the outbox is read again, and no order is sent again."""
    with shop_of(t) as shop:
        db, connector = shop.db, shop.capture()
        before = db.order("CMD-1")
        db.set_status(before, "confirmed")
        connector.await_topic()
        program = t.start("run", "--config", CONFIG)
        t.wait_delivered([before])
        connector.stop()
        meanwhile = db.order("CMD-2")
        db.set_status(meanwhile, "confirmed")
        connector.slots("pg_drop_replication_slot(slot_name)")
        connector.resume()
        t.wait_delivered([meanwhile], 120)
        after = db.order("CMD-3")
        db.set_status(after, "confirmed")
        t.wait_delivered([after])
        assert program.stop() == 0
        assert t.receiver.delivered() == [before, meanwhile, after], t.receiver.delivered()


def heartbeat_moves_a_quiet_shops_slot(t):
    """The slot would keep the log for ever if other tables alone changed."""
    with shop_of(t) as shop:
        db, connector = shop.db, shop.capture()
        db.sql("CREATE TABLE visits (at timestamptz DEFAULT now())")
        db.sql("INSERT INTO visits SELECT FROM generate_series(1, 1000)")
        written = t.stack.sql("SELECT pg_current_wal_lsn()")
        wait_for("the slot passes it", lambda: connector.slots(f"confirmed_flush_lsn > '{written}'") == "t")


class EdgeFunction:
    """The function in Deno, with the rights that it needs and no other."""

    def __init__(self, t, dashboard):
        self.log = t.folder / "function"
        [port] = free_ports(1)
        here = f"127.0.0.1:{port}"
        self.url = f"http://{here}"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [DENO, "run", "--no-prompt", "--allow-env=ELEMENTOR_SYNC_URL",
                 f"--allow-net={here},{dashboard.removeprefix('http://')}",
                 str(SUPABASE / "functions" / "sync-order-elementor" / "index.ts")],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, "ELEMENTOR_SYNC_URL": dashboard, "DENO_SERVE_ADDRESS": f"tcp:{here}"})
        try:
            wait_for("the function listens", lambda: "Listening on" in self.log.read_text() or self.process.poll() is not None)
            assert self.process.poll() is None, f"the function ended with {self.process.returncode}: {self.log.read_text()}"
        except BaseException:
            self.close()
            raise

    def invoke(self, token, order, **more):
        """(status, body), by the shop's client library."""
        done = subprocess.run([DENO, "run", "--allow-all", "invoke.ts", self.url, token,
                               json.dumps({"order_id": order, **more})], cwd=INSTALLED, check=True,
                              stdout=subprocess.PIPE, timeout=60)
        answer = json.loads(done.stdout)
        return answer["status"], answer["body"]

    def close(self):
        self.process.kill()
        self.process.wait()


def shops_call_passes_the_function(t):
    """supabase.functions.invoke → Deno → dashboard → retry → receiver, with tokens of both kinds of keys."""
    with shop_of(t) as shop, contextlib.ExitStack() as parts:
        db, connector = shop.db, shop.capture()
        project = Project(t.folder)
        parts.callback(project.close)
        order = db.order("CMD-1")
        db.set_status(order, "confirmed")
        t.receiver.control(status=422)
        connector.await_topic()
        t.start("run", "--config", CONFIG)
        env = {**project.env(), "AUTH_OPERATOR_CLAIM": "user_roles", "AUTH_OPERATOR_VALUES": "operator"}
        dashboard = Dashboard(t, "dash", **env).caught_up()
        operator = project.token(user_roles=["operator"])
        wait_for("parked", lambda: dashboard.call("GET", f"/api/v1/orders/{order}", token=operator)[1].get(
            "state") == "parked")
        edge = EdgeFunction(t, dashboard.url)
        parts.callback(edge.close)
        customer, legacy = project.token(user_roles=[]), jwt(role="authenticated", aud="authenticated",
                                                             iss="https://project.supabase.co/auth/v1")
        assert edge.invoke("no.such.token", order)[0] == 401
        t.receiver.control(status=200)
        status, body = edge.invoke(customer, order)
        assert (status, body["status"], body["success"]) == (200, "delivered", True), (status, body)
        assert t.receiver.delivered() == [order]
        assert edge.invoke(legacy, order)[0] == 200, "the legacy secret's token"
        status, body = edge.invoke(customer, order, force=True)
        assert status == 403 and "force" in body["detail"], (status, body)
        assert t.receiver.delivered() == [order]
        assert edge.invoke(operator, order, force=True)[0] == 200
        assert t.receiver.delivered() == [order, order]
        said = edge.log.read_text()
        assert "the dashboard answers 401" in said and "the dashboard answers 403" in said, said
        assert customer not in said and "no.such.token" not in said, "a token is in the log"


# tests/run.sh says so where they could not be installed.
TESTS = [own_tables_to_first_webhook, check_points_to_the_outbox, lost_slot_loses_nothing, heartbeat_moves_a_quiet_shops_slot,
         shops_call_passes_the_function] if CLI.exists() else []
