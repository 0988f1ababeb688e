#include "pipeline/sending/tracing.h"

#include "kafka/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { PARTITION_TEXT = 16, STATUS_TEXT = 16, HOST_TEXT = 300, ATTRIBUTES_MAX = 16 };

/* ---- ids ---- */

/* SplitMix64 (Steele, Lea, Flood 2014): no two of a process are the same, and where it begins is
 * drawn by the system. */
static void draw_id(struct tracing *t, char ret_id[SPAN_ID_TEXT])
{
    if (t->random == 0 && getrandom(&t->random, sizeof t->random, 0) < 0)
        t->random = (uint64_t)t->now->wall_ms;
    uint64_t x = t->random += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    snprintf(ret_id, SPAN_ID_TEXT, "%016" PRIx64, x != 0 ? x : 1);
}

/* ---- a delivery's trace ---- */

/* The parent's decision holds; without a parent trace.sample decides. */
static bool is_sampled(const struct tracing *t, bool has_parent, struct trace_context *context)
{
    if (!has_parent && !exporter_wants(t->exporter, context->trace_id))
        context->flags = 0;
    return (context->flags & TRACE_SAMPLED) != 0;
}

static void begin_trace(struct tracing *t, struct delivery *d, const struct trace_context *context,
                        bool has_parent)
{
    struct delivery_trace *trace = calloc(1, sizeof *trace);
    if (trace == NULL)
        return; /* an order is worth more than its trace */
    trace->context = *context;
    if (has_parent)
        memcpy(trace->parent_id, context->span_id, sizeof trace->parent_id);
    draw_id(t, trace->context.span_id);
    trace->start_ms = t->now->wall_ms - (t->now->mono_ms - d->held_ms);
    d->trace = trace;
}

/* Begins the delivery's trace where it is to be recorded. Returns what a request would carry that
 * has no span. */
static struct slice look_at(struct tracing *t, struct delivery *d, char ret_text[TRACEPARENT_TEXT])
{
    struct slice given = kafka_header_in(d->headers, "traceparent");
    if (!exporter_is_on(t->exporter))
        return given;
    bool has_parent = traceparent_read(given, ret_text);
    if (!has_parent && d->id[0] == '\0') /* no order: nothing that its spans could share */
        return given;
    if (!has_parent)
        traceparent_make(d->id, ret_text);
    struct trace_context context = traceparent_split(ret_text);
    if (is_sampled(t, has_parent, &context))
        begin_trace(t, d, &context, has_parent);
    traceparent_join(&context, ret_text);
    return slice_of(ret_text);
}

/* By the monotonic clock, so that no span begins before or ends behind the one it is in. */
static int64_t wall_of(const struct delivery *d, int64_t mono_ms)
{
    return d->trace->start_ms + (mono_ms - d->held_ms);
}

/* ---- attempts ---- */

struct slice tracing_begin_attempt(struct tracing *t, struct delivery *d,
                                   char ret_text[TRACEPARENT_TEXT])
{
    struct slice without = d->trace == NULL ? look_at(t, d, ret_text) : (struct slice){0};
    if (d->trace == NULL)
        return without;
    struct trace_context attempt = d->trace->context;
    draw_id(t, d->trace->attempt_id);
    memcpy(attempt.span_id, d->trace->attempt_id, sizeof attempt.span_id);
    traceparent_join(&attempt, ret_text);
    return slice_of(ret_text);
}

/* The endpoint's host; its path is a secret. */
static const char *host_of(const struct webhook *webhook, char ret_text[HOST_TEXT])
{
    const char *name = webhook_name(webhook);
    snprintf(ret_text, HOST_TEXT, "%.*s", (int)strcspn(name, "#"), name);
    return ret_text;
}

/* "503" where the status says it all, else the reason: "timeout", "http:200" of a captcha. */
static const char *error_type(const struct delivery *d, char ret_text[STATUS_TEXT])
{
    if (d->status < 300)
        return d->reason;
    snprintf(ret_text, STATUS_TEXT, "%d", d->status);
    return ret_text;
}

void tracing_end_attempt(struct tracing *t, const struct delivery *d, bool failed)
{
    char host[HOST_TEXT], status[STATUS_TEXT];
    struct span_attribute list[ATTRIBUTES_MAX];
    size_t count = 0;
    if (d->trace == NULL || d->trace->attempt_id[0] == '\0')
        return;
    list[count++] = SPAN_TEXT("http.request.method", "POST");
    list[count++] = SPAN_TEXT("server.address", host_of(t->webhook, host));
    list[count++] = SPAN_TEXT("elementor_sync.webhook_id", d->id);
    list[count++] = SPAN_NUMBER("elementor_sync.attempt", d->history.attempts);
    if (d->history.attempts > 1)
        list[count++] = SPAN_NUMBER("http.request.resend_count", d->history.attempts - 1);
    if (d->status > 0)
        list[count++] = SPAN_NUMBER("http.response.status_code", d->status);
    if (failed) {
        list[count++] = SPAN_TEXT("error.type", error_type(d, status));
        list[count++] = SPAN_TEXT("elementor_sync.reason", d->reason);
    }
    struct trace_context context = d->trace->context;
    memcpy(context.span_id, d->trace->attempt_id, sizeof context.span_id);
    d->trace->attempt_id[0] = '\0';
    const struct span span = {.context = &context,
                              .parent_id = d->trace->context.span_id,
                              .name = {"POST"},
                              .kind = SPAN_CLIENT,
                              .start_ms = wall_of(d, d->sent_ms),
                              .end_ms = wall_of(d, t->now->mono_ms),
                              .failure = failed ? d->reason : NULL,
                              .attributes = list,
                              .attribute_count = count};
    exporter_add(t->exporter, &span, t->now->mono_ms);
}

/* ---- the whole ---- */

static void end_delivery(struct tracing *t, const struct delivery *d, const char *outcome)
{
    char partition[PARTITION_TEXT];
    struct span_attribute list[ATTRIBUTES_MAX];
    size_t count = 0;
    bool parked = strcmp(outcome, "parked") == 0;
    snprintf(partition, sizeof partition, "%" PRId32, d->partition);
    list[count++] = SPAN_TEXT("messaging.system", "kafka");
    list[count++] = SPAN_TEXT("messaging.operation.name", "deliver");
    list[count++] = SPAN_TEXT("messaging.operation.type", "process");
    list[count++] = SPAN_TEXT("messaging.destination.name", d->topic);
    list[count++] = SPAN_TEXT("messaging.destination.partition.id", partition);
    list[count++] = SPAN_NUMBER("messaging.kafka.offset", d->offset);
    list[count++] = SPAN_TEXT("messaging.consumer.group.name", t->config->kafka_group);
    list[count++] = SPAN_TEXT("elementor_sync.webhook_id", d->id);
    list[count++] = SPAN_TEXT("elementor_sync.source", d->source);
    list[count++] = SPAN_TEXT("elementor_sync.outcome", outcome);
    list[count++] = SPAN_NUMBER("elementor_sync.attempts", d->history.attempts);
    if (strcmp(outcome, "delivered") != 0 && d->reason[0] != '\0')
        list[count++] = SPAN_TEXT("elementor_sync.reason", d->reason);
    if (parked)
        list[count++] = SPAN_TEXT("error.type", d->reason);
    const struct span span = {.context = &d->trace->context,
                              .parent_id = d->trace->parent_id,
                              .parent_is_remote = d->trace->parent_id[0] != '\0',
                              .name = {"deliver", d->topic},
                              .kind = SPAN_CONSUMER,
                              .start_ms = d->trace->start_ms,
                              .end_ms = wall_of(d, t->now->mono_ms),
                              .failure = parked ? d->reason : NULL,
                              .attributes = list,
                              .attribute_count = count};
    exporter_add(t->exporter, &span, t->now->mono_ms);
}

void tracing_conclude(struct tracing *t, struct delivery *d, const char *outcome)
{
    char text[TRACEPARENT_TEXT];
    if (d->trace == NULL) /* it was never sent */
        (void)look_at(t, d, text);
    if (d->trace != NULL)
        d->trace->outcome = outcome;
}

void tracing_settle(struct tracing *t, const struct delivery *d)
{
    if (d->trace != NULL && d->trace->outcome != NULL)
        end_delivery(t, d, d->trace->outcome);
}

void tracing_abandon(struct tracing *t, const struct delivery *d)
{
    if (d->trace != NULL)
        end_delivery(t, d, "abandoned");
}
