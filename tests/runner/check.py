#!/usr/bin/env python3
"""The runner itself: tests/run.sh in a tree of stand-ins. However a run ends, its last line is the
account, its status fits, and nothing that it started lives on.

usage: check.py [NAME...]
"""
import os, pathlib, re, shutil, signal, subprocess, sys, tempfile, time, traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAST_LINE = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")
PATIENCE = 240  # a busy machine takes its time

# A process that a step leaves running: in a session of its own, deaf to SIGTERM, without the step's name.
LEFT_BEHIND = "setsid sh -c \"trap '' TERM; echo \\$\\$ >>$FOUND; while :; do sleep 1; done\" &\n"

STAND_INS = {
    "dpkg-query": "shift 3; printf 'install ok installed %s\\n' \"$@\"",
    "apt-get": "exit 0",
    "clang": "echo 14",
    "cmake": "exit 0",
    "ninja": "exit 0",
    "ctest": "echo ' 1/2 Test #1: a_test .... Passed'; echo ' 2/2 Test #2: b_test .... Passed'",
    "cppcheck": "exit 0",
    "clang-tidy": "exit 0",
    "npm": "exit 0",
    "deno": "exit 0",
    "php": "echo 8.2",
    "node": "echo 'ok    page'; echo '1 passed, 0 failed'",
}
# The downloads that run.sh finds in build/ already.
FETCHED = ("promtool/usr/bin/promtool", "nginx/usr/sbin/nginx", "caddy/usr/bin/caddy", "tinyproxy/usr/bin/tinyproxy",
           "kubectl/usr/bin/kubectl", "php-fpm/usr/sbin/php-fpm8.2", "wordpress/usr/share/wordpress/index.php",
           "venv/confluent_kafka.libs/librdkafka-0.so.1")
SCRIPTS = {
    "docker/release.sh": "exit 0",
    "tests/stack/up.sh": "touch \"$1/secret\"\n" + LEFT_BEHIND + "echo up",
    "tests/stack/down.sh": "echo \"$1\" >>\"$FOUND.down\"",
    "tests/fuzz/run.sh": "shift; for t; do echo \"ok    $t: much\"; done",
}
PROGRAMS = {
    "tests/e2e/run.py": "print('ok    one\\nok    two\\n2 passed, 0 failed')",
    "tests/e2e/demo.py": "print('1 passed, 0 failed')",
    "tests/chaos/run.py": "pass",
    "tests/interop/check.py": "pass",
    "tests/property/fastavro_check.py": "pass",
    "tests/runner/check.py": "print('1 passed, 0 failed')",
}
HANGS = "import time, sys; print('ok    one', flush=True); time.sleep(1000)"


class Tree:
    """A clone in which every tool is a stand-in."""

    def __init__(self, folder):
        self.root = pathlib.Path(folder) / "clone"
        self.found = pathlib.Path(folder) / "found"  # ids of what the stand-ins left running
        self.bin = pathlib.Path(folder) / "bin"
        self.temporary = pathlib.Path(folder) / "tmp"
        self.bin.mkdir()
        self.temporary.mkdir()
        for name in ("run.sh", "runner/lib.sh", "runner/guard.sh", "runner/packages.sh", "runner/form.sh"):
            self.write(f"tests/{name}", (ROOT / "tests" / name).read_text())
        for name in ("consumer/packages.txt", "tests/packages.txt", "tests/stack/packages.txt",
                     "tests/receivers/packages.txt", "tests/package/packages.txt", "tests/image/packages.txt"):
            self.write(name, "gcc\n")
        for name in ("tests/browser/package.json", "tests/browser/package-lock.json",
                     "tests/supabase/package-lock.json", "docker/supabase/config.toml",
                     "tests/kubernetes/package-lock.json", "tests/kubernetes/definitions.mjs",
                     "tests/unit/a_test.c"):
            self.write(name, "{}\n")
        for name, body in STAND_INS.items():
            self.tool(name, body)
        for name, body in SCRIPTS.items():
            self.write(name, "#!/bin/sh\n" + body + "\n")
        for name, body in PROGRAMS.items():
            self.write(name, body + "\n")
        self.tool(self.root / "build/venv/bin/clang-format", "exit 0")
        self.tool(self.root / "build/venv/bin/python", "case $1 in tests/e2e/*) exec python3 \"$@\" ;; esac\n"
                                                       "echo '1 passed, 0 failed'")
        for path in FETCHED:
            self.tool(self.root / "build" / path, "exit 0")
        packages = (ROOT / "tests/runner/packages.sh").read_text()
        wanted = re.findall(r'wanted="(?:\$wanted )?([^"]*)"', packages)
        self.write("build/venv/holds", " ".join(w for w in wanted if "==" in w or "thesis" in w))

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def tool(self, name, body):
        path = self.bin / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n" + body + "\n")
        path.chmod(0o755)

    def start(self, *words, stdout=subprocess.PIPE, **env):
        env = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}", "FOUND": str(self.found),
               "TMPDIR": str(self.temporary), "CI": "", "KILL_SECONDS": "1", **env}
        return subprocess.Popen(["sh", "tests/run.sh", *words], cwd=self.root, env=env, stdout=stdout,
                                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                                start_new_session=True)

    def living(self):
        ids = self.found.read_text().split() if self.found.exists() else []
        return [i for i in ids if pathlib.Path(f"/proc/{i}/stat").exists()
                and pathlib.Path(f"/proc/{i}/stat").read_text().rpartition(")")[2].split()[0] != "Z"]

    def settle(self, process):
        """The output and the three numbers; fails unless the account is the last line and all is gone."""
        out, _ = process.communicate(timeout=PATIENCE)
        last = out.rstrip("\n").rpartition("\n")[2]
        account = LAST_LINE.fullmatch(last)
        assert account, f"the last line is {last!r}:\n{out}"
        assert not self.living(), f"these live on: {self.living()}\n{out}"
        assert not list(self.temporary.iterdir()), f"{list(self.temporary.iterdir())}\n{out}"
        return out, *map(int, account.groups())

    def run(self, *words, **env):
        process = self.start(*words, **env)
        return *self.settle(process), process.returncode


def all_is_well(tree):
    out, good, bad, skipped, status = tree.run()
    assert (bad, skipped, status) == (0, 0, 0) and good > 15, out
    assert tree.found.exists() and pathlib.Path(f"{tree.found}.down").exists(), out


def a_runner_that_dies_at_once(tree):
    for body in ("import sys; sys.exit(3)", "pass", "import os; os.kill(os.getpid(), 9)",
                 "import os, sys; os.close(1); sys.exit(1)"):
        tree.write("tests/e2e/run.py", body)
        out, _, bad, _, status = tree.run("stack")
        assert bad == 1 and status == 1, out


def numbers_that_do_not_fit(tree):
    for body in ("import sys; print('2 passed, 0 failed'); sys.exit(1)", "print('0 passed, 0 failed')"):
        tree.write("tests/e2e/run.py", body)
        out, _, bad, _, status = tree.run("stack")
        assert bad == 1 and status == 1, out
    tree.write("tests/e2e/run.py", "import sys; print('2 passed, 3 failed'); sys.exit(1)")
    out, good, bad, _, status = tree.run("stack")
    assert bad == 3 and good == 3 and status == 1, out


def a_step_that_fails(tree):
    """The others go on, and what could not be tried is no success."""
    for tool in ("cmake", "ninja"):
        tree.tool(tool, "echo broken; exit 1")
        out, good, bad, _, status = tree.run()
        assert status == 1 and bad >= 4 and good >= 4, out
        assert "FAIL  unit tests: not run" in out and "ok    schema_fuzz" in out, out
        tree.tool(tool, STAND_INS[tool])
    tree.tool("ctest", "exit 8")
    out, good, bad, _, status = tree.run()
    assert status == 1 and bad == 3 and good > 10, out


def packages_that_cannot_be_had(tree):
    tree.tool("dpkg-query", "exit 1")
    tree.tool("apt-get", "echo 'no network' >&2; exit 100")
    (tree.root / "build/venv/holds").unlink()
    tree.tool("python3", f"case $* in *venv*) exit 1 ;; esac; exec {sys.executable} \"$@\"")
    out, good, bad, _, status = tree.run()
    assert status == 1 and bad >= 3 and good > 10 and "no network" in out, out


def a_stack_that_does_not_start(tree):
    tree.write("tests/stack/up.sh", "touch \"$1/secret\"\n" + LEFT_BEHIND + "exit 1\n")
    out, _, bad, skipped, status = tree.run("stack")
    assert (bad, skipped) == (0, 1) and status == 0, out
    out, _, bad, skipped, status = tree.run("stack", CI="true")
    assert (bad, skipped) == (1, 0) and status == 1, out


def await_hang(process):
    """Until the runner of the end-to-end tests has shown a line; what was read so far."""
    seen = ""
    for line in process.stdout:
        seen += line
        if line.startswith("ok    one") or line.startswith("hangs"):
            return seen
    raise AssertionError(f"it ended: {seen}")


def killed(tree):
    tree.write("tests/e2e/run.py", "import subprocess\nsubprocess.Popen(['sh', '-c', "
               + repr(LEFT_BEHIND) + "])\n" + HANGS)
    for sent, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129),
                         (signal.SIGQUIT, 131), (signal.SIGKILL, -9)):
        process = tree.start("stack")
        await_hang(process)
        began = time.monotonic()
        process.send_signal(sent)
        out, good, bad, _ = tree.settle(process)
        assert bad == 1 and good == 1 and process.returncode == status, (sent, process.returncode, out)
        assert time.monotonic() - began < 30, f"{sent}: {time.monotonic() - began:.0f} s"


def form_runs_beside_the_others(tree):
    """The linters' checks are in the account, one that fails is shown, and they end with the run."""
    names = ("layers", "events", "clang-format", "cppcheck", "clang-tidy", "pyflakes")
    out, good, bad, _, status = tree.run("form")
    assert all(f"ok    {name}\n" in out for name in names), out
    assert (good, bad, status) == (len(names) + 1, 0, 0), out
    tree.tool("cppcheck", "echo 'null pointer'; exit 1")
    tree.tool("clang-tidy", "echo 'too long'; exit 1")
    out, good, bad, _, status = tree.run("form")
    assert (good, bad, status) == (len(names) - 1, 2, 1) and "null pointer" in out and "too long" in out, out
    tree.write("tests/runner/form.sh", "kill -9 $$\n")
    out, good, bad, _, status = tree.run("form")
    assert (good, bad, status) == (1, 1, 1) and "FAIL  form: ended with status" in out, out
    tree.write("tests/runner/form.sh", (ROOT / "tests/runner/form.sh").read_text())
    tree.tool("clang-tidy", LEFT_BEHIND + "sleep 1000")
    tree.write("tests/e2e/run.py", f"import os, time\nwhile not os.path.exists({str(tree.found)!r}): time.sleep(0.02)\n"
               + HANGS)
    tree.write("tests/stack/up.sh", "touch \"$1/secret\"\n")
    for sent, status in ((signal.SIGTERM, 143), (signal.SIGKILL, -9)):
        tree.found.unlink(missing_ok=True)
        process = tree.start("form", "stack")
        await_hang(process)
        process.send_signal(sent)
        out, _, bad, _ = tree.settle(process)
        assert bad >= 1 and process.returncode == status, (sent, process.returncode, out)


def an_image_that_cannot_be_built(tree):
    """A machine that lets buildah run nothing is a skip, in CI too; a base that cannot be fetched is none there."""
    python = tree.root / "build/venv/bin/python"
    for code, ci, expected in ((0, "", (2, 0, 0)), (3, "true", (1, 0, 1)), (4, "", (1, 0, 1)), (4, "true", (1, 1, 0)),
                               (1, "", (1, 1, 0))):
        tree.tool(python, f"case $1 in *build.py) echo why; exit {code} ;; esac; echo '1 passed, 0 failed'")
        out, good, bad, skipped, _ = tree.run("image", CI=ci)
        assert (good, bad, skipped) == expected and (code == 0 or "why" in out), (code, ci, out)
    tree.tool(python, LEFT_BEHIND + "sleep 1000")
    process = tree.start("image")
    deadline = time.monotonic() + PATIENCE
    while not tree.found.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.terminate()
    _, _, bad, _ = tree.settle(process)
    assert bad >= 1 and process.returncode == 143


def killed_with_its_group(tree):
    """As a terminal that is closed, or a job's limit, does it."""
    tree.write("tests/e2e/run.py", HANGS)
    process = tree.start("stack")
    await_hang(process)
    os.killpg(process.pid, signal.SIGKILL)
    out, _, bad, _ = tree.settle(process)
    assert bad == 1, out


def killed_in_any_step(tree):
    hang = "echo hangs; " + LEFT_BEHIND + "sleep 1000"
    for kind, name in (("tool", "cmake"), ("tool", "ctest"), ("script", "tests/stack/up.sh"),
                       ("tool", "node"), ("tool", "apt-get")):
        if name == "apt-get":
            tree.tool("dpkg-query", "exit 1")
        (tree.tool if kind == "tool" else tree.write)(name, hang)
        before = len(tree.found.read_text().split()) if tree.found.exists() else 0
        process = tree.start("unit", "browser", "stack")
        deadline = time.monotonic() + PATIENCE
        while not tree.found.exists() or len(tree.found.read_text().split()) == before:
            assert process.poll() is None and time.monotonic() < deadline, name
            time.sleep(0.02)
        process.terminate()
        out, _, bad, _ = tree.settle(process)
        assert bad >= 1 and process.returncode == 143 and "interrupted by SIGTERM" in out, (name, out)
        if kind == "tool":
            tree.tool(name, STAND_INS[name])
        else:
            tree.write(name, SCRIPTS[name])


def told_twice(tree):
    """An impatient Ctrl-C does not cut the end short."""
    tree.write("tests/e2e/run.py", HANGS)
    process = tree.start("stack")
    await_hang(process)
    for _ in range(5):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    out, _, bad, _ = tree.settle(process)
    assert bad == 1 and process.returncode == 130, out


def nobody_reads(tree):
    """sh tests/run.sh | head -n 1"""
    process = tree.start("stack")
    process.stdout.readline()
    process.stdout.close()
    process.wait(PATIENCE)
    assert process.returncode == 141, process.returncode
    deadline = time.monotonic() + PATIENCE
    while tree.living() or list(tree.temporary.iterdir()):
        assert time.monotonic() < deadline, tree.living()
        time.sleep(0.05)


def a_part_of_the_stack_that_dies(tree):
    """It is told at once, also while another part is awaited."""
    shutil.copytree(ROOT / "tests/stack", tree.root / "tests/stack", dirs_exist_ok=True)
    folder = tree.temporary / "stack"
    for part in ("kafka", "connect"):
        (folder / part).mkdir(parents=True)
    script = ("set -eu; . $HERE/lib.sh; ready_connect() { false; }; launch connect sleep 1000; "
              "echo $! >$FOUND; launch kafka sh -c 'echo out of memory; exit 3'; await connect $PARTS")
    began = time.monotonic()
    done = subprocess.run(["sh", "-c", script], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=PATIENCE,
                          env={**os.environ, "DIR": str(folder), "FOUND": str(tree.found),
                               "HERE": str(tree.root / "tests/stack"), "READY_SECONDS": "200"})
    assert done.returncode == 1 and "out of memory\nstack: kafka ended" in done.stdout, done.stdout
    assert time.monotonic() - began < 100, done.stdout


def by_name(tree):
    out, good, bad, _, status = tree.run("a_test")
    assert (good, bad, status) == (3, 0, 0) and "-R" not in out and "end to end" not in out, out
    tree.write("tests/e2e/cases.py", "def one(test):\n    pass\n")
    tree.write("tests/e2e/run.py", "import sys; print(sys.argv[4:], '\\n1 passed, 0 failed')")
    out, _, bad, _, status = tree.run("one")
    assert (bad, status) == (0, 0) and "['one']" in out and "unit tests" not in out, out
    for word in ("nonsense", "../unit/a_test", "-x", ""):
        out, good, bad, _, status = tree.run(word)
        assert (good, bad, status) == (0, 1, 2), out


def the_days_part(tree):
    """unit builds once, and asks nothing of other people's programs; interop has all of that."""
    for downloaded in ("promtool", "nginx", "kubectl"):
        shutil.rmtree(tree.root / "build" / downloaded)
    tree.tool("npm", "exit 1")
    out, good, bad, skipped, status = tree.run("unit")
    assert (good, bad, skipped, status) == (5, 0, 0, 0) and "release" not in out and "circle" in out, out
    out, _, bad, skipped, status = tree.run("interop")
    assert (bad, skipped, status) == (0, 4, 0) and "ok    release build" in out and "circle" not in out, out


def the_demo_script(tree):
    """consumer/demo.sh: when the demo cannot begin, the last line says so, and why."""
    tree.write("consumer/demo.sh", (ROOT / "consumer/demo.sh").read_text())
    env = {**os.environ, "PATH": f"{tree.bin}:{os.environ['PATH']}"}

    def demo(expected):
        done = subprocess.run(["sh", "consumer/demo.sh"], cwd=tree.root, env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE)
        last = done.stdout.rstrip("\n").rpartition("\n")[2]
        assert done.returncode != 0 and re.fullmatch(expected, last), done.stdout

    tree.tool("cmake", "exit 1")
    demo("demo.sh: the demo did not start: cmake failed; see build/program.log")
    tree.tool("cmake", "mkdir -p build/program; touch build/program/build.ninja")
    tree.tool("ninja", "exit 1")
    demo("demo.sh: the demo did not start: the build failed; see above")
    tree.tool("dpkg-query", "exit 1")
    tree.tool("apt-get", "exit 100")
    demo("demo.sh: the demo did not start: apt-get (update|install) failed; see build/apt.log")
    tree.tool("apt-get", "echo x >>\"$FOUND\"; sleep 1000")
    env["FOUND"] = str(tree.found)
    process = subprocess.Popen(["sh", "consumer/demo.sh"], cwd=tree.root, env=env, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while not tree.found.exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=PATIENCE)
    assert out.endswith("demo.sh: the demo did not start: interrupted by SIGTERM\n"), out
    assert process.returncode == 143, process.returncode


TESTS = [all_is_well, a_runner_that_dies_at_once, numbers_that_do_not_fit, a_step_that_fails,
         packages_that_cannot_be_had, a_stack_that_does_not_start, form_runs_beside_the_others,
         an_image_that_cannot_be_built, killed, killed_with_its_group, killed_in_any_step, told_twice, nobody_reads, a_part_of_the_stack_that_dies, by_name,
         the_days_part, the_demo_script]


def run_one(test):
    began = time.monotonic()
    failure = ""
    with tempfile.TemporaryDirectory(prefix="runner-") as folder:
        tree = Tree(folder)
        try:
            test(tree)
        except Exception:
            failure = "\n" + traceback.format_exc()
        for left in tree.living():  # by its id: what this very test left
            os.kill(int(left), signal.SIGKILL)
    print(f"{'FAIL' if failure else 'ok  '}  runner: {test.__name__}  ({time.monotonic() - began:.1f} s)"
          f"{failure}", flush=True)
    return not failure


def main():
    names = sys.argv[1:]
    wanted = [test for test in TESTS if not names or test.__name__ in names]
    passed = sum(run_one(test) for test in wanted)
    print(f"{passed} passed, {len(wanted) - passed} failed")
    return 0 if wanted and passed == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
