#!/usr/bin/env python3
"""The release that docker/release.sh made, as Debian's tools and a user see it: unpacked, never installed into this machine.

usage: check.py RELEASE AGAIN TOOLS
  RELEASE, AGAIN: two folders of one commit; TOOLS: the folder of mock_kafka

The units' commands run for real, with their environment and credentials, told of and watched as systemd does it.
"""
import contextlib, gzip, hashlib, json, os, pathlib, queue, re, signal, socket, subprocess, sys, tempfile, threading
import time, traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "interop"), str(ROOT / "tests" / "stack")]
from dashboard import OWN, PATIENCE_S, SECRET, TOPIC, Kafka, Process  # noqa: E402
from ports import free_ports  # noqa: E402

RELEASE, AGAIN, TOOLS = (pathlib.Path(argument) for argument in sys.argv[1:])
UNITS = ("elementor-sync.service", "elementor-sync-dashboard.service")


def output(*command):
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, timeout=600)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def twice_made_it_is_the_same(unpacked):
    names = sorted(path.name for path in RELEASE.iterdir())
    assert names == sorted(path.name for path in AGAIN.iterdir()) and len(names) == 5, names
    for name in names:
        assert (RELEASE / name).read_bytes() == (AGAIN / name).read_bytes(), name
    sums = dict(reversed(line.split()) for line in (RELEASE / "SHA256SUMS").read_text().splitlines())
    assert sums == {name: hashlib.sha256((RELEASE / name).read_bytes()).hexdigest()
                    for name in names if name != "SHA256SUMS"}, sums


def the_sbom_names_the_linked_libraries(unpacked):
    bom = json.loads(next(RELEASE.glob("*.cdx.json")).read_text())
    versions = {c["name"]: c["version"] for c in bom["components"]}
    for library in ("librdkafka1", "libavro2", "libjansson4", "libmicrohttpd12", "zlib1g"):
        package = next(name for name in versions if name.startswith(library))  # Debian 13 has some with t64 behind
        assert versions[package] == output("dpkg-query", "-W", "-f", "${Version}", package), (package, versions)


def lintian_has_nothing_to_say(unpacked):
    said = output("lintian", "--fail-on", "error,warning", next(RELEASE.glob("*.deb")))
    assert not re.search(r"^[EW]:", said, re.M), said


def the_package_is_as_debian_wants_it(unpacked):
    control = output("dpkg-deb", "-f", next(RELEASE.glob("*.deb")))
    for package in ("ca-certificates", "librdkafka1 (>= 2.", "libcurl4", "libavro", "zlib1g"):
        assert package in control, control
    assert gzip.decompress((unpacked / "usr/share/doc/elementor-sync/changelog.Debian.gz").read_bytes())
    for script in ("postinst", "prerm", "postrm"):
        output("sh", "-n", ROOT / "docker" / "debian" / script)


def the_program_says_what_it_is(unpacked):
    said = output(unpacked / "usr/bin/elementor-sync", "--version").splitlines()
    assert re.fullmatch(r"elementor-sync \d+\.\d+\.\d+", said[0]), said
    told = json.loads(output(unpacked / "usr/bin/elementor-sync", "version", "--json"))
    assert said[0].endswith(told.pop("version"))
    assert [line.split(None, 1)[0] for line in said[1:]] == [name.split()[0] for name in told], (said, told)
    head = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], text=True, capture_output=True)
    assert head.returncode != 0 or told["commit"].startswith(head.stdout[:12]), told
    rdkafka = output("dpkg-query", "-W", "-f", "${Version}", "librdkafka1")
    assert rdkafka.startswith(told["librdkafka"]), (rdkafka, told)


def the_manual_page_is_clean(unpacked):
    page = gzip.decompress((unpacked / "usr/share/man/man1/elementor-sync.1.gz").read_bytes())
    shown = subprocess.run(["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-rLL=100n", "-P-cbou"], input=page, capture_output=True)
    assert shown.returncode == 0 and shown.stderr == b"", shown.stderr.decode()
    text = shown.stdout.decode()
    for words in ("NAME", "--until-end", "kafka.brokers", "reconcile", "EXIT STATUS"):
        assert words in text, words


def the_shells_complete(unpacked):
    share = unpacked / "usr/share"
    bash = share / "bash-completion/completions/elementor-sync"

    def bash_offers(*words):
        script = ('. "$1"; shift; compopt() { :; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                  '_elementor_sync; printf "%s\\n" "${COMPREPLY[@]}"')
        return output("bash", "--norc", "-c", script, "bash", bash, *words).split()

    assert bash_offers("elementor-sync", "rep") == ["replay"]
    assert bash_offers("elementor-sync", "run", "--unt") == ["--until-end"]
    assert bash_offers("elementor-sync", "run", "--set", "kafka.sta") == ["kafka.start="]
    assert bash_offers("elementor-sync", "run", "--set", "kafka.start", "=", "l") == ["latest"]
    fish = share / "fish/vendor_completions.d/elementor-sync.fish"
    offered = output("fish", "--no-config", "-c", f'source {fish}; complete -C "elementor-sync run --unt"')
    assert offered.startswith("--until-end\t"), offered
    output("zsh", "-n", share / "zsh/vendor-completions/_elementor-sync")


def units_in(folder, unpacked):
    """The units with the unpacked program in place of the installed one."""
    for name in UNITS:
        text = (unpacked / "usr/lib/systemd/system" / name).read_text()
        assert "ExecStart=/usr/bin/elementor-sync " in text, text
        (folder / name).write_text(text.replace("=/usr/bin/", f"={unpacked}/usr/bin/"))
        yield folder / name


def systemd_takes_the_units(unpacked):
    with tempfile.TemporaryDirectory() as folder:
        for unit in units_in(pathlib.Path(folder), unpacked):
            said = output("systemd-analyze", "verify", "--man=no", unit)
            assert unit.name not in said, said
            output("systemd-analyze", "security", "--offline=yes", "--threshold=20", unit)


class Service(Process):
    """A unit's command, started with the environment that systemd would give it."""

    def __init__(self, unit, unpacked, config, secrets, folder):
        text = (unpacked / "usr/lib/systemd/system" / unit).read_text()
        value = lambda name: re.findall(rf"^{name}=(.*)$", text, re.M)
        credentials = folder / "credentials"
        credentials.mkdir()
        assert value("Type") == ["notify"] and value("LoadCredential") == ["secrets:/etc/elementor-sync/secrets"]
        for name, secret in secrets.items():  # as LoadCredential= names what it finds in a folder
            (credentials / f"secrets_{name}").write_text(secret + "\n")
            (credentials / f"secrets_{name}").chmod(0o400)
        (folder / "elementor-sync-dashboard").mkdir()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(folder / "notify"))
        self.told = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()
        filled = [e.replace("%d", str(credentials)).replace("%S", str(folder)) for e in value("Environment")]
        env = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "400000"}
        env |= OWN | dict(e.split("=", 1) for e in filled)
        if "dashboard" in unit:
            env["AUTH_HS256_SECRET_FILE"] = str(credentials / "secrets_auth.hs256_secret")
        command = value("ExecStart")[0].replace("/usr/bin/", f"{unpacked}/usr/bin/", 1)
        assert "/etc/elementor-sync/shop.yaml" in command, command
        super().__init__(command.replace("/etc/elementor-sync/shop.yaml", str(config)).split(), env=env, cwd=folder)

    def listen(self):
        """Like systemd: what is told is read as it comes."""
        while (message := self.manager.recv(4096).decode()) != "the end":
            self.told.put(message)

    def await_told(self, message):
        while (told := self.told.get(timeout=PATIENCE_S)) != message:
            assert told == "WATCHDOG=1", told

    def await_ready(self):
        self.await_told("READY=1")

    def close(self):
        super().close()
        self.manager.sendto(b"the end", self.manager.getsockname())


def health(unpacked, config, *more):
    done = subprocess.run([str(unpacked / "usr/bin/elementor-sync"), "health", "--config", str(config), *more], text=True,
                          capture_output=True, timeout=PATIENCE_S, env={"PATH": os.environ["PATH"]})
    return done.returncode, done.stdout + done.stderr


@contextlib.contextmanager
def configured():
    """The configuration of ten lines at most, on a mock Kafka."""
    with tempfile.TemporaryDirectory() as name, Kafka(TOOLS) as kafka:
        folder = pathlib.Path(name)
        ops, page = free_ports(2)
        config = folder / "shop.yaml"
        config.write_text(f"kafka:\n  brokers: {kafka.brokers}\n  topic: {TOPIC}\n  start: latest\n"
                          "registry:\n  url: http://127.0.0.1:9\n"
                          f"ops:\n  listen: 127.0.0.1:{ops}\ndashboard.listen: 127.0.0.1:{page}\n")
        yield folder, config


def await_health(unpacked, config, *more):
    end = time.monotonic() + PATIENCE_S
    while (answer := health(unpacked, config, *more))[0] == 1 and time.monotonic() < end:
        time.sleep(0.1)
    assert answer[0] == 0, answer


def the_service_runs(unpacked):
    with configured() as (folder, config):
        assert health(unpacked, config)[0] == 3
        secrets = {"webhook.url": "http://127.0.0.1:9/hook"}
        with Service(UNITS[0], unpacked, config, secrets, folder) as service:
            await_health(unpacked, config)
            assert health(unpacked, config, "--live")[1].startswith("run is alive ")
            service.await_told("WATCHDOG=1")
            service.child.send_signal(signal.SIGHUP)  # ExecReload=
            service.await_line("configuration read again")
            service.child.send_signal(signal.SIGTERM)
            service.await_told("STOPPING=1")
            assert service.child.wait(PATIENCE_S) == 0, "".join(service.log)


def the_dashboard_runs(unpacked):
    with configured() as (folder, config):
        secrets = {"webhook.url": "http://127.0.0.1:9/hook", "auth.hs256_secret": SECRET}
        with Service(UNITS[1], unpacked, config, secrets, folder) as service:
            await_health(unpacked, config, "--dashboard")
            service.await_told("WATCHDOG=1")
            assert (folder / "elementor-sync-dashboard" / "view.db").exists()
            service.child.send_signal(signal.SIGTERM)
            service.await_told("STOPPING=1")
            assert service.child.wait(PATIENCE_S) == 0, "".join(service.log)


TESTS = (twice_made_it_is_the_same, the_sbom_names_the_linked_libraries, lintian_has_nothing_to_say,
         the_package_is_as_debian_wants_it, the_program_says_what_it_is, the_manual_page_is_clean, the_shells_complete,
         systemd_takes_the_units, the_service_runs, the_dashboard_runs)


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as unpacked:
        output("dpkg-deb", "-x", next(RELEASE.glob("*.deb")), unpacked)
        for test in TESTS:
            try:
                test(pathlib.Path(unpacked))
                print("ok   ", test.__name__, flush=True)
            except Exception:
                traceback.print_exc()
                print("FAIL ", test.__name__, flush=True)
                failed += 1
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
