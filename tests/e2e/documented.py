"""The commands of README.md and consumer/doc/operations.md as they stand there, typed at a terminal."""
import base64, json, os, pathlib, pty, subprocess, sys, time

from harness import TESTS, wait_for
from operator_commands import names
import fake_registry

sys.path += [str(TESTS / "tools"), str(TESTS / "stack"), str(TESTS / "receivers")]
import pages  # noqa: E402
from ports import free_ports  # noqa: E402
from sender import SCHEMAS, confirmations  # noqa: E402

OPERATIONS, README = (pages.ROOT / name for name in ("consumer/doc/operations.md", "README.md"))
READABLE, BY_MISTAKE = 1200, 60  # as the page's example of `park` has it
PREVIEWED = 20
BEHIND = 20  # readable ones that the partition needs to tell a mistake from a whole other format


class Terminal:
    """A shell of a machine on which the program is installed; questions are answered with y."""

    def __init__(self, t, **env):
        self.folder, self.page = t.folder, {}
        (t.folder / "bin").mkdir()
        (t.folder / "bin" / "elementor-sync").symlink_to(pathlib.Path(t.binary).resolve())
        postgres = {name: value for name, value in t.stack.env.items() if name.startswith("PG")}
        self.env = {**os.environ, **postgres, **t.env(**env), "PATH": f"{t.folder / 'bin'}:{os.environ['PATH']}"}

    def type(self, line, code=0):
        """What it said, on both."""
        own, its = pty.openpty()
        try:
            os.write(own, b"y\n")
            done = subprocess.run(["setsid", "--ctty", "--wait", "sh", "-c", line], stdin=its, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, cwd=self.folder, env=self.env, timeout=120)
        finally:
            os.close(own)
            os.close(its)
        assert done.returncode == code, f"{line}: {done.returncode}: {done.stdout}"
        return done.stdout


def lines_of(page, words):
    """The one command of a page that begins with these words, as it stands."""
    found = [line for block in pages.shell_blocks(page) for line in pages.command_lines(block) if line.startswith(words)]
    assert len(found) == 1, (page, words, found)
    return found[0]


def order(number):
    return {"id": f"{number:08}-0000-4000-8000-000000000000", "order_number": f"CMD-{number:06}", "client_name": "Amina",
            "client_phone": "+213600000000", "product_name": "Lampe", "unit_price": "2.50", "total_amount": "2.50"}


def written(t, topic):
    """A week ago: two confirmations, then what the page's `park` speaks of."""
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient, NewTopic
    brokers = {"bootstrap.servers": t.stack.env["KAFKA_BROKERS"]}
    admin = AdminClient(brokers)  # ends what it does when it goes
    for made in admin.create_topics([NewTopic(topic, 6, 1, config={"retention.ms": "-1"})]).values():
        made.result(60)
    skipped = json.loads((SCHEMAS.parent / "records.ndjson").read_text().splitlines()[1])  # a pending order
    producer = Producer(brokers)

    def put(partition, key, value):
        producer.produce(topic, base64.b64decode(value), base64.b64decode(key), partition, timestamp=1795339800000)

    for record in confirmations([order(123), order(124)]):
        put(0, record["key"], record["value"])
    mistake = base64.b64encode(b'{"order": "by mistake"}')
    for value in [skipped["value"]] * READABLE + [mistake] * BY_MISTAKE + [skipped["value"]] * BEHIND:
        put(3, skipped["key"], value)
    assert producer.flush(60) == 0


def operations_page_as_it_stands(t):
    topic, [ops] = f"documented-{os.getpid()}", free_ports(1)
    written(t, topic)
    server, url = fake_registry.serve(SCHEMAS)
    t.env_always = {**names(t), "KAFKA_TOPIC": topic, "REGISTRY_URL": url, "KAFKA_START": "earliest",
                    "OPS_LISTEN": f"127.0.0.1:{ops}"}
    terminal = Terminal(t)

    def typed(words, code=0):
        return terminal.type(lines_of(OPERATIONS, "elementor-sync " + words), code)

    try:
        t.receiver.control(status=422)
        program = t.start("run", "--set", "retry.attempts=1")
        wait_for("the two are refused", lambda: len(t.receiver.journal()) >= 2)
        wait_for("the third partition stops", lambda: program.says('event="partition stopped"'))
        wait_for("both are parked", lambda: program.count('event="parked"') >= 2)
        t.receiver.control(status=200)
        assert "stopped" in typed("health", code=1)
        assert topic in typed("offsets")
        assert "CMD-000124" in typed("preview")
        assert "librdkafka" in typed("version")
        assert "dismissed" in typed("dismiss")
        assert "taken back" in terminal.type("elementor-sync dismiss --order CMD-000123 --undo")
        assert "delivered, HTTP 200" in typed("retry")
        assert "1 asked for" in typed("redrive")
        t.wait_delivered([order(124)["id"]])
        assert "asked for" in typed("park")
        wait_for("it goes on", lambda: "ready" in terminal.type("elementor-sync health; true"))
        typed("pause")
        wait_for("it is paused", lambda: program.says("paused"))
        terminal.type("elementor-sync resume")
        assert program.stop() == 0
        typed("replay")
        typed("forget")
        # The table's orders are those of the stack's other tests: what became of them here is not this test's.
        assert "never seen" in terminal.type(lines_of(OPERATIONS, "psql -c") + "; true")
    finally:
        server.shutdown()


def readme_first_steps_as_they_stand(t):
    """The file of ten lines in the folder, the webhook in the environment."""
    (t.folder / "shop.yaml").write_text((pages.ROOT / "docker" / "shop.yaml").read_text())
    terminal = Terminal(t, **names(t))
    mine = [t.stack.order(f"README-{time.time_ns()}") for _ in range(PREVIEWED)]
    wait_for("check finds nothing wrong",
             lambda: "FAIL" not in terminal.type(lines_of(README, "elementor-sync check") + "; true"))
    assert terminal.type(lines_of(README, "elementor-sync preview"))
    with open(t.folder / "log", "wb") as log:
        run = subprocess.Popen(["sh", "-c", "exec " + lines_of(README, "elementor-sync run")], cwd=t.folder, env=terminal.env,
                               stdin=subprocess.DEVNULL, stderr=log)
    try:
        wait_for("six partitions assigned", lambda: (t.folder / "log").read_text().count("partition assigned") >= 6)
        t.stack.confirm(mine[0])
        t.wait_delivered([mine[0]])
        run.terminate()
        assert run.wait(60) == 0
    finally:
        run.kill()
        run.wait()


TESTS = [operations_page_as_it_stands, readme_first_steps_as_they_stand]
