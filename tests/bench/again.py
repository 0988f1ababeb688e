#!/usr/bin/env python3
"""The time until orders are delivered again: after kill -9, a stop, a broker's restart; with and without kafka.instance.

usage: again.py BINARY TOOLS [--rounds N] [--rate N] [--outcomes N]     TOOLS: of shop, fast_receiver and bench/

A broker of its own; a shop confirms --rate (100) orders a second throughout. Time counts from the
kill, or from SIGTERM, to the next 2xx at the receiver: the program is started again at once after
its end; once more with --outcomes (1,000,000) in the deliveries topic. Where the broker is killed, time
counts from when it answers again, so that what its Java needs to start is left out, while the shop's own
way back to it is not. Prints one line a way: the median, the least and the most of --rounds (5).
"""
import argparse, pathlib, subprocess, sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "chaos"), str(TESTS / "e2e")]
import brokers
from figures import spread
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


def killed(world, member, env):
    began = now_us()
    world.kill(member)
    return began, now_us(), world.start(**env)


def stopped(world, member, env):
    began = now_us()
    world.leave(member)
    return began, now_us(), world.start(**env)


def broker_killed(world, member, env):
    world.brokers.kill(1)
    gone = now_us()
    world.brokers.start(1)
    world.brokers.wait(1)
    return now_us(), gone, member


def measure(world, end, env, rounds):
    """Seconds, of each round. end: (world, member, env) -> (from when time counts, since when a delivery does, who goes on)."""
    took, member = [], world.start(**env)
    for _ in range(rounds):
        wait_taken(world, now_us(), SETTLED)
        counted_from, since, member = end(world, member, env)
        took.append(max(0, wait_taken(world, since) - counted_from) / 1e6)
    world.leave(member)
    return took


def fill_outcomes(options, world):
    subprocess.run([f"{options.tools}/bench/bench_outcomes", world.brokers.addresses, world.topic, str(options.outcomes)], check=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("tools")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--outcomes", type=int, default=1_000_000)
    options = parser.parse_args()
    named, many = {"KAFKA_INSTANCE": "shop-1"}, f"SIGTERM, started, {options.outcomes:,} outcomes"
    ways = [("kill -9, started", killed, {}), ("kill -9, kafka.instance, started", killed, named),
            ("SIGTERM, started", stopped, {}), ("SIGTERM, kafka.instance, started", stopped, named),
            (many, stopped, {}), ("broker killed, answers", broker_killed, {})]
    cluster = brokers.Brokers(1)
    try:
        for name, end, env in ways:
            world = World(options.binary, options.tools, cluster, "", "again")
            try:
                if name == many:
                    fill_outcomes(options, world)
                orders = options.rate * SECONDS_A_ROUND * (options.rounds + 1)
                world.open_shop(orders, options.rate, 7)
                took = measure(world, end, env, options.rounds)
            finally:
                world.close()
            print(f"{name + ' again:':<45} delivers after {spread(took)} s; {len(took)} rounds", flush=True)
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
