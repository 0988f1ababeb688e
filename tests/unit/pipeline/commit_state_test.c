/* commit_state_test: what the answer to a commit means for a partition, without a cluster. */
#include "offsets/commit_metadata.h"
#include "pipeline/committer.h"
#include "pipeline/until_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOW_MS = 100000000, SIX_HOURS_MS = 6 * 3600 * 1000, ASKED = 5 };

struct bench {
    struct now now;
    struct partitions partitions;
    struct partition partition, *list[2];
    struct consumer *consumer;
    struct endpoint_state endpoint;
    struct committer *committer;
    struct config *config;
    int fd;
};

static char committed_text[COMMIT_METADATA_MAX + 1]; /* of the last commit's first partition */
static size_t released;

/* Nothing is owned here, so that no commit could be sent. */
bool __wrap_consumer_commit(struct consumer *source, const struct consumer_offset *offsets,
                            size_t count, struct error *err);

bool __wrap_consumer_commit(struct consumer *source, const struct consumer_offset *offsets,
                            size_t count, struct error *err)
{
    (void)source, (void)err;
    if (count > 0)
        snprintf(committed_text, sizeof committed_text, "%s", offsets[0].metadata);
    return count > 0;
}

void __wrap_consumer_release(struct consumer *source, int32_t slot);

void __wrap_consumer_release(struct consumer *source, int32_t slot)
{
    (void)source, (void)slot;
    released++;
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
    b->consumer = consumer_new(b->config, &events, b->fd, &err);
    assert_non_null(b->consumer);
    b->now.mono_ms = NOW_MS;
    b->list[is_retry] = &b->partition;
    b->partitions = (struct partitions){.list = b->list, .count = 2};
    const struct committer_uses uses = {b->config, &b->now, b->consumer, &b->partitions,
                                        &b->endpoint};
    b->committer = committer_new(&uses);
    assert_non_null(b->committer);
    b->partition.slot = is_retry;
    b->partition.is_retry = is_retry;
    b->partition.state = PARTITION_READING;
    b->partition.restart_at = b->partition.commit.asked = b->partition.replay_until = -1;
    b->partition.commit.committed_ms = NOW_MS;
    offset_window_init(&b->partition.window, 0);
}

static void close_bench(struct bench *b)
{
    offset_window_done(&b->partition.window);
    committer_free(b->committer);
    consumer_free(b->consumer);
    config_free(b->config);
    close(b->fd);
}

/* Two deliveries are settled, and a commit of them is under way. */
static void ask(struct bench *b)
{
    b->partition.window.next = ASKED;
    b->partition.work.dispatched = b->partition.work.settled = b->partition.work.settles = 2;
    b->partitions.uncovered = 2;
    committer_turn(b->committer);
    assert_int_equal(b->partition.commit.asked, ASKED);
    assert_int_equal(b->partition.commit.asked_settled, 2);
}

/* The commit is answered just now, and one more record is passed. */
static void commit_and_read_on(struct bench *b)
{
    ask(b);
    committer_answered(b->committer, 0, ASKED, true, "");
    committer_finished(b->committer);
    b->partition.window.next = ASKED + 1;
}

static void commit_answer_covers_its_deliveries(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, false);
    ask(&b);
    committer_answered(b.committer, 0, ASKED, true, "");
    assert_int_equal(committer_counts(b.committer)->commits, 1);
    assert_int_equal(b.partition.commit.committed, ASKED);
    assert_int_equal(b.partitions.uncovered, 0);
    close_bench(&b);
}

/* It is of an assignment that is over: of what the partition holds now it says nothing. */
static void commit_answer_of_an_earlier_assignment_is_ignored(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, false);
    ask(&b);
    partition_end(&b.partitions, &b.partition);
    assert_int_equal(b.partitions.uncovered, 0); /* its next owner counts them */
    b.partition.state = PARTITION_READING;
    b.partition.commit.committed = -1;
    b.partition.work.dispatched = b.partition.commit.covered = 0;
    b.partitions.uncovered = 7;
    committer_answered(b.committer, 0, ASKED, true, "");
    assert_int_equal(committer_counts(b.committer)->commits, 0);
    assert_int_equal(b.partition.commit.committed, -1);
    assert_int_equal(b.partitions.uncovered, 7);
    close_bench(&b);
}

/* Another offset than the one that was asked for is another commit's. */
static void commit_answer_for_another_offset_is_ignored(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, false);
    ask(&b);
    committer_answered(b.committer, 0, ASKED + 1, true, "");
    assert_int_equal(committer_counts(b.committer)->commits, 0);
    assert_int_equal(b.partitions.uncovered, 2);
    close_bench(&b);
}

/* Offsets settled between the question and its answer are still to be committed. */
static void offsets_settled_since_the_commit_are_news(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, false);
    ask(&b);
    b.partition.work.settles++;
    committer_answered(b.committer, 0, ASKED, true, "");
    committer_finished(b.committer);
    assert_int_equal(b.partition.commit.covered_settles, 2);
    assert_true(committer_wait_until(b.committer) >= 0);
    close_bench(&b);
}

/* Brokers forget a commit after a while: that of a retry partition is made again before. */
static void retry_partition_is_committed_again_in_time(void **state)
{
    (void)state;
    for (int is_retry = 0; is_retry < 2; is_retry++) {
        struct bench b;
        open_bench(&b, is_retry);
        b.partition.commit.committed_ms = NOW_MS - SIX_HOURS_MS;
        assert_int_equal(committer_wait_until(b.committer), -1);
        b.partition.commit.committed_ms--;
        assert_int_equal(committer_wait_until(b.committer) >= 0, is_retry);
        close_bench(&b);
    }
}

/* Every other one of many is settled, too many for the metadata: those that the text leaves out
 * would be sent again after a crash. */
static void deliveries_left_out_of_cut_metadata_are_not_covered(void **state)
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
            b.partition.work.settled++;
            b.partition.work.settles++;
        }
        b.partition.work.dispatched++;
    }
    b.partitions.uncovered = MANY;
    committer_turn(b.committer);
    assert_true(b.partition.commit.metadata_full);
    uint64_t told = b.partition.work.settled - commit_metadata_untold(&b.partition.window);
    assert_int_equal(b.partition.commit.asked_settled, told);
    assert_true(told < b.partition.work.settled);
    b.partition.commit.covered = told + 1; /* by an earlier text: what is covered stays so */
    committer_finished(b.committer);
    b.now.mono_ms += b.config->commit_interval;
    committer_turn(b.committer);
    assert_int_equal(b.partition.commit.asked_settled, told + 1);
    close_bench(&b);
}

/* The mark of a replay stays until the watermark has reached its end. */
static void metadata_marks_a_replay_until_its_end(void **state)
{
    static const struct {
        int64_t until;
        const char *text;
    } cases[] = {{-1, ""}, {ASKED - 1, ""}, {ASKED, ""}, {ASKED + 1, "1.5..r6"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        open_bench(&b, false);
        b.partition.window.next = ASKED;
        b.partition.replay_until = cases[i].until;
        committer_turn(b.committer);
        assert_int_equal(b.partition.commit.asked, ASKED);
        assert_string_equal(committed_text, cases[i].text);
        close_bench(&b);
    }
}

/* A commit that was answered as a whole, and not for this partition, is over all the same. */
static void partition_without_an_answer_is_committed_again(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, false);
    ask(&b);
    committer_finished(b.committer);
    assert_int_equal(b.partition.commit.asked, -1);
    assert_true(committer_wait_until(b.committer) >= 0);
    committer_answered(b.committer, 0, ASKED, true, ""); /* too late */
    assert_int_equal(committer_counts(b.committer)->commits, 0);
    close_bench(&b);
}

static void commit_answer_never_goes_back(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, false);
    ask(&b);
    b.partition.commit.committed = ASKED + 2;
    committer_answered(b.committer, 0, ASKED, true, "");
    assert_int_equal(b.partition.commit.committed, ASKED + 2);
    close_bench(&b);
}

/* A delivery, which a crash would send again, is committed soon; a skipped record can wait. */
static void deliveries_hurry_a_commit(void **state)
{
    enum { INTERVALS = 5 };
    (void)state;
    for (uint64_t settles = 0; settles < 2; settles++) {
        struct bench b;
        open_bench(&b, false);
        commit_and_read_on(&b);
        b.partition.read.maybe_more = true;
        b.partition.work.settles += settles;
        assert_int_equal(committer_wait_until(b.committer),
                         NOW_MS + b.config->commit_interval * (settles > 0 ? 1 : INTERVALS));
        close_bench(&b);
    }
}

/* A quiet receiver costs no commit; but the partition's next owner learns of each failure, and of
 * what shows that it was the order's own. */
static void failures_are_committed(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, false);
    commit_and_read_on(&b);
    b.partition.window.next = ASKED; /* nothing else is new */
    assert_int_equal(committer_wait_until(b.committer), -1);
    assert_true(offset_window_reserve(&b.partition.window));
    struct delivery d = {.history = {.attempts = 2}, .first_attempt_ms = 6};
    d.sequence = offset_window_open(&b.partition.window, ASKED);
    partition_note_tried(&b.partition, &d, 0);
    int64_t due_ms = NOW_MS + b.config->commit_interval;
    assert_int_equal(committer_wait_until(b.committer), due_ms);
    b.now.mono_ms = due_ms;
    committer_turn(b.committer);
    assert_string_equal(committed_text, "1.5..r0848149.r0");
    committer_answered(b.committer, 0, ASKED, true, "");
    committer_finished(b.committer);
    b.now.mono_ms += SIX_HOURS_MS;
    committer_turn(b.committer);
    assert_int_equal(committer_wait_until(b.committer), -1);
    b.endpoint.delivered = 1; /* anywhere */
    committer_turn(b.committer);
    assert_string_equal(committed_text, "1.5..r0858149.r0");
    committer_finished(b.committer); /* unanswered: it is told again */
    assert_true(committer_wait_until(b.committer) >= 0);
    b.now.mono_ms += SIX_HOURS_MS;
    committer_turn(b.committer);
    committer_answered(b.committer, 0, ASKED, true, "");
    committer_finished(b.committer);
    assert_int_equal(committer_wait_until(b.committer), -1);
    partition_settle(&b.partition, d.sequence);
    assert_int_equal(b.partition.tried.count, 0);
    b.now.mono_ms += SIX_HOURS_MS;
    committer_turn(b.committer);
    assert_string_equal(committed_text, "");
    tried_done(&b.partition.tried);
    close_bench(&b);
}

/* The order waits for its turn here, and others are delivered meanwhile. */
static void deliveries_are_seen_after_an_earlier_owners_attempt(void **state)
{
    struct bench b;
    struct tried elsewhere = {.offset = ASKED, .attempts = 2, .others_until = TRIED_ELSEWHERE};
    const struct tried_clock clock = {.now_ms = NOW_MS, .delivered = 7};
    (void)state;
    open_bench(&b, false);
    commit_and_read_on(&b);
    tried_note(&b.partition.tried, &elsewhere);
    b.endpoint.delivered = 7;
    committer_turn(b.committer); /* these were delivered before it was read: they say nothing */
    assert_false(tried_find(&b.partition.tried, ASKED)->others_since);
    assert_true(offset_window_reserve(&b.partition.window));
    b.partition.window.next = ASKED;
    struct delivery d = {0};
    d.sequence = offset_window_open(&b.partition.window, ASKED);
    partition_recall_tried(&b.partition, &d, &clock);
    assert_int_equal(d.history.attempts, 2);
    committer_turn(b.committer);
    assert_false(tried_find(&b.partition.tried, ASKED)->others_since);
    b.endpoint.delivered = 8;
    committer_turn(b.committer);
    assert_true(tried_find(&b.partition.tried, ASKED)->others_since);
    tried_done(&b.partition.tried);
    close_bench(&b);
}

/* A partition that is given back, too: its next owner counts on. */
static void failures_are_told_before_a_partition_is_given_back(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, false);
    commit_and_read_on(&b);
    b.partition.window.next = ASKED;
    b.partition.state = PARTITION_REVOKING;
    b.partition.work.give_back_by_ms = NOW_MS + 1;
    b.partition.work.tries++;
    released = 0;
    committer_give_back(b.committer);
    assert_int_equal(released, 0);
    assert_int_equal(committer_wait_until(b.committer), NOW_MS);
    committer_turn(b.committer);
    committer_answered(b.committer, 0, ASKED, true, "");
    committer_finished(b.committer);
    committer_give_back(b.committer);
    assert_int_equal(released, 1);
    close_bench(&b);
}

/* The next owner starts from there, and the group waits for it. */
static void revoked_partition_is_committed_at_once(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, false);
    commit_and_read_on(&b);
    assert_true(committer_wait_until(b.committer) > NOW_MS);
    b.partition.state = PARTITION_REVOKING;
    assert_int_equal(committer_wait_until(b.committer), NOW_MS);
    b.partition.restart_at = 0; /* in another topic these offsets would pass by others' records */
    assert_int_equal(committer_wait_until(b.committer), -1);
    close_bench(&b);
}

/* ---- a partition that is given back ---- */

enum { OVER = NOW_MS, LATER = NOW_MS + 1, GRACE_MS = 2000 };

static void drained_partition_is_given_back(void **state)
{
    static const struct {
        const char *name;
        size_t busy, settling;
        bool news, asked;
        int64_t by_ms, settled_ms;
        size_t released;
    } cases[] = {
        {"all is done", 0, 0, false, false, LATER, 0, 1},
        {"a request is under way", 1, 0, false, false, LATER, 0, 0},
        {"it is left to the next owner", 1, 0, false, false, OVER, 0, 1},
        {"it was delivered, and is being recorded", 1, 1, false, false, OVER, 0, 0},
        {"the commit is under way", 0, 0, false, true, LATER, 0, 0},
        {"and a little longer than the drain may take", 0, 0, false, true, OVER, 0, 0},
        {"it is still to be committed", 0, 0, true, false, LATER, 0, 0},
        {"the same", 0, 0, true, false, OVER - GRACE_MS + 1, 0, 0},
        {"not for ever", 0, 0, true, false, OVER - GRACE_MS, 0, 1},
        {"counted from what was settled last", 0, 0, true, false, OVER - GRACE_MS,
         OVER - GRACE_MS + 1, 0},
        {"nor then", 0, 0, true, false, OVER - 9999, OVER - GRACE_MS, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        open_bench(&b, false);
        b.partition.state = PARTITION_REVOKING;
        b.partition.work.busy = cases[i].busy;
        b.partition.work.settling = cases[i].settling;
        b.partition.work.settles = cases[i].news;
        b.partition.commit.asked = cases[i].asked ? ASKED : -1;
        b.partition.work.give_back_by_ms = cases[i].by_ms;
        b.partition.work.last_settled_ms = cases[i].settled_ms;
        released = 0;
        committer_give_back(b.committer);
        if (released != cases[i].released)
            fail_msg("%s: released %zu", cases[i].name, released);
        close_bench(&b);
    }
}

/* ---- the end ---- */

static void the_end_is_reached_once_all_is_committed(void **state)
{
    static const struct {
        const char *name;
        int64_t committed, asked;
        bool open, at_end, reached;
    } cases[] = {
        {"all is committed", ASKED, -1, false, true, true},
        {"not committed", ASKED - 1, -1, false, true, false},
        {"the commit is under way", ASKED, ASKED, false, true, false},
        {"one is under way", ASKED, -1, true, true, false},
        {"not read up to there", ASKED, -1, false, false, false},
    };
    int64_t ends[2] = {ASKED, 0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        open_bench(&b, false);
        b.partition.window.next = ASKED;
        b.partition.commit.committed = cases[i].committed;
        b.partition.commit.asked = cases[i].asked;
        b.partition.read.at_end = cases[i].at_end;
        if (cases[i].open) {
            assert_true(offset_window_reserve(&b.partition.window));
            (void)offset_window_open(&b.partition.window, ASKED);
        }
        struct until_end u = {b.consumer, b.committer, &b.partitions, ends, 2};
        if (until_end_reached(&u) != cases[i].reached)
            fail_msg("%s", cases[i].name);
        close_bench(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commit_answer_covers_its_deliveries),
        cmocka_unit_test(commit_answer_of_an_earlier_assignment_is_ignored),
        cmocka_unit_test(commit_answer_for_another_offset_is_ignored),
        cmocka_unit_test(offsets_settled_since_the_commit_are_news),
        cmocka_unit_test(retry_partition_is_committed_again_in_time),
        cmocka_unit_test(deliveries_left_out_of_cut_metadata_are_not_covered),
        cmocka_unit_test(metadata_marks_a_replay_until_its_end),
        cmocka_unit_test(partition_without_an_answer_is_committed_again),
        cmocka_unit_test(commit_answer_never_goes_back),
        cmocka_unit_test(deliveries_hurry_a_commit),
        cmocka_unit_test(failures_are_committed),
        cmocka_unit_test(deliveries_are_seen_after_an_earlier_owners_attempt),
        cmocka_unit_test(failures_are_told_before_a_partition_is_given_back),
        cmocka_unit_test(revoked_partition_is_committed_at_once),
        cmocka_unit_test(drained_partition_is_given_back),
        cmocka_unit_test(the_end_is_reached_once_all_is_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
