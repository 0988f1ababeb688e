#!/usr/bin/env python3
"""How long orders wait while three members are restarted one after the other, with and without kafka.instance.

usage: rolling.py BINARY TOOLS [--rounds N] [--rate N]     TOOLS: of shop and fast_receiver

A broker of its own, six partitions; a shop confirms --rate (300) orders a second throughout. An order waits
from when its record was written to its request at the receiver. A partition is affected by a restart from the
SIGTERM of its member, or from when it is given back, until it is assigned again, with AROUND_SECONDS before and
after: what was on its way then, and what gathered meanwhile. Prints, of --rounds (3), the longest wait of an
order, and the longest of one in a partition that was not affected.
"""
import argparse, pathlib, sys, time

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "chaos"), str(TESTS / "e2e")]
import brokers, journals
from figures import percentile, spread
from world import World, now_us, partition_events, wait_for

MEMBERS, PARTITIONS = 3, 6
SETTLE_SECONDS = 3   # between two restarts, once nothing is behind
NOTHING_BEHIND = 0.5 # seconds of the shop's orders
AROUND_SECONDS = 1


def held(world):
    """{partition: lives that hold it}, by the logs."""
    now = {partition: set() for partition in range(PARTITIONS)}
    for life, log in world.logs().items():
        running = any(member.life == life for member in world.members)
        for _, what, partition in partition_events(log):
            (now[partition].add if what == "assigned" and running else now[partition].discard)(life)
    return now


def balanced(world):
    holders = [lives for lives in held(world).values()]
    return all(len(lives) == 1 for lives in holders) and len(set.union(*holders)) == MEMBERS


def settle(world, rate):
    """Until every partition has its member, and what gathered meanwhile is delivered."""
    wait_for("partitions are shared by all", lambda: balanced(world), 60)
    deadline = time.monotonic() + 120
    while True:
        time.sleep(SETTLE_SECONDS)
        taken = {r.number for r in world.receiver.requests()}
        behind = sum(w.kind == "e" and w.number not in taken for w in journals.read_shop(world.shop_journal))
        if behind <= NOTHING_BEHIND * rate:
            return
        assert time.monotonic() < deadline, f"{behind} orders behind"


def restart_all(world, envs, rate):
    """Each member once; [(its life, when its end began, µs)]."""
    ends = []
    for member, env in zip(list(world.members), envs):
        ends.append((member.life, now_us()))
        world.leave(member)
        world.start(**env)
        settle(world, rate)
    return ends


def affected(world, ends):
    """{partition: [(from, to) in µs]}: without a member, or with one that was leaving."""
    left_at, spans, around_us = dict(ends), {}, AROUND_SECONDS * 1_000_000
    for life, holdings in world.holdings().items():
        for h in holdings:
            end = min(h.to_us, left_at.get(life, h.to_us))
            spans.setdefault(h.partition, []).append((h.from_us, end))
    found = {}
    for partition, list_of in spans.items():
        list_of.sort()
        found[partition] = [(end - around_us, start + around_us) for (_, end), (start, _) in zip(list_of, list_of[1:])]
    return found


def measure(world, named, rate):
    """(waits of all orders, of those in partitions that were not affected), s."""
    envs = [{"KAFKA_INSTANCE": f"shop-{i}"} if named else {} for i in range(MEMBERS)]
    for env in envs:
        world.start(**env)
    settle(world, rate)
    began = now_us()
    ends = restart_all(world, envs, rate)
    ended = now_us() - 1_000_000
    arrived = {r.number: r.arrived_us for r in reversed(world.receiver.requests())}
    spans, all_of, rest = affected(world, ends), [], []
    for written in journals.read_shop(world.shop_journal):
        if written.kind != "e" or not began < written.sent_us < ended:
            continue
        wait = (arrived[written.number] - written.sent_us) / 1e6
        all_of.append(wait)
        if not any(start <= written.sent_us <= end for start, end in spans[written.partition]):
            rest.append(wait)
    return all_of, rest


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("tools")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=300)
    options = parser.parse_args()
    cluster = brokers.Brokers(1)
    try:
        for named in (False, True):
            waits, rests, p99 = [], [], []
            for number in range(options.rounds):
                world = World(options.binary, options.tools, cluster, "", "rolling")
                try:
                    world.open_shop(options.rate * 300, options.rate, 7 + number)
                    all_of, rest = measure(world, named, options.rate)
                finally:
                    world.close()
                waits.append(max(all_of)), rests.append(max(rest)), p99.append(percentile(all_of, .99))
            print(f"rolling restart of {MEMBERS} members{', kafka.instance' if named else '':16} longest wait of an order {spread(waits)} s, p99 "
                  f"{spread(p99)} s; in unaffected partitions at most {spread([1000 * r for r in rests], '{:.0f}')} ms; {options.rounds} rounds", flush=True)
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
