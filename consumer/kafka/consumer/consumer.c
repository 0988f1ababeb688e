#include "kafka/consumer/consumer_internal.h"

#include "kafka/client_end.h"
#include "kafka/group/member_properties.h"
#include "kafka/kafka_client.h"
#include "sys/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { END_MS = 3000 };

const char *consumer_library_version(void)
{
    return rd_kafka_version_str();
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
    (void)rk;
    if (is_unknown((rd_kafka_resp_err_t)code))
        out_of_range_doubt_topic(&s->lost);
    client_trouble_note(&s->trouble, (rd_kafka_resp_err_t)code, reason);
}

static void rebalance_wanted(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                             rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct consumer *s = opaque;
    (void)rk;
    rebalance_note(&s->rebalance, err, partitions);
}

/* The parts refer to each other; all live as long as the consumer. */
static void connect_parts(struct consumer *s, int wake_fd)
{
    s->assignment = (struct assignment){.config = s->config, .rk = s->rk, .wake_fd = wake_fd};
    s->starts = (struct start_offsets){
        .config = s->config, .events = &s->events, .rk = s->rk, .wake_fd = wake_fd};
    s->rebalance = (struct rebalance){
        .events = &s->events, .assignment = &s->assignment, .starts = &s->starts, .join = &s->join};
    s->lost = (struct out_of_range){.config = s->config,
                                    .events = &s->events,
                                    .assignment = &s->assignment,
                                    .starts = &s->starts};
    s->others = (struct other_members){.assignment = &s->assignment};
    s->wait = (struct group_wait){.config = s->config, .rk = s->rk, .wake_fd = wake_fd};
}

struct consumer *consumer_new(const struct config *config, const struct consumer_events *events,
                              int wake_fd, struct error *err)
{
    struct consumer *s = calloc(1, sizeof *s);
    rd_kafka_conf_t *conf = s != NULL ? kafka_member_conf(config, err) : NULL;
    if (conf == NULL) {
        error_no_memory(err);
        free(s);
        return NULL;
    }
    s->config = config;
    s->events = *events;
    s->trouble.config = config; /* errors may come from here on */
    rd_kafka_conf_set_opaque(conf, s);
    join_watch_add(conf, &s->join, wake_fd);
    rd_kafka_conf_set_rebalance_cb(conf, rebalance_wanted);
    rd_kafka_conf_set_error_cb(conf, client_error);
    s->rk = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
    if (s->rk == NULL) {
        free(s);
        return NULL;
    }
    static const uint64_t one = 1;
    connect_parts(s, wake_fd);
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
    assignment_done(&s->assignment);
    rd_kafka_queue_destroy(s->close_queue);
    group_wait_done(&s->wait);
    out_of_range_done(&s->lost);
    start_offsets_done(&s->starts);
    other_members_done(&s->others);
    rd_kafka_queue_destroy(s->commit_queue);
    rd_kafka_queue_destroy(s->main_queue);
    rd_kafka_topic_destroy(s->topic);
    /* Before 2.3 a cooperative member that never got an assignment can abort in here (#4312), and
     * any waits for a commit's answer, a minute where none comes: the process is about to end
     * anyway, and the client's threads go on until then. */
    bool safe = s->rebalance.ever_assigned || rd_kafka_version() >= 0x02030000;
    if (!safe || s->commits > 0 || s->starts.unanswered ||
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
    return s->assignment.partitions;
}

void consumer_use_retry(struct consumer *s, int32_t partitions)
{
    s->assignment.retry_partitions = partitions;
}

rd_kafka_t *consumer_client(struct consumer *s)
{
    return s->rk;
}

/* ---- turns ---- */

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
        out_of_range_note(&s->lost, slot, m->offset);
    else if (m->err != RD_KAFKA_RESP_ERR__FATAL)
        client_trouble_reading(&s->trouble, rd_kafka_message_errstr(m));
    if (is_unknown(m->err))
        out_of_range_doubt_topic(&s->lost);
}

/* While leaving, the group's last wish comes as an event: nothing is owned any more, so it is
 * granted at once. */
static void serve_leaving(struct consumer *s)
{
    for (rd_kafka_event_t *e; (e = rd_kafka_queue_poll(s->close_queue, 0)) != NULL;) {
        if (rd_kafka_event_type(e) == RD_KAFKA_EVENT_REBALANCE) {
            rebalance_note(&s->rebalance, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS,
                           rd_kafka_event_topic_partition_list(e));
            rebalance_carry_out(&s->rebalance);
        }
        rd_kafka_event_destroy(e);
    }
}

/* It should have come by the slot's own queue. */
static bool is_of_slot(const rd_kafka_message_t *m)
{
    return m->rkt != NULL && (m->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
                              m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || is_offset_lost(m->err));
}

void consumer_serve_group(struct consumer *s)
{
    if (s->left) {
        serve_leaving(s);
        return;
    }
    for (rd_kafka_message_t *m; (m = rd_kafka_consumer_poll(s->rk, 0)) != NULL;) {
        if (is_of_slot(m)) {
            assignment_keep_foreign(&s->assignment, m);
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
        int32_t slot = assignment_slot_of(&s->assignment, p);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            assignment_note_seen(&s->assignment, slot, p->offset);
        else if (is_unknown(code))
            out_of_range_doubt_topic(&s->lost);
        s->events.committed(s->events.context, slot, p->offset, code == RD_KAFKA_RESP_ERR_NO_ERROR,
                            rd_kafka_err2str(code));
    }
    s->commits--;
    s->events.commit_done(s->events.context);
    if (expelled)
        rebalance_expelled(&s->rebalance);
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
    if (s->rebalance.leaving && !s->left && s->rebalance.pending == CHANGE_NONE &&
        assignment_is_empty(&s->assignment)) {
        s->left = true;
        rd_kafka_error_t *error = rd_kafka_consumer_close_queue(s->rk, s->close_queue);
        if (error != NULL) {
            rd_kafka_error_destroy(error);
            s->closed = true;
        }
    }
    s->closed = s->closed || (s->left && rd_kafka_consumer_closed(s->rk));
}

static void look_for_fatal(struct consumer *s)
{
    struct error err = {0};
    if (s->fatal || !client_is_lost(s->rk, s->config, &err))
        return;
    s->fatal = true;
    rebalance_end(&s->rebalance);
    s->events.trouble(s->events.context, &err, true);
}

static struct group_wait_member member_of(const struct consumer *s)
{
    return (struct group_wait_member){.takes_part =
                                          s->subscribed && !s->rebalance.leaving && !s->fatal,
                                      .joining_ms = join_watch_since_ms(&s->join),
                                      .has_none = assignment_is_empty(&s->assignment),
                                      .is_changing = s->rebalance.pending != CHANGE_NONE,
                                      .joined = s->rebalance.joined};
}

void consumer_turn(struct consumer *s)
{
    serve_commits(s);
    consumer_serve_group(s);
    look_for_fatal(s);
    rebalance_carry_out(&s->rebalance);
    out_of_range_turn(&s->lost, s->rebalance.pending != CHANGE_NONE);
    struct group_wait_member member = member_of(s);
    group_wait_turn(&s->wait, &member);
    serve_close(s);
}

int64_t consumer_wake_ms(struct consumer *s)
{
    struct group_wait_member member = member_of(s);
    return group_wait_wake_ms(&s->wait, &member);
}

size_t consumer_read(struct consumer *s, int32_t slot, rd_kafka_message_t **messages, size_t max)
{
    if (assignment_state(&s->assignment, slot) != SLOT_ASSIGNED)
        return 0;
    for (;;) {
        out_of_range_look(&s->lost, slot);
        if (out_of_range_is_doubted(&s->lost, slot))
            return 0; /* a commit of what is read now would hide what lies before it */
        size_t got = assignment_take(&s->assignment, slot, messages, max), good = 0;
        for (size_t i = 0; i < got; i++) {
            if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                messages[good++] = messages[i];
                continue;
            }
            message_error(s, slot, messages[i]);
            rd_kafka_message_destroy(messages[i]);
        }
        if (good > 0) {
            s->assignment.slots[slot].next = messages[good - 1]->offset + 1;
            client_trouble_over(&s->trouble);
        }
        if (good > 0 || got == 0)
            return good;
    }
}

bool consumer_commit(struct consumer *s, const struct consumer_offset *offsets, size_t count,
                     struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        int32_t slot = offsets[i].slot;
        enum slot_state state = assignment_state(&s->assignment, slot);
        assert(state == SLOT_ASSIGNED || state == SLOT_REVOKING);
        rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_add(
            list, assignment_topic(&s->assignment, slot), slot_partition(slot));
        p->offset = offsets[i].offset;
        p->metadata =
            start_offsets_metadata(/* freed with the list */
                                   s->starts.known_born, slot_is_retry(slot), p->offset,
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
    rebalance_leave(&s->rebalance);
}

bool consumer_joined(const struct consumer *s)
{
    return s->rebalance.joined;
}

bool consumer_closed(const struct consumer *s)
{
    return s->closed;
}

void consumer_release(struct consumer *s, int32_t slot)
{
    rebalance_release(&s->rebalance, slot);
}

bool consumer_others_reached(struct consumer *s, const int64_t *ends, size_t count)
{
    return other_members_reached(&s->others, s->rebalance.count,
                                 rebalance_is_settled(&s->rebalance), ends, count);
}
