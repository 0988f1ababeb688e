# lib: starts, stops and awaits the parts of the real stack. Sourced; DIR and HERE are set by the caller.
#
# DIR/ports      the ports, chosen once, so that a part comes back where it was
# DIR/secret     the passwords of this stack, made at random
# DIR/PART/      pid, log and data of each part: postgres kafka registry connect

PARTS='postgres kafka registry connect'
CACHE=${ELEMENTOR_SYNC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/elementor-sync}/stack
READY_SECONDS=120

die() {
    echo "stack: $*" >&2
    exit 1
}

say() {
    printf '%s\n' "$*"
}

# ---- the Java parts, fetched once ----

fetch_profile() { # PROFILE FOLDER
    [ -e "$CACHE/$1.complete" ] && return 0
    say "fetching $1 (once; into $CACHE)"
    mvn -q -B -f "$HERE/pom.xml" -P "$1" dependency:copy-dependencies \
        -DoutputDirectory="$CACHE/$2" >"$CACHE/$1.log" 2>&1 ||
        die "fetching $1 failed: $(tail -n 5 "$CACHE/$1.log")"
    touch "$CACHE/$1.complete"
}

fetch() {
    mkdir -p "$CACHE"
    fetch_profile kafka kafka
    fetch_profile plugins connect/plugins
    fetch_profile registry registry
    if [ ! -e "$CACHE/registry/app.complete" ]; then
        mkdir -p "$CACHE/registry/app"
        tar -xzf "$CACHE"/registry/*.tar.gz -C "$CACHE/registry/app"
        touch "$CACHE/registry/app.complete"
    fi
}

# ---- ports and secrets ----

choose_ports() {
    python3 - >"$DIR/ports" <<'PY'
import socket
names = "PG_PORT KAFKA_PORT CONTROLLER_PORT REGISTRY_PORT CONNECT_PORT".split()
sockets = [socket.socket() for _ in names]
for s in sockets:
    s.bind(("127.0.0.1", 0))
for name, s in zip(names, sockets):
    print(f"{name}={s.getsockname()[1]}")
PY
}

random_word() {
    od -An -N12 -tx1 /dev/urandom | tr -d ' \n'
}

choose_secrets() {
    (umask 077 && printf 'PGPASSWORD=%s\nDEBEZIUM_PASSWORD=%s\n' "$(random_word)" "$(random_word)" \
        >"$DIR/secret")
}

load() {
    [ -e "$DIR/ports" ] || die "$DIR holds no stack"
    set -a
    . "$DIR/ports"
    . "$DIR/secret"
    PGHOST=127.0.0.1 PGUSER=postgres PGDATABASE=postgres PG_HOST=127.0.0.1 PG_DATABASE=postgres
    PGPORT=$PG_PORT
    APICURIO_URL=http://127.0.0.1:$REGISTRY_PORT/apis/registry/v2
    set +a
}

# ---- processes: each is started and stopped by its id alone ----

alive() { # PART
    [ -e "$DIR/$1/pid" ] && kill -0 "$(cat "$DIR/$1/pid")" 2>/dev/null
}

launch() { # PART COMMAND...
    part=$1
    shift
    setsid "$@" >>"$DIR/$part/log" 2>&1 </dev/null &
    echo $! >"$DIR/$part/pid"
}

halt() { # PART SIGNAL
    alive "$1" || return 0
    pid=$(cat "$DIR/$1/pid")
    kill "-$2" "$pid" 2>/dev/null
    waited=0
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.1
        waited=$((waited + 1))
        [ "$waited" -lt 300 ] || kill -KILL "$pid" 2>/dev/null
    done
    rm -f "$DIR/$1/pid"
}

# ---- PostgreSQL: never as root ----

as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=postgres --regid=postgres --init-groups "$@"
    else
        "$@"
    fi
}

pg_bin() {
    ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1
}

init_postgres() {
    mkdir -p "$DIR/postgres"
    [ "$(id -u)" != 0 ] || chown postgres "$DIR/postgres"
    (umask 077 && printf '%s' "$PGPASSWORD" >"$DIR/postgres/password")
    [ "$(id -u)" != 0 ] || chown postgres "$DIR/postgres/password"
    as_postgres "$(pg_bin)/initdb" -D "$DIR/postgres/data" -U postgres -A scram-sha-256 \
        --pwfile="$DIR/postgres/password" -E UTF8 --no-locale >"$DIR/postgres/log" 2>&1 ||
        die "initdb failed: $(tail -n 5 "$DIR/postgres/log")"
}

start_postgres() {
    [ -d "$DIR/postgres/data" ] || init_postgres
    if [ "$(id -u)" = 0 ]; then
        set -- setpriv --reuid=postgres --regid=postgres --init-groups
    else
        set --
    fi
    launch postgres "$@" "$(pg_bin)/postgres" -D "$DIR/postgres/data" -p "$PG_PORT" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c wal_level=logical \
        -c fsync=off
}

ready_postgres() {
    psql -qAtc 'SELECT 1' >/dev/null 2>&1
}

# ---- Kafka: one KRaft broker ----

kafka_properties() {
    cat <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$CONTROLLER_PORT
listeners=PLAINTEXT://127.0.0.1:$KAFKA_PORT,CONTROLLER://127.0.0.1:$CONTROLLER_PORT
advertised.listeners=PLAINTEXT://127.0.0.1:$KAFKA_PORT
controller.listener.names=CONTROLLER
log.dirs=$DIR/kafka/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
CONF
}

kafka_java() { # MAIN ARGUMENTS...
    java -Xmx512m -cp "$CACHE/kafka/*" "$@"
}

start_kafka() {
    mkdir -p "$DIR/kafka"
    if [ ! -d "$DIR/kafka/data" ]; then
        kafka_properties >"$DIR/kafka/properties"
        kafka_java kafka.tools.StorageTool format -t MkU3OEVBNTcwNTJENDM2Qk \
            -c "$DIR/kafka/properties" >"$DIR/kafka/log" 2>&1 ||
            die "kafka's storage could not be formatted: $(tail -n 5 "$DIR/kafka/log")"
    fi
    launch kafka java -Xmx512m -cp "$CACHE/kafka/*" kafka.Kafka "$DIR/kafka/properties"
}

ready_kafka() {
    kcat -L -m 2 -b "127.0.0.1:$KAFKA_PORT" >/dev/null 2>&1
}

create_topic() { # NAME PARTITIONS
    kafka_java org.apache.kafka.tools.TopicCommand --bootstrap-server "127.0.0.1:$KAFKA_PORT" \
        --create --if-not-exists --topic "$1" --partitions "$2" >>"$DIR/kafka/log" 2>&1 ||
        die "topic $1 could not be created: $(tail -n 5 "$DIR/kafka/log")"
}

# ---- the registry, in memory ----

start_registry() {
    mkdir -p "$DIR/registry"
    jar=$(ls "$CACHE"/registry/app/*runner.jar 2>/dev/null | head -n 1)
    launch registry java -Xmx384m -Dquarkus.http.host=127.0.0.1 \
        -Dquarkus.http.port="$REGISTRY_PORT" -jar "$jar"
}

ready_registry() {
    curl -fsS -m 2 "http://127.0.0.1:$REGISTRY_PORT/apis/ccompat/v7/subjects" >/dev/null 2>&1
}

# ---- Connect with Debezium ----

connect_properties() {
    cat <<CONF
bootstrap.servers=127.0.0.1:$KAFKA_PORT
listeners=http://127.0.0.1:$CONNECT_PORT
plugin.path=$CACHE/connect
plugin.discovery=only_scan
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.file.filename=$DIR/connect/offsets
offset.flush.interval.ms=1000
config.providers=env
config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider
CONF
}

start_connect() {
    mkdir -p "$DIR/connect"
    connect_properties >"$DIR/connect/properties"
    launch connect java -Xmx384m -cp "$CACHE/kafka/*" \
        org.apache.kafka.connect.cli.ConnectStandalone "$DIR/connect/properties"
}

# The worker's interface answers, and our connector (made here when it is not there) runs with its task.
ready_connect() {
    url=http://127.0.0.1:$CONNECT_PORT/connectors
    curl -fsS -m 5 "$url" >/dev/null 2>&1 || return 1
    status=$(curl -sS -m 5 "$url/orders/status" 2>/dev/null)
    case $status in
    *'"error_code":404'*)
        curl -fsS -m 20 -H 'Content-Type: application/json' --data "@$HERE/../../docker/connector.json" \
            "$url" >>"$DIR/connect/log" 2>&1
        return 1
        ;;
    esac
    [ "$(printf '%s' "$status" | grep -o '"state":"RUNNING"' | wc -l)" -ge 2 ]
}

# ---- all parts alike ----

await() { # PART
    began=$(date +%s)
    until "ready_$1"; do
        if ! alive "$1"; then
            tail -n 20 "$DIR/$1/log" >&2
            die "$1 ended; its log is $DIR/$1/log"
        fi
        if [ $(($(date +%s) - began)) -ge $READY_SECONDS ]; then
            tail -n 20 "$DIR/$1/log" >&2
            die "$1 was not ready within $READY_SECONDS s; its log is $DIR/$1/log"
        fi
        sleep 0.2
    done
}

stop_part() { # PART
    case $1 in
    postgres) halt postgres INT ;;
    *) halt "$1" TERM ;;
    esac
}

stop_all() {
    for part in connect registry kafka postgres; do
        stop_part "$part"
    done
}
