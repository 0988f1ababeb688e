#!/usr/bin/env python3
"""Chaos: the program among faults on real brokers, judged by journals that it did not write.

usage: run.py BINARY TOOLS [SCENARIO...] [--kills N] [--orders N] [--seed N] [--outage SECONDS]
              [--stack DIR]

SCENARIO  kill      kill -9 at random moments, a flaky receiver, records being written throughout
          restart   killed, how long until it delivers again: defaults, kafka.instance, quick kills
          group     three members: joins, leaves, kills, SIGSTOP past the session, a rolling restart
          remade    the orders' topic is deleted and made again while three members read it
          broker    the broker is killed and comes back
          brokers3  three brokers: leaders and the group's coordinator are killed
          outage    an endpoint that is down: a backlog waits, and in another shop one single order
TOOLS     the folder of shop and fast_receiver
--stack   uses the broker of a running stack (tests/stack/up.sh) instead of its own

Prints a table for each scenario; exits 1 when a line of one fails.
"""
import argparse, signal, sys, time

import brokers, scenarios


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("tools")
    parser.add_argument("scenario", nargs="*", default=["kill"])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--outage", type=int, default=600)
    parser.add_argument("--stack")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # brokers and members end with it
    good = True
    for name in options.scenario:
        scenario = scenarios.SCENARIOS[name]
        print(f"== {name}, seed {options.seed}", flush=True)
        began = time.monotonic()
        cluster = (brokers.StackBroker(options.stack) if options.stack
                   else brokers.Brokers(scenario.brokers))
        try:
            good &= scenario(options, cluster)
        finally:
            cluster.close()
        print(f"     {time.monotonic() - began:.0f} s", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
