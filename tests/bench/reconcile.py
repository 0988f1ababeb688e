#!/usr/bin/env python3
"""reconcile of 200,000 orders on the real stack: what was lost, named and sent again; its time and memory.

usage: reconcile.py BINARY TOOLS STACK_DIR [--orders N] [--slot-seconds N]

BINARY: a release build; TOOLS: of fast_receiver; STACK_DIR: a running stack (tests/stack/up.sh), of whose orders
none may be confirmed meanwhile. tests/e2e/losses.py says what is lost; the slot is dropped for a minute. Fails
where reconcile names another set than is missing, needs 10 s or 64 MiB, or where anything is missing, or was sent
twice, after --send.
"""
import argparse, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from harness import Stack
from losses import Run, reconcile

SECONDS_MAX, MIB_MAX = 10, 64


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    for name in ("binary", "tools", "stack"):
        parser.add_argument(name)
    for name, count in (("orders", 200000), ("slot-seconds", 60)):
        parser.add_argument(f"--{name}", type=int, default=count)
    options = parser.parse_args()
    run = Run(options.binary, options.tools, Stack(options.stack))
    try:
        done = reconcile(run, options.orders, options.slot_seconds)
    finally:
        run.close()
    good = done.seconds < SECONDS_MAX and done.mib < MIB_MAX
    print(f"{'ok  ' if good else 'FAIL'} named in {done.seconds:.1f} s (below {SECONDS_MAX}), {done.mib:.0f} MiB (below {MIB_MAX})")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
