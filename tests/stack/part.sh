#!/bin/sh
# part: ends, starts or awaits one part of the stack; it comes back with its data, on the same port.
#
#   sh tests/stack/part.sh DIR stop|kill|start|wait postgres|kafka|registry|connect
#
# stop and kill return when the process is gone, start at once, wait when the part serves again;
# wait connect also restarts a failed task.
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
[ $# = 3 ] || { sed -n '4s/^# *//p' "$0" >&2 && exit 2; }
DIR=$1
. "$HERE/lib.sh"
load
case " $PARTS " in
*" $3 "*) ;;
*) die "there is no part $3: $PARTS" ;;
esac
case $2 in
stop) stop_part "$3" ;;
kill) halt "$3" KILL ;;
start) alive "$3" || "start_$3" ;;
wait)
    [ -e "$DIR/$3/pid" ] || die "$3 is not started"
    await "$3" "$3"
    ;;
*) die "stop, kill, start or wait, not $2" ;;
esac
