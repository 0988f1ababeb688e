/* config: one table of options (name, type, default, range, help) and the struct it fills.
 *
 *   struct config *config = config_new();
 *   config_set(config, "webhook.timeout", "10s", "shop.yaml:7", &err);   any number of times
 *   config_finish(config, &err);                                          required, contradictions
 *   config_free(config);
 *
 * Pure: text in, values out. config/load/load reads files and the environment. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/error.h"
#include "base/hash.h"
#include "cdc/change.h"

#include <stddef.h>
#include <stdint.h>

/* Types: TEXT · SECRET (TEXT that is never printed; has a _FILE form) · SWITCH (true|false) ·
 * COUNT (whole number) · DURATION (kept in milliseconds; "250ms" "5s" "2m" "1h" "7d") ·
 * SIZE (bytes; "64KiB" "8MiB" "1GiB" or plain bytes) · CHOICE (one of the words in `allowed`).
 * X(member, name, TYPE, default, min, max, allowed, help); a default of NULL means unset.
 * min and max are in the type's own unit (ms, bytes); allowed is "a|b|c". */
#define CONFIG_OPTIONS(X)                                                                            \
    X(kafka_brokers, "kafka.brokers", TEXT, NULL, 0, 0, "",                                          \
      "bootstrap servers, host:port[,host:port…]; required")                                         \
    X(kafka_topic, "kafka.topic", TEXT, NULL, 0, 0, "",                                              \
      "the CDC topic of the orders table; required")                                                 \
    X(kafka_group, "kafka.group", TEXT, NULL, 0, 0, "",                                              \
      "consumer group; default elementor-sync.<kafka.topic>")                                        \
    X(kafka_instance, "kafka.instance", TEXT, NULL, 0, 0, "",                                        \
      "this member's own name in the group (static membership): restarted within "                   \
      "session.timeout it goes on at once; each member needs another one")                           \
    X(kafka_heartbeat_topic, "kafka.heartbeat_topic", TEXT, NULL, 0, 0, "",                          \
      "the connector's topic of heartbeats, which the dashboard watches: it tells a source that "    \
      "has stopped from a quiet shop; default __debezium-heartbeat.PREFIX, where kafka.topic is "    \
      "PREFIX.SCHEMA.TABLE; where there is no such topic nothing is watched")                        \
    X(kafka_start, "kafka.start", CHOICE, NULL, 0, 0, "earliest|latest",                             \
      "where to start a partition of which the group has committed nothing; required by run")        \
    X(kafka_lost_offsets, "kafka.lost_offsets", CHOICE, "stop", 0, 0, "stop|earliest|latest",        \
      "what to do when the next offset is not in the topic any more: stop that partition and "       \
      "alert, or go on at its beginning or end")                                                     \
    X(session_timeout, "session.timeout", DURATION, "10s", 1000, 300000, "",                         \
      "how long the group waits for a member that died; with "                                       \
      "kafka.properties.group.protocol=consumer the broker decides, and this is refused")            \
    X(parked_topic, "parked.topic", TEXT, NULL, 0, 0, "",                                            \
      "topic of the records that can never be sent; "                                                \
      "default <kafka.group>.parked")                                                                \
    X(parked_retention, "parked.retention", DURATION, "90d", 3600000, 315360000000, "",              \
      "how long the parked topic keeps an order; set where run makes it, or finds it to keep for "   \
      "ever")                                                                                        \
    X(deliveries_topic, "deliveries.topic", TEXT, NULL, 0, 0, "",                                    \
      "compacted topic that receives the outcome of each order; "                                    \
      "default <kafka.group>.deliveries")                                                            \
    X(retry_topic, "retry.topic", TEXT, NULL, 0, 0, "",                                              \
      "topic of manual retries; as many partitions as kafka.topic; "                                 \
      "default <kafka.group>.retry")                                                                 \
    X(members_topic, "members.topic", TEXT, NULL, 0, 0, "",                                          \
      "compacted topic that receives the state of each member of the group; "                        \
      "default <kafka.group>.members")                                                               \
    X(control_topic, "control.topic", TEXT, NULL, 0, 0, "",                                          \
      "compacted topic of one partition that holds an operator's word to the whole group "           \
      "(pause); "                                                                                    \
      "default <kafka.group>.control")                                                               \
    X(topics_create, "topics.create", SWITCH, "true", 0, 0, "",                                      \
      "create the program's own topics where they are missing")                                      \
    X(registry_url, "registry.url", TEXT, NULL, 0, 0, "",                                            \
      "schema registry, with its path (…/apis/ccompat/v7); several addresses of one, with commas " \
      "between them: the next is asked when one is in trouble; required")                            \
    X(registry_use_id, "registry.use_id", CHOICE, NULL, 0, 0, "contentId|globalId",                  \
      "Apicurio: the converter's apicurio.registry.use-id, where ids stand in front of the "         \
      "values; not needed for ids in headers, nor for 4-byte content ids")                           \
    X(registry_user, "registry.user", TEXT, NULL, 0, 0, "", "basic authentication: user")            \
    X(registry_password, "registry.password", SECRET, NULL, 0, 0, "",                                \
      "basic authentication: password")                                                              \
    X(registry_token, "registry.token", SECRET, NULL, 0, 0, "", "bearer token")                      \
    X(registry_ca_file, "registry.ca_file", TEXT, NULL, 0, 0, "",                                    \
      "certificates to trust instead of the system's, PEM")                                          \
    X(registry_cert_file, "registry.cert_file", TEXT, NULL, 0, 0, "",                                \
      "client certificate for a registry that asks for one, PEM, with its intermediate "             \
      "certificates behind it; read again when the file changes")                                    \
    X(registry_key_file, "registry.key_file", TEXT, NULL, 0, 0, "",                                  \
      "its private key, PEM, without a passphrase")                                                  \
    X(registry_timeout, "registry.timeout", DURATION, "10s", 100, 300000, "",                        \
      "time limit of one request")                                                                   \
    X(webhook_url, "webhook.url", SECRET, NULL, 0, 0, "",                                            \
      "the Elementor webhook; required by run; also ELEMENTOR_WEBHOOK_URL")                          \
    X(webhook_allow_http, "webhook.allow_http", SWITCH, "false", 0, 0, "",                           \
      "allow http:// to a host that is not loopback")                                                \
    X(webhook_ca_file, "webhook.ca_file", TEXT, NULL, 0, 0, "",                                      \
      "certificates to trust instead of the system's, PEM")                                          \
    X(webhook_cert_file, "webhook.cert_file", TEXT, NULL, 0, 0, "",                                  \
      "client certificate for an endpoint that asks for one, PEM, with its "                         \
      "intermediate certificates behind it; read again when the file changes")                       \
    X(webhook_key_file, "webhook.key_file", TEXT, NULL, 0, 0, "",                                    \
      "its private key, PEM, without a passphrase")                                                  \
    X(webhook_tls_min, "webhook.tls_min", CHOICE, "1.2", 0, 0, "1.2|1.3", "least version of TLS")    \
    X(webhook_ip, "webhook.ip", CHOICE, "any", 0, 0, "any|4|6",                                      \
      "IP version by which the endpoint, or the proxy before it, is reached")                        \
    X(webhook_proxy, "webhook.proxy", TEXT, NULL, 0, 0, "",                                          \
      "HTTP proxy to go through, http://HOST:PORT; it must allow CONNECT, and sees "                 \
      "the host and port, never the URL; http_proxy, https_proxy and no_proxy of "                   \
      "the environment have no effect")                                                              \
    X(webhook_proxy_user, "webhook.proxy_user", TEXT, NULL, 0, 0, "",                                \
      "basic authentication at the proxy: user")                                                     \
    X(webhook_proxy_password, "webhook.proxy_password", SECRET, NULL, 0, 0, "",                      \
      "basic authentication at the proxy: password")                                                 \
    X(webhook_concurrency, "webhook.concurrency", COUNT, "16", 1, 1024, "",                          \
      "requests in flight at a time, at most: how many the endpoint takes is found by its "          \
      "answers, from 2 on")                                                                          \
    X(webhook_rate, "webhook.rate", COUNT, "0", 0, 1000000, "",                                      \
      "requests a second, at most, of the whole group: the share of a member is its partitions "     \
      "of all; 0: no bound but what the endpoint is found to take")                                  \
    X(webhook_timeout, "webhook.timeout", DURATION, "30s", 100, 300000, "",                          \
      "time limit of one attempt, connecting included")                                              \
    X(webhook_response_max, "webhook.response_max", SIZE, "64KiB", 0, 16777216, "",                  \
      "bytes of a response that are read; a longer one ends there")                                  \
    X(webhook_signing_keys, "webhook.signing_keys", SECRET, NULL, 0, 0, "",                          \
      "whsec_… keys of the Standard Webhooks signature, separated by spaces (rotation)")             \
    X(webhook_uncommitted_max, "webhook.uncommitted_max", COUNT, "1000", 1, 1000000, "",             \
      "deliveries dispatched and not yet covered by an acknowledged commit: what a crash may "       \
      "send again")                                                                                  \
    X(outcome_delivered, "outcome.delivered", TEXT, NULL, 0, 0, "",                                  \
      "statuses that mean \"have it already\" and count as delivered besides 2xx: 409")              \
    X(outcome_transient, "outcome.transient", TEXT, NULL, 0, 0, "",                                  \
      "statuses to take for transient failures besides the usual ones: 409,520-527")                 \
    X(outcome_refused, "outcome.refused", TEXT, NULL, 0, 0, "",                                      \
      "statuses that blame the record: it is parked at once")                                        \
    X(outcome_endpoint, "outcome.endpoint", TEXT, NULL, 0, 0, "",                                    \
      "statuses that blame the endpoint: the breaker opens")                                         \
    X(outcome_success, "outcome.success", CHOICE, "auto", 0, 0, "status|json|auto",                  \
      "what makes a 2xx a delivery: auto: that its body is no HTML document, no captcha and does "   \
      "not say success:false or ok:false; json: that it is a JSON object that says success:true "    \
      "or ok:true; status: nothing more")                                                            \
    X(outcome_timeout, "outcome.timeout", DURATION, "5s", 0, 300000, "",                             \
      "how long a delivered record waits for the acknowledgement of its outcome record")             \
    X(retry_base, "retry.base", DURATION, "1s", 1, 3600000, "",                                      \
      "first retry delay's upper bound; doubles each time (full jitter)")                            \
    X(retry_cap, "retry.cap", DURATION, "60s", 1, 86400000, "", "longest retry delay")               \
    X(retry_attempts, "retry.attempts", COUNT, "8", 1, 1000000, "",                                  \
      "failures that park an order; only those count between which others were delivered")           \
    X(retry_endpoint_attempts, "retry.endpoint_attempts", COUNT, "3", 1, 1000000, "",                \
      "answers blaming the endpoint that park an order, others being delivered in between")          \
    X(retry_unknown_attempts, "retry.unknown_attempts", COUNT, "5", 1, 1000000, "",                  \
      "requests without a result (sent, no answer) that park an order, others being delivered in "   \
      "between: each may have been taken")                                                           \
    X(retry_give_up, "retry.give_up", DURATION, "24h", 1000, 31536000000, "",                        \
      "time after its first attempt at which an order is parked in any case; stands still while "    \
      "the breaker is open, and does not count after a 429 or a 503 with Retry-After")               \
    X(retry_after_cap, "retry.after_cap", DURATION, "15m", 0, 86400000, "",                          \
      "longest Retry-After that is honoured")                                                        \
    X(breaker_failures_in_row, "breaker.failures_in_row", COUNT, "5", 1, 1000000, "",                \
      "failures in a row that open the breaker")                                                     \
    X(breaker_failures_min, "breaker.failures_min", COUNT, "20", 1, 1000000, "",                     \
      "failures that open it when they are half of the answers in breaker.failures_window")          \
    X(breaker_failures_window, "breaker.failures_window", DURATION, "30s", 1000, 60000, "",          \
      "the time over which failures are weighed")                                                    \
    X(breaker_refusals_min, "breaker.refusals_min", COUNT, "20", 1, 1000000, "",                     \
      "refusals (4xx) that open it when they are half of the answers in breaker.refusals_window")    \
    X(breaker_refusals_window, "breaker.refusals_window", DURATION, "60s", 1000, 60000, "",          \
      "the time over which refusals are weighed")                                                    \
    X(breaker_probe_first, "breaker.probe_first", DURATION, "5s", 1, 3600000, "",                    \
      "wait before the first probe of an open breaker; doubles each time")                           \
    X(breaker_probe_cap, "breaker.probe_cap", DURATION, "60s", 1, 86400000, "",                      \
      "longest wait between two probes")                                                             \
    X(commit_interval, "commit.interval", DURATION, "20ms", 0, 60000, "",                            \
      "time between two commits; a quarter of it when deliveries would soon wait for one, five "     \
      "while records are only passed by")                                                            \
    X(drain_timeout, "drain.timeout", DURATION, NULL, 0, 600000, "",                                 \
      "time to finish what is in flight at shutdown or revoke; default webhook.timeout + 5s")        \
    X(inflight_records, "inflight.records", COUNT, "10000", 1, 10000000, "",                         \
      "unsettled deliveries held at a time, over all partitions")                                    \
    X(inflight_partition_records, "inflight.partition_records", COUNT, "2000", 1, 10000000, "",      \
      "the same of one partition: when so many are unsettled it is not read, others are")            \
    X(inflight_bytes, "inflight.bytes", SIZE, "4MiB", 65536, 17179869184, "",                        \
      "memory of unsettled deliveries, over all partitions; where all of them failed before, "       \
      "they "                                                                                        \
      "are read on one by one, up to 16 times as much")                                              \
    X(rule_column, "rule.column", TEXT, "status", 0, 0, "", "the column that decides")               \
    X(rule_value, "rule.value", TEXT, "confirmed", 0, 0, "", "the value that triggers")              \
    X(rule_snapshot, "rule.snapshot", CHOICE, "skip", 0, 0, "skip|deliver",                          \
      "what to do with rows of an initial snapshot that have the value")                             \
    X(rule_prefix, "rule.prefix", TEXT, "__", 0, 0, "",                                              \
      "what ExtractNewRecordState puts before the fields it adds (add.fields.prefix); none: "        \
      "nothing")                                                                                     \
    X(rule_assume_op, "rule.assume_op", CHOICE, NULL, 0, 0, "c|u",                                   \
      "operation of unwrapped records that have no __op")                                            \
    X(rule_table, "rule.table", TEXT, NULL, 0, 0, "",                                                \
      "the orders' table, public.orders or orders: records of other tables are skipped")             \
    X(rule_placeholder, "rule.placeholder", TEXT, NULL, 0, 0, "",                                    \
      "the connector's own unavailable.value.placeholder, when it is set there: text, or hex:…")     \
    X(rule_overtaken, "rule.overtaken", CHOICE, "send", 0, 0, "send|skip",                           \
      "a confirmation that still waits for its receiver when a later change shows the order "        \
      "without "                                                                                     \
      "the value: send it, or skip it")                                                              \
    X(rule_memory, "rule.memory", COUNT, "100000", 0, 100000000, "",                                 \
      "orders whose last status is remembered where events have no before image")                    \
    X(payload_form_name, "payload.form_name", TEXT, "order_confirmation", 0, 0, "",                  \
      "form_name of the payload")                                                                    \
    X(payload_shape, "payload.shape", CHOICE, "nested", 0, 0,                                        \
      "nested|flat|elementor|elementor-advanced|template",                                           \
      "nested: {form_name, fields:{…}}; flat: {form_name, …}; elementor: the form that "         \
      "Elementor Pro's Webhook action sends, Label=value; elementor-advanced: the same with its "    \
      "Advanced Data, fields[ID][value]=…; template: JSON of your own, payload.template")            \
    X(payload_template, "payload.template", TEXT, NULL, 0, 0, "",                                    \
      "file of the shape template: JSON whose strings ${order_id} (or another field), "              \
      "${column:NAME}, ${event_id}, ${event_at} and ${form_name} are replaced by values")            \
    X(payload_form_id, "payload.form_id", TEXT, "elementor-sync", 0, 0, "",                          \
      "form_id of the shapes elementor and elementor-advanced")                                      \
    X(payload_time_zone, "payload.time_zone", TEXT, "UTC", 0, 0, "",                                 \
      "IANA name of the zone of timestamp columns that have none (Africa/Algiers)")                  \
    X(payload_amount_decimals, "payload.amount_decimals", COUNT, "0", 0, 6, "",                      \
      "decimals that unit_price and total_amount have where their columns are integers: 2 for a "    \
      "shop that keeps cents, whose 125050 is then sent as 1250.50; other columns are sent as "      \
      "they are")                                                                                    \
    X(ops_listen, "ops.listen", TEXT, NULL, 0, 0, "",                                                \
      "address of /metrics, /livez, /readyz (127.0.0.1:9464); unset: no such port")                  \
    X(trace_url, "trace.url", TEXT, NULL, 0, 0, "",                                                  \
      "OpenTelemetry collector that gets a span of each delivery and each attempt, OTLP/HTTP in "    \
      "JSON: http://localhost:4318/v1/traces; unset: no traces")                                     \
    X(trace_sample, "trace.sample", TEXT, "1", 0, 0, "",                                             \
      "share of the traces that is recorded, 0 to 1 (0.05: one in twenty); where a record brings "   \
      "a traceparent, its sampled flag decides")                                                     \
    X(trace_ca_file, "trace.ca_file", TEXT, NULL, 0, 0, "",                                          \
      "certificates to trust instead of the system's, PEM")                                          \
    X(trace_cert_file, "trace.cert_file", TEXT, NULL, 0, 0, "",                                      \
      "client certificate for a collector that asks for one, PEM, with its intermediate "            \
      "certificates behind it; read again when the file changes")                                    \
    X(trace_key_file, "trace.key_file", TEXT, NULL, 0, 0, "",                                        \
      "its private key, PEM, without a passphrase")                                                  \
    X(dashboard_listen, "dashboard.listen", TEXT, "127.0.0.1:8080", 0, 0, "",                        \
      "where the dashboard listens, HOST:PORT; put TLS in front of it")                              \
    X(dashboard_database, "dashboard.database", TEXT, "elementor-sync.dashboard.db", 0, 0, "",       \
      "SQLite file of the dashboard's view; may be deleted, it is built again")                      \
    X(dashboard_url, "dashboard.url", TEXT, NULL, 0, 0, "",                                          \
      "where people open the dashboard when a proxy is in front of it: https://ops.example.com, "    \
      "or with a path, https://example.com/orders")                                                  \
    X(dashboard_order_link, "dashboard.order_link", TEXT, NULL, 0, 0, "",                            \
      "address of an order in the shop's own admin, which the page links to: "                       \
      "https://shop.example/wp-admin/post.php?post={order_id}&action=edit; {order_id} and "          \
      "{order_number} are replaced by the order's, percent-encoded")                                 \
    X(dashboard_origins, "dashboard.origins", TEXT, NULL, 0, 0, "",                                  \
      "origins whose pages may call the API (CORS), separated by spaces: "                           \
      "https://shop.example.com")                                                                    \
    X(dashboard_wait, "dashboard.wait", DURATION, "10s", 0, 60000, "",                               \
      "how long a call of sync-order-elementor waits before it answers 202")                         \
    X(dashboard_unseen_timeout, "dashboard.unseen_timeout", DURATION, "5m", 0, 86400000, "",         \
      "how long an order that was asked for and never seen may still come: a call is answered "      \
      "202 until then, 404 afterwards")                                                              \
    X(dashboard_redrive_rate, "dashboard.redrive_rate", COUNT, "5", 1, 1000, "",                     \
      "orders a second that a redrive sends")                                                        \
    X(dashboard_supabase_url, "dashboard.supabase_url", TEXT, NULL, 0, 0, "",                        \
      "address of the Supabase project where operators have an account "                             \
      "(https://PROJECT.supabase.co): the page offers its sign-in by e-mail, beside a token; "       \
      "with "                                                                                        \
      "dashboard.supabase_key")                                                                      \
    X(dashboard_supabase_key, "dashboard.supabase_key", TEXT, NULL, 0, 0, "",                        \
      "that project's publishable key (sb_publishable_…, or the legacy anon key): every browser "  \
      "gets it")                                                                                     \
    X(notify_url, "notify.url", SECRET, NULL, 0, 0, "",                                              \
      "https:// address that the dashboard tells when the verdict is trouble, when that is over, "   \
      "and of parked orders: a webhook of Slack, Discord or Teams, or one of your own")              \
    X(notify_heartbeat_url, "notify.heartbeat_url", SECRET, NULL, 0, 0, "",                          \
      "https:// address that the dashboard asks for (GET) each minute while nothing is wrong: a "    \
      "dead man's switch, which tells when that stays away")                                         \
    X(notify_after, "notify.after", DURATION, "2m", 1000, 86400000, "",                              \
      "how long trouble must last before it is told")                                                \
    X(notify_digest, "notify.digest", DURATION, "1h", 1000, 604800000, "",                           \
      "parked orders are told of at most once in this time")                                         \
    X(auth_hs256_secret, "auth.hs256_secret", SECRET, NULL, 0, 0, "",                                \
      "HS256: the secret that signs tokens (Supabase's legacy JWT secret), at least 32 bytes")       \
    X(auth_public_key_file, "auth.public_key_file", TEXT, NULL, 0, 0, "",                            \
      "file of the public key that verifies tokens, PEM: RSA (RS256), RSA-PSS (PS256), P-256 "       \
      "(ES256), P-384 (ES384) or Ed25519 (EdDSA)")                                                   \
    X(auth_jwks_url, "auth.jwks_url", TEXT, NULL, 0, 0, "",                                          \
      "where the public keys are (…/auth/v1/.well-known/jwks.json): RS256, PS256, ES256, ES384, "  \
      "EdDSA, as each key says")                                                                     \
    X(auth_jwks_ca_file, "auth.jwks_ca_file", TEXT, NULL, 0, 0, "",                                  \
      "certificates to trust instead of the system's, PEM")                                          \
    X(auth_service_keys, "auth.service_keys", SECRET, NULL, 0, 0, "",                                \
      "keys of services, which are operators: Supabase's sb_secret_… or your own, at least 32 "    \
      "bytes each, separated by spaces (rotation); sent as Authorization: Bearer, or apikey")        \
    X(auth_issuer, "auth.issuer", TEXT, NULL, 0, 0, "", "required iss of a token")                   \
    X(auth_audience, "auth.audience", TEXT, NULL, 0, 0, "", "required aud of a token")               \
    X(auth_operator_claim, "auth.operator_claim", TEXT, NULL, 0, 0, "",                              \
      "the claim that makes an operator, besides the role service_role: app_metadata.role; a "       \
      "name with :// in it is one claim, and quotes keep dots in a name: \"my.claims\".role")        \
    X(auth_operator_values, "auth.operator_values", TEXT, NULL, 0, 0, "",                            \
      "its values that make an operator, separated by spaces")                                       \
    X(auth_operator_aal2, "auth.operator_aal2", CHOICE, "never", 0, 0, "never|changes|always",       \
      "what of an operator's asks for a second factor (the claim aal is aal2): nothing, what "       \
      "changes something, or everything; services have none (service_role, auth.service_keys)")      \
    X(auth_owner_column, "auth.owner_column", TEXT, NULL, 0, 0, "",                                  \
      "column of the orders table that holds a customer's sub (user_id): customers see and sync "    \
      "only orders of their own; run and dashboard need the same value")                             \
    X(auth_owner_secret, "auth.owner_secret", SECRET, NULL, 0, 0, "",                                \
      "keys the mark of an order's owner in the deliveries topic; needed where owners can be "       \
      "guessed (addresses, numbers), the same for run and dashboard")                                \
    X(auth_resend_interval, "auth.resend_interval", DURATION, "10m", 0, 86400000, "",                \
      "how long after a resend a customer may ask for the next one of the same order")               \
    X(auth_call_rate, "auth.call_rate", COUNT, "60", 0, 100000, "",                                  \
      "calls a minute that one customer may make; 0: no bound")                                      \
    X(log_level, "log.level", CHOICE, "info", 0, 0, "debug|info|warn|error", "least level logged")   \
    X(log_format, "log.format", CHOICE, "logfmt", 0, 0, "logfmt|json", "form of log lines")

/* C type of each option type's member. TEXT, SECRET: owned by the config, NULL when unset.
 * CHOICE: index into its allowed words, -1 when unset; DURATION: -1 when unset. */
#define CONFIG_C_TEXT char *
#define CONFIG_C_SECRET char *
#define CONFIG_C_SWITCH bool
#define CONFIG_C_COUNT int64_t
#define CONFIG_C_DURATION int64_t
#define CONFIG_C_SIZE int64_t
#define CONFIG_C_CHOICE int

enum { KAFKA_START_EARLIEST, KAFKA_START_LATEST };
enum { KAFKA_LOST_STOP, KAFKA_LOST_EARLIEST, KAFKA_LOST_LATEST };
enum { RULE_SNAPSHOT_SKIP, RULE_SNAPSHOT_DELIVER };
enum { RULE_OVERTAKEN_SEND, RULE_OVERTAKEN_SKIP };
enum { RULE_ASSUME_OP_C, RULE_ASSUME_OP_U };
enum payload_shape {
    PAYLOAD_NESTED,
    PAYLOAD_FLAT,
    PAYLOAD_ELEMENTOR,
    PAYLOAD_ELEMENTOR_ADVANCED,
    PAYLOAD_TEMPLATE
};
enum { OPERATOR_AAL2_NEVER, OPERATOR_AAL2_CHANGES, OPERATOR_AAL2_ALWAYS };
enum { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

enum {
    CONFIG_NAME_MAX = 128, /* bytes of an option's name, its NUL included */
    CONFIG_HEADERS_MAX = 6,
    CONFIG_WARNINGS_MAX = 16
};

struct config_pair { /* an open-ended option, owned by the config */
    char *name;      /* without its prefix */
    char *value;
};

struct config {
#define X(member, name, type, fallback, min, max, allowed, help) CONFIG_C_##type member;
    CONFIG_OPTIONS(X)
#undef X
    struct config_pair *kafka_properties; /* kafka.properties.*, in the order they were set */
    size_t kafka_property_count;
    struct config_pair *webhook_headers; /* webhook.headers.*; values may be secrets */
    size_t webhook_header_count;
    struct config_pair *registry_headers; /* registry.headers.*; the same */
    size_t registry_header_count;
    struct config_pair *trace_headers; /* trace.headers.*; the same */
    size_t trace_header_count;
    char *time_zone_origin;       /* where payload.time_zone was set: "shop.yaml:7" */
    const struct time_zone *zone; /* set by config/load/time_zone_load; NULL: UTC. Never freed */
    struct payload_template *template; /* set by config/load/template_load, of the shape template; a
                                        * single allocation; NULL: another shape */
    char *payload_label[FIELD_COUNT];  /* payload.labels.*: its name in Elementor's shapes; NULL:
                                        * the field's own */
    char *payload_column[FIELD_COUNT]; /* payload.fields.*: the column that feeds each field */
    char *warnings[CONFIG_WARNINGS_MAX]; /* legal but unwise settings, one sentence each */
    size_t warning_count;
    struct { /* the names that own_names_fill filled in, as opposed to those that were set */
        bool group, topics[5];
    } derived;
    char **secret_files; /* named by NAME_FILE variables; owned */
    size_t secret_file_count;
    struct hash_key hash_key; /* of this process; drawn by config_load, else zero: never shown */
    struct config_origin {    /* the arguments of config_load; borrowed, for reading it again */
        const char *path;
        char *const *environment;
        const char *const *sets;
        size_t set_count;
    } origin;
};

struct config_option {
    const char *name, *type, *fallback, *allowed, *help;
    int64_t min, max;
    bool secret;
};

/* The table, for help, reference page and environment look-ups. */
extern const struct config_option config_options[];
extern const size_t config_option_count;

/* All defaults; NULL without memory. Free with config_free, which accepts NULL. */
struct config *config_new(void);
void config_free(struct config *config);

/* Overwrites a secret that is needed no more, and unsets it. */
void config_forget_secret(char **secret);

/* Sets one option from text; a later call wins. origin is where the text came from ("shop.yaml:7",
 * "KAFKA_BROKERS", "--set") and opens every error: origin, value (never a secret's), the allowed
 * values, and for an unknown name the nearest known one. "kafka.properties.X", "webhook.headers.X",
 * "registry.headers.X", "trace.headers.X", "payload.fields.X" and "payload.labels.X" are accepted
 * besides the table's names. An empty value is an error, except for a Kafka property. */
bool config_set(struct config *config, const char *name, const char *value, const char *origin,
                struct error *err) must_check;

/* Remembers the name of a file that held a secret. False without memory. */
bool config_note_secret_file(struct config *config, const char *path) must_check;

/* The options that a command needs. */
enum config_need {
    CONFIG_NEED_KAFKA = 1,    /* brokers, topic */
    CONFIG_NEED_START = 2,    /* kafka.start */
    CONFIG_NEED_REGISTRY = 4, /* registry.url */
    CONFIG_NEED_WEBHOOK = 8,  /* webhook.url */
    CONFIG_NEED_AUTH = 16     /* a way to verify tokens */
};

/* Checks required options and contradictions, and adds unwise settings to config->warnings. `needs`
 * is a set of enum config_need. */
bool config_finish(struct config *config, unsigned needs, struct error *err) must_check;

/* drain.timeout, or its default (ms). */
int64_t config_drain_timeout(const struct config *config);

/* All errors, one by one, for a report: the index-th required option that is missing, and the
 * index-th contradiction, from 0 on. False, err untouched: there are no more. */
bool config_missing(const struct config *config, unsigned needs, size_t index, struct error *err);
bool config_contradiction(struct config *config, size_t index, struct error *err);

/* Adds a warning; silently none without memory, or past CONFIG_WARNINGS_MAX. Never a secret. */
void config_warn(struct config *config, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The value of a librdkafka property; NULL: not set. */
const char *config_property(const struct config *config, const char *property);

/* True when an option's value must not be shown; kafka.properties.* and webhook.headers.* too. */
bool config_name_is_secret(const char *name);

/* The value of config_options[option] as it could be written, NULL: unset; for a secret the text of
 * fingerprint_show. text: room for it, 32 bytes; the result may point into the config instead. */
const char *config_value_text(const struct config *config, size_t option, char *text, size_t size);

/* "250ms", "5s", "2m", "1h", "7d" as milliseconds. */
bool config_parse_duration(const char *text, int64_t *ret_ms, struct error *err) must_check;

/* Letters, digits, dots, underscores and dashes, at least one and fewer than CONFIG_NAME_MAX. Any
 * other text is not shown in messages: it may be a secret in the wrong place. */
bool config_name_is_plain(const char *name);

/* True when a librdkafka property holds a secret ("sasl.password", …). */
bool config_property_is_secret(const char *property);

/* "kafka.brokers" -> "KAFKA_BROKERS". text needs room for the name and a NUL. */
const char *config_environment_name(const char *name, char *text, size_t size);

#endif
