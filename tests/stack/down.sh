#!/bin/sh
# down: ends the stack in DIR and removes it.   sh tests/stack/down.sh DIR
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
DIR=${1:?usage: down.sh DIR}
. "$HERE/lib.sh"
load # or refuses, where there is no stack: nothing else is ever removed
stop_all
for part in $PARTS; do
    ! alive "$part" || die "$part ($pid) still runs; $DIR is kept"
done
rm -rf "$DIR"
