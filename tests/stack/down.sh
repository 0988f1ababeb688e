#!/bin/sh
# down: ends the stack in DIR and removes it.   sh tests/stack/down.sh DIR
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
DIR=${1:?usage: down.sh DIR}
. "$HERE/lib.sh"
[ -e "$DIR/ports" ] || die "$DIR holds no stack"
stop_all
rm -rf "$DIR"
