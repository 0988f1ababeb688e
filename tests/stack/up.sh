#!/bin/sh
# up: the real stack on loopback, without containers: PostgreSQL, Kafka, registry, Connect with Debezium.
#
#   sh tests/stack/up.sh [DIR]     DIR: where its data and logs go (made anew when not given)
#
# Ends when every part says that it is ready; DIR/env then says how to reach them.
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
DIR=${1:-$(mktemp -d)}
mkdir -p "$DIR"
DIR=$(cd "$DIR" && pwd)
chmod 711 "$DIR" # the database's user passes through
. "$HERE/lib.sh"

for tool in java mvn python3 curl kcat psql setsid; do
    command -v "$tool" >/dev/null || die "$tool is missing; install: $(tr '\n' ' ' <"$HERE/packages.txt")"
done
[ ! -e "$DIR/ports" ] || die "$DIR holds a stack already; sh tests/stack/down.sh $DIR ends it"
fetch
choose_ports
choose_secrets
load

failed() {
    status=$?
    [ "$status" = 0 ] || stop_all
}
trap failed EXIT
trap 'exit 130' INT TERM

BEGAN=$(date +%s)
ready() { # PART PORT
    await "$1"
    say "$1 ready, 127.0.0.1:$2 ($(($(date +%s) - BEGAN)) s)"
}

start_postgres
start_kafka
start_registry
ready postgres "$PG_PORT"
psql -q -f "$HERE/../../docker/init.sql" >/dev/null
ready kafka "$KAFKA_PORT"
create_topic orders.public.orders 6
start_connect
create_topic elementor-sync.parked 6
ready registry "$REGISTRY_PORT"
ready connect "$CONNECT_PORT"

cat >"$DIR/env" <<ENV
export KAFKA_BROKERS=127.0.0.1:$KAFKA_PORT
export KAFKA_TOPIC=orders.public.orders
export REGISTRY_URL=http://127.0.0.1:$REGISTRY_PORT/apis/ccompat/v7
export CONNECT_URL=http://127.0.0.1:$CONNECT_PORT
ENV
say "the stack is up; for your shell:  . $DIR/env"
say "SQL:  sh tests/stack/psql.sh $DIR 'SELECT * FROM orders'     end it:  sh tests/stack/down.sh $DIR"
