#!/usr/bin/env python3
"""One page of all that is measured: each measure's command, and what it printed.

usage: page.py BUILD STACK_DIR [--write] [--quick] [NAME...]     as tests/bench/run.sh calls it

NAMEs: latency again idle filter deliver backlog scale tls pace peers retry dashboard memory; all when none
is given.
BUILD: a release build with the benches; STACK_DIR: a running stack. Shows each line as it comes, then the
page; with --write it goes to consumer/doc/performance.md. A measure that fails is said on the page, and
the exit code is 1.
"""
import argparse, datetime, os, pathlib, platform, re, subprocess, sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "consumer" / "doc" / "performance.md"
TRIED = pathlib.Path(__file__).resolve().parent / "tried.md"

# name: (heading, script, arguments; (all, quick) for a number of records, what it says)
MEASURES = {
    "latency": ("Confirmation to webhook", "latency.py", ["{binary}", "{bench}", "{tools}", "{stack}"],
                "What the program adds, against a bare consumer of the same topic; then from the SQL commit to the request at the receiver, "
                "through PostgreSQL, Debezium and Kafka as docker/connector.json sets them up."),
    "again": ("Again after a crash or a restart", "again.py", ["{binary}", "{tools}"],
              "From the kill, or from SIGTERM, to the next delivery; the program is started again at once."),
    "idle": ("Idle", "idle.py", ["{binary}", "{tools}"],
             "All threads of a process, while nothing happens."),
    "filter": ("Reading and filtering", "run.py",
               ["{binary}", "{bench}", "{tools}", "{stack}", ("1000000", "200000"), ("7", "3")],
               "Records that confirm nothing, against a bare librdkafka loop that does nothing with them."),
    "deliver": ("Delivering to an endpoint that answers at once", "posts.py",
                ["{binary}", "{bench}", "{tools}", "instant", "--records", ("150000", "20000"), "--pairs", ("5", "3")],
                "“The libraries” do the whole job with fixed bytes and nothing else: records, requests, outcome records, commits."),
    "backlog": ("A backlog", "posts.py",
                ["{binary}", "{bench}", "{tools}", "backlog", "--records", ("1000000", "120000"), "--pairs", ("3", "3")],
                "One record in six confirms."),
    "scale": ("Members", "posts.py", ["{binary}", "{bench}", "{tools}", "slow", "scale"],
              "An endpoint that takes 50 ms: one, two and three members; and one with 256 requests at a time."),
    "tls": ("https", "tls.py", ["{binary}", "{bench}", "{tools}", "--records", ("30000", "6000"), "--pairs", "3"],
            "TLS 1.3 to nginx on the same cores, with keep-alive and with a server that closes after each answer."),
    "pace": ("The receiver's pace", "pace.py", ["{binary}", "{tools}"],
             "Receivers of a capacity of their own, against the best fixed concurrency."),
    "peers": ("Beside others", "peers/peers.py", ["{binary}", "{bench}", "{tools}", "--records", ("300000", "60000"), "--rounds", "3"],
              "Confluent's parallel-consumer and a consumer in Python, as a shop's own first version: without retries, parking, outcome "
              "records and signatures, so that they do less."),
    "retry": ("An operator's retry", "retry.py", ["{binary}", "{tools}", "{stack}", ("200", "50")],
              "From the call to the POST at the endpoint, on the real stack."),
    "dashboard": ("A million outcomes on the dashboard", "dashboard.py", ["{binary}", "{bench}", "{stack}", ("1000000", "100000")],
                  "From Kafka into its database, then over HTTP."),
    "memory": ("Memory of a backlog", "memory.py", ["{binary}", "{bench}", "{stack}", ("600000", "100000"), "20"],
               "One record in six confirms; each answer takes a second."),
}


def places(options):
    build = pathlib.Path(options.build).resolve()
    return {"binary": build / "elementor-sync", "bench": build / "tests/bench", "tools": build / "tests", "stack": options.stack}


def arguments_of(name, quick, where):
    return [str((a if isinstance(a, str) else a[quick]).format(**where)) for a in MEASURES[name][2]]


def command(name, quick):
    """As a reader types it in the project's folder."""
    where = {"binary": "build/release/elementor-sync", "bench": "build/release/tests/bench",
             "tools": "build/release/tests", "stack": "STACK"}
    return f"python3 tests/bench/{MEASURES[name][1]} " + " ".join(arguments_of(name, quick, where))


def measure(name, options):
    """(its lines, whether it ended well); each line is shown as it comes."""
    _, script, _, _ = MEASURES[name]
    print(f"== {name}", file=sys.stderr, flush=True)
    process = subprocess.Popen([sys.executable, ROOT / "tests/bench" / script, *arguments_of(name, options.quick, places(options))],
                               stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    lines = []
    for line in process.stdout:
        print("   " + line, end="", file=sys.stderr, flush=True)
        lines.append(line.rstrip())
    return lines, process.wait() == 0


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


def section(name, quick, lines, good):
    heading, _, _, says = MEASURES[name]
    text = f"## {heading}\n\n{says}\n\n    {command(name, quick)}\n\n```\n" + "\n".join(lines) + "\n```\n"
    return text if good else text + "\n**This measure failed, or missed what it is held to.**\n"


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build")
    parser.add_argument("stack")
    parser.add_argument("name", nargs="*", default=list(MEASURES))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_intermixed_args()
    unknown = set(options.name) - set(MEASURES)
    if unknown:
        parser.error(f"no such measure: {', '.join(sorted(unknown))}; there are {' '.join(MEASURES)}")
    parts, good = [f"# Performance\n\n`sh tests/bench/run.sh{' --quick' if options.quick else ''} --write` made this page: {machine(options)}\n\n"
                   "Shop, brokers, receiver and the program share these cores, so that ratios say more than figures do; ratios are "
                   "taken pair by pair in one run.\n"], True
    for name in options.name:
        lines, well = measure(name, options)
        good &= well
        parts.append(section(name, options.quick, lines, well))
    parts.append(TRIED.read_text())
    page = "\n".join(parts)
    if options.write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page)
    print(page)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
