#!/bin/sh
# run: builds, and lets chaos loose on the program.   sh tests/chaos/run.sh [SCENARIO] [OPTIONS]
#
#   sh tests/chaos/run.sh                            200 kills over 100,000 deliveries
#   sh tests/chaos/run.sh kill --kills 10 --orders 3000
#   sh tests/chaos/run.sh restart --orders 6000
#   sh tests/chaos/run.sh group remade broker brokers3 outage
#
# The scenarios and their arguments: tests/chaos/run.py --help
set -eu
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$ROOT/build/release
mkdir -p "$ROOT/build"
{ cmake -G Ninja -S "$ROOT" -B "$BUILD" && ninja -C "$BUILD"; } >"$BUILD.log" 2>&1 ||
    { tail -n 40 "$BUILD.log"; exit 1; }
exec python3 "$ROOT/tests/chaos/run.py" "$BUILD/elementor-sync" "$BUILD/tests" "$@"
