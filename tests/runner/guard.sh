#!/bin/sh
# guard: closes the account of a run that was killed outright, and ends what that left running.
#
#   guard.sh PID RUN     run.sh starts it, in a session of its own; see lib.sh
set -u
MAIN=$1 RUN=$2 GUARD=$$
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
OUTER_MARKS=${TESTS_RUN_MARKS:-}
BEGAN=$(date +%s)
. "$ROOT/tests/runner/lib.sh"

trap '' INT HUP QUIT PIPE
while lives "$MAIN"; do
    sleep 0.2
done
[ -d "$RUN" ] && [ ! -e "$RUN/finished" ] || exit 0
trap '' TERM
failed "killed during: $(cat "$RUN/step" 2>/dev/null)"
end_processes
close_account
rm -rf "$RUN"
exit 1
