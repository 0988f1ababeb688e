/* pipeline_doubt: who is at fault when a record cannot be read, and what becomes of its partition.
 */
#include "cli/arguments.h"
#include "fakes/avro_bytes.h"
#include "fakes/clock.h"
#include "fakes/pipeline_harness.h"
#include "registry/schema_proof.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define M "elementor_sync_"
#define JSON(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body
#define MISSING JSON("404 Not Found", "{\"error_code\":40403,\"message\":\"Schema not found\"}")
#define FOREIGN JSON("200 OK", "{\"schema\":\"syntax\",\"schemaType\":\"PROTOBUF\"}")
#define PAYMENTS                                                                                \
    HARNESS_ANSWER("Payment", HARNESS_FIELD("id") "," HARNESS_FIELD("payer") "," HARNESS_FIELD( \
                                  "note") "," HARNESS_FIELD("ref") "," HARNESS_FIELD("status"))
#define HEARTBEAT HARNESS_ANSWER("Heartbeat", "{\\\"name\\\":\\\"ts\\\",\\\"type\\\":\\\"long\\\"}")
#define STOPPED M "partition_stopped{topic=\"orders\",partition=\"0\"}"
#define SUSPECTS M "partition_suspects{topic=\"orders\",partition=\"0\"}"

enum { TEXT_MAX = 65536, LOOK_MS = 30000 };

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
static char text[TEXT_MAX];

static void await(struct pipeline_harness *w, const char *wanted)
{
    pipeline_harness_await_scrape(w, "/metrics", wanted, text, sizeof text);
}

static double metric(const char *name)
{
    return pipeline_harness_metric(text, name);
}

static int64_t real_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Time goes by until it says so. Between two steps the loop has some time of its own: a request
 * that was just begun must not be late at once. */
static void await_skipping(struct pipeline_harness *w, int64_t step_ms, const char *wanted)
{
    enum { STEPS_MAX = 20, STEP_MS = 2000, LOOK_US = 100000 };
    for (int steps = 0; steps < STEPS_MAX; steps++) {
        for (int64_t until = real_ms() + STEP_MS; real_ms() < until; usleep(LOOK_US)) {
            pipeline_harness_scrape(w, "/metrics", text, sizeof text);
            if (strstr(text, wanted) != NULL)
                return;
        }
        clock_skip(step_ms);
    }
    fail_msg("no \"%s\" in %s", wanted, text);
}

static void assert_conserved(void)
{
    double known = metric(M "records_delivered_total") + metric(M "records_parked_total") +
                   metric(M "records_abandoned_total") + metric(M "records_in_flight");
    for (const char *at = text; (at = strstr(at, M "records_skipped_total{")) != NULL; at++)
        known += strtod(strchr(at, ' ') + 1, NULL);
    assert_true(known == metric(M "records_consumed_total"));
}

static void end(struct pipeline_harness *w)
{
    pipeline_harness_stop(w);
    assert_true(w->ok);
    pipeline_harness_close(w);
}

/* Nothing is parked, nothing committed, and the member says that it stands still. */
static void assert_stopped(struct pipeline_harness *w)
{
    await(w, STOPPED " 1\n");
    assert_conserved();
    assert_true(metric(M "records_parked_total") == 0);
    assert_true(metric(M "records_delivered_total") == 0);
    assert_true(cluster_committed(&w->cluster, "shop", 0) <= 0);
    pipeline_harness_scrape(w, "/readyz", text, sizeof text);
    assert_string_equal(text, "");
}

/* ---- the registry ---- */

static void a_gateways_404_costs_only_its_time(void **state)
{
    static const struct server_rule registry[] = {
        {NULL, SERVER_ANSWER_CLOSE, JSON("404 Not Found", "{\"message\":\"no Route matched\"}"), 3},
        {NULL, SERVER_ANSWER_CLOSE, HARNESS_SCHEMA, 0},
        {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open_with_registry(&w, accepting, registry);
    pipeline_harness_confirm(&w, 0, "o1");
    pipeline_harness_start(&w);
    for (size_t times = 1; times <= 2; times++) { /* "no such schema" would be believed by then */
        while (server_request_count(w.registry) < times)
            usleep(5000);
        clock_skip(LOOK_MS + 1000);
    }
    await(&w, M "records_parked_total 0\n");
    pipeline_harness_scrape(&w, "/readyz", text, sizeof text);
    assert_string_equal(text, "");
    await_skipping(&w, LOOK_MS + 1000, M "records_delivered_total 1\n");
    assert_true(metric(M "records_parked_total") == 0);
    pipeline_harness_await_scrape(&w, "/readyz", "ok", text, sizeof text);
    end(&w);
}

static void a_schema_of_another_kind_stops_the_partition_until_it_is_mended(void **state)
{
    static const struct server_rule registry[] = {{NULL, SERVER_ANSWER_CLOSE, FOREIGN, 1},
                                                  {NULL, SERVER_ANSWER_CLOSE, HARNESS_SCHEMA, 0},
                                                  {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open_with_registry(&w, accepting, registry);
    for (int i = 0; i < 10; i++)
        pipeline_harness_confirm(&w, 0, "o1");
    pipeline_harness_start(&w);
    assert_stopped(&w);
    await_skipping(&w, LOOK_MS, STOPPED " 0\n");
    await(&w, M "records_consumed_total 30\n");
    await(&w, M "records_in_flight 0\n");
    assert_true(metric(M "records_parked_total") == 0);
    end(&w);
}

static void until_end_fails_at_a_stopped_partition(void **state)
{
    static const struct server_rule registry[] = {{NULL, SERVER_ANSWER_CLOSE, FOREIGN, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open_with_registry(&w, accepting, registry);
    pipeline_harness_confirm(&w, 0, "o1");
    assert_false(pipeline_harness_try_to_end(&w));
    assert_non_null(strstr(w.err.text, "partition 0 is stopped"));
    pipeline_harness_close(&w);
}

/* ---- bytes and a schema that do not belong together ---- */

static void misfits(const char *answer)
{
    const struct server_rule registry[] = {{NULL, SERVER_ANSWER_CLOSE, answer, 1},
                                           {NULL, SERVER_ANSWER_CLOSE, HARNESS_SCHEMA, 0},
                                           {0}};
    struct pipeline_harness w;
    pipeline_harness_open_with_registry(&w, accepting, registry);
    for (int i = 0; i < 10; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_confirm(&w, 0, id);
    }
    pipeline_harness_start(&w);
    assert_stopped(&w);
    await_skipping(&w, LOOK_MS, STOPPED " 0\n");
    await(&w, M "records_in_flight 0\n");
    assert_true(metric(M "records_delivered_total") == 10);
    assert_conserved();
    assert_true(metric(M "records_parked_total") == 0);
    pipeline_harness_await_scrape(&w, "/readyz", "ok", text, sizeof text);
    end(&w);
}

static void changed_schema_under_the_id_skips_nothing(void **state)
{
    (void)state;
    misfits(PAYMENTS);
}

/* Its records would be none of ours, whatever they hold. */
static void foreign_schema_under_the_id_skips_nothing(void **state)
{
    (void)state;
    misfits(HEARTBEAT);
}

/* A few of them are held, and said at once all the same. */
static void a_few_misfits_stop_the_partition_too(void **state)
{
    static const struct server_rule registry[] = {{NULL, SERVER_ANSWER_CLOSE, PAYMENTS, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open_with_registry(&w, accepting, registry);
    pipeline_harness_confirm(&w, 0, "o1");
    pipeline_harness_start(&w);
    await(&w, SUSPECTS " 3\n");
    assert_stopped(&w);
    end(&w);
}

/* ---- one broken record, or a broken topic ---- */

static void a_broken_record_is_held_until_another_one_is_read(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    cluster_produce(&w.cluster, 0, "junk", 4);
    pipeline_harness_start(&w);
    await(&w, SUSPECTS " 1\n");
    assert_stopped(&w);
    pipeline_harness_produce(&w, 0, "o1", "06", "pending");
    await(&w, M "records_parked_total 1\n");
    await(&w, STOPPED " 0\n");
    assert_conserved();
    end(&w);
}

/* Another partition's records wake the member all the time. */
static void a_busy_topic_hides_no_held_record(void **state)
{
    enum { RECORDS = 50, APART_MS = 100 };
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    cluster_produce(&w.cluster, 0, "junk", 4);
    pipeline_harness_start(&w);
    await(&w, SUSPECTS " 1\n");
    for (int count = 1; count <= RECORDS && strstr(text, STOPPED " 1\n") == NULL; count++) {
        char wanted[64];
        clock_skip(APART_MS);
        pipeline_harness_produce(&w, 1, "o1", "06", "pending");
        snprintf(wanted, sizeof wanted, M "records_consumed_total %d\n", count + 1);
        await(&w, wanted);
    }
    assert_non_null(strstr(text, STOPPED " 1\n"));
    end(&w);
}

static void cut(struct pipeline_harness *w, size_t len)
{
    cluster_produce(&w->cluster, 0, "\0\0\0\0\1\4o1\nCMD-1", len);
}

/* Of its schema id another one was read before it: nothing behind it is needed. */
static void a_broken_record_behind_others_is_parked(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_confirm(&w, 0, "o1");
    cut(&w, 10);
    pipeline_harness_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 1);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 4);
    rd_kafka_message_t *m = cluster_parked(&w.cluster);
    assert_non_null(m);
    assert_int_equal(m->len, 10);
    cluster_parked_done(m, &w.cluster);
    pipeline_harness_close(&w);
}

static void nothing_is_parked_of_a_topic_that_changed_its_format(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_produce(&w, 0, "o1", "06", "pending");
    for (int i = 0; i < 30; i++)
        cluster_produce(&w.cluster, 0, "{\"op\":\"u\"}", 10);
    pipeline_harness_start(&w);
    await(&w, STOPPED " 1\n");
    assert_true(metric(M "records_parked_total") == 0);
    assert_true(metric(SUSPECTS) == 20);
    assert_conserved();
    await_skipping(&w, LOOK_MS, STOPPED " 1\n");
    assert_true(metric(M "records_parked_total") == 0);
    end(&w);
}

/* clang-format off */
#define ROW_WITH_OP                                                                             \
    HARNESS_ANSWER("Row",                                                                       \
                   HARNESS_FIELD("id") "," HARNESS_FIELD("order_number") ","                    \
                   HARNESS_FIELD("client_name") "," HARNESS_FIELD("client_phone") ","           \
                   HARNESS_FIELD("product_name") "," HARNESS_FIELD("quantity") ","              \
                   HARNESS_FIELD("unit_price") "," HARNESS_FIELD("total_amount") ","            \
                   HARNESS_FIELD("status") "," HARNESS_FIELD("__op"))
/* clang-format on */

static void with_op(struct pipeline_harness *w, const char *order, const char *op)
{
    const char *const fields[] = {order, "CMD-1", "Amina", "06",        "Watch",
                                  "1",   "2.50",  "2.50",  "confirmed", op};
    struct buf row;
    buf_init(&row, 256);
    buf_add(&row, "\0\0\0\0\1", 5);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        avro_add_text(&row, fields[i]);
    cluster_produce(&w->cluster, 0, row.data, row.len);
    buf_done(&row);
}

/* Another program's words, or a transform that translates them: nothing of it is an event. */
static void ops_that_are_none_stop_the_partition(void **state)
{
    static const struct server_rule registry[] = {{NULL, SERVER_ANSWER_CLOSE, ROW_WITH_OP, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open_with_registry(&w, accepting, registry);
    for (int i = 0; i < 100; i++)
        with_op(&w, "o1", "UPDATE");
    pipeline_harness_log_open(&w);
    pipeline_harness_start(&w);
    await(&w, STOPPED " 1\n");
    pipeline_harness_await_log(&w, "the event's op is none of");
    assert_true(metric(SUSPECTS) == 20);
    assert_stopped(&w);
    end(&w);
}

static void an_op_that_is_none_among_others_is_parked(void **state)
{
    static const struct server_rule registry[] = {{NULL, SERVER_ANSWER_CLOSE, ROW_WITH_OP, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open_with_registry(&w, accepting, registry);
    with_op(&w, "o1", "UPDATE");
    pipeline_harness_start(&w);
    await(&w, SUSPECTS " 1\n");
    assert_stopped(&w);
    with_op(&w, "o2", "c");
    await(&w, M "records_delivered_total 1\n");
    await(&w, M "records_parked_total 1\n");
    await(&w, STOPPED " 0\n");
    end(&w);
}

/* One record of a schema that nothing else has, in the midst of orders: whether it is broken, or
 * what it is read with, nothing will tell. */
static void a_record_that_none_like_it_follows_stops_the_partition(void **state)
{
    static const struct server_rule registry[] = {
        {"/schemas/ids/2", SERVER_ANSWER_CLOSE, PAYMENTS, 0},
        {NULL, SERVER_ANSWER_CLOSE, HARNESS_SCHEMA, 0},
        {0}};
    static const unsigned char payment[] = {0, 0, 0, 0, 2, 'x'};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open_with_registry(&w, accepting, registry);
    cluster_produce(&w.cluster, 0, payment, sizeof payment);
    for (int i = 0; i < 30; i++)
        pipeline_harness_produce(&w, 0, "o1", "06", "pending");
    pipeline_harness_start(&w);
    await(&w, STOPPED " 1\n");
    assert_true(metric(M "records_parked_total") == 0);
    assert_true(metric(M "records_consumed_total") == 21);
    assert_conserved();
    assert_true(cluster_committed(&w.cluster, "shop", 0) <= 0);
    end(&w);
}

/* ---- schema ids ---- */

static void with_id(struct pipeline_harness *w, unsigned char id)
{
    const unsigned char bytes[] = {0, 0, 0, 0, id, 'x'};
    cluster_produce(&w->cluster, 0, bytes, sizeof bytes);
}

static void unknown_schema_ids_are_requested_together(void **state)
{
    static const struct server_rule registry[] = {
        {"/schemas/ids/1", SERVER_ANSWER_CLOSE, HARNESS_SCHEMA, 0},
        {NULL, SERVER_ANSWER_CLOSE, MISSING, 0},
        {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open_with_registry(&w, accepting, registry);
    for (unsigned char id = 11; id <= 13; id++)
        with_id(&w, id);
    pipeline_harness_confirm(&w, 0, "o1");
    int64_t begun = clock_mono_ms();
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/readyz", "ok", text, sizeof text);
    await_skipping(&w, LOOK_MS + 1000, M "records_delivered_total 1\n");
    assert_true(clock_mono_ms() - begun < 2 * LOOK_MS); /* one after another: three times 30 s */
    await(&w, M "records_parked_total 3\n");
    end(&w);
}

static void a_schema_that_the_registry_lost_stops_the_partition(void **state)
{
    static const struct server_rule registry[] = {
        {"/schemas/ids/1", SERVER_ANSWER_CLOSE, HARNESS_SCHEMA, 0},
        {NULL, SERVER_ANSWER_CLOSE, MISSING, 0},
        {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open_with_registry(&w, accepting, registry);
    pipeline_harness_produce(&w, 0, "o1", "06",
                             "pending"); /* what came before it proves nothing of its id */
    for (int i = 0; i < 5; i++)
        with_id(&w, 11);
    pipeline_harness_start(&w);
    await_skipping(&w, LOOK_MS + 1000, STOPPED " 1\n");
    assert_true(metric(SUSPECTS) == 5);
    assert_true(metric(M "records_parked_total") == 0);
    assert_conserved();
    end(&w);
}

/* ---- schema ids in headers ---- */

#define CONTENT_ID "apicurio.value.contentId"
/* clang-format off */
#define NULLABLE_FIRST                                                                          \
    HARNESS_ANSWER("Row", "{\\\"name\\\":\\\"x\\\",\\\"type\\\":[\\\"null\\\",\\\"string\\\"]},"          \
                   HARNESS_FIELD("id") "," HARNESS_FIELD("order_number") ","                    \
                   HARNESS_FIELD("client_name") "," HARNESS_FIELD("client_phone") ","           \
                   HARNESS_FIELD("product_name") "," HARNESS_FIELD("quantity") ","              \
                   HARNESS_FIELD("unit_price") "," HARNESS_FIELD("total_amount") ","            \
                   HARNESS_FIELD("status"))
/* clang-format on */

static void with_header(struct pipeline_harness *w, const char *name, const void *id, size_t id_len,
                        const void *value, size_t len)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    rd_kafka_header_add(headers, name, -1, id, (ssize_t)id_len);
    assert_int_equal(rd_kafka_producev(w->cluster.rk, RD_KAFKA_V_TOPIC(CLUSTER_TOPIC),
                                       RD_KAFKA_V_PARTITION(0),
                                       RD_KAFKA_V_VALUE((void *)(uintptr_t)value, len),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                       RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_flush(w->cluster.rk, HARNESS_PATIENCE_MS),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
}

/* A row of the harness's schema, whose schema a header names: no id in front of it. */
static void row_with_header(struct pipeline_harness *w, const char *name, const void *id,
                            size_t id_len, const char *order, const char *status)
{
    const char *const fields[] = {order, "CMD-1", "Amina", "06",  "Watch",
                                  "1",   "2.50",  "2.50",  status};
    struct buf row;
    buf_init(&row, 256);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        avro_add_text(&row, fields[i]);
    with_header(w, name, id, id_len, row.data, row.len);
    buf_done(&row);
}

#define ID(last) "\0\0\0\0\0\0\0" last, 8

/* The value begins with the row, which may look like an id. A broken record is parked by the same
 * rules as one with an id in front: another of its schema was read to its end. */
static void orders_whose_schema_a_header_names_are_sent(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    row_with_header(&w, CONTENT_ID, ID("\1"), "o1", "confirmed");
    with_header(&w, CONTENT_ID, ID("\1"), "\2", 1);
    row_with_header(&w, CONTENT_ID, ID("\1"), "o2", "confirmed");
    pipeline_harness_start(&w);
    await(&w, M "records_delivered_total 2\n");
    await(&w, M "records_parked_total 1\n");
    assert_conserved();
    assert_int_equal(server_request_count(w.registry), 1);
    end(&w);
}

/* The converter was set otherwise while the topic was in use: behind many records whose id is in
 * front, headers are no longer looked at for each; and this row begins like such an id. */
static void a_header_is_seen_behind_many_records_without(void **state)
{
    static const struct server_rule registry[] = {
        {"/schemas/ids/1", SERVER_ANSWER_CLOSE, HARNESS_SCHEMA, 0},
        {"/schemas/ids/2", SERVER_ANSWER_CLOSE, NULLABLE_FIRST, 0},
        {0}};
    static const char row[] = "\0\4o9\nCMD-1\nAmina\00406\nWatch\0021\0102.50\0102.50\22confirmed";
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open_with_registry(&w, accepting, registry);
    for (int i = 0; i < SCHEMA_PROOF_FIRST + 10; i++)
        pipeline_harness_produce(&w, 0, "o1", "06", "pending");
    with_header(&w, CONTENT_ID, ID("\2"), row, sizeof row - 1);
    pipeline_harness_start(&w);
    await(&w, M "records_delivered_total 1\n");
    assert_true(metric(M "records_parked_total") == 0);
    assert_conserved();
    end(&w);
}

static void a_schema_of_a_header_that_the_registry_lost_stops_the_partition(void **state)
{
    static const struct server_rule registry[] = {{NULL, SERVER_ANSWER_CLOSE, MISSING, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open_with_registry(&w, accepting, registry);
    for (int i = 0; i < 5; i++)
        row_with_header(&w, CONTENT_ID, ID("\7"), "o1", "confirmed");
    pipeline_harness_start(&w);
    await_skipping(&w, LOOK_MS + 1000, STOPPED " 1\n");
    assert_true(metric(SUSPECTS) == 5);
    assert_true(metric(M "records_parked_total") == 0);
    assert_conserved();
    end(&w);
}

/* Programs that copy a record's headers to another record leave such a pair; the serializers' own
 * readers read it so, too. */
static void a_header_counts_before_the_id_in_front_and_a_misfit_names_it(void **state)
{
    static const char prefixed[] = "\0\0\0\0\1\4o1\2c\2a\0026\2w\0021\0022\0022\22confirmed";
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    for (int i = 0; i < 25; i++)
        with_header(&w, CONTENT_ID, ID("\1"), prefixed, sizeof prefixed - 1);
    pipeline_harness_log_open(&w);
    pipeline_harness_start(&w);
    pipeline_harness_await_log(&w, "do not fit schema 1 of its header " CONTENT_ID " (Row)");
    assert_stopped(&w);
    end(&w);
}

/* The id in front is known by then, and its schema fits what stands behind it. */
static void a_header_counts_before_an_id_that_is_known(void **state)
{
    static const char prefixed[] = "\0\0\0\0\1\4o1\2c\2a\0026\2w\0021\0022\0022\22confirmed";
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_produce(&w, 0, "o1", "06", "pending");
    for (int i = 0; i < 25; i++)
        with_header(&w, CONTENT_ID, ID("\1"), prefixed, sizeof prefixed - 1);
    pipeline_harness_start(&w);
    await(&w, STOPPED " 1\n");
    assert_true(metric(M "records_delivered_total") == 0);
    assert_true(metric(M "records_parked_total") == 0);
    end(&w);
}

static void a_header_without_an_id_stops_the_partition_and_asks_nothing(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    for (int i = 0; i < 25; i++)
        row_with_header(&w, CONTENT_ID, "\0\0\0\7", 4, "o1", "confirmed");
    pipeline_harness_start(&w);
    assert_stopped(&w);
    assert_int_equal(server_request_count(w.registry), 0);
    end(&w);
}

/* A global id is Apicurio's: at another registry any answer would be another schema. */
static void a_global_id_needs_apicurio(void **state)
{
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, accepting);
    row_with_header(&w, "apicurio.value.globalId", ID("\1"), "o1", "confirmed");
    pipeline_harness_log_open(&w);
    pipeline_harness_start(&w);
    pipeline_harness_await_log(&w, "/apis/ccompat/v7");
    assert_stopped(&w);
    assert_int_equal(server_request_count(w.registry), 0);
    end(&w);
}

/* ---- an operator parks a stretch ---- */

static bool park(struct pipeline_harness *w, const char *from, const char *to)
{
    static const struct command *const commands[] = {&command_park, NULL};
    char *argv[] = {
        "elementor-sync", "park", "--partition", "0",        "--from",
        (char *)from,     "--to", (char *)to,    "--reason", "the connector wrote JSON for an hour",
        "--yes",          NULL};
    struct invocation call;
    w->err = (struct error){0};
    assert_true(arguments_parse(11, argv, commands, &call, &w->err));
    bool ok = call.command->run(w->config, call.options, &w->err);
    return ok;
}

static bool holds(const void *bytes, size_t len, const char *wanted)
{
    return memmem(bytes, len, wanted, strlen(wanted)) != NULL;
}

static void a_stretch_is_parked_while_the_member_runs(void **state)
{
    struct pipeline_harness w;
    rd_kafka_headers_t *headers;
    const void *detail;
    size_t len;
    (void)state;
    pipeline_harness_open(&w, accepting);
    for (int i = 0; i < 30; i++)
        cluster_produce(&w.cluster, 0, "{\"op\":\"u\"}", 10);
    pipeline_harness_confirm(&w, 0, "o1"); /* 30 to 32 */
    pipeline_harness_start(&w);
    await(&w, STOPPED " 1\n");
    assert_true(park(&w, "0", "32"));
    await(&w, M "records_delivered_total 1\n"); /* what can be read is processed as usual */
    await(&w, M "records_parked_total 30\n");
    await(&w, STOPPED " 0\n");
    await(&w, M "records_in_flight 0\n");
    assert_conserved();
    await(&w, M "partition_committed{topic=\"orders\",partition=\"0\"} 33\n");
    await(&w, M "partition_committed{topic=\"retries\",partition=\"0\"} 1\n");
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    rd_kafka_message_t *m = cluster_parked(&w.cluster);
    assert_non_null(m);
    rd_kafka_message_headers(m, &headers);
    assert_int_equal(rd_kafka_header_get_last(headers, "elementor-sync.detail", &detail, &len),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_true(holds(detail, len, "JSON"));
    assert_true(holds(detail, len, "parked by an operator: the connector wrote JSON for an hour"));
    cluster_parked_done(m, &w.cluster);
    assert_false(park(&w, "0", "32"));
    assert_non_null(strstr(w.err.text, "settled partition 0 up to 33 already"));
    assert_false(park(&w, "33", "34"));
    assert_non_null(strstr(w.err.text, "ends at 33"));
    assert_false(park(&w, "3x", "34"));
    assert_false(park(&w, "5", "5"));
    pipeline_harness_close(&w);
}

static void a_schema_that_cannot_be_read_is_parked_by_the_stretch_only(void **state)
{
    static const struct server_rule registry[] = {
        {"/schemas/ids/1", SERVER_ANSWER_CLOSE, HARNESS_SCHEMA, 0},
        {NULL, SERVER_ANSWER_CLOSE, FOREIGN, 0},
        {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open_with_registry(&w, accepting, registry);
    for (int i = 0; i < 3; i++)
        with_id(&w, 11);
    pipeline_harness_confirm(&w, 0, "o1");
    pipeline_harness_start(&w);
    await(&w, STOPPED " 1\n");
    assert_true(park(&w, "0", "2"));
    await(&w, M "records_parked_total 2\n");
    await(&w, STOPPED " 1\n");
    assert_true(park(&w, "2", "3"));
    await(&w, M "records_delivered_total 1\n");
    await(&w, STOPPED " 0\n");
    assert_true(metric(M "records_parked_total") == 3);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gateways_404_costs_only_its_time),
        cmocka_unit_test(a_schema_of_another_kind_stops_the_partition_until_it_is_mended),
        cmocka_unit_test(until_end_fails_at_a_stopped_partition),
        cmocka_unit_test(changed_schema_under_the_id_skips_nothing),
        cmocka_unit_test(foreign_schema_under_the_id_skips_nothing),
        cmocka_unit_test(a_few_misfits_stop_the_partition_too),
        cmocka_unit_test(a_broken_record_is_held_until_another_one_is_read),
        cmocka_unit_test(a_busy_topic_hides_no_held_record),
        cmocka_unit_test(a_broken_record_behind_others_is_parked),
        cmocka_unit_test(nothing_is_parked_of_a_topic_that_changed_its_format),
        cmocka_unit_test(ops_that_are_none_stop_the_partition),
        cmocka_unit_test(an_op_that_is_none_among_others_is_parked),
        cmocka_unit_test(a_record_that_none_like_it_follows_stops_the_partition),
        cmocka_unit_test(unknown_schema_ids_are_requested_together),
        cmocka_unit_test(a_schema_that_the_registry_lost_stops_the_partition),
        cmocka_unit_test(orders_whose_schema_a_header_names_are_sent),
        cmocka_unit_test(a_header_is_seen_behind_many_records_without),
        cmocka_unit_test(a_schema_of_a_header_that_the_registry_lost_stops_the_partition),
        cmocka_unit_test(a_header_counts_before_the_id_in_front_and_a_misfit_names_it),
        cmocka_unit_test(a_header_counts_before_an_id_that_is_known),
        cmocka_unit_test(a_header_without_an_id_stops_the_partition_and_asks_nothing),
        cmocka_unit_test(a_global_id_needs_apicurio),
        cmocka_unit_test(a_stretch_is_parked_while_the_member_runs),
        cmocka_unit_test(a_schema_that_cannot_be_read_is_parked_by_the_stretch_only),
    };
    return pipeline_harness_main("pipeline_doubt", tests, sizeof tests / sizeof *tests);
}
