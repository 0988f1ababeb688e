"""The parts of a run: the shop, the receiver, the members of the group; and their measures."""
import base64, collections, datetime, http.client, os, pathlib, re, signal, subprocess, sys, tempfile, threading, time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import fake_registry
import journals
from judge import FAR, Disturbance, Holding, Judge

CASE = HERE.parent / "cases" / "default"
SCHEMA_ID = 27  # of its envelope
KEY = "whsec_" + base64.b64encode(b"chaos-chaos-chaos-chaos-chaos-32").decode()
UNCOMMITTED_MAX = 1000
LEAVE_SECONDS = 30


def now_us():
    return time.time_ns() // 1000


def wait_for(what, probe, seconds):
    deadline = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


def partition_events(log):
    """(us, "assigned", "lost" or "given back", partition) in the log's order."""
    lines = re.findall(r'^ts=(\S+)Z level=\w+ event="partition (assigned|lost|given back)[^"]*"'
                       r' partition=(\d+)', log, re.M)
    return [(int(datetime.datetime.fromisoformat(at + "+00:00").timestamp() * 1e6), what, int(number))
            for at, what, number in lines]


class Receiver:
    def __init__(self, tools, folder, behaviour):
        self.folder = pathlib.Path(folder)
        self.journal = self.folder / "receiver.journal"
        port_file = self.folder / "receiver.port"
        self.process = subprocess.Popen([str(tools / "fast_receiver"), str(port_file),
                                         str(self.journal), behaviour])
        try:
            wait_for("the receiver listens", port_file.exists, 10)
        except BaseException:
            self.close()
            raise
        self.port = int(port_file.read_text())
        self.url = f"http://127.0.0.1:{self.port}/hook/chaos-secret"

    def control(self, behaviour):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/_control", method="PUT",
                                         data=behaviour.encode())
        urllib.request.urlopen(request, timeout=10).close()

    def requests(self):
        return journals.read_receiver(self.journal)

    def close(self):
        self.process.kill()
        self.process.wait()


class Member:
    """One life of the program; `life` is told to the receiver with each request."""

    def __init__(self, world, life, arguments, env):
        self.life = str(life)
        self.log = world.folder / f"log.{life}"
        self.port = None
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(world.binary), *arguments, "--set", f"webhook.headers.x-life={life}"],
                stderr=log, env={**os.environ, **world.env, **env})
        self.began_us = now_us()

    @property
    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """The disturbance it is."""
        before = now_us()
        self.process.kill()
        self.process.wait(30)
        return Disturbance(before, now_us(), self.life)

    def leave(self):
        began = time.monotonic()
        self.process.terminate()
        code = self.process.wait(LEAVE_SECONDS + 30)
        return code, time.monotonic() - began

    def scrape(self):
        """Its own count of records, as /metrics has it at one time: (consumed, where they are); None
        when it does not say (not up yet, killed meanwhile, standing still)."""
        if self.port is None:
            found = re.search(r'event="ops port".* port=(\d+)', self.log.read_text(errors="replace"))
            self.port = found and int(found[1])
        if self.port is None:
            return None
        try:
            url = f"http://127.0.0.1:{self.port}/metrics"
            text = urllib.request.urlopen(url, timeout=0.3).read().decode()
        except (OSError, http.client.HTTPException):
            return None
        sums = collections.Counter()
        for name, value in re.findall(r"^elementor_sync_records_(\w+)(?:\{[^}]*\})? (\d+)$", text, re.M):
            sums[name] += int(value)
        return sums["consumed_total"], sum(sums[name] for name in (
            "skipped_total", "delivered_total", "parked_total", "abandoned_total", "in_flight"))

    def measures(self):
        """(resident MiB, open files), or None when it is gone."""
        try:
            status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
            files = len(os.listdir(f"/proc/{self.process.pid}/fd"))
            return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024, files
        except (OSError, TypeError):
            return None


class World:
    def __init__(self, binary, tools, brokers, behaviour, name="chaos", **env):
        self.binary, self.tools = pathlib.Path(binary).resolve(), pathlib.Path(tools).resolve()
        self.brokers = brokers
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-"))
        self.topic = self.group = self.folder.name
        self.receiver = Receiver(self.tools, self.folder, behaviour)
        self.registry, registry_url = fake_registry.serve(CASE / "schemas.json")
        self.lives, self.members, self.disturbances = 0, [], []
        self.peak_mib, self.peak_files, self.samples = 0, 0, []
        self.scrapes = self.unbalanced = 0
        self.exits = []  # (code, seconds) of those that were asked to leave
        self.env = {
            "KAFKA_BROKERS": brokers.addresses, "KAFKA_TOPIC": self.topic, "KAFKA_GROUP": self.group,
            "KAFKA_START": "earliest", "REGISTRY_URL": registry_url,
            "ELEMENTOR_WEBHOOK_URL": self.receiver.url, "WEBHOOK_SIGNING_KEYS": KEY,
            "WEBHOOK_CONCURRENCY": "64", "WEBHOOK_TIMEOUT": "1s",
            "WEBHOOK_UNCOMMITTED_MAX": str(UNCOMMITTED_MAX), "RETRY_BASE": "100ms", "RETRY_CAP": "1s",
            "OPS_LISTEN": "127.0.0.1:0",
            **{f"{topic.upper()}_TOPIC": f"{self.topic}.{topic}"
               for topic in ("parked", "deliveries", "retry", "members")}, **env}
        self.shop = None
        self.stopping = threading.Event()
        self.sampler = threading.Thread(target=self._sample, daemon=True)
        self.sampler.start()

    def _sample(self):
        while not self.stopping.wait(0.5):
            for member in list(self.members):
                measures = member.measures() if member.running else None
                counts = member.scrape() if measures else None
                if counts:
                    self.scrapes += 1
                    self.unbalanced += counts[0] != counts[1]
                if measures:
                    self.samples.append((time.monotonic(), *measures))
                    self.peak_mib = max(self.peak_mib, measures[0])
                    self.peak_files = max(self.peak_files, measures[1])

    # ---- the shop ----

    def open_shop(self, transitions, rate, seed, alive=500):
        self.shop_journal = self.folder / "shop.journal"
        self.shop = subprocess.Popen([str(self.tools / "shop"), self.brokers.addresses, self.topic,
                                      str(self.shop_journal), str(transitions), str(rate), str(seed),
                                      str(SCHEMA_ID), str(alive)], stdout=subprocess.DEVNULL)
        wait_for("the shop writes", lambda: self.shop_journal.exists()
                 and self.shop_journal.stat().st_size > 0, 60)

    def shop_is_open(self):
        return self.shop.poll() is None

    def wait_shop(self, seconds):
        assert self.shop.wait(seconds) == 0, "the shop failed"

    # ---- members ----

    def start(self, *arguments, **env):
        self.lives += 1
        member = Member(self, self.lives, arguments or ("run",), env)
        self.members.append(member)
        return member

    def kill(self, member):
        self.disturbances.append(member.kill())
        self.members.remove(member)

    def leave(self, member):
        self.exits.append(member.leave())
        self.members.remove(member)

    def settle(self, seconds):
        """One last life, to the end of everything; how long that took (s), or None."""
        began = time.monotonic()
        last = self.start("run", "--until-end", "--timeout", f"{seconds}s")
        code = last.process.wait(seconds + 60)
        self.members.remove(last)
        return time.monotonic() - began if code == 0 else None

    # ---- the end ----

    def judge(self):
        return Judge(journals.read_shop(self.shop_journal), self.receiver.requests(),
                     journals.read_commits(self.brokers.addresses, self.group, self.topic),
                     journals.read_parked(self.brokers.addresses, self.topic + ".parked"),
                     self.disturbances + self.losses(), KEY, self.holdings())

    def logs(self):
        """life: its log."""
        return {path.suffix[1:]: path.read_text(errors="replace")
                for path in self.folder.glob("log.*")}

    def members_log(self, text):
        return sum(log.count(text) for log in self.logs().values())

    def losses(self):
        """The times when members gave partitions back, or found that the group had given them to
        others: the next owner sends what no commit covered by then."""
        return [Disturbance(us, us + 1000, life) for life, log in self.logs().items()
                for us in sorted({us for us, what, _ in partition_events(log) if what != "assigned"})]

    def lost_without_cause(self):
        """Partitions that members lost to whom nothing had been done, and all that moved. (A
        member that stood still while it joined learns of it at its next join. And librdkafka before
        2.10 loses what it has where a commit overtakes a join: kafka/consumer/join_watch.)"""
        anew_us = 5_000_000
        moved = [(life, us, what) for life, log in self.logs().items()
                 for us, what, _ in partition_events(log) if what != "assigned"]
        return sum(what == "lost" and not any(
            d.life == life and d.from_us <= us <= d.to_us + anew_us for d in self.disturbances)
            for life, us, what in moved), len(moved)

    def holdings(self):
        """life: which partitions it had, and when."""
        found = collections.defaultdict(list)
        for life, log in self.logs().items():
            since = {}
            for us, what, partition in partition_events(log):
                if what == "assigned":
                    since[partition] = us
                elif partition in since:
                    found[life].append(Holding(partition, since.pop(partition), us))
            found[life] += [Holding(partition, us, FAR) for partition, us in since.items()]
        return found

    def close(self):
        self.stopping.set()
        for member in self.members:
            if member.running:
                member.signal(signal.SIGCONT)
                member.process.kill()
                member.process.wait()
        if self.shop is not None and self.shop.poll() is None:
            self.shop.kill()
            self.shop.wait()
        self.receiver.close()
        self.registry.shutdown()


def report(world, judge, settled_s, heal_limit):
    """The judge's table and what was measured; True when all is well."""
    judge.all(UNCOMMITTED_MAX)
    judge.say(11, "after the last disturbance everything is settled and committed",
              f"{settled_s:.1f} s" if settled_s is not None else "not in time",
              settled_s is not None and settled_s <= heal_limit)
    judge.say(12, "memory and open files are bounded",
              f"at most {world.peak_mib:.0f} MiB, {world.peak_files} files",
              world.peak_mib < 200 and world.peak_files < 256)
    log = "".join(world.logs().values())
    secrets = ["chaos-secret", KEY.removeprefix("whsec_"), "+2136"]
    leaks = sum(log.count(secret) for secret in secrets)
    judge.say(13, "no secret and no phone in the log", f"{leaks} in {len(log)} bytes", leaks == 0)
    judge.say(14, "consumed = skipped + delivered + parked + in flight, at every scrape",
              f"{world.scrapes} scrapes, {world.unbalanced} do not balance",
              world.scrapes > 0 and world.unbalanced == 0)
    if world.exits:
        slowest = max(s for _, s in world.exits)
        judge.say(16, "who is asked to leave leaves in time, with 0",
                  f"{len(world.exits)} left, slowest {slowest:.1f} s",
                  all(code == 0 for code, _ in world.exits) and slowest < LEAVE_SECONDS)
    good = judge.table()
    attempts = len(judge.requests)
    statuses = collections.Counter(r.status for r in judge.requests)
    print(f"     {attempts} requests by status: "
          + ", ".join(f"{s or 'unanswered'} {n}" for s, n in sorted(statuses.items())))
    if not good:
        print(f"     journals and log: {world.folder}")
    return good
