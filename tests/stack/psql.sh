#!/bin/sh
# psql: runs SQL (or standard input) on the stack's database, printing bare values.
#
#   sh tests/stack/psql.sh DIR ['SQL']
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
DIR=${1:?usage: psql.sh DIR SQL}
. "$HERE/lib.sh"
load
exec psql -qAt -v ON_ERROR_STOP=1 ${2+-c "$2"}
