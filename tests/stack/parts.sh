# parts: start_PART launches a part, ready_PART asks it whether it serves. Sourced by lib.sh.

# ---- PostgreSQL, which refuses to run as root ----

as_postgres() { # COMMAND...
    if [ "$(id -u)" = 0 ]; then
        set -- setpriv --reuid=postgres --regid=postgres --init-groups "$@"
    fi
    "$@"
}

pg_bin() { # the newest server installed; clients alone have such a folder too
    for initdb in $(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -Vr); do
        dirname "$initdb"
        return
    done
    die "PostgreSQL's server is not installed"
}

init_postgres() {
    mkdir -p "$DIR/postgres"
    (umask 077 && printf '%s' "$PGPASSWORD" >"$DIR/postgres/password")
    if [ "$(id -u)" = 0 ]; then
        chown postgres "$DIR/postgres" "$DIR/postgres/password"
        as_postgres test -w "$DIR/postgres" || die "the user postgres cannot reach $DIR"
    fi
    as_postgres "$(pg_bin)/initdb" -D "$DIR/postgres/data" -U postgres -A scram-sha-256 \
        --pwfile="$DIR/postgres/password" -E UTF8 --no-locale --no-sync \
        >"$DIR/postgres/log" 2>&1 || failed_part postgres "could not be initialised"
}

start_postgres() {
    [ -d "$DIR/postgres/data" ] || init_postgres
    # fsync=off: a killed server loses nothing by it, only a killed machine would.
    set -- "$(pg_bin)/postgres" -D "$DIR/postgres/data" -p "$PG_PORT" -c wal_level=logical \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off
    if [ "$(id -u)" = 0 ]; then # not as_postgres: the id must be the server's own
        set -- setpriv --reuid=postgres --regid=postgres --init-groups "$@"
    fi
    launch postgres "$@"
}

ready_postgres() {
    psql -qAtc 'SELECT 1' >/dev/null 2>&1
}

# ---- Java ----

# Logs with times on standard error, and nothing left behind in the machine's /tmp.
launch_java() { # PART OPTIONS...
    java_part=$1
    shift
    mkdir -p "$DIR/$java_part/tmp"
    launch "$java_part" java -XX:-UsePerfData -Djava.io.tmpdir="$DIR/$java_part/tmp" \
        -Dorg.slf4j.simpleLogger.showDateTime=true \
        -Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS "$@"
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
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
CONF
}

kafka_tool() { # CLASS ARGUMENTS...; short-lived, so compiled lightly
    java -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData \
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$JARS/kafka/*" "$@"
}

format_kafka() {
    mkdir -p "$DIR/kafka"
    kafka_properties >"$DIR/kafka/properties"
    kafka_tool kafka.tools.StorageTool format -t MkU3OEVBNTcwNTJENDM2Qk \
        -c "$DIR/kafka/properties" >"$DIR/kafka/log" 2>&1 ||
        failed_part kafka "could not format its storage"
}

start_kafka() {
    [ -e "$DIR/kafka/data/meta.properties" ] || format_kafka
    launch_java kafka -Xmx512m -cp "$JARS/kafka/*" kafka.Kafka "$DIR/kafka/properties"
}

ready_kafka() {
    kcat -L -m 2 -b "127.0.0.1:$KAFKA_PORT" >/dev/null 2>&1
}

create_topic() { # NAME PARTITIONS
    kafka_tool org.apache.kafka.tools.TopicCommand --bootstrap-server "127.0.0.1:$KAFKA_PORT" \
        --create --if-not-exists --topic "$1" --partitions "$2" >>"$DIR/kafka/log" 2>&1 ||
        failed_part kafka "could not create the topic $1"
}

# ---- the registry ----

# On file and written at once, though this edition calls itself in-memory: the ids of schemas must
# outlive a restart, as those of every real registry do.
start_registry() {
    mkdir -p "$DIR/registry"
    export REGISTRY_DATASOURCE_URL="jdbc:h2:file:$DIR/registry/data;WRITE_DELAY=0"
    launch_java registry -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
        -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$REGISTRY_PORT" \
        -jar "$JARS"/registry/*runner.jar
}

ready_registry() {
    curl -fsS -m 2 "http://127.0.0.1:$REGISTRY_PORT/apis/ccompat/v7/subjects" >/dev/null 2>&1
}

# ---- Connect with Debezium ----

connect_properties() {
    cat <<CONF
bootstrap.servers=127.0.0.1:$KAFKA_PORT
listeners=http://127.0.0.1:$CONNECT_PORT
plugin.path=$JARS/connect
plugin.discovery=only_scan
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.file.filename=$DIR/connect/offsets
offset.flush.interval.ms=1000
config.providers=env
config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider
CONF
}

# It checks the connector against the database at once, so the database has to be there.
start_connect() {
    mkdir -p "$DIR/connect"
    connect_properties >"$DIR/connect/properties"
    # Without a broker its admin client would log the same line for as long as it tries.
    launch_java connect -Xmx384m -XX:+UseSerialGC \
        -Dorg.slf4j.simpleLogger.log.org.apache.kafka.clients.admin=warn -cp "$JARS/kafka/*" \
        org.apache.kafka.connect.cli.ConnectStandalone "$DIR/connect/properties" \
        "$HERE/../../docker/connector.json"
}

# The connector runs, its task does, and the task reads changes: an order written while its first
# snapshot is still to come would be part of that, and no change. A failed task (each ALTER TABLE
# fails it once) is restarted.
ready_connect() {
    connector=http://127.0.0.1:$CONNECT_PORT/connectors/orders
    status=$(curl -fsS -m 5 "$connector/status" 2>/dev/null) || return 1
    case $status in
    *'"state":"FAILED"'*)
        curl -fsS -m 20 -X POST "$connector/restart?includeTasks=true&onlyFailed=true" \
            >>"$DIR/connect/log" 2>&1 || :
        sleep 1
        return 1
        ;;
    *'"connector":{"state":"RUNNING"'*'"tasks":'*'"state":"RUNNING"'*) slot_is_read ;;
    *) return 1 ;;
    esac
}

slot_is_read() {
    slot="SELECT active FROM pg_replication_slots WHERE slot_name = 'elementor_sync'"
    [ "$(psql -qAtc "$slot" 2>/dev/null)" = t ]
}
