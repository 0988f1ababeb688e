"""The tools of every end-to-end test: the real stack, a receiver, the program, and bounded waits."""
import contextlib, json, os, pathlib, re, signal, subprocess, tempfile, time, urllib.error, urllib.request

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
STACK = TESTS / "stack"


def wait_for(what, probe, seconds=60.0):
    """Polls until probe() is true; an AssertionError that names `what` otherwise."""
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


def beside(test):
    """Marks a test that stops no part of the stack and minds no orders but its own: run.py has such
    tests run side by side, for they wait more than they compute."""
    test.beside = True
    return test


def ask(method, url, body=None):
    """JSON to a service of the stack, and its answer's."""
    request = urllib.request.Request(url, method=method,
                                     data=json.dumps(body).encode() if body is not None else None,
                                     headers={"Content-Type": "application/json"} if body is not None else {})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


class Stack:
    """The running stack of tests/stack, described by its env file."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.env = {}
        for word in (pathlib.Path(folder) / "env").read_text().replace("export ", "").split():
            name, sign, value = word.partition("=")
            if sign:
                self.env[name] = value.strip("'\"")

    def sql(self, text):
        done = subprocess.run(["sh", str(STACK / "psql.sh"), self.folder, text],
                              check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def part(self, action, name):
        subprocess.run(["sh", str(STACK / "part.sh"), self.folder, action, name], check=True,
                       stdout=subprocess.DEVNULL)

    def _connect(self, path, method="GET"):
        return ask(method, self.env["CONNECT_URL"] + "/connectors/orders/" + path)

    def heal(self):
        """Starts the connector's task again if it has failed, so that one test's trouble stays its own;
        returns the cause, or None."""
        task = self._connect("status")["tasks"][0]
        if task["state"] != "FAILED":
            return None
        self._connect("restart?includeTasks=true&onlyFailed=true", "POST")
        wait_for("the connector's task runs again",
                 lambda: [task["state"] for task in self._connect("status")["tasks"]] == ["RUNNING"])
        causes = re.findall(r"Caused by: (.*)", task.get("trace", ""))
        return causes[-1] if causes else task.get("trace", "unknown")

    @contextlib.contextmanager
    def frozen(self, name):
        """The part's process stands still: a request gets no answer, and no refusal."""
        pid = int(pathlib.Path(self.folder, name, "pid").read_text().split()[0])
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def order(self, number, **columns):
        """Inserts a pending order; returns its id."""
        row = {"order_number": number, "client_name": "Amina Él", "client_phone": "+213600000000",
               "client_address": "12 rue Didouche", "client_city": "Alger",
               "product_name": "Montre \"X\"", "quantity": "2", "unit_price": "1250.50",
               "total_amount": "2501.00", "status": "pending"} | columns
        quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in row.values())
        return self.sql(f"INSERT INTO orders ({', '.join(row)}) VALUES ({quoted}) RETURNING id"
                        ).splitlines()[0]

    def confirm(self, order_id, at="2026-11-22T09:15:30.123456Z"):
        self.sql(f"UPDATE orders SET status = 'confirmed', confirmed_at = '{at}' "
                 f"WHERE id = '{order_id}'")


class Receiver:
    """tests/stack/receiver.py in a process of its own, and its journal."""

    def __init__(self, folder, port=0):
        self.folder = pathlib.Path(folder)
        self.journal_path = self.folder / "journal.ndjson"
        self.port_file = self.folder / "receiver.port"
        self.port = port
        self.start()

    def start(self):
        self.port_file.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["python3", str(STACK / "receiver.py"), "--port", str(self.port), "--port-file",
             str(self.port_file), "--journal", str(self.journal_path)])
        wait_for("the receiver listens",
                 lambda: self.port_file.exists() and self.port_file.read_text().strip())
        self.port = int(self.port_file.read_text())

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook/secret-path"

    def control(self, **behaviour):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/_control", method="PUT",
                                         data=json.dumps(behaviour).encode())
        urllib.request.urlopen(request, timeout=10).close()

    def journal(self, path="/hook/secret-path"):
        if not self.journal_path.exists():
            return []
        lines = self.journal_path.read_text().splitlines(keepends=True)
        entries = [json.loads(line) for line in lines if line.endswith("\n")]
        return [e for e in entries if e["path"] == path]

    def delivered(self):
        """The order ids answered with 2xx, in order."""
        return [json.loads(e["body"])["fields"]["order_id"] for e in self.journal()
                if 200 <= (e.get("status") or 0) < 300]


class Program:
    """One elementor-sync process with its log."""

    def __init__(self, binary, log, *arguments, env=None):
        self.log = pathlib.Path(log)
        self.file = open(self.log, "ab")
        self.process = subprocess.Popen([str(binary), *arguments], stderr=self.file,
                                        env={**os.environ, **(env or {})})

    def wait(self, seconds=60):
        code = self.process.wait(seconds)
        self.file.close()
        return code

    def stop(self, seconds=60):
        self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self):
        self.process.kill()
        return self.wait()

    def count(self, text):
        return self.log.read_text(errors="replace").count(text)

    def says(self, text):
        return self.count(text) > 0

    def ops(self, path, seconds=5):
        """(status, text) of the ops port; it was started with OPS_LISTEN=127.0.0.1:0."""
        found = wait_for("the ops port", lambda: re.search(r'event="ops port".* port=(\d+)',
                                                          self.log.read_text(errors="replace")))
        url = f"http://127.0.0.1:{found[1]}{path}"
        try:
            answer = urllib.request.urlopen(url, timeout=seconds)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.read().decode()


def header(entry, name):
    values = [v for k, v in dict(entry["headers"]).items() if k.lower() == name]
    assert len(values) == 1, f"{name}: {values}"
    return values[0]


class Test:
    """The world of one test: its own receiver, consumer group and folder."""

    def __init__(self, name, binary, tools, stack):
        self.name, self.binary, self.tools, self.stack = name, binary, tools, stack
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"e2e-{name}-"))
        self.receiver = Receiver(self.folder)
        self.programs = []
        self.group = f"e2e-{name}-{os.getpid()}"
        self.env_always = {}  # of each of its programs

    def env(self, **more):
        return {"KAFKA_BROKERS": self.stack.env["KAFKA_BROKERS"],
                "KAFKA_TOPIC": self.stack.env["KAFKA_TOPIC"],
                "REGISTRY_URL": self.stack.env["REGISTRY_URL"],
                "KAFKA_GROUP": self.group, "KAFKA_START": "latest",
                "ELEMENTOR_WEBHOOK_URL": self.receiver.url,
                "KAFKA_PROPERTIES_SESSION_TIMEOUT_MS": "6000",  # a killed member is missed sooner
                "RETRY_BASE": "100ms", "RETRY_CAP": "1s", **self.env_always, **more}

    def start(self, *arguments, log="log", **env):
        program = Program(self.binary, self.folder / log, *(arguments or ("run",)),
                          env=self.env(**env))
        self.programs.append(program)
        return program

    def started(self):
        """A running member that has its partitions."""
        program = self.start()
        wait_for("six partitions assigned", lambda: program.count("partition assigned") >= 6)
        return program

    def wait_delivered(self, ids, seconds=60):
        wait_for(f"{len(ids)} orders delivered",
                 lambda: set(ids) <= set(self.receiver.delivered()), seconds)

    def close(self):
        for program in self.programs:
            if program.process.poll() is None:
                program.kill()
        self.receiver.stop()
