# lib: what the stack's commands share: where things are, its ports and secrets, waiting, stopping.
# Sourced; the caller has set HERE (this folder) and DIR (the stack's own).
#
# DIR/ports    the ports, chosen once, so that a part comes back where it was
# DIR/secret   the passwords of this stack, made at random
# DIR/jars     the folder of the jars it was started with
# DIR/env      how to reach it, for a shell
# DIR/PART/    each part's pid, log and data

PARTS='postgres kafka registry connect'
READY_SECONDS=${READY_SECONDS:-300} # a busy machine takes its time

die() {
    echo "stack: $*" >&2
    exit 1
}

. "$HERE/jars.sh"
. "$HERE/process.sh"
. "$HERE/parts.sh"

# Below the range the kernel gives to outgoing connections: while a part is down its clients keep
# connecting, and one of them could otherwise get the very port, even be connected to itself.
choose_ports() {
    python3 - >"$DIR/ports" <<'PY'
import random, socket
with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
    low = int(f.read().split()[0])
first, end = (10000, low) if low > 11000 else (32768, 61000)
taken = []
for name in "PG KAFKA CONTROLLER REGISTRY CONNECT".split():
    while True:
        s = socket.socket()
        try:
            s.bind(("127.0.0.1", random.randrange(first, end)))
            break
        except OSError:
            s.close()
    taken.append(s)
    print(f"{name}_PORT={s.getsockname()[1]}")
PY
}

random_word() {
    od -An -N12 -tx1 /dev/urandom | tr -d ' \n'
}

choose_secrets() {
    (umask 077 && printf 'PGPASSWORD=%s\nDEBEZIUM_PASSWORD=%s\n' "$(random_word)" "$(random_word)" \
        >"$DIR/secret")
}

# Brings ports and secrets into the environment, under the names psql and docker/ know.
load() {
    [ -e "$DIR/secret" ] || die "$DIR holds no stack"
    DIR=$(cd "$DIR" && pwd)
    [ ! -e "$DIR/jars" ] || JARS=$(cat "$DIR/jars")
    set -a
    . "$DIR/ports"
    . "$DIR/secret"
    PG_HOST=127.0.0.1 PG_DATABASE=postgres
    PGHOST=$PG_HOST PGPORT=$PG_PORT PGDATABASE=$PG_DATABASE PGUSER=postgres
    APICURIO_URL=http://127.0.0.1:$REGISTRY_PORT/apis/registry/v2
    set +a
}

write_env() {
    (umask 077 && cat >"$DIR/env" <<ENV
export KAFKA_BROKERS=127.0.0.1:$KAFKA_PORT
export KAFKA_TOPIC=orders.public.orders
export REGISTRY_URL=http://127.0.0.1:$REGISTRY_PORT/apis/ccompat/v7
export CONNECT_URL=http://127.0.0.1:$CONNECT_PORT
export PG_HOST=$PG_HOST PG_PORT=$PG_PORT PG_DATABASE=$PG_DATABASE
export PGHOST=$PGHOST PGPORT=$PGPORT PGDATABASE=$PGDATABASE PGUSER=$PGUSER PGPASSWORD=$PGPASSWORD
ENV
    )
}

failed_part() { # PART WHAT; the log's end, and the errors that may lie before it
    tail -n 30 "$DIR/$1/log" >&2
    grep -E 'ERROR|FATAL|Caused by' "$DIR/$1/log" | tail -n 8 >&2 || :
    die "$1 $2; its log is $DIR/$1/log"
}

# Of the watched parts none may die meanwhile: what is awaited could wait for it in vain. One that was
# stopped, or is still to start, has no id.
await() { # PART WATCHED...
    awaited=$1
    shift
    began=$(date +%s)
    until "ready_$awaited"; do
        for watched; do
            [ ! -e "$DIR/$watched/pid" ] || alive "$watched" || failed_part "$watched" "ended"
        done
        [ $(($(date +%s) - began)) -lt $READY_SECONDS ] ||
            failed_part "$awaited" "was not ready within $READY_SECONDS s"
        sleep 0.2
    done
}

stop_part() { # PART
    case $1 in
    postgres) halt postgres INT ;; # its fast shutdown: does not wait for clients
    *) halt "$1" TERM ;;
    esac
}

# Connect first: without a broker its producer would hold it up.
stop_all() {
    stop_part connect
    stopping=
    for part in registry kafka postgres; do
        stop_part "$part" &
        stopping="$stopping $!"
    done
    # shellcheck disable=SC2086 # ids of stop_part alone: the parts may be our children too
    wait $stopping || :
}
