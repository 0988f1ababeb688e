#!/usr/bin/env python3
"""How long until orders are delivered again: after kill -9, after a stop, with and without kafka.instance.

usage: again.py BINARY TOOLS [--rounds N] [--rate N]     TOOLS: of shop and fast_receiver

A broker of its own; a shop confirms --rate (100) orders a second throughout. Time counts from the
kill, or from SIGTERM, to the next 2xx at the receiver: the program is started again at once after
its end. Prints one line a way: the median, the least and the most of --rounds (5).
"""
import argparse, pathlib, statistics, sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "chaos"), str(TESTS / "e2e")]
import brokers
from world import World, now_us, wait_for

SECONDS_A_ROUND = 25  # of the shop: the session's 10 s, and the time between two rounds
SETTLED = 100         # deliveries before the next round begins


def taken(world, since_us):
    """The arrivals of what was answered 2xx since then (µs), in their order."""
    return sorted(r.arrived_us for r in world.receiver.requests()
                  if r.arrived_us > since_us and 200 <= r.status < 300)


def wait_taken(world, since_us, count=1):
    wait_for(f"{count} deliveries", lambda: len(taken(world, since_us)) >= count, 60)
    return taken(world, since_us)[0]


def killed(world, member):
    world.kill(member)


def stopped(world, member):
    world.leave(member)


def measure(world, end, env, rounds):
    """Seconds, of each round."""
    took, member = [], world.start(**env)
    for _ in range(rounds):
        wait_taken(world, now_us(), SETTLED)
        ended = now_us()
        end(world, member)
        gone, member = now_us(), world.start(**env)
        took.append((wait_taken(world, gone) - ended) / 1e6)
    world.leave(member)
    return took


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("tools")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=int, default=100)
    options = parser.parse_args()
    named = {"KAFKA_INSTANCE": "shop-1"}
    ways = [("kill -9", killed, {}), ("kill -9, kafka.instance", killed, named),
            ("SIGTERM", stopped, {}), ("SIGTERM, kafka.instance", stopped, named)]
    cluster = brokers.Brokers(1)
    try:
        for name, end, env in ways:
            world = World(options.binary, options.tools, cluster, "", "again")
            try:
                orders = options.rate * SECONDS_A_ROUND * (options.rounds + 1)
                world.open_shop(orders, options.rate, 7)
                took = measure(world, end, env, options.rounds)
            finally:
                world.close()
            print(f"{name + ', started again:':<40} delivers after {statistics.median(took):5.2f} s "
                  f"(least {min(took):.2f}, most {max(took):.2f}; {len(took)} rounds)", flush=True)
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
