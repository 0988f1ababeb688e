/* pipeline_traces: deliveries become spans, and whatever the collector does, they are made. */
#include "fakes/pipeline_harness.h"

#include "http/headers/traceparent.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAKEN "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define UNFIT "HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n"
#define PARENT_TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT_SPAN "00f067aa0ba902b7"
#define PARENT "00-" PARENT_TRACE "-" PARENT_SPAN

enum { CLIENT = 3, CONSUMER = 5, FAILED = 2 };

struct bench {
    struct pipeline_harness w;
    struct server *collector;
    json_t *spans; /* all that it got */
};

static void open_bench(struct bench *b, const struct server_rule *webhook,
                       const struct server_rule *collector)
{
    char url[128];
    pipeline_harness_open(&b->w, webhook);
    b->collector = server_new(collector);
    b->spans = json_array();
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/traces", server_port(b->collector));
    pipeline_harness_set(&b->w, "trace.url", url);
}

static void close_bench(struct bench *b)
{
    json_decref(b->spans);
    pipeline_harness_close(&b->w);
    server_free(b->collector);
}

static void read_spans(struct bench *b)
{
    for (size_t i = 0; i < server_request_count(b->collector); i++) {
        json_t *request = json_loads(server_request(b->collector, i)->body, 0, NULL);
        assert_non_null(request);
        const json_t *scopes = json_object_get(
            json_array_get(json_object_get(request, "resourceSpans"), 0), "scopeSpans");
        json_array_extend(b->spans, json_object_get(json_array_get(scopes, 0), "spans"));
        json_decref(request);
    }
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* The span's attribute, texts and numbers alike; "": it has none of this name. */
static const char *attribute(const json_t *span, const char *name)
{
    size_t i;
    const json_t *one;
    json_array_foreach (json_object_get(span, "attributes"), i, one) {
        const json_t *value = json_object_get(one, "value");
        const char *text = text_of(value, "stringValue");
        if (strcmp(text_of(one, "key"), name) == 0)
            return *text != '\0' ? text : text_of(value, "intValue");
    }
    return "";
}

static const json_t *span_of(const struct bench *b, const char *id)
{
    size_t i;
    const json_t *span;
    json_array_foreach (b->spans, i, span)
        if (strcmp(text_of(span, "spanId"), id) == 0)
            return span;
    fail_msg("no span %s was exported", id);
    return NULL;
}

static int64_t kind_of(const json_t *span)
{
    return json_integer_value(json_object_get(span, "kind"));
}

static int64_t status_of(const json_t *span)
{
    return json_integer_value(json_object_get(json_object_get(span, "status"), "code"));
}

static struct trace_context context_of(struct bench *b, size_t request)
{
    char text[64], read[TRACEPARENT_TEXT];
    pipeline_harness_header(&b->w, request, "traceparent", text, sizeof text);
    assert_true(traceparent_read(slice_of(text), read));
    return traceparent_split(read);
}

/* The request's span, and the delivery's that it is in. */
static const json_t *assert_exported(struct bench *b, size_t request)
{
    char id[64], attempt[16];
    const struct trace_context context = context_of(b, request);
    const json_t *span = span_of(b, context.span_id);
    const json_t *whole = span_of(b, text_of(span, "parentSpanId"));
    pipeline_harness_header(&b->w, request, "webhook-id", id, sizeof id);
    pipeline_harness_header(&b->w, request, "webhook-attempt", attempt, sizeof attempt);
    assert_int_equal(context.flags, 1);
    assert_string_equal(text_of(span, "traceId"), context.trace_id);
    assert_string_equal(text_of(whole, "traceId"), context.trace_id);
    assert_int_equal(kind_of(span), CLIENT);
    assert_int_equal(kind_of(whole), CONSUMER);
    assert_string_equal(attribute(span, "elementor_sync.webhook_id"), id);
    assert_string_equal(attribute(whole, "elementor_sync.webhook_id"), id);
    assert_string_equal(attribute(span, "elementor_sync.attempt"), attempt);
    assert_string_equal(attribute(span, "server.address"), "127.0.0.1");
    const char *beginning = text_of(span, "startTimeUnixNano");
    const char *end = text_of(span, "endTimeUnixNano");
    assert_true(strcmp(text_of(whole, "startTimeUnixNano"), beginning) <= 0);
    assert_true(strcmp(beginning, end) <= 0);
    assert_true(strcmp(end, text_of(whole, "endTimeUnixNano")) <= 0);
    return span;
}

static void assert_keeps_secrets(struct bench *b)
{
    char *all = json_dumps(b->spans, 0);
    assert_non_null(all);
    assert_null(strstr(all, "/hook"));
    assert_null(strstr(all, "Amina"));
    assert_null(strstr(all, "CMD-1"));
    free(all);
}

static void each_requests_traceparent_is_an_exported_span(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, BUSY, 1}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct bench b;
    char made[TRACEPARENT_TEXT], id[64];
    (void)state;
    open_bench(&b, webhook, (const struct server_rule[]){{NULL, SERVER_ANSWER, TAKEN, 0}, {0}});
    server_listen(b.collector);
    pipeline_harness_confirm(&b.w, 1, "o1");
    pipeline_harness_run_to_end(&b.w);
    b.w.cluster.traceparent = PARENT "-01";
    pipeline_harness_confirm(&b.w, 1, "o2");
    pipeline_harness_run_to_end(&b.w);
    read_spans(&b);
    assert_int_equal(server_request_count(b.w.webhook), 3);
    assert_int_equal(json_array_size(b.spans), 5);
    const json_t *failed = assert_exported(&b, 0), *first = assert_exported(&b, 1),
                 *second = assert_exported(&b, 2);
    const json_t *whole = span_of(&b, text_of(first, "parentSpanId"));
    assert_string_not_equal(text_of(failed, "spanId"), text_of(first, "spanId"));
    assert_string_equal(text_of(failed, "parentSpanId"), text_of(whole, "spanId"));
    assert_int_equal(status_of(failed), FAILED);
    assert_string_equal(attribute(failed, "http.response.status_code"), "503");
    assert_string_equal(attribute(failed, "error.type"), "503");
    assert_string_equal(attribute(failed, "elementor_sync.reason"), "http:503");
    assert_int_equal(status_of(first), 0);
    assert_string_equal(attribute(first, "http.request.resend_count"), "1");
    assert_string_equal(text_of(whole, "name"), "deliver " CLUSTER_TOPIC);
    assert_string_equal(text_of(whole, "parentSpanId"), "");
    assert_string_equal(attribute(whole, "messaging.destination.partition.id"), "1");
    assert_string_equal(attribute(whole, "messaging.kafka.offset"), "1");
    assert_string_equal(attribute(whole, "elementor_sync.outcome"), "delivered");
    assert_string_equal(attribute(whole, "elementor_sync.attempts"), "2");
    pipeline_harness_header(&b.w, 1, "webhook-id", id, sizeof id);
    traceparent_make(id, made);
    assert_string_equal(text_of(whole, "traceId"), traceparent_split(made).trace_id);
    assert_string_equal(text_of(second, "traceId"), PARENT_TRACE);
    assert_string_equal(text_of(span_of(&b, text_of(second, "parentSpanId")), "parentSpanId"),
                        PARENT_SPAN);
    assert_keeps_secrets(&b);
    close_bench(&b);
}

static void a_parked_order_is_a_failed_span(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, UNFIT, 1}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct bench b;
    size_t i, parked = 0;
    const json_t *span;
    (void)state;
    open_bench(&b, webhook, (const struct server_rule[]){{NULL, SERVER_ANSWER, TAKEN, 0}, {0}});
    server_listen(b.collector);
    pipeline_harness_confirm(&b.w, 0, "o1");
    pipeline_harness_produce(&b.w, 1, "o2", "  ", "confirmed"); /* is never sent */
    pipeline_harness_run_to_end(&b.w);
    read_spans(&b);
    assert_int_equal(json_array_size(b.spans), 3);
    json_array_foreach (b.spans, i, span) {
        const char *attempts = attribute(span, "elementor_sync.attempts");
        if (kind_of(span) != CONSUMER)
            continue;
        parked++;
        assert_int_equal(status_of(span), FAILED);
        assert_string_equal(attribute(span, "elementor_sync.outcome"), "parked");
        assert_string_equal(attribute(span, "elementor_sync.reason"),
                            strcmp(attempts, "1") == 0 ? "http:422" : "missing:client_phone");
    }
    assert_int_equal(parked, 2);
    close_bench(&b);
}

/* The next owner's spans of it are in the same trace. */
static void what_is_left_to_another_member_is_no_failure(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, BUSY, 0}, {0}};
    static char text[65536];
    struct bench b;
    (void)state;
    open_bench(&b, webhook, (const struct server_rule[]){{NULL, SERVER_ANSWER, TAKEN, 0}, {0}});
    server_listen(b.collector);
    pipeline_harness_set(&b.w, "retry.cap", "1h");
    pipeline_harness_set(&b.w, "retry.base", "1h");
    pipeline_harness_confirm(&b.w, 0, "o1");
    pipeline_harness_start(&b.w);
    pipeline_harness_await_scrape(&b.w, "/metrics", "elementor_sync_trace_spans_exported_total 1\n",
                                  text, sizeof text);
    pipeline_harness_stop(&b.w);
    assert_true(b.w.ok);
    read_spans(&b);
    assert_int_equal(json_array_size(b.spans), 2);
    const json_t *whole = span_of(&b, text_of(assert_exported(&b, 0), "parentSpanId"));
    assert_string_equal(attribute(whole, "elementor_sync.outcome"), "abandoned");
    assert_string_equal(attribute(whole, "elementor_sync.reason"), "http:503");
    assert_int_equal(status_of(whole), 0);
    close_bench(&b);
}

/* trace.sample decides for traces that begin here; elsewhere it was decided before. */
static void what_is_not_sampled_is_passed_on_as_that(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct bench b;
    char text[3][64], id[64], made[TRACEPARENT_TEXT];
    (void)state;
    open_bench(&b, webhook, (const struct server_rule[]){{NULL, SERVER_ANSWER, TAKEN, 0}, {0}});
    server_listen(b.collector);
    pipeline_harness_set(&b.w, "trace.sample", "0");
    pipeline_harness_set(&b.w, "webhook.concurrency", "1"); /* in the order of their records */
    pipeline_harness_confirm(&b.w, 0, "o1");
    b.w.cluster.traceparent = PARENT "-00";
    pipeline_harness_confirm(&b.w, 0, "o2");
    b.w.cluster.traceparent = PARENT "-01";
    pipeline_harness_confirm(&b.w, 0, "o3");
    pipeline_harness_run_to_end(&b.w);
    read_spans(&b);
    for (size_t i = 0; i < 3; i++)
        pipeline_harness_header(&b.w, i, "traceparent", text[i], sizeof text[i]);
    pipeline_harness_header(&b.w, 0, "webhook-id", id, sizeof id);
    traceparent_make(id, made);
    made[strlen(made) - 1] = '0';
    assert_string_equal(text[0], made);
    assert_string_equal(text[1], PARENT "-00");
    assert_int_equal(json_array_size(b.spans), 2);
    assert_string_equal(text_of(assert_exported(&b, 2), "traceId"), PARENT_TRACE);
    close_bench(&b);
}

static void deliver_beside(const struct server_rule *collector, bool listens)
{
    enum { ORDERS = 60 };
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct bench b;
    open_bench(&b, webhook, collector);
    if (listens)
        server_listen(b.collector);
    for (int i = 0; i < ORDERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_confirm(&b.w, i % HARNESS_PARTITIONS, id);
    }
    pipeline_harness_run_to_end(&b.w);
    assert_int_equal(server_request_count(b.w.webhook), ORDERS);
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        assert_int_equal(cluster_committed(&b.w.cluster, "shop", p), ORDERS);
    close_bench(&b);
}

static void a_collector_that_hangs_changes_nothing(void **state)
{
    (void)state;
    deliver_beside((const struct server_rule[]){{NULL, SERVER_HANG, "", 0}, {0}}, true);
}

static void a_collector_that_is_away_changes_nothing(void **state)
{
    (void)state;
    deliver_beside((const struct server_rule[]){{NULL, SERVER_ANSWER, TAKEN, 0}, {0}}, false);
}

static void what_it_refuses_is_counted(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static const struct server_rule collector[] = {
        {NULL, SERVER_ANSWER, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", 1},
        {NULL, SERVER_ANSWER, TAKEN, 0},
        {0}};
    static char text[65536];
    struct bench b;
    (void)state;
    open_bench(&b, webhook, collector);
    server_listen(b.collector);
    pipeline_harness_confirm(&b.w, 0, "o1");
    pipeline_harness_log_open(&b.w);
    pipeline_harness_start(&b.w);
    pipeline_harness_await_log(&b.w, "event=\"traces dropped\" reason=http:401 spans=2");
    pipeline_harness_await_scrape(&b.w, "/metrics", "elementor_sync_trace_spans_dropped_total 2\n",
                                  text, sizeof text);
    pipeline_harness_confirm(&b.w, 0, "o2");
    pipeline_harness_await_scrape(&b.w, "/metrics", "elementor_sync_trace_spans_exported_total 2\n",
                                  text, sizeof text);
    assert_true(pipeline_harness_metric(text, "elementor_sync_trace_spans_queued") == 0);
    pipeline_harness_stop(&b.w);
    assert_true(b.w.ok);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_requests_traceparent_is_an_exported_span),
        cmocka_unit_test(a_parked_order_is_a_failed_span),
        cmocka_unit_test(what_is_left_to_another_member_is_no_failure),
        cmocka_unit_test(what_is_not_sampled_is_passed_on_as_that),
        cmocka_unit_test(a_collector_that_hangs_changes_nothing),
        cmocka_unit_test(a_collector_that_is_away_changes_nothing),
        cmocka_unit_test(what_it_refuses_is_counted),
    };
    return pipeline_harness_main("pipeline_traces", tests, sizeof tests / sizeof *tests);
}
