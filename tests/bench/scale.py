#!/usr/bin/env python3
"""What grows with what: records, partitions, members, transitions of one order, the width of a row.

usage: scale.py BINARY BENCH_FOLDER TOOLS [NAME...] [--most N] [--rounds N] [--svg FOLDER]     TOOLS: of fast_receiver

records      10,000, ten times as many, and so on up to --most (1,000,000): read and passed by
partitions   1 to 500, 50,000 records, one in a hundred confirms
members      1 to 6, sixty partitions, 50 ms, 16 at a time each
transitions  1 to 10,000 of one order, each a delivery; 10,000 deliveries in all
width        rows of 1 KB to 256 KB, 64 MB of them: read and passed by

A broker of its own. Medians of --rounds (3). --svg: a plot of each into this folder, by matplotlib (plots.py).
"""
import argparse, os, pathlib, statistics, subprocess, sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / "chaos"), str(TESTS / "e2e")]  # behind: run.py is that of this folder
from figures import spread
from posts import DELAY_US, Bench
from world import wait_for

AT_A_TIME = 64
FEW = 10_000  # one record in so many confirms, where reading is measured
MEMBERS_AT_A_TIME, RECORDS_A_MEMBER, MEMBERS_PARTITIONS = 16, 2_500, 60
DELIVERIES = 10_000
WIDTH_BYTES = 64_000_000


def run_to_end(bench, records, every, **options):
    """(seconds, CPU seconds, peak MiB) of each round, and the deliveries."""
    topic, expected = bench.fill(records, every, **options)
    receiver, url = bench.receiver()
    try:
        return [bench.ours(topic, url, AT_A_TIME, expected) for _ in range(bench.options.rounds)], expected
    finally:
        receiver.kill(), receiver.wait()


def row(name, unit, at, samples, count, what):
    seconds, cpu, peak = zip(*samples)
    print(f"{name}: {at:>9,} {unit}: {spread(seconds)} s, µs CPU a {what} {spread([c / count * 1e6 for c in cpu], '{:.1f}')}, "
          f"MiB at most {spread(peak, '{:.1f}')}", flush=True)
    return at, statistics.median(cpu) / count * 1e6, statistics.median(peak)


def records(bench):
    rows, count = [], 10_000
    while count <= bench.options.most:
        samples, _ = run_to_end(bench, count, FEW)
        rows.append(row("records", "records", count, samples, count, "record"))
        count *= 10
    return rows, ("records", "µs CPU a record", "MiB at most")


def partitions(bench):
    rows, count = [], 50_000
    for number in (1, 10, 100, 500):
        samples, _ = run_to_end(bench, count, 100, partitions=number)
        rows.append(row("partitions", "partitions", number, samples, count, "record"))
    return rows, ("partitions", "µs CPU a record", "MiB at most")


def transitions(bench):
    rows = []
    for number in (1, 10, 100, 1_000, 10_000):
        samples, expected = run_to_end(bench, DELIVERIES, 1, life=number)
        rows.append(row("transitions", "of each order", number, samples, expected, "delivery"))
    return rows, ("transitions of an order", "µs CPU a delivery", "MiB at most")


def width(bench):
    rows = []
    for kib in (1, 4, 16, 64, 256):
        count = WIDTH_BYTES // (kib * 1024)
        samples, _ = run_to_end(bench, count, 2 * count, width=kib * 1024)  # none confirms
        rows.append(row("width", "KiB a row", kib, samples, count, "record"))
    return rows, ("KiB a row", "µs CPU a record", "MiB at most")


def busiest_rate(journal):
    """Of the best five seconds: while every member has its share and there is work for all."""
    times, best, first = sorted(int(line.split()[0]) for line in open(journal)), 0, 0
    for last, us in enumerate(times):
        while us - times[first] > 5_000_000:
            first += 1
        best = max(best, last - first)
    return best / 5


def rate_of_members(bench, count):
    topic, expected = bench.fill(RECORDS_A_MEMBER * count, 1, partitions=MEMBERS_PARTITIONS)
    journal = bench.place / f"members-{count}"
    journal.unlink(missing_ok=True)
    receiver, url = bench.receiver(f"delay_us={DELAY_US}", journal)
    env = {**os.environ, **bench.env(topic, url, MEMBERS_AT_A_TIME)}
    processes = [subprocess.Popen([bench.options.binary, "run"], env=env, stderr=subprocess.DEVNULL) for _ in range(count)]
    try:
        wait_for("all is delivered", lambda: journal.exists() and sum(1 for _ in open(journal)) >= expected, 180)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)
        receiver.kill(), receiver.wait()
    return busiest_rate(journal)


def members(bench):
    rows, first = [], None
    for count in range(1, 7):
        rate = statistics.median(rate_of_members(bench, count) for _ in range(bench.options.member_rounds))
        first = first or rate
        print(f"members: {count}, 50 ms, {MEMBERS_AT_A_TIME} at a time each: {rate:,.0f}/s, {rate / (first * count):.3f} of linear", flush=True)
        rows.append((count, rate, rate / (first * count)))
    return rows, ("members", "deliveries a second", "of linear")


PARTS = {"records": records, "partitions": partitions, "members": members, "transitions": transitions, "width": width}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("folder")
    parser.add_argument("tools")
    parser.add_argument("name", nargs="*", default=list(PARTS))
    parser.add_argument("--most", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--member-rounds", type=int, default=1)
    parser.add_argument("--svg", type=pathlib.Path)
    options = parser.parse_intermixed_args()
    bench = Bench(options)
    try:
        for name in options.name:
            rows, labels = PARTS[name](bench)
            if options.svg:
                import plots  # matplotlib's, which is needed for nothing else
                plots.draw(options.svg / f"{name}.svg", rows, labels)
    finally:
        bench.close()


if __name__ == "__main__":
    main()
