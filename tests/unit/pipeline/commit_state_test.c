/* commit_state_test: what the answer to a commit means for a partition, without a cluster. */
#include "offsets/commit_metadata.h"
#include "pipeline/pipeline_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOW_MS = 100000000, SIX_HOURS_MS = 6 * 3600 * 1000, ASKED = 5 };

struct bench {
    struct pipeline p;
    struct partition partition, *list[2];
    struct config *config;
    int fd;
};

/* Nothing is owned here, so that no commit could be sent. */
bool __wrap_consumer_commit(struct consumer *source, const struct consumer_offset *offsets,
                            size_t count, struct error *err);

bool __wrap_consumer_commit(struct consumer *source, const struct consumer_offset *offsets,
                            size_t count, struct error *err)
{
    (void)source, (void)offsets, (void)err;
    return count > 0;
}

static void ignore(void *context, int32_t slot)
{
    (void)context, (void)slot;
}

/* A member that never joins: of it only the commits are asked. */
static void open_bench(struct bench *b, bool is_retry)
{
    const struct consumer_events events = {.lost = ignore, .revoking = ignore};
    struct error err = {0};
    memset(b, 0, sizeof *b);
    b->config = config_new();
    assert_true(config_set(b->config, "kafka.brokers", "127.0.0.1:1", "test", &err));
    assert_true(config_set(b->config, "kafka.topic", "orders", "test", &err));
    assert_true(config_set(b->config, "kafka.group", "shop", "test", &err));
    assert_true(config_set(b->config, "retry.topic", "retries", "test", &err));
    b->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    b->p.consumer = consumer_new(b->config, &events, b->fd, &err);
    assert_non_null(b->p.consumer);
    b->p.config = b->config;
    b->p.now_ms = NOW_MS;
    b->p.commit_wanted_ms = -1;
    b->list[is_retry] = &b->partition;
    b->p.partitions = b->list;
    b->p.partition_count = 2;
    b->partition.p = &b->p;
    b->partition.slot = is_retry;
    b->partition.is_retry = is_retry;
    b->partition.state = PARTITION_READING;
    b->partition.restart_at = b->partition.asked = b->partition.replay_until = -1;
    b->partition.committed_ms = NOW_MS;
    offset_window_init(&b->partition.window, 0);
}

static void close_bench(struct bench *b)
{
    offset_window_done(&b->partition.window);
    consumer_free(b->p.consumer);
    config_free(b->config);
    close(b->fd);
}

static void ask(struct bench *b)
{
    b->partition.window.next = ASKED;
    b->partition.dispatched = b->partition.settled = b->partition.asked_settled = 2;
    b->partition.settles = b->partition.asked_settles = 2;
    b->partition.asked = ASKED;
    b->p.uncovered = 2;
    b->p.commit_outstanding = true;
}

static void an_answer_covers_what_was_asked(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, false);
    ask(&b);
    commit_answered(&b.p, 0, ASKED, true, "");
    assert_int_equal(b.p.totals.commits, 1);
    assert_int_equal(b.partition.committed, ASKED);
    assert_int_equal(b.p.uncovered, 0);
    close_bench(&b);
}

/* It is of an assignment that is over: of what the partition holds now it says nothing. */
static void an_earlier_assignments_answer_is_passed_by(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, false);
    ask(&b);
    end_partition(&b.p, &b.partition);
    b.partition.state = PARTITION_READING;
    b.partition.committed = -1;
    b.partition.dispatched = b.partition.covered = 0;
    b.p.uncovered = 7;
    commit_answered(&b.p, 0, ASKED, true, "");
    assert_int_equal(b.p.totals.commits, 0);
    assert_int_equal(b.partition.committed, -1);
    assert_int_equal(b.p.uncovered, 7);
    close_bench(&b);
}

/* Another offset than the one that was asked for is another commit's. */
static void another_offsets_answer_is_passed_by(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, false);
    ask(&b);
    commit_answered(&b.p, 0, ASKED + 1, true, "");
    assert_int_equal(b.p.totals.commits, 0);
    assert_int_equal(b.p.uncovered, 2);
    close_bench(&b);
}

/* What was settled between the question and its answer is still to be told. */
static void what_was_settled_meanwhile_is_news(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, false);
    ask(&b);
    b.partition.settles++;
    commit_answered(&b.p, 0, ASKED, true, "");
    commit_finished(&b.p);
    assert_int_equal(b.partition.told_settles, 2);
    assert_true(commit_wait_until(&b.p) >= 0);
    close_bench(&b);
}

/* Brokers forget a commit after a while: that of a retry partition is made again before. */
static void a_retry_partitions_commit_is_refreshed(void **state)
{
    (void)state;
    for (int is_retry = 0; is_retry < 2; is_retry++) {
        struct bench b;
        open_bench(&b, is_retry);
        b.partition.committed_ms = NOW_MS - SIX_HOURS_MS;
        assert_int_equal(commit_wait_until(&b.p), -1);
        b.partition.committed_ms--;
        assert_int_equal(commit_wait_until(&b.p) >= 0, is_retry);
        close_bench(&b);
    }
}

/* Every other one of many is settled, too many for the metadata: those that the text leaves out
 * would be sent again after a crash. */
static void what_a_cut_text_leaves_out_is_not_covered(void **state)
{
    enum { MANY = 20000 };
    struct bench b;
    (void)state;
    open_bench(&b, false);
    for (int64_t offset = 0; offset < MANY; offset++) {
        assert_true(offset_window_reserve(&b.partition.window));
        uint64_t sequence = offset_window_open(&b.partition.window, offset * 7 + offset % 5);
        if (offset % 2 == 1) {
            offset_window_settle(&b.partition.window, sequence);
            b.partition.settled++;
            b.partition.settles++;
        }
        b.partition.dispatched++;
    }
    b.p.uncovered = MANY;
    commit_due(&b.p);
    assert_true(b.partition.text_full);
    assert_int_equal(b.partition.asked_settled,
                     b.partition.settled - commit_metadata_untold(&b.partition.window));
    assert_true(b.partition.asked_settled < b.partition.settled);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_covers_what_was_asked),
        cmocka_unit_test(an_earlier_assignments_answer_is_passed_by),
        cmocka_unit_test(another_offsets_answer_is_passed_by),
        cmocka_unit_test(what_was_settled_meanwhile_is_news),
        cmocka_unit_test(a_retry_partitions_commit_is_refreshed),
        cmocka_unit_test(what_a_cut_text_leaves_out_is_not_covered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
