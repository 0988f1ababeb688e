#!/usr/bin/env python3
"""booted_root: the .deb's units under a systemd that runs: started, reloaded, killed, hung, stopped at work, refused.

usage: booted_root.py DEB STACK [--release bookworm|trixie] [--folder FOLDER]
    DEB      of docker/release.sh, made for that release
    STACK    a running one: sh tests/stack/up.sh STACK
    FOLDER   for the root, some 400 MB, /var/tmp/clean-roots when not given; what debootstrap made is kept there

Root only, on Debian with debootstrap, systemd-container and cgroups that it may use; takes two minutes beside
debootstrap's, and is no part of tests/run.sh. The root shares the network of this machine, whose apt configuration it
gets. Each line says what was seen; the exit code is 1 where something was not.
"""
import argparse, contextlib, glob, os, pathlib, re, shutil, signal, subprocess, sys, tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(TESTS / "e2e"))
from harness import Receiver, Stack, wait_for

PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
UNIT, PAGE = "elementor-sync", "elementor-sync-dashboard"
WATCHDOG_SECONDS = 6  # instead of the unit's 60
SHOP = """kafka:
  brokers: {KAFKA_BROKERS}
  topic: {KAFKA_TOPIC}
  group: booted-{pid}
  start: latest
registry:
  url: {REGISTRY_URL}
webhook:
  allow_http: true
"""
DASHBOARD = "[Service]\nEnvironment=AUTH_HS256_SECRET_FILE=%d/secrets_auth.hs256_secret DASHBOARD_LISTEN=127.0.0.1:0\n"


def make_root(options):
    root = options.folder / f"{options.release}-booted"
    if not (root / "made").exists():
        shutil.rmtree(root, ignore_errors=True)
        subprocess.run(["debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus,ca-certificates",
                        options.release, str(root)], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["umount", str(root / "proc")], stderr=subprocess.DEVNULL)  # debootstrap leaves it
        (root / "made").touch()
    for file in ("/etc/resolv.conf", "/etc/hosts", *glob.glob("/etc/apt/apt.conf.d/*")):
        with contextlib.suppress(shutil.SameFileError):
            shutil.copy(file, f"{root}{file}")
    return root


class Machine:
    """The root, booted."""

    def __init__(self, root, log):
        with open(log, "wb") as file:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "-D", str(root), "--boot", "--register=no", "--keep-unit", "--console=pipe"],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
        self.init = wait_for("systemd is there", self.find_init)
        wait_for("it has booted", lambda: self.call("systemctl", "is-system-running", check=False).strip()
                 in ("running", "degraded"), 120)

    def find_init(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        named = [pid for pid in children if pathlib.Path(f"/proc/{pid}/comm").read_text() == "systemd\n"]
        return named[0] if named else None

    def call(self, *command, check=True, **more):
        done = subprocess.run(["nsenter", "-t", self.init, "-m", "-u", "-i", "-p", "-C", "env", "-i", PATH, *command],
                              text=True, capture_output=True, timeout=120, **more)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def show(self, unit, name):
        return self.call("systemctl", "show", "-p", name, "--value", unit).strip()

    def log(self, unit):
        return self.call("journalctl", "--no-pager", "-o", "cat", "-u", unit)

    def end(self):
        self.process.send_signal(signal.SIGTERM)  # nspawn has systemd shut down
        self.process.wait(90)


class Walk:
    def __init__(self, machine, root, stack, receiver):
        self.machine, self.root, self.stack, self.receiver = machine, root, stack, receiver
        self.orders = 0

    def main_pid(self, unit=UNIT):
        return self.machine.show(unit, "MainPID")

    def order(self):
        self.orders += 1
        order = self.stack.order(f"BOOTED-{os.getpid()}-{self.orders}")
        self.stack.confirm(order)
        return order

    def wait_delivered(self, order):
        wait_for("the order is delivered", lambda: order in self.receiver.delivered())

    def assigned(self):
        return self.machine.log(UNIT).count('event="partition assigned"')

    def starts(self):
        """The unit is active once the loop runs, as nobody with no right."""
        self.machine.call("systemctl", "start", UNIT)
        assert self.machine.show(UNIT, "ActiveState") == "active"
        status = self.machine.call("cat", f"/proc/{self.main_pid()}/status")
        found = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert int(found["Uid"].split()[0]) > 60000 and int(found["CapEff"], 16) == 0, found
        assert found["NoNewPrivs"] == "1" and found["Seccomp"] == "2", found
        wait_for("six partitions assigned", lambda: self.assigned() >= 6)

    def delivers(self):
        self.wait_delivered(self.order())

    def reloads(self):
        self.machine.call("systemctl", "reload", UNIT)
        wait_for("it says so", lambda: 'event="configuration read again"' in self.machine.log(UNIT))

    def comes_back_after(self, number):
        before = int(self.machine.show(UNIT, "NRestarts"))
        self.machine.call("kill", f"-{number}", self.main_pid())
        order = self.order()
        wait_for("it is started again", lambda: int(self.machine.show(UNIT, "NRestarts")) == before + 1, 120)
        self.wait_delivered(order)

    def killed(self):
        """kill -9; the order that was confirmed meanwhile is delivered."""
        self.comes_back_after("KILL")

    def hung(self):
        """A process that stands still is ended by the watchdog and started again."""
        self.comes_back_after("STOP")
        assert "atchdog timeout" in self.machine.log(UNIT)

    def stopped_at_work(self):
        """Requests under way are settled before the unit ends, and are not sent again."""
        self.receiver.control(delay_ms=3000, delay_only=1)
        order = self.order()
        wait_for("its request is under way", lambda: any(order in entry["body"] for entry in self.receiver.journal()))
        self.machine.call("systemctl", "stop", UNIT)
        assert self.machine.show(UNIT, "Result") == "success"
        self.machine.call("systemctl", "start", UNIT)
        self.delivers()
        assert self.receiver.delivered().count(order) == 1, "sent again"

    def refused(self):
        """A wrong configuration is no reason to start it again and again."""
        file = self.root / "etc/elementor-sync/shop.yaml"
        right = file.read_text()
        file.write_text(right + "nonsense: 1\n")
        self.machine.call("systemctl", "restart", UNIT, check=False)
        wait_for("the unit has failed", lambda: self.machine.show(UNIT, "ActiveState") == "failed")
        assert self.machine.show(UNIT, "ExecMainStatus") == "2" and "nonsense" in self.machine.log(UNIT)
        file.write_text(right)
        self.machine.call("systemctl", "restart", UNIT)
        self.delivers()

    def page(self):
        """The dashboard's view is its user's alone."""
        secret = self.root / "etc/elementor-sync/secrets/auth.hs256_secret"
        secret.write_text("a-secret-of-thirty-two-characters-or-more\n")
        secret.chmod(0o600)
        extra = self.root / f"etc/systemd/system/{PAGE}.service.d/secret.conf"
        extra.parent.mkdir(parents=True, exist_ok=True)
        extra.write_text(DASHBOARD)
        self.machine.call("systemctl", "daemon-reload")
        self.machine.call("systemctl", "start", PAGE)
        assert self.machine.show(PAGE, "ActiveState") == "active"
        rights = self.machine.call("stat", "-L", "-c", "%a", "/var/lib/elementor-sync-dashboard",
                                   "/var/lib/elementor-sync-dashboard/view.db").split()
        assert rights == ["700", "600"], rights
        self.machine.call("systemctl", "stop", PAGE)

    def upgraded(self):
        """The package is installed again: what runs is started anew; purged: nothing of it is left."""
        old = self.main_pid()
        self.machine.call("sh", "-c", "dpkg -i /root/*.deb")
        wait_for("another process", lambda: self.main_pid() not in ("0", old))
        self.delivers()
        self.machine.call("dpkg", "-P", "elementor-sync")
        assert self.machine.show(UNIT, "ActiveState") == "inactive"
        left = [path for path in ("usr/bin/elementor-sync", "etc/elementor-sync/shop.yaml")
                if (self.root / path).exists()]
        assert not left, left


def prepare(options, stack, receiver):
    root = make_root(options)
    for old in glob.glob(f"{root}/root/*.deb"):
        os.unlink(old)
    shutil.copy(options.deb, root / "root")
    shutil.rmtree(root / "etc/systemd/system" / f"{PAGE}.service.d", ignore_errors=True)
    subprocess.run(["systemd-nspawn", "-q", "-D", str(root), "--register=no", "--keep-unit", "--pipe", "sh", "-euc",
                    "apt-get update -qq; dpkg -P elementor-sync >/dev/null 2>&1 || :;"
                    "apt-get install -y -qq --no-install-recommends /root/*.deb"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    (root / "etc/elementor-sync/shop.yaml").write_text(SHOP.format(**stack.env, pid=os.getpid()))
    secret = root / "etc/elementor-sync/secrets/webhook.url"
    secret.write_text(receiver.url + "\n")
    secret.chmod(0o600)
    quick = root / f"etc/systemd/system/{UNIT}.service.d/watchdog.conf"
    quick.parent.mkdir(parents=True, exist_ok=True)
    quick.write_text(f"[Service]\nWatchdogSec={WATCHDOG_SECONDS}s\n")
    return root


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\n")[0])
    parser.add_argument("deb", type=pathlib.Path)
    parser.add_argument("stack")
    parser.add_argument("--release", default="bookworm")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/var/tmp/clean-roots"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    work = tempfile.mkdtemp(prefix="booted-")
    stack, receiver = Stack(options.stack), Receiver(work)
    failed = 0
    try:
        root = prepare(options, stack, receiver)
        machine = Machine(root, f"{work}/console")
        try:
            walk = Walk(machine, root, stack, receiver)
            for step in (walk.starts, walk.delivers, walk.reloads, walk.killed, walk.hung, walk.stopped_at_work,
                         walk.refused, walk.page, walk.upgraded):
                try:
                    step()
                    print(f"ok    {step.__name__}", flush=True)
                except (AssertionError, subprocess.SubprocessError) as error:
                    failed += 1
                    log = "\n".join(machine.log(UNIT).splitlines()[-15:])
                    print(f"FAIL  {step.__name__}: {error}\n{log}", flush=True)
            print(re.sub(r"\s+", " ", machine.call("systemctl", "--version").splitlines()[0]))
        finally:
            machine.end()
    finally:
        receiver.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
