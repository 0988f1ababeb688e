#!/usr/bin/env python3
"""End to end on the real stack: PostgreSQL, Debezium, Kafka, registry; elementor-sync; a receiver.

usage: run.py BINARY TOOLS STACK_DIR [NAME...]   TOOLS: folder of case_producer; NAME: only these tests

A module of tests has a list TESTS of functions that take a harness.Test; name it in MODULES.
"""
import concurrent.futures, sys, time, traceback

from harness import Stack, Test
import canary, cases, dashboard, main_job, newcomer, operator_commands, own_topics, reading, rebalance
import supabase_outbox, supabase_shop
import compose, default_names, documented, first_start, frozen_broker, kafka_security, losses, pauses, personal_data
import reconcile, registry_security, strange_shops, told_when_away, two_of_each, upgrade, wire

MODULES = [main_job, canary, cases, newcomer, operator_commands, own_topics, reading, rebalance, dashboard,
           two_of_each, pauses, told_when_away, strange_shops, default_names, personal_data, kafka_security, first_start,
           frozen_broker, reconcile, wire, compose, documented,
           supabase_outbox, supabase_shop, upgrade, registry_security, losses]
SIDE_BY_SIDE = 4


def run_one(function, binary, tools, stack):
    began = time.monotonic()
    test = Test(function.__name__, binary, tools, stack)
    try:
        function(test)
        failure = None
    except Exception:
        failure = traceback.format_exc()
    finally:
        test.close()
    lines = [f"{'ok  ' if failure is None else 'FAIL'}  {function.__name__}  ({time.monotonic() - began:.1f} s)"]
    if failure is not None:
        lines.append(failure)
        log = test.folder / "log"
        if log.exists():
            lines.append(f"--- the end of {log}:\n" + "\n".join(log.read_text().splitlines()[-40:]))
        cause = stack.heal()
        if cause is not None:
            lines.append(f"--- Debezium's task had failed, and was started again: {cause}")
    print("\n".join(lines), flush=True)
    return failure is None


def main():
    binary, tools, folder, *names = sys.argv[1:]
    stack = Stack(folder)
    all_tests = [test for module in MODULES for test in module.TESTS]
    wanted = [f for f in all_tests if not names or f.__name__ in names]
    passed = sum(run_one(f, binary, tools, stack) for f in wanted if not hasattr(f, "beside"))
    beside = sorted((f for f in wanted if hasattr(f, "beside")), key=cases.TESTS.__contains__)  # many and short: last
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        passed += sum(pool.map(lambda f: run_one(f, binary, tools, stack), beside))
    print(f"{passed} passed, {len(wanted) - passed} failed")
    return 0 if wanted and passed == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
