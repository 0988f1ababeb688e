"""A real dashboard on a mock Kafka, for tests that call it with other people's tools."""
import base64, http.client, json, os, pathlib, queue, subprocess, tempfile, threading, time

TOPIC = "orders.public.orders"
OWN = {"PARKED_TOPIC": "own.parked", "DELIVERIES_TOPIC": "own.deliveries", "RETRY_TOPIC": "own.retry",
       "MEMBERS_TOPIC": "own.members", "CONTROL_TOPIC": "own.control"}
SECRET = "a secret of the shop for tests, 0123456789"
PATIENCE_S = 60


class Process:
    """A child whose lines are read as they come; ended when the block ends."""

    def __init__(self, command, env=None, cwd=None):
        self.lines, self.log = queue.Queue(), []
        self.child = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.child.stdout:
            self.log.append(line)
            self.lines.put(line)
        self.lines.put(None)

    def await_line(self, text):
        end = time.monotonic() + PATIENCE_S
        try:
            while (line := self.lines.get(timeout=max(0.1, end - time.monotonic()))) is not None:
                if text in line:
                    return line
        except queue.Empty:
            raise AssertionError(f"it did not say {text!r} within {PATIENCE_S} s:\n" + "".join(self.log)) from None
        raise AssertionError(f"it ended before it said {text!r}:\n" + "".join(self.log))

    def await_ready(self):
        """The block begins once this is so."""

    def __enter__(self):
        try:
            self.await_ready()
        except BaseException:
            self.close()
            raise
        return self

    def close(self):
        self.child.terminate()
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise
        finally:
            self.child.stdin.close()

    def __exit__(self, *_):
        self.close()


class Kafka(Process):
    def __init__(self, tools):
        super().__init__([str(tools / "mock_kafka"), f"{TOPIC}=1"] + [f"{t}=1" for t in OWN.values()])

    def await_ready(self):
        self.brokers = self.await_line("brokers ").split()[1]

    def write(self, record):
        self.child.stdin.write(json.dumps(record) + "\n\n")
        self.child.stdin.flush()
        self.await_line("written")

    def deliver(self, order):
        """Writes the outcome of a delivered order, as a member of the group does."""
        now = int(time.time() * 1000)
        outcome = {"version": 1, "state": "delivered", "reason": "", "order_id": order,
                   "order_number": "CMD-1", "source": "cdc", "topic": TOPIC, "partition": 0,
                   "offset": 0, "attempts": 1, "status": 200, "settled_ms": now, "member": "m"}
        encoded = lambda text: base64.b64encode(text.encode()).decode()
        record = {"topic": OWN["DELIVERIES_TOPIC"], "partition": 0, "timestamp": now,
                  "key": encoded(order), "value": encoded(json.dumps(outcome)), "headers": []}
        self.write(record)


class Dashboard(Process):
    def __init__(self, program, kafka, **options):
        self.folder = tempfile.TemporaryDirectory()
        env = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS") or k in ("PATH", "HOME")}
        super().__init__([str(program), "dashboard"], env=env | OWN | {
            "KAFKA_BROKERS": kafka.brokers, "KAFKA_TOPIC": TOPIC, "KAFKA_GROUP": "own",
            "DASHBOARD_LISTEN": "127.0.0.1:0", "DASHBOARD_WAIT": "0s",
            "DASHBOARD_DATABASE": str(pathlib.Path(self.folder.name) / "view.db"),
            "AUTH_HS256_SECRET": SECRET} | options)

    def await_ready(self):
        line = self.await_line("dashboard listens")
        self.port = int(line.split("address=127.0.0.1:")[1].split()[0])
        await_true("the view has caught up", lambda: call(self.port, "GET", "/readyz").status == 200)

    def close(self):
        try:
            super().close()
        finally:
            self.folder.cleanup()

    def __exit__(self, *_):
        self.close()
        assert self.child.returncode == 0, "".join(self.log)[-4000:]


def claims_of(**more):
    return {"sub": "u-1", "role": "authenticated", "exp": int(time.time()) + 3600, **more}


def await_true(what, is_so):
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, f"{what}: not within {PATIENCE_S} s"
        time.sleep(0.05)


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)


def call(port, method, path, token=None, body=None, **headers):
    """One call on a connection of its own; headers with "_" for "-"."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        headers["Authorization"] = "Bearer " + token
    if body is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(body)
    try:
        connection.request(method, path, body, headers)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def metrics(program, tools):
    """The text of /metrics of a dashboard that has seen a change and a delivery."""
    with Kafka(tools) as kafka:
        now = int(time.time() * 1000)
        kafka.write({"topic": TOPIC, "partition": 0, "timestamp": now, "key": "", "value": "", "headers": []})
        kafka.deliver("6e1f")
        with Dashboard(program, kafka, AUTH_SERVICE_KEYS="0123456789abcdef" * 4) as board:
            def scrape():
                return call(board.port, "GET", "/metrics", token="0123456789abcdef" * 4).body.decode()

            await_true("the newest change is known", lambda: "newest_change_timestamp_seconds " in scrape())
            return scrape()
