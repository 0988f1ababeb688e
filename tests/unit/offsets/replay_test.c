/* replay: which offsets are read again, and what the commit says of the rest. */
#include "kafka/start_position.h"
#include "offsets/replay_plan.h"
#include "sys/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Expects an owner that starts from the commit to treat each offset so. */
static void reads(const struct replay_commit *c, const char *expected, int64_t ret_until)
{
    struct offset_window w;
    int64_t until;
    offset_window_init(&w, c->from);
    assert_true(commit_metadata_read(&w, c->metadata, NULL, &until));
    assert_int_equal(until, ret_until);
    for (int64_t offset = c->from; expected[offset - c->from] != '\0'; offset++) {
        char fate = offset_window_is_known(&w, offset) ? '.' : offset < until ? 'R' : 'N';
        assert_int_equal(fate, expected[offset - c->from]);
        offset_window_pass(&w, offset);
    }
    offset_window_done(&w);
}

static void plan(struct replay_request request, struct replay_commit *ret)
{
    struct error err = {0};
    assert_true(replay_plan(&request, ret, &err));
}

static void offsets_below_the_commit_are_replayed_and_marked(void **state)
{
    struct replay_commit c;
    (void)state;
    plan((struct replay_request){.committed = 10, .metadata = "", .from = 4, .to = -1}, &c);
    assert_int_equal(c.from, 4);
    assert_int_equal(c.to, 10);
    reads(&c, "RRRRRRNNN", 10);
}

static void offsets_from_the_end_count_as_settled(void **state)
{
    struct replay_commit c;
    (void)state;
    plan((struct replay_request){.committed = 10, .metadata = "", .from = 4, .to = 6}, &c);
    reads(&c, "RR....NN", 6);
    plan((struct replay_request){.committed = 10, .metadata = "", .from = 8, .to = 99}, &c);
    reads(&c, "RRNN", 10);
}

/* 12 and 13 were settled above the commit: "1.10.<open 2, settled 2>". */
static void offsets_settled_above_stay_settled(void **state)
{
    struct replay_commit c;
    int64_t until;
    (void)state;
    assert_int_equal(replay_settled_above(10, "1.10.AgI", &until), 2);
    assert_int_equal(until, -1);
    plan((struct replay_request){.committed = 10, .metadata = "1.10.AgI", .from = 7, .to = 8}, &c);
    reads(&c, "R..NN..N", 8);
    assert_int_equal(replay_settled_above(7, c.metadata, &until), 4);
    assert_int_equal(until, 8);
}

static void a_replay_within_a_replay_ends_where_the_later_one_ends(void **state)
{
    struct replay_commit c;
    (void)state;
    plan((struct replay_request){.committed = 10, .metadata = "1.10..r12", .from = 7, .to = 8}, &c);
    reads(&c, "R..RRN", 12);
}

static void the_groups_note_is_kept(void **state)
{
    struct replay_commit c;
    (void)state;
    plan((struct replay_request){.committed = 10, .metadata = "1.10..n6", .from = 9, .to = -1}, &c);
    assert_string_equal(c.metadata, "1.9..r10.n6");
    reads(&c, "RN", 10);
}

/* Of offsets that the replay does not touch. */
static void attempts_of_the_rest_are_kept(void **state)
{
    static const char before[] = "1.10.AgI.r18486869.r0.n6"; /* 11 was sent twice */
    struct replay_commit c;
    (void)state;
    plan((struct replay_request){.committed = 10, .metadata = before, .from = 7, .to = 8}, &c);
    assert_string_equal(c.metadata, "1.7.AQICAg.r48486869.r8.n6");
}

static void empty_replay_changes_nothing(void **state)
{
    struct replay_commit c;
    (void)state;
    plan((struct replay_request){.committed = -1, .metadata = "", .from = 0, .to = -1}, &c);
    assert_int_equal(c.from, c.to);
    plan((struct replay_request){.committed = 10, .metadata = "", .from = 10, .to = -1}, &c);
    assert_int_equal(c.from, c.to);
    plan((struct replay_request){.committed = 10, .metadata = "", .from = 6, .to = 5}, &c);
    assert_int_equal(c.from, c.to);
}

static void offsets_that_are_gone_are_left_out(void **state)
{
    struct replay_commit c;
    (void)state;
    plan((struct replay_request){.low = 5, .committed = 10, .metadata = "", .to = -1}, &c);
    assert_int_equal(c.from, 5);
    reads(&c, "RRRRRN", 10);
}

static void metadata_of_another_offset_is_ignored(void **state)
{
    int64_t until;
    (void)state;
    assert_int_equal(replay_settled_above(11, "1.10.AgI.r12", &until), 0);
    assert_int_equal(until, -1);
    assert_int_equal(replay_settled_above(-1, "", &until), 0);
}

static void plan_that_does_not_fit_is_refused(void **state)
{
    struct offset_window w;
    struct error err = {0};
    struct replay_commit c;
    char text[COMMIT_METADATA_MAX + 1];
    (void)state;
    offset_window_init(&w, 10000);
    for (int i = 0; i < 4000; i++) {
        assert_true(offset_window_reserve(&w));
        uint64_t sequence = offset_window_open(&w, 10000 + i);
        if (i % 2 == 1)
            offset_window_settle(&w, sequence);
    }
    assert_false(commit_metadata_write(&w, -1, NULL, text)); /* full to the brim */
    offset_window_done(&w);
    const struct replay_request request = {
        .committed = 10000, .metadata = text, .from = 1, .to = 2};
    assert_false(replay_plan(&request, &c, &err));
    assert_int_equal(err.code, ERROR_FAILED);
}

static void positions_are_read(void **state)
{
    static const char *const bad[] = {"",
                                      "-",
                                      "-1",
                                      "-1y",
                                      "- 1h",
                                      "--1h",
                                      "12x",
                                      "1h",
                                      "yesterday",
                                      "2026-11-22",
                                      "2026-11-22T09:00:00"};
    struct position p;
    struct error err = {0};
    (void)state;
    assert_true(position_parse("--from", "beginning", &p, &err));
    assert_int_equal(p.kind, POSITION_BEGINNING);
    assert_true(position_parse("--from", "4711", &p, &err));
    assert_int_equal(p.kind, POSITION_OFFSET);
    assert_int_equal(p.value, 4711);
    assert_true(position_parse("--from", "1970-01-02T00:00:00.250Z", &p, &err));
    assert_int_equal(p.kind, POSITION_TIME);
    assert_int_equal(p.value, 86400250);
    assert_true(position_parse("--from", "1970-01-02T01:00:00.250+01:00", &p, &err));
    assert_int_equal(p.kind, POSITION_TIME);
    assert_int_equal(p.value, 86400250);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error why = {0};
        assert_false(position_parse("--to", bad[i], &p, &why));
        assert_int_equal(why.code, ERROR_CONFIG);
        assert_non_null(strstr(why.text, "--to"));
    }
}

/* "-1h": an hour ago, where the other forms would have to be worked out first. */
static void a_position_may_be_some_time_ago(void **state)
{
    struct position p;
    struct error err = {0};
    int64_t before = clock_wall_ms(), since;
    (void)state;
    assert_true(position_parse("--from", "-90m", &p, &err));
    assert_int_equal(p.kind, POSITION_TIME);
    assert_true(p.value >= before - 5400000 && p.value <= clock_wall_ms() - 5400000);
    assert_true(position_parse_time("--since", "-250ms", &since, &err));
    assert_true(since >= before - 250 && since <= clock_wall_ms() - 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_below_the_commit_are_replayed_and_marked),
        cmocka_unit_test(offsets_from_the_end_count_as_settled),
        cmocka_unit_test(offsets_settled_above_stay_settled),
        cmocka_unit_test(a_replay_within_a_replay_ends_where_the_later_one_ends),
        cmocka_unit_test(the_groups_note_is_kept),
        cmocka_unit_test(attempts_of_the_rest_are_kept),
        cmocka_unit_test(empty_replay_changes_nothing),
        cmocka_unit_test(offsets_that_are_gone_are_left_out),
        cmocka_unit_test(metadata_of_another_offset_is_ignored),
        cmocka_unit_test(plan_that_does_not_fit_is_refused),
        cmocka_unit_test(positions_are_read),
        cmocka_unit_test(a_position_may_be_some_time_ago),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
