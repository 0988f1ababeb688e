/* speaker_test: who of several dashboards tells, by a clock that the test turns. */
#include "dashboard/notify/speaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND };

static struct speaker speaker;
static int64_t now_ms;

static bool may(enum sender_role role, bool kept, bool away)
{
    return speaker_may_tell(
        &speaker,
        &(struct speaker_facts){.now_ms = now_ms, .role = role, .is_kept = kept, .away = away});
}

static bool elsewhere(bool away)
{
    return speaker_is_settled_elsewhere(
        &speaker, &(struct speaker_facts){.now_ms = now_ms, .role = SENDER_ANOTHER, .away = away});
}

static int begin(void **state)
{
    (void)state;
    speaker = (struct speaker){0};
    now_ms = 1;
    return 0;
}

static void who_holds_it_tells_what_is_kept(void **state)
{
    (void)state;
    assert_true(may(SENDER_MINE, true, false));
    assert_false(may(SENDER_MINE, false, false));
    assert_false(may(SENDER_UNKNOWN, true, false));
    assert_false(may(SENDER_LEFT, true, false));
    assert_false(may(SENDER_ANOTHER, true, false));
}

/* One that knows of another one holds its tongue; all the others could be the only one. */
static void while_kafka_is_away_the_last_one_tells(void **state)
{
    (void)state;
    assert_true(may(SENDER_MINE, false, true));
    assert_true(may(SENDER_LEFT, false, true));
    assert_true(may(SENDER_UNKNOWN, false, true));
    assert_false(may(SENDER_ANOTHER, false, true));
    now_ms += 10 * MINUTE;
    assert_false(may(SENDER_ANOTHER, false, true));
}

static void a_group_that_does_not_answer_silences_nobody_for_long(void **state)
{
    static const enum sender_role roles[] = {SENDER_UNKNOWN, SENDER_LEFT, SENDER_MINE};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        begin(state);
        assert_false(may(roles[i], false, false));
        now_ms += MINUTE - 1;
        assert_false(may(roles[i], false, false));
        now_ms += 1;
        assert_true(may(roles[i], false, false));
        assert_true(may(SENDER_MINE, true, false)); /* it answers */
        assert_false(may(roles[i], false, false));
    }
    now_ms += 10 * MINUTE;
    assert_false(may(SENDER_ANOTHER, false, false));
}

/* Kafka's return is the beginning of the minute, not its absence. */
static void it_has_a_minute_after_kafka_is_back(void **state)
{
    (void)state;
    assert_true(may(SENDER_LEFT, false, true));
    now_ms += 10 * MINUTE;
    assert_true(may(SENDER_LEFT, false, true));
    assert_false(may(SENDER_LEFT, false, false));
}

static void what_another_one_could_not_keep_is_remembered_for_a_minute(void **state)
{
    (void)state;
    assert_true(elsewhere(false));
    assert_false(may(SENDER_ANOTHER, false, true));
    assert_false(elsewhere(true));
    now_ms += MINUTE - 1;
    assert_false(elsewhere(false));
    now_ms += 1;
    assert_true(elsewhere(false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(who_holds_it_tells_what_is_kept, begin),
        cmocka_unit_test_setup(while_kafka_is_away_the_last_one_tells, begin),
        cmocka_unit_test_setup(a_group_that_does_not_answer_silences_nobody_for_long, begin),
        cmocka_unit_test_setup(it_has_a_minute_after_kafka_is_back, begin),
        cmocka_unit_test_setup(what_another_one_could_not_keep_is_remembered_for_a_minute, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
