#include "kafka/consumer/consumer_internal.h"

#include "kafka/advice.h"
#include "kafka/client_end.h"
#include "kafka/group/member_properties.h"
#include "kafka/kafka_client.h"
#include "sys/clock.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TROUBLE_EVERY_MS = 60000, END_MS = 3000 };

const char *consumer_library_version(void)
{
    return rd_kafka_version_str();
}

/* The end of a list when there is none. */
static struct log_field advice_on(const char *why)
{
    const char *advice = kafka_advice(why);
    return *advice != '\0' ? LOG_S("advice", advice) : (struct log_field){0};
}

void consumer_brokers_missed(struct consumer *s, const char *why)
{
    const struct log_field fields[] = {
        LOG_S("brokers", s->config->kafka_brokers), LOG_S("why", why), advice_on(why), {0}};
    log_limited(&s->broker_trouble, clock_mono_ms(), TROUBLE_EVERY_MS, "waiting for a broker",
                fields);
}

static void brokers_refuse(struct consumer *s, const char *why)
{
    const struct log_field fields[] = {
        LOG_S("brokers", s->config->kafka_brokers), LOG_S("why", why), advice_on(why), {0}};
    log_limited(&s->refused_trouble, clock_mono_ms(), TROUBLE_EVERY_MS,
                "kafka refuses the connection", fields);
}

void consumer_brokers_there(struct consumer *s)
{
    log_recovered(&s->refused_trouble, "kafka takes the connection",
                  (const struct log_field[]){{0}});
    log_recovered(&s->broker_trouble, "a broker answers again", (const struct log_field[]){{0}});
}

static bool is_unknown(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

/* Errors of the whole client. */
static void client_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct consumer *s = opaque;
    if (*kafka_advice(reason) != '\0' || *s->words == '\0')
        snprintf(s->words, sizeof s->words, "%s", reason);
    (void)rk;
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        return; /* fatal.c looks for it itself */
    if (is_unknown((rd_kafka_resp_err_t)code))
        consumer_doubt_topic(s);
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL) {
        brokers_refuse(s, reason);
    } else {
        consumer_brokers_missed(s, reason);
    }
}

const char *consumer_topic(const struct consumer *s, int32_t slot)
{
    return slot_is_retry(slot) ? s->config->retry_topic : s->config->kafka_topic;
}

int32_t consumer_slot_of(const struct consumer *s, const rd_kafka_topic_partition_t *p)
{
    return slot_of(p->partition, strcmp(p->topic, s->config->kafka_topic) != 0);
}

struct consumer *consumer_new(const struct config *config, const struct consumer_events *events,
                              int wake_fd, struct error *err)
{
    struct consumer *s = calloc(1, sizeof *s);
    rd_kafka_conf_t *conf = s != NULL ? kafka_member_conf(config, err) : NULL;
    if (conf == NULL) {
        error_set(err, ERROR_NO_MEMORY, "no memory for a consumer");
        free(s);
        return NULL;
    }
    s->config = config;
    s->events = *events;
    s->wake_fd = wake_fd;
    rd_kafka_conf_set_opaque(conf, s);
    join_watch_add(conf, &s->join, wake_fd);
    rd_kafka_conf_set_rebalance_cb(conf, consumer_rebalance);
    rd_kafka_conf_set_error_cb(conf, client_error);
    s->rk = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
    if (s->rk == NULL) {
        free(s);
        return NULL;
    }
    static const uint64_t one = 1;
    rd_kafka_poll_set_consumer(s->rk);
    s->topic = rd_kafka_topic_new(s->rk, config->kafka_topic, NULL);
    s->main_queue = rd_kafka_queue_get_consumer(s->rk);
    s->commit_queue = rd_kafka_queue_new(s->rk);
    rd_kafka_queue_io_event_enable(s->main_queue, wake_fd, &one, sizeof one);
    s->close_queue = rd_kafka_queue_new(s->rk);
    rd_kafka_queue_io_event_enable(s->close_queue, wake_fd, &one, sizeof one);
    rd_kafka_queue_io_event_enable(s->commit_queue, wake_fd, &one, sizeof one);
    return s;
}

void consumer_free(struct consumer *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++)
        consumer_queue_done(&s->slots[i]);
    free(s->slots);
    rd_kafka_queue_destroy(s->close_queue);
    background_join(&s->wait.background);
    background_join(&s->bounds.background);
    background_join(&s->starts.background);
    consumer_starts_done(s);
    free(s->starts.seen);
    consumer_others_done(s);
    rd_kafka_queue_destroy(s->commit_queue);
    rd_kafka_queue_destroy(s->main_queue);
    rd_kafka_topic_destroy(s->topic);
    /* Before 2.3 a cooperative member that never got an assignment can abort in here (#4312), and
     * any waits for a commit's answer, a minute where nobody gives it: the process is about to end
     * anyway, and the client's threads go on until then. */
    bool safe = s->ever_assigned || rd_kafka_version() >= 0x02030000;
    if (!safe || s->commits > 0 || s->unanswered ||
        !kafka_end(s->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE, END_MS)) {
        join_watch_end(&s->join);
        return;
    }
    free(s);
}

bool consumer_subscribe(struct consumer *s, struct error *err)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, s->config->kafka_topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(s->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    s->subscribed = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error_set(err, ERROR_FAILED, "subscribe: %s", rd_kafka_err2str(code));
}

int32_t consumer_partitions(const struct consumer *s)
{
    return s->partitions;
}

void consumer_use_retry(struct consumer *s, int32_t partitions)
{
    s->retry_partitions = partitions;
}

rd_kafka_t *consumer_client(struct consumer *s)
{
    return s->rk;
}

/* ---- turns ---- */

/* A missing right, a coordinator that can't be found: said again and again by librdkafka. */
static void consumer_error(struct consumer *s, const char *why)
{
    const struct log_field fields[] = {LOG_S("topic", s->config->kafka_topic),
                                       LOG_S("group", s->config->kafka_group),
                                       LOG_S("why", why),
                                       advice_on(why),
                                       {0}};
    log_limited(&s->consumer_trouble, clock_mono_ms(), TROUBLE_EVERY_MS,
                "kafka: reading is hindered", fields);
}

static bool is_offset_lost(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
           code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
}

/* An error that came in place of a message; slot -1: of the whole client. */
static void message_error(struct consumer *s, int32_t slot, const rd_kafka_message_t *m)
{
    if (slot >= 0 && m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        s->events.at_end(s->events.context, slot);
    else if (slot >= 0 && is_offset_lost(m->err))
        consumer_offset_lost(s, slot, m->offset);
    else if (m->err != RD_KAFKA_RESP_ERR__FATAL)
        consumer_error(s, rd_kafka_message_errstr(m));
    if (is_unknown(m->err))
        consumer_doubt_topic(s);
}

/* While leaving, the group's last wish comes as an event: nothing is owned any more, so it is
 * granted at once. */
static void serve_leaving(struct consumer *s)
{
    for (rd_kafka_event_t *e; (e = rd_kafka_queue_poll(s->close_queue, 0)) != NULL;) {
        if (rd_kafka_event_type(e) == RD_KAFKA_EVENT_REBALANCE) {
            consumer_rebalance(s->rk, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS,
                               rd_kafka_event_topic_partition_list(e), s);
            consumer_carry_out(s);
        }
        rd_kafka_event_destroy(e);
    }
}

/* What should have come by the slot's own queue. */
static bool is_of_slot(const rd_kafka_message_t *m)
{
    return m->rkt != NULL && (m->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
                              m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || is_offset_lost(m->err));
}

void consumer_serve_group(struct consumer *s)
{
    if (s->leaving) {
        serve_leaving(s);
        return;
    }
    for (rd_kafka_message_t *m; (m = rd_kafka_consumer_poll(s->rk, 0)) != NULL;) {
        if (is_of_slot(m)) {
            consumer_queue_keep_foreign(s, m);
            continue;
        }
        message_error(s, -1, m);
        rd_kafka_message_destroy(m);
    }
}

static bool is_expelled(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
           code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

static void answer_commit(struct consumer *s, rd_kafka_event_t *event)
{
    bool expelled = false;
    rd_kafka_resp_err_t whole = rd_kafka_event_error(event);
    rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    for (int i = 0; list != NULL && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &list->elems[i];
        /* The call's own error counts for all: entries may say NO_ERROR beside it. */
        rd_kafka_resp_err_t code = whole ? whole : p->err;
        expelled |= is_expelled(code);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            consumer_note_seen(s, consumer_slot_of(s, p), p->offset);
        else if (is_unknown(code))
            consumer_doubt_topic(s);
        s->events.committed(s->events.context, consumer_slot_of(s, p), p->offset,
                            code == RD_KAFKA_RESP_ERR_NO_ERROR, rd_kafka_err2str(code));
    }
    s->commits--;
    s->events.commit_done(s->events.context);
    if (expelled)
        consumer_expelled(s);
}

static void serve_commits(struct consumer *s)
{
    for (rd_kafka_event_t *e; (e = rd_kafka_queue_poll(s->commit_queue, 0)) != NULL;) {
        if (rd_kafka_event_type(e) == RD_KAFKA_EVENT_OFFSET_COMMIT)
            answer_commit(s, e);
        rd_kafka_event_destroy(e);
    }
}

/* Leaves the group once nothing is owned any more. The queue must be another one than the
 * consumer's own: that would be forwarded to itself. */
static void serve_close(struct consumer *s)
{
    if (s->closing && !s->leaving && s->pending == CHANGE_NONE && consumer_none_owned(s)) {
        s->leaving = true;
        rd_kafka_error_t *error = rd_kafka_consumer_close_queue(s->rk, s->close_queue);
        if (error != NULL) {
            rd_kafka_error_destroy(error);
            s->closed = true;
        }
    }
    s->closed = s->closed || (s->leaving && rd_kafka_consumer_closed(s->rk));
}

/* Those that have been read so far, and of which nobody could say where to go on. */
static void look_again(struct consumer *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->slots[i].look_ms > 0 && s->slots[i].state == CONSUMER_ASSIGNED)
            consumer_leave_lost(s, (int32_t)i);
}

void consumer_turn(struct consumer *s)
{
    serve_commits(s);
    consumer_serve_group(s);
    consumer_look_for_fatal(s);
    consumer_carry_out(s);
    consumer_take_bounds(s);
    look_again(s);
    consumer_say_wait(s);
    serve_close(s);
}

size_t consumer_read(struct consumer *s, int32_t slot, rd_kafka_message_t **messages, size_t max)
{
    if ((size_t)slot >= s->count || s->slots[slot].state != CONSUMER_ASSIGNED)
        return 0;
    for (;;) {
        consumer_leave_lost(s, slot);
        if (consumer_is_doubted(s, slot))
            return 0; /* a commit of what is read now would hide what lies before it */
        size_t got = consumer_queue_take(s, slot, messages, max), good = 0;
        for (size_t i = 0; i < got; i++) {
            if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                messages[good++] = messages[i];
                continue;
            }
            message_error(s, slot, messages[i]);
            rd_kafka_message_destroy(messages[i]);
        }
        if (good > 0)
            consumer_brokers_there(s);
        if (good > 0 || got == 0)
            return good;
    }
}

/* Behind the text stands what every commit of a group that began at the topic's end carries. */
char *consumer_metadata(int32_t born, int32_t slot, int64_t offset, const char *text)
{
    char *full = NULL;
    if (born == 0 || slot_is_retry(slot))
        return strdup(text);
    int len = *text != '\0'
                  ? asprintf(&full, "%s" CONSUMER_BORN_MARK "%" PRId32, text, born)
                  : asprintf(&full, "1.%" PRId64 "." CONSUMER_BORN_MARK "%" PRId32, offset, born);
    return len >= 0 ? full : NULL;
}

bool consumer_commit(struct consumer *s, const struct consumer_offset *offsets, size_t count,
                     struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        int32_t slot = offsets[i].slot;
        enum consumer_state state = s->slots[slot].state;
        assert(state == CONSUMER_ASSIGNED || state == CONSUMER_REVOKING);
        rd_kafka_topic_partition_t *p =
            rd_kafka_topic_partition_list_add(list, consumer_topic(s, slot), slot_partition(slot));
        p->offset = offsets[i].offset;
        p->metadata = consumer_metadata(s->born, slot, p->offset, /* freed with the list */
                                        offsets[i].metadata != NULL ? offsets[i].metadata : "");
        p->metadata_size = p->metadata != NULL ? strlen(p->metadata) : 0;
    }
    rd_kafka_resp_err_t code = rd_kafka_commit_queue(s->rk, list, s->commit_queue, NULL, NULL);
    rd_kafka_topic_partition_list_destroy(list);
    s->commits += code == RD_KAFKA_RESP_ERR_NO_ERROR;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           error_set(err, ERROR_UNREACHABLE, "%s", rd_kafka_err2str(code));
}

int64_t consumer_commit_wait_ms(const struct consumer *s, int64_t now_ms)
{
    return join_watch_wait_ms(&s->join, now_ms);
}

void consumer_close(struct consumer *s)
{
    s->closing = true;
    consumer_revoke_all(s);
}

bool consumer_joined(const struct consumer *s)
{
    return s->joined;
}

bool consumer_closed(const struct consumer *s)
{
    return s->closed;
}
