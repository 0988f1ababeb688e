#include "tracing/exporter.h"

#include "sys/clock.h"
#include "sys/log.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { BATCH_SPANS = 512, BATCHES = 8, BATCH_MS = 1000, BATCH_BYTES = 2 * 1024 * 1024 };
enum { SPAN_BYTES = 16 * 1024 };
enum { BACKOFF_MS = 1000, BACKOFF_CAP_MS = 15000, GIVE_UP_MS = 60000 };
enum { LOG_EVERY_MS = 60000, FINISH_MS = 1000, FINISH_WAIT_MS = 20 };
enum { WHY_MAX = 256 };

struct batch {
    struct buf text; /* kept from one batch to the next */
    size_t spans;
    int64_t begun_ms;  /* its first span's */
    int64_t tried_ms;  /* its first request's; 0: none yet */
    unsigned failures; /* of its requests */
    bool closed;       /* ends like a request; takes no more spans */
};

struct exporter {
    struct http *http;
    struct collector collector;
    struct span_resource resource;
    struct batch batches[BATCHES]; /* a ring, oldest at `first` */
    size_t first, count;
    struct http_request *request; /* with the oldest batch; NULL: none under way */
    int64_t next_ms;              /* no request before then */
    struct buf span;              /* one, on its way into a batch */
    struct exporter_counts counts;
    struct log_limited drops;
    uint32_t random;
};

struct exporter *exporter_new(struct http *http, const struct config *config, const char *instance,
                              struct error *err)
{
    struct exporter *e = calloc(1, sizeof *e);
    if (e == NULL) {
        error_no_memory(err);
        return NULL;
    }
    if (!collector_init(&e->collector, config, err)) {
        free(e);
        return NULL;
    }
    e->http = http;
    e->resource = (struct span_resource){ELEMENTOR_SYNC_VERSION, instance};
    for (size_t i = 0; i < BATCHES; i++)
        buf_init(&e->batches[i].text, BATCH_BYTES);
    buf_init(&e->span, SPAN_BYTES);
    if (getrandom(&e->random, sizeof e->random, 0) < 0)
        e->random = (uint32_t)clock_wall_ms();
    return e;
}

static void cancel(struct exporter *e)
{
    if (e->request != NULL)
        http_cancel(e->request);
    e->request = NULL;
}

void exporter_free(struct exporter *e)
{
    if (e == NULL)
        return;
    cancel(e);
    collector_done(&e->collector);
    for (size_t i = 0; i < BATCHES; i++)
        buf_done(&e->batches[i].text);
    buf_done(&e->span);
    free(e);
}

const struct exporter_counts *exporter_counts(const struct exporter *e)
{
    return &e->counts;
}

bool exporter_is_on(const struct exporter *e)
{
    return e->collector.url != NULL;
}

bool exporter_wants(const struct exporter *e, const char trace_id[TRACE_ID_TEXT])
{
    return trace_is_among(trace_id, e->collector.share);
}

/* ---- batches ---- */

static struct batch *oldest(struct exporter *e)
{
    return &e->batches[e->first];
}

static void drop_spans(struct exporter *e, size_t spans, const char *why)
{
    e->counts.dropped += spans;
    log_limited(&e->drops, clock_mono_ms(), LOG_EVERY_MS, "traces dropped",
                (const struct log_field[]){
                    LOG_S("reason", why),
                    LOG_I("spans", (int64_t)spans),
                    LOG_S("collector", e->collector.host != NULL ? e->collector.host : ""),
                    {0}});
}

static void leave_oldest(struct exporter *e)
{
    struct batch *batch = oldest(e);
    e->counts.queued -= batch->spans;
    buf_reset(&batch->text);
    batch->spans = 0;
    e->first = (e->first + 1) % BATCHES;
    e->count--;
}

static void drop_oldest(struct exporter *e, const char *why)
{
    size_t spans = oldest(e)->spans;
    leave_oldest(e);
    drop_spans(e, spans, why);
}

/* The one that takes another span; NULL: there is no room. */
static struct batch *open_batch(struct exporter *e, int64_t now_ms)
{
    struct batch *batch = &e->batches[(e->first + e->count - 1) % BATCHES];
    if (e->count > 0 && !batch->closed && batch->spans < BATCH_SPANS)
        return batch;
    if (e->count == BATCHES)
        return NULL;
    batch = &e->batches[(e->first + e->count++) % BATCHES];
    *batch = (struct batch){.text = batch->text, .begun_ms = now_ms};
    span_request_begin(&batch->text, &e->resource);
    return batch;
}

void exporter_add(struct exporter *e, const struct span *span, int64_t now_ms)
{
    if (!exporter_is_on(e))
        return;
    buf_reset(&e->span);
    span_write(span, &e->span);
    struct batch *batch = buf_ok(&e->span) ? open_batch(e, now_ms) : NULL;
    if (batch == NULL) {
        drop_spans(e, 1, buf_ok(&e->span) ? "the queue is full" : "no memory");
        return;
    }
    if (batch->spans > 0)
        span_request_next(&batch->text);
    buf_add(&batch->text, e->span.data, e->span.len);
    batch->spans++;
    e->counts.queued++;
}

/* ---- requests ---- */

static int64_t refused_spans(const struct http_result *result, char ret_why[WHY_MAX])
{
    json_t *answer = json_loadb(result->body, result->body_len, 0, NULL);
    const json_t *partial = json_object_get(answer, "partialSuccess");
    const json_t *count = json_object_get(partial, "rejectedSpans");
    const char *why = json_string_value(json_object_get(partial, "errorMessage"));
    int64_t refused = json_is_string(count) ? strtoll(json_string_value(count), NULL, 10)
                                            : json_integer_value(count);
    snprintf(ret_why, WHY_MAX, "refused: %s", why != NULL ? why : "no reason given");
    json_decref(answer);
    return refused;
}

static void taken(struct exporter *e, const struct http_result *result)
{
    char why[WHY_MAX];
    size_t spans = oldest(e)->spans;
    int64_t refused = refused_spans(result, why);
    size_t lost = refused <= 0 ? 0 : (uint64_t)refused < spans ? (size_t)refused : spans;
    leave_oldest(e);
    e->counts.exported += spans - lost;
    if (lost > 0)
        drop_spans(e, lost, why);
    else
        log_recovered(&e->drops, "traces accepted",
                      (const struct log_field[]){LOG_S("collector", e->collector.host), {0}});
}

static bool may_be_repeated(const struct http_result *result)
{
    return result->status == 0 || result->status == 429 || result->status == 502 ||
           result->status == 503 || result->status == 504;
}

/* Retry-After as far as it is bearable; else twice as long each time, and not all at the same
 * time (from half of it to the whole). */
static int64_t delay_ms(struct exporter *e, const struct http_result *result, unsigned failures)
{
    int64_t delay = BACKOFF_MS;
    for (unsigned i = 1; i < failures && delay < BACKOFF_CAP_MS; i++)
        delay *= 2;
    if (delay > BACKOFF_CAP_MS)
        delay = BACKOFF_CAP_MS;
    e->random = e->random * 1664525u + 1013904223u;
    delay -= (int64_t)((uint64_t)(delay / 2) * (e->random >> 16) >> 16);
    if (!result->has_retry_after || result->retry_after_ms < 0)
        return delay;
    return result->retry_after_ms < BACKOFF_CAP_MS ? result->retry_after_ms : BACKOFF_CAP_MS;
}

static void posted(void *context, const struct http_result *result)
{
    struct exporter *e = context;
    struct batch *batch = oldest(e);
    char why[WHY_MAX];
    int64_t now_ms = clock_mono_ms();
    e->request = NULL;
    if (result->status >= 200 && result->status < 300) {
        e->next_ms = 0;
        taken(e, result);
        return;
    }
    if (result->status != 0)
        snprintf(why, sizeof why, "http:%d", result->status);
    else
        snprintf(why, sizeof why, "%s", *result->failure != '\0' ? result->failure : "no answer");
    e->next_ms = now_ms + delay_ms(e, result, ++batch->failures);
    if (!may_be_repeated(result) || e->next_ms - batch->tried_ms > GIVE_UP_MS)
        drop_oldest(e, why);
}

static bool is_due(const struct exporter *e, int64_t now_ms)
{
    const struct batch *batch = &e->batches[e->first];
    return batch->closed || e->count > 1 || batch->spans >= BATCH_SPANS ||
           now_ms - batch->begun_ms >= BATCH_MS;
}

static void post_oldest(struct exporter *e, int64_t now_ms)
{
    struct batch *batch = oldest(e);
    struct error err = {0};
    if (!batch->closed)
        span_request_end(&batch->text);
    batch->closed = true;
    if (!buf_ok(&batch->text)) {
        drop_oldest(e, "no memory");
        return;
    }
    if (batch->tried_ms == 0)
        batch->tried_ms = now_ms;
    e->request =
        collector_post(&e->collector, e->http, batch->text.data, batch->text.len, posted, e, &err);
    if (e->request == NULL)
        drop_oldest(e, err.text);
}

void exporter_turn(struct exporter *e, int64_t now_ms)
{
    if (e->count > 0 && e->request == NULL && now_ms >= e->next_ms && is_due(e, now_ms))
        post_oldest(e, now_ms);
}

int64_t exporter_wait_until(const struct exporter *e)
{
    if (e->count == 0 || e->request != NULL)
        return -1;
    const struct batch *batch = &e->batches[e->first];
    int64_t due_ms = is_due(e, batch->begun_ms) ? batch->begun_ms : batch->begun_ms + BATCH_MS;
    return due_ms > e->next_ms ? due_ms : e->next_ms;
}

void exporter_reload(struct exporter *e, struct collector *collector)
{
    cancel(e); /* its batch is sent again, to the new address */
    while (e->count > 0 && collector->url == NULL)
        drop_oldest(e, "trace.url is not set any more");
    collector_done(&e->collector);
    e->collector = *collector;
    *collector = (struct collector){0};
    e->next_ms = 0;
}

/* Batches that wait for their time go at once, but a collector that refuses is not asked faster. */
void exporter_finish(struct exporter *e, struct loop *loop)
{
    int64_t now_ms = clock_mono_ms(), deadline_ms = now_ms + FINISH_MS;
    e->next_ms = 0;
    for (; e->count > 0 && now_ms < deadline_ms; now_ms = clock_mono_ms()) {
        for (size_t i = 0; i < e->count; i++)
            e->batches[(e->first + i) % BATCHES].begun_ms = now_ms - BATCH_MS;
        exporter_turn(e, now_ms);
        int64_t wait_ms = http_turn(e->http);
        if (e->count > 0)
            loop_wait(loop, wait_ms < 0 || wait_ms > FINISH_WAIT_MS ? FINISH_WAIT_MS : wait_ms);
    }
    cancel(e);
    while (e->count > 0)
        drop_oldest(e, "the program ends");
}
