#!/usr/bin/env python3
"""The whole dashboard with a million outcomes on the real Kafka: time, memory, latency over HTTP.

usage: dashboard.py BINARY BENCH_FOLDER STACK_DIR [N]

Prints as it goes; ends with the peak of all of it.
"""
import json, os, pathlib, subprocess, sys, tempfile, time, urllib.parse, urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from dashboard import OPERATOR, SECRET
from harness import Program, Stack, wait_for
from memory import peak_mib

ROUNDS = 50


def get(url, path):
    request = urllib.request.Request(url + path, headers={"Authorization": "Bearer " + OPERATOR})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def is_ready(url):
    try:
        with urllib.request.urlopen(url + "/readyz", timeout=60) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return False


def ask(url, what, query):
    took = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        page = get(url, "/api/v1/orders?" + urllib.parse.urlencode(query))
        took.append((time.monotonic() - began) * 1000)
    took.sort()
    print(f"{what:<24} {len(page['orders']):>3} rows, p50 {took[ROUNDS // 2]:.1f} ms, worst {took[-1]:.1f} ms",
          flush=True)
    return page["orders"]


def main():
    binary, folder, stack_dir, *rest = sys.argv[1:]
    count = int(rest[0]) if rest else 1_000_000
    brokers, prefix = Stack(stack_dir).env["KAFKA_BROKERS"], f"bench-{os.getpid()}"
    subprocess.run([f"{folder}/bench_outcomes", brokers, prefix, str(count)], check=True)
    place = tempfile.mkdtemp(prefix="bench-")
    topics = {f"{name.upper()}_TOPIC": f"{prefix}.{name}"
              for name in ("deliveries", "parked", "retry", "members")}
    began = time.monotonic()
    program = Program(binary, f"{place}/log", "dashboard", env={
        "KAFKA_BROKERS": brokers, "KAFKA_TOPIC": "orders.public.orders", "AUTH_HS256_SECRET": SECRET,
        "DASHBOARD_LISTEN": "127.0.0.1:0", "DASHBOARD_DATABASE": f"{place}/view.db", **topics})
    try:
        wait_for("it listens", lambda: program.says("dashboard listens"))
        line = next(l for l in program.log.read_text().splitlines() if "dashboard listens" in l)
        url = "http://" + line.rsplit("address=", 1)[1]
        wait_for("caught up", lambda: is_ready(url), 300)
        took = time.monotonic() - began
        print(f"{count:,} outcomes from Kafka in {took:.1f} s, {count / took:,.0f} a second, from its start to "
              f"ready; peak {peak_mib(program.process.pid):.1f} MiB", flush=True)
        first = ask(url, "first page", {})
        ask(url, "first page of the parked", {"state": "parked"})
        ask(url, "search: an id", {"q": first[-1]["key"]})
        ask(url, "search: two letters", {"q": first[-1]["key"][:2]})
        ask(url, "search: a number", {"q": f"CMD-{count // 2:08}"})
        ask(url, "search: every number", {"q": "CMD-"})
        ask(url, "search: digits", {"q": str(count // 2)})
        counts = get(url, "/api/v1/status")["counts"]
        assert counts["delivered"] + counts["parked"] == count, counts
        database = sum(file.stat().st_size for file in pathlib.Path(place).glob("view.db*")) / 2**20
        print(f"peak after that {peak_mib(program.process.pid):.1f} MiB; its database {database:.0f} MiB", flush=True)
    finally:
        program.stop()


if __name__ == "__main__":
    main()
