#!/bin/sh
# up: the real stack on loopback, no containers: PostgreSQL, Kafka, registry, Connect with Debezium.
#
#   sh tests/stack/up.sh [[--dir] DIR]     DIR: where data and logs go (made anew when not given)
#
# Ends when every part says that it is ready; DIR/env then says how to reach them.
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
[ "${1:-}" != --dir ] || shift
case ${1:-} in -*) sed -n '2,6s/^# \{0,1\}//p' "$0" && exit 2 ;; esac
DIR=${1:-$(mktemp -d)}
mkdir -p "$DIR"
DIR=$(cd "$DIR" && pwd)
. "$HERE/lib.sh"

missing_tool() {
    for tool in java mvn python3 curl kcat psql; do
        command -v "$tool" >/dev/null || { echo "$tool" && return; }
    done
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || echo "PostgreSQL's server"
}

install_packages() {
    packages=$(tr '\n' ' ' <"$HERE/packages.txt")
    tool=$(missing_tool)
    [ -n "$tool" ] || return 0
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
        die "$tool is missing; install: $packages"
    echo "installing $packages"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # a list of words
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages; } \
        >"$DIR/apt.log" 2>&1 || { tail -n 20 "$DIR/apt.log" >&2 && die "apt-get failed"; }
}

ready() { # PART PORT
    # shellcheck disable=SC2086 # a list of words
    await "$1" $PARTS
    printf '%s ready 127.0.0.1:%s (%s s)\n' "$1" "$2" "$(($(date +%s) - BEGAN))"
}

stop_unless_up() {
    status=$?
    trap - EXIT
    [ "$status" = 0 ] || stop_all
    exit "$status"
}

[ ! -e "$DIR/ports" ] || die "$DIR holds a stack already; sh tests/stack/down.sh $DIR ends it"
install_packages
fetch
chmod 711 "$DIR" # the database's user passes through
printf '%s\n' "$JARS" >"$DIR/jars"
choose_ports
choose_secrets
load
trap stop_unless_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
BEGAN=$(date +%s)

start_registry
start_postgres
start_kafka
ready postgres "$PG_PORT"
psql -q -f "$HERE/../../docker/init.sql" >/dev/null
start_connect
ready kafka "$KAFKA_PORT"
# Connect would make the topic of the orders with the first of them; so a consumer finds it before.
create_topic "orders.public.orders" 6
ready registry "$REGISTRY_PORT"
ready connect "$CONNECT_PORT"

write_env
trap - EXIT # it is up, whatever happens to this script
cat <<END || :
the stack is up; for your shell:
  . $DIR/env
  sh tests/stack/psql.sh $DIR 'SELECT * FROM orders'
  sh tests/stack/part.sh $DIR stop kafka     (stop|kill|start|wait $PARTS)
  sh tests/stack/down.sh $DIR
END
