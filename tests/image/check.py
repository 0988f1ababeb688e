#!/usr/bin/env python3
"""The image that buildah made of docker/Dockerfile, run as docker/compose.yaml has an engine run it: read-only, without
capabilities, as its own user.

usage: check.py FOLDER TOOLS
    FOLDER   of build.py; TOOLS: the folder of mock_kafka
"""
import contextlib, json, os, pathlib, subprocess, sys, tempfile, time, traceback, urllib.request

import confluent_kafka

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests" / folder) for folder in ("receivers", "interop", "stack", "e2e")]
import image as files  # noqa: E402
from dashboard import OWN, SECRET, TOPIC, Kafka, Process, await_true  # noqa: E402
from harness import Receiver  # noqa: E402
from ports import free_ports  # noqa: E402
from sender import Sender  # noqa: E402

FOLDER, TOOLS = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
CONFIG = json.loads((FOLDER / "image.json").read_text())["config"]
ORDERS, STOP_SECONDS = 20, 20
SHELL = {name: os.environ[name] for name in ("PATH", "TESTS_RUN_MARKS") if name in os.environ}


def entering(*words, more=()):
    return [sys.executable, str(HERE / "enter.py"), *map(str, more), str(FOLDER), *map(str, words)]


class Image:
    """As tests/interop/image.py wants it."""
    root = FOLDER / "root"

    def run(self, *words, **environment):
        return subprocess.run(entering(*words), env=SHELL | environment, capture_output=True, text=True, timeout=120)


@contextlib.contextmanager
def newer_mock_cluster():
    """For mock_kafka: Debian 12's mock cluster is too old for the image's clients; confluent-kafka's is not."""
    libraries = pathlib.Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "librdkafka.so.1").symlink_to(*libraries.glob("librdkafka*.so.1"))
        os.environ["LD_LIBRARY_PATH"] = folder
        yield


def health(*words, **environment):
    """HEALTHCHECK's command, or the one that is given, in a container beside the other one."""
    probe = list(words) or CONFIG["Healthcheck"]["Test"][1:]
    assert probe.pop(0) == CONFIG["Entrypoint"][0]
    return Image().run(*probe, **environment)


def stop(process):
    """As an engine does."""
    process.child.terminate()
    assert process.child.wait(STOP_SECONDS) == 0, process.child.returncode


def it_says_what_it_is():
    labels = CONFIG["Labels"]
    head = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], text=True, capture_output=True).stdout.strip()
    assert labels["org.opencontainers.image.revision"] == (head or "unknown"), labels
    assert {"title", "description", "licenses"} <= {name.rpartition(".")[2] for name in labels}, labels
    assert CONFIG["Healthcheck"]["Test"] == ["CMD", "elementor-sync", "health"], CONFIG["Healthcheck"]
    told = json.loads(Image().run("version", "--json").stdout)
    assert head.startswith(told["commit"]) or not head, told
    return f"librdkafka {told['librdkafka']}"


def buildah_runs_it():
    """By buildah's own hand, with what the image says of itself."""
    from build import Buildah
    buildah = Buildah(FOLDER)
    container = buildah.says("from", "--pull-never", "elementor-sync")
    said = buildah.says("run", "--isolation", "chroot", container, "--", *CONFIG["Entrypoint"], "--version")
    buildah.says("rm", container)
    assert said.startswith("elementor-sync "), said


def it_holds_no_more_than_it_needs():
    size = files.contents(Image())
    assert CONFIG["User"] == "65534:65534", CONFIG
    loose = [str(path) for path in Image.root.rglob("*") if not path.is_symlink() and path.name != "tmp"
             and (path.stat().st_uid != 0 or path.stat().st_mode & 0o6022)]
    assert not loose, f"not root's alone: {loose}"
    return size


def it_starts_and_finds_what_it_needs():
    files.needs(Image())
    return f"--version: {files.starts(Image())}, namespaces and mounts and all"


def the_demo_runs():
    files.demo(Image())


def run_delivers_and_stops():
    """Orders of a mock Kafka to a receiver, the URL in a file; HEALTHCHECK says so; SIGTERM ends it in order."""
    [ops] = free_ports(1)
    with tempfile.TemporaryDirectory() as folder:
        receiver = Receiver(folder)
        secret = pathlib.Path(folder) / "webhook-url"
        secret.write_text(receiver.url + "\n")
        sender = Sender("/", TOOLS, "", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        try:
            sender.write([{"id": f"{n:08}-0000-4000-8000-000000000000", "order_number": f"CMD-{n}", "client_name": "Amina",
                           "client_phone": "+213600000000", "product_name": "Lampe", "unit_price": "2.50",
                           "total_amount": "2.50"} for n in range(ORDERS)])
            env = sender.env | {"OPS_LISTEN": f"127.0.0.1:{ops}", "ELEMENTOR_WEBHOOK_URL_FILE": "/run/secrets/webhook-url"}
            del env["ELEMENTOR_WEBHOOK_URL"]
            assert health(OPS_LISTEN=env["OPS_LISTEN"]).returncode == 3
            began = time.monotonic()
            run = Process(entering("run", more=["--volume", f"{secret}:/run/secrets/webhook-url"]), env=SHELL | env)
            try:
                run.await_line('event="ops port"')
                listens = time.monotonic() - began
                await_true("each order is delivered", lambda: len(receiver.delivered()) == ORDERS)
                await_true("it is healthy", lambda: health(OPS_LISTEN=env["OPS_LISTEN"]).returncode == 0)
                stop(run)
            except AssertionError as fault:
                raise AssertionError("".join(run.log)[-4000:]) from fault
            finally:
                run.child.kill()
            assert len(set(receiver.delivered())) == len(receiver.delivered()) == ORDERS
        finally:
            sender.close()
            receiver.stop()
    return f"it listens {listens * 1000:.0f} ms after its start"


def the_dashboard_answers():
    [page] = free_ports(1)
    with Kafka(TOOLS) as kafka:
        kafka.deliver("6e1f0000-0000-4000-8000-000000000000")
        env = OWN | {"KAFKA_BROKERS": kafka.brokers, "KAFKA_TOPIC": TOPIC, "KAFKA_GROUP": "own", "AUTH_HS256_SECRET": SECRET,
                     "DASHBOARD_LISTEN": f"127.0.0.1:{page}", "DASHBOARD_DATABASE": "/view/dashboard.db"}
        began = time.monotonic()
        shown = Process(entering("dashboard", more=["--tmpfs", "/view"]), env=SHELL | env)
        try:
            await_true("it is healthy", lambda: health("elementor-sync", "health", "--dashboard",
                                                       DASHBOARD_LISTEN=env["DASHBOARD_LISTEN"]).returncode == 0)
            took = time.monotonic() - began
            assert b"<title>" in urllib.request.urlopen(f"http://127.0.0.1:{page}/", timeout=60).read()
            stop(shown)
        except AssertionError as fault:
            raise AssertionError("".join(shown.log)[-4000:]) from fault
        finally:
            shown.child.kill()
    return f"it is healthy {took * 1000:.0f} ms after its start"


CHECKS = (it_says_what_it_is, buildah_runs_it, it_holds_no_more_than_it_needs, it_starts_and_finds_what_it_needs,
          the_demo_runs, run_delivers_and_stops, the_dashboard_answers)


def passes(check):
    try:
        print(f"ok    {check.__name__}: {check() or ''}".rstrip(": "), flush=True)
        return True
    except Exception:
        traceback.print_exc()
        print(f"FAIL  {check.__name__}", flush=True)
        return False


def main():
    with newer_mock_cluster():
        good = sum(map(passes, CHECKS))
    print(f"{good} passed, {len(CHECKS) - good} failed")
    sys.exit(good != len(CHECKS))


main()
