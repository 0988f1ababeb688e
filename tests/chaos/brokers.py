"""One or three KRaft brokers on loopback, of the stack's jars; each can be killed and come back."""
import pathlib, shutil, signal, subprocess, sys, tempfile, time

STACK = pathlib.Path(__file__).resolve().parent.parent / "stack"
READY_SECONDS = 180

sys.path.append(str(STACK))
from ports import free_ports


class Topics:
    """Kafka's own tool for topics, on any broker that has `addresses`."""

    def _topics(self, *arguments):
        subprocess.run(["java", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1", "-cp", f"{jars()}/*",
                        "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", self.addresses,
                        *arguments], check=True, capture_output=True, timeout=60)

    def make_topic(self, topic, partitions):
        self._topics("--create", "--topic", topic, "--partitions", str(partitions))

    def delete_topic(self, topic):
        self._topics("--delete", "--topic", topic)


def jars():
    """The folder of Kafka's jars, fetched once (tests/stack/jars.sh)."""
    script = f'HERE={STACK}; DIR=/nonexistent; . "$HERE/lib.sh"; fetch_profile kafka kafka >&2; echo "$JARS"'
    return pathlib.Path(subprocess.run(["sh", "-euc", script], check=True, text=True,
                                       stdout=subprocess.PIPE).stdout.strip()) / "kafka"


class Brokers(Topics):
    """`count` brokers, each a controller too. The ids are 1 to `count`."""

    def __init__(self, count):
        self.count = count
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="chaos-kafka-"))
        self.jars = jars()
        ports = free_ports(2 * count)
        self.ports, self.controllers = ports[:count], ports[count:]
        self.processes = {}
        try:
            for id in self.ids():
                self._format(id)
            for id in self.ids():
                self.start(id)
            for id in self.ids():
                self.wait(id)
        except BaseException:
            self.close()
            raise

    def ids(self):
        return range(1, self.count + 1)

    @property
    def addresses(self):
        return ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def _properties(self, id):
        voters = ",".join(f"{i}@127.0.0.1:{self.controllers[i - 1]}" for i in self.ids())
        port, controller = self.ports[id - 1], self.controllers[id - 1]
        return f"""process.roles=broker,controller
node.id={id}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={self.folder}/{id}/data
auto.create.topics.enable=false
default.replication.factor={self.count}
min.insync.replicas={min(self.count, 2)}
offsets.topic.replication.factor={self.count}
offsets.topic.num.partitions=5
transaction.state.log.replication.factor={self.count}
transaction.state.log.min.isr={min(self.count, 2)}
share.coordinator.state.topic.replication.factor={self.count}
share.coordinator.state.topic.min.isr={min(self.count, 2)}
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.enable=false
"""  # no cleaner: every commit ever made can be read afterwards

    def _java(self, id, *arguments):
        (self.folder / str(id) / "tmp").mkdir(parents=True, exist_ok=True)
        return ["java", "-XX:-UsePerfData", f"-Djava.io.tmpdir={self.folder}/{id}/tmp",
                "-XX:+UseSerialGC", "-cp", f"{self.jars}/*", *arguments]

    def _format(self, id):
        properties = self.folder / str(id) / "properties"
        properties.parent.mkdir()
        properties.write_text(self._properties(id))
        with open(self.folder / str(id) / "log", "ab") as log:
            subprocess.run(self._java(id, "kafka.tools.StorageTool", "format", "-t",
                                      "MkU3OEVBNTcwNTJENDM2Qk", "-c", str(properties)),
                           check=True, stdout=log, stderr=log)

    def start(self, id):
        with open(self.folder / str(id) / "log", "ab") as log:
            self.processes[id] = subprocess.Popen(
                self._java(id, "-Xmx400m", "kafka.Kafka", str(self.folder / str(id) / "properties")),
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def wait(self, id):
        """Until it answers clients."""
        deadline = time.monotonic() + READY_SECONDS
        address = f"127.0.0.1:{self.ports[id - 1]}"
        while subprocess.run(["kcat", "-L", "-m", "2", "-b", address], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL).returncode != 0:
            assert self.processes[id].poll() is None, f"broker {id} ended: {self.folder}/{id}/log"
            assert time.monotonic() < deadline, f"broker {id} is not ready: {self.folder}/{id}/log"
            time.sleep(0.2)

    def kill(self, id, how=signal.SIGKILL):
        self.processes[id].send_signal(how)
        self.processes[id].wait(60)

    def coordinator(self, group):
        """The id of the broker that leads this group's partition of __consumer_offsets. The topic is
        made when the first group looks for its coordinator, so it is awaited."""
        partition = java_hash(group) % 5
        deadline = time.monotonic() + READY_SECONDS
        while True:
            out = subprocess.run(["kcat", "-L", "-b", self.addresses, "-t", "__consumer_offsets"],
                                 check=True, capture_output=True, text=True).stdout
            for line in out.splitlines():
                words = line.replace(",", " ").split()
                if words[:2] == ["partition", str(partition)] and int(words[3]) > 0:
                    return int(words[3])
            assert time.monotonic() < deadline, out
            time.sleep(0.2)

    def close(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def java_hash(text):
    value = 0
    for c in text:
        value = (31 * value + ord(c)) & 0xFFFFFFFF
    return value & 0x7FFFFFFF


class StackBroker(Topics):
    """The broker of a running stack (tests/stack/up.sh), behind the same interface."""
    count = 1

    def __init__(self, folder):
        self.dir = str(folder)
        for line in (pathlib.Path(folder) / "env").read_text().splitlines():
            if line.startswith("export KAFKA_BROKERS="):
                self.addresses = line.split("=", 1)[1]

    def _part(self, action):
        subprocess.run(["sh", str(STACK / "part.sh"), self.dir, action, "kafka"], check=True,
                       stdout=subprocess.DEVNULL)

    def kill(self, id):
        self._part("kill")

    def start(self, id):
        self._part("start")

    def wait(self, id):
        self._part("wait")

    def close(self):
        """It is not ours."""
