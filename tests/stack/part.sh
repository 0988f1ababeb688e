#!/bin/sh
# part: stops, kills, starts or awaits one part of the stack; it comes back on the same port.
#
#   sh tests/stack/part.sh DIR stop|kill|start|wait postgres|kafka|registry|connect
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
DIR=${1:?usage: part.sh DIR stop|kill|start|wait PART}
. "$HERE/lib.sh"
load
case " $PARTS " in
*" $3 "*) ;;
*) die "there is no part $3: $PARTS" ;;
esac
case $2 in
stop) stop_part "$3" ;;
kill) halt "$3" KILL ;;
start) "start_$3" ;;
wait) await "$3" ;;
*) die "stop, kill, start or wait, not $2" ;;
esac
