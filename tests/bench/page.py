#!/usr/bin/env python3
"""One page of all that is measured: each measure's command, and what it printed.

usage: page.py BUILD STACK_DIR [--write] [--quick] [NAME...]     as tests/bench/run.sh calls it

NAMEs: latency again rolling idle filter deliver backlog slow tls scale peers, and retry reconcile notifier dashboard memory
pace, which --quick leaves out; all when none is given.
BUILD: a release build with the benches; STACK_DIR: a running stack. Shows each line as it comes, then the
page; with --write it goes to consumer/doc/performance.md, and the plots beside it. A measure that fails, or takes
longer than its bound, is said on the page, the others go on, and the exit code is 1.
"""
import argparse, collections, datetime, os, pathlib, platform, re, signal, subprocess, sys, threading, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "consumer" / "doc" / "performance.md"
PLOTS = PAGE.parent / "performance"
TRIED = pathlib.Path(__file__).resolve().parent / "tried.md"
ENDING_SECONDS = 20  # for a measure that took too long to end its own processes

# arguments: a pair is (for all, for --quick). seconds: the bound, for all and for --quick; None: not a part of --quick
Measure = collections.namedtuple("Measure", "heading script arguments seconds says")

MEASURES = {
    "latency": Measure(
        "Confirmation to webhook", "latency.py", ["{binary}", "{bench}", "{tools}", "{stack}", "--seconds", ("20", "12"), "--rounds", ("5", "3")],
        (600, 240),
        "What the program adds, against a bare consumer of the same topic; then from the SQL commit to the request at the receiver, "
        "through PostgreSQL, Debezium and Kafka as docker/connector.json sets them up, once the stack is warm."),
    "again": Measure(
        "Again after a crash or a restart", "again.py", ["{binary}", "{tools}", "--rounds", ("5", "2")],
        (900, 300),
        "From the kill, or from SIGTERM, to the next delivery; the program is started again at once. Of a broker: from its first answer."),
    "rolling": Measure(
        "A rolling restart", "rolling.py", ["{binary}", "{tools}", "--rounds", ("3", "1")], (600, 150),
        "Three members are restarted one after the other while 300 orders a second are confirmed."),
    "idle": Measure(
        "Idle", "idle.py", ["{binary}", "{tools}", "--seconds", ("60", "20")], (240, 120), "All threads of a process, while nothing happens."),
    "filter": Measure(
        "Reading and filtering", "run.py", ["{binary}", "{bench}", "{tools}", "{stack}", ("1000000", "300000"), ("7", "3")], (900, 120),
        "Records that confirm nothing, against a bare librdkafka loop that does nothing with them."),
    "deliver": Measure(
        "Delivering to an endpoint that answers at once", "posts.py",
        ["{binary}", "{bench}", "{tools}", "instant", "--records", ("150000", "20000"), "--pairs", ("5", "3")], (900, 150),
        "“The libraries” do the whole job with fixed bytes and nothing else: records, requests, outcome records, commits."),
    "backlog": Measure(
        "A backlog", "posts.py", ["{binary}", "{bench}", "{tools}", "backlog", "--records", ("1000000", "120000"), "--pairs", ("3", "3")],
        (900, 150), "One record in six confirms."),
    "slow": Measure(
        "A slow endpoint", "posts.py", ["{binary}", "{bench}", "{tools}", "slow", "--records", ("60000", "20000")], (300, 90),
        "An endpoint that takes 50 ms, 256 requests at a time, against what that allows."),
    "tls": Measure(
        "https", "tls.py", ["{binary}", "{bench}", "{tools}", "--records", ("30000", "6000"), "--pairs", "3"], (600, 150),
        "TLS 1.3 to nginx on the same cores, with keep-alive and with a server that closes after each answer."),
    "scale": Measure(
        "Scale", "scale.py", ["{binary}", "{bench}", "{tools}", "--rounds", ("3", "1"), "--svg", "{plots}"], (1800, 240),
        "What grows with what. `--most 10000000` reads ten million records too."),
    "peers": Measure(
        "Beside others", "peers/peers.py",
        ["{binary}", "{bench}", "{tools}", "--records", ("300000", "18000"), "--rounds", ("3", "2")], (1200, 240),
        "Confluent's parallel-consumer and a consumer in Python, as a shop's own first version: without retries, parking, outcome "
        "records and signatures, so that they do less."),
    "retry": Measure(
        "An operator's retry", "retry.py", ["{binary}", "{tools}", "{stack}", "200"], (600, None),
        "From the call to the POST at the endpoint, on the real stack."),
    "reconcile": Measure(
        "The shop's table beside what was delivered", "reconcile.py", ["{binary}", "{tools}", "{stack}"], (1800, None),
        "Outcomes erased, a segment of the topic deleted, the replication slot dropped for a minute: what is missing, named and sent."),
    "notifier": Measure(
        "A notifier that never answers", "notifier.py", ["{binary}", "{tools}"], (420, None),
        "Deliveries beside a dashboard whose notify.url hangs while the verdict changes, against one that has none."),
    "dashboard": Measure(
        "A million outcomes on the dashboard", "dashboard.py", ["{binary}", "{bench}", "{stack}", "1000000"], (600, None),
        "From Kafka into its database, then over HTTP."),
    "memory": Measure(
        "Memory of a backlog", "memory.py", ["{binary}", "{bench}", "{stack}", "600000", "20"], (300, None),
        "One record in six confirms; each answer takes a second."),
    "pace": Measure(
        "The receiver's pace", "pace.py", ["{binary}", "{tools}"], (1200, None),
        "Receivers of a capacity of their own, against the best fixed concurrency."),
}


def places(options):
    build = pathlib.Path(options.build).resolve()
    return {"binary": build / "elementor-sync", "bench": build / "tests/bench", "tools": build / "tests", "stack": options.stack,
            "plots": PLOTS if options.write else build / "plots"}


def arguments_of(name, quick, where):
    return [str((a if isinstance(a, str) else a[quick]).format(**where)) for a in MEASURES[name].arguments]


def command(name, quick):
    """As a reader types it in the project's folder."""
    where = {"binary": "build/release/elementor-sync", "bench": "build/release/tests/bench",
             "tools": "build/release/tests", "stack": "STACK", "plots": "consumer/doc/performance"}
    return f"python3 tests/bench/{MEASURES[name].script} " + " ".join(arguments_of(name, quick, where))


def end(process):
    """As Ctrl-C does, so that it ends what it started; then all of its group."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def measure(name, options):
    """(its lines, what went wrong or None); each line is shown as it comes."""
    bound = MEASURES[name].seconds[options.quick] or MEASURES[name].seconds[0]
    began, late, lines = time.monotonic(), threading.Event(), []
    print(f"== {name}", file=sys.stderr, flush=True)
    process = subprocess.Popen([sys.executable, ROOT / "tests/bench" / MEASURES[name].script, *arguments_of(name, options.quick, places(options))],
                               stdout=subprocess.PIPE, text=True, start_new_session=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    timer = threading.Timer(bound, lambda: (late.set(), end(process)))
    timer.start()
    try:
        for line in process.stdout:
            print("   " + line, end="", file=sys.stderr, flush=True)
            lines.append(line.rstrip())
        code = process.wait()
    except KeyboardInterrupt:
        end(process)
        raise
    finally:
        timer.cancel()
    print(f"   ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
    if late.is_set():
        return lines, f"This measure was ended after {bound} s."
    return lines, "This measure failed, or missed what it is held to." if code else None


def output_of(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def model():
    found = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return found[1] if found else platform.machine()


def machine(options):
    versions = output_of(places(options)["binary"], "--version").splitlines()
    system = re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text())
    return (f"{datetime.date.today()}, commit {output_of('git', 'describe', '--always', '--dirty')}; {os.cpu_count()} cores ({model()}), {system[1]}, "
            f"load {os.getloadavg()[0]:.1f} at the start. {' · '.join(' '.join(v.split()) for v in versions)}")


def plots(name, options):
    """The plots that a measure left, as the page shows them."""
    folder = places(options)["plots"]
    if name != "scale" or not options.write or not folder.is_dir():
        return ""
    return "\n" + "\n".join(f"![{path.stem}](performance/{path.name})" for path in sorted(folder.glob("*.svg"))) + "\n"


def section(name, options, lines, trouble):
    text = f"## {MEASURES[name].heading}\n\n{MEASURES[name].says}\n\n    {command(name, options.quick)}\n\n```\n" + "\n".join(lines) + "\n```\n"
    return text + plots(name, options) + (f"\n**{trouble}**\n" if trouble else "")


def chosen(options):
    return options.name or [name for name in MEASURES if not options.quick or MEASURES[name].seconds[1]]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build")
    parser.add_argument("stack")
    parser.add_argument("name", nargs="*")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_intermixed_args()
    unknown = set(options.name) - set(MEASURES)
    if unknown:
        parser.error(f"no such measure: {', '.join(sorted(unknown))}; there are {' '.join(MEASURES)}")
    words = " ".join(["--quick"] * options.quick + ["--write", *options.name])
    parts, good = [f"# Performance\n\n`sh tests/bench/run.sh {words}` made this page: {machine(options)}\n\n"
                   "Shop, brokers, receiver and the program share these cores, so that ratios say more than figures do; ratios are "
                   "taken pair by pair in one run. `12.3 (11.9 to 14.0)` is a median and what it lies between, of the rounds or pairs of its line.\n"], True
    for name in chosen(options):
        lines, trouble = measure(name, options)
        good &= trouble is None
        parts.append(section(name, options, lines, trouble))
    parts.append(TRIED.read_text())
    page = "\n".join(parts)
    if options.write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page)
    print(page)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
