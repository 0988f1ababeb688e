/* rule_test: which events are transitions, by what they show and by what the memory knows. */
#include "order/old_key.h"
#include "order/rule.h"
#include "order/webhook_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct rule usual = {.value = "confirmed"};

static struct column text(const char *value)
{
    if (value == NULL)
        return (struct column){.kind = COLUMN_NULL};
    return (struct column){.kind = COLUMN_TEXT, .data = value, .len = strlen(value)};
}

/* An event of order 1; before NULL: it shows none; "": shows one without the status (key only). */
static struct change event(const char *op, const char *before, const char *status)
{
    struct change change = {.op = text(op), .status = text(status), .has_row = true};
    change.field[FIELD_ORDER_ID] = text("1");
    if (before != NULL) {
        change.has_before = true;
        change.before_status = *before != '\0' ? text(before) : text(NULL);
    }
    return change;
}

static const char *show(const struct judgement *j)
{
    static char line[80];
    static const char *const verdicts[] = {"skip", "deliver", "undecodable"};
    snprintf(line, sizeof line, "%s %s%s%s", verdicts[j->verdict], skip_reason_names[j->why],
             j->before_unknown ? "unknown" : "", j->case_mismatch ? " near" : "");
    return line;
}

static void expect(const struct rule *rule, const struct change *change,
                   struct status_cache *status_cache, const char *expected)
{
    struct judgement j = rule_judge(rule, change, status_cache, 1);
    assert_string_equal(show(&j), expected);
}

static void one(const struct rule *rule, struct change change, const char *expected)
{
    struct status_cache *status_cache = status_cache_new(10, &(struct hash_key){{1, 2}});
    assert_non_null(status_cache);
    expect(rule, &change, status_cache, expected);
    status_cache_free(status_cache);
}

static void every_operation(void **state)
{
    (void)state;
    static const struct {
        const char *op, *before, *status, *expected;
    } events[] = {
        {"c", NULL, "confirmed", "deliver "},
        {"c", NULL, "pending", "skip not_confirmed"},
        {"u", "pending", "confirmed", "deliver "},
        {"u", "confirmed", "confirmed", "skip already_confirmed"},
        {"u", "confirmed", "pending", "skip not_confirmed"},
        {"u", "Confirmed", "confirmed", "deliver "},
        {"u", NULL, "confirmed", "deliver unknown"},
        {"u", "", "confirmed", "deliver unknown"}, /* a before of the key alone */
        {"u", "__debezium_unavailable_value", "confirmed", "deliver unknown"},
        {"r", NULL, "confirmed", "skip snapshot"},
        {"r", NULL, "pending", "skip snapshot"},
        {"d", "confirmed", "confirmed", "skip delete"},
        {"t", NULL, NULL, "skip truncate"},
        {"m", NULL, NULL, "skip message"},
        {"x", NULL, "confirmed", "undecodable "},
        {"", NULL, "confirmed", "undecodable "},
        {"cu", NULL, "confirmed", "undecodable "},
        {NULL, NULL, "confirmed", "undecodable "}, /* no op, and none assumed */
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        one(&usual, event(events[i].op, events[i].before, events[i].status), events[i].expected);
}

static void a_row_that_is_missing(void **state)
{
    (void)state;
    struct change change = event("u", NULL, NULL);
    change.has_row = false;
    one(&usual, change, "undecodable ");
    change.op = text("d");
    one(&usual, change, "skip delete");
}

static void case_mismatches(void **state)
{
    (void)state;
    static const struct {
        const char *status, *expected;
    } statuses[] = {
        {"Confirmed", "skip not_confirmed near"},
        {" confirmed", "skip not_confirmed near"},
        {"confirmed\n", "skip not_confirmed near"},
        {"CONFIRMED ", "skip not_confirmed near"},
        {"confirmed2", "skip not_confirmed"},
        {"confirme", "skip not_confirmed near"},
        {"CONFIRM\xc3\x89"
         "E",
         "skip not_confirmed near"},
        {"", "skip not_confirmed"},
        {"  ", "skip not_confirmed"},
        {"c\xd0\xbenfirmed", "skip not_confirmed near"}, /* a Cyrillic o */
        {NULL, "skip not_confirmed"},
    };
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        one(&usual, event("u", "pending", statuses[i].status), statuses[i].expected);
}

static void snapshots_may_be_delivered(void **state)
{
    (void)state;
    const struct rule rule = {.value = "confirmed", .deliver_snapshot = true};
    one(&rule, event("r", NULL, "confirmed"), "deliver ");
    one(&rule, event("r", NULL, "pending"), "skip not_confirmed");
}

static void another_value(void **state)
{
    (void)state;
    const struct rule rule = {.value = "payée"};
    one(&rule, event("u", "confirmed", "payée"), "deliver ");
    one(&rule, event("u", "payée", "payée"), "skip already_confirmed");
    one(&rule, event("u", "payée", "confirmed"), "skip not_confirmed");
}

static void an_operation_is_assumed_only_where_none_is_said(void **state)
{
    (void)state;
    const struct rule update = {.value = "confirmed", .assumed_op = 'u'};
    const struct rule create = {.value = "confirmed", .assumed_op = 'c'};
    struct change change = event("u", NULL, "confirmed");
    one(&create, change, "deliver unknown");
    change.op = (struct column){.kind = COLUMN_ABSENT};
    one(&update, change, "deliver unknown");
    one(&create, change, "deliver ");
    change.op = text(NULL);
    one(&update, change, "deliver unknown");
    change.op = text("z");
    one(&update, change, "undecodable ");
}

static void deleted_rows(void **state)
{
    (void)state;
    const struct rule rule = {.value = "confirmed", .assumed_op = 'u'};
    struct change change = event("u", NULL, "confirmed");
    change.deleted = text("true");
    one(&rule, change, "skip delete");
    change.op = (struct column){.kind = COLUMN_ABSENT};
    one(&rule, change, "skip delete");
    change.deleted = text("false");
    one(&rule, change, "deliver unknown");
}

static void deleted_rows_of_other_types(void **state)
{
    (void)state;
    const struct rule rule = {.value = "confirmed", .assumed_op = 'u'};
    static const char *const texts[] = {"TRUE", "True", "t", "1", "yes"};
    struct change change = event(NULL, NULL, "confirmed");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        change.deleted = text(texts[i]);
        one(&rule, change, "skip delete");
    }
    change.deleted = (struct column){.kind = COLUMN_BOOLEAN, .number = 1}; /* a boolean */
    one(&rule, change, "skip delete");
    change.deleted = (struct column){.kind = COLUMN_INT, .number = 1};
    one(&rule, change, "skip delete");
    change.deleted = (struct column){.kind = COLUMN_BOOLEAN, .number = 0};
    one(&rule, change, "deliver unknown");
    change.deleted = (struct column){.kind = COLUMN_INT, .number = 0};
    one(&rule, change, "deliver unknown");
}

/* ---- the memory ---- */

struct step {
    const char *op, *before, *status, *expected;
};

static void play(const struct step *steps, size_t count)
{
    struct status_cache *status_cache = status_cache_new(10, &(struct hash_key){{1, 2}});
    assert_non_null(status_cache);
    for (size_t i = 0; i < count; i++) {
        struct change change = event(steps[i].op, steps[i].before, steps[i].status);
        expect(&usual, &change, status_cache, steps[i].expected);
    }
    status_cache_free(status_cache);
}

#define PLAY(...)                                  \
    do {                                           \
        const struct step steps[] = {__VA_ARGS__}; \
        play(steps, sizeof steps / sizeof *steps); \
    } while (0)

static void the_memory_stands_in_for_before(void **state)
{
    (void)state;
    PLAY({"c", NULL, "pending", "skip not_confirmed"}, {"u", NULL, "confirmed", "deliver "},
         {"u", NULL, "confirmed", "skip already_confirmed"},
         {"u", NULL, "shipped", "skip not_confirmed"}, {"u", NULL, "confirmed", "deliver "});
    PLAY({"r", NULL, "confirmed", "skip snapshot"},
         {"u", NULL, "confirmed", "skip already_confirmed"});
    PLAY({"c", NULL, "confirmed", "deliver "}, {"u", NULL, "confirmed", "skip already_confirmed"});
    PLAY({"u", NULL, "confirmed", "deliver unknown"},
         {"u", NULL, "confirmed", "skip already_confirmed"});
    /* what an event shows goes before what the memory knows */
    PLAY({"c", NULL, "confirmed", "deliver "}, {"u", "pending", "confirmed", "deliver "});
    /* events that show their before teach it too */
    PLAY({"u", "pending", "confirmed", "deliver "},
         {"u", NULL, "confirmed", "skip already_confirmed"});
    PLAY({"u", "pending", "confirmed", "deliver "},
         {"u", "confirmed", "pending", "skip not_confirmed"}, {"u", NULL, "confirmed", "deliver "});
}

/* A status whose value the event does not carry is the one it was before. */
static void an_unavailable_status_changes_nothing(void **state)
{
    (void)state;
    PLAY({"c", NULL, "confirmed", "deliver "},
         {"u", NULL, "__debezium_unavailable_value", "skip not_confirmed"},
         {"u", NULL, "confirmed", "skip already_confirmed"});
}

static void orders_are_known_by_ids_of_every_kind(void **state)
{
    (void)state;
    static const struct column ids[] = {
        {.kind = COLUMN_TEXT, .data = "7", .len = 1},
        {.kind = COLUMN_INT, .number = -7},
        {.kind = COLUMN_DECIMAL, .data = "\x00\xab\x54\xa9\x8c\xeb\x1f\x0a\xd2", .len = 9},
        {.kind = COLUMN_DECIMAL, .data = "\x07", .len = 1, .scale = 2},
        {.kind = COLUMN_DOUBLE, .real = 1.5},
    };
    static const char *const texts[] = {"7", "-7", "12345678901234567890", "0.07", "1.5"};
    struct status_cache *status_cache = status_cache_new(10, &(struct hash_key){{1, 2}});
    assert_non_null(status_cache);
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
            struct order_id id;
            struct change change = event("u", NULL, "confirmed");
            change.field[FIELD_ORDER_ID] = ids[i];
            assert_true(order_id_of(&change, &id));
            assert_int_equal(id.len, strlen(texts[i]));
            assert_memory_equal(id.text, texts[i], id.len);
            expect(&usual, &change, status_cache,
                   round ? "skip already_confirmed" : "deliver unknown");
        }
    status_cache_free(status_cache);
}

static void ids_that_name_no_order(void **state)
{
    (void)state;
    static const char many[200] = {1};
    static const struct column ids[] = {
        {.kind = COLUMN_ABSENT},
        {.kind = COLUMN_NULL},
        {.kind = COLUMN_OTHER},
        {.kind = COLUMN_DECIMAL, .data = many, .len = sizeof many},        /* hundreds of digits */
        {.kind = COLUMN_DECIMAL, .data = many + 1, .len = 1, .scale = 62}, /* found by fuzzing */
    };
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct order_id id;
        struct change change = event("u", NULL, "confirmed");
        change.field[FIELD_ORDER_ID] = ids[i];
        assert_false(order_id_of(&change, &id));
        assert_int_equal(id.len, 0);
        one(&usual, change, "deliver unknown");
    }
}

/* ---- the same transition again ---- */

static struct change event_at(const char *op, const char *status, const char *confirmed_at)
{
    struct change change = event(op, NULL, status);
    change.field[FIELD_CONFIRMED_AT] = text(confirmed_at);
    return change;
}

static void the_same_confirmed_at_is_the_same_transition(void **state)
{
    (void)state;
    static const char *const ops[] = {"c", "r"};
    const struct rule rule = {.value = "confirmed", .deliver_snapshot = true};
    for (size_t i = 0; i < 2; i++) {
        struct status_cache *status_cache = status_cache_new(10, &(struct hash_key){{1, 2}});
        struct change change = event_at("u", "confirmed", "2026-01-01");
        expect(&rule, &change, status_cache, "deliver unknown");
        change = event_at(ops[i], "confirmed", "2026-01-01");
        expect(&rule, &change, status_cache, "skip already_confirmed");
        change = event_at(ops[i], "confirmed", "2026-01-02");
        expect(&rule, &change, status_cache, "deliver ");
        change = event_at(ops[i], "confirmed", NULL); /* nothing shows that it is the same */
        expect(&rule, &change, status_cache, "deliver ");
        expect(&rule, &change, status_cache, "deliver ");
        status_cache_free(status_cache);
    }
}

static bool is_era_2(const void *context, uint32_t status_epoch)
{
    (void)context;
    return status_epoch == 2;
}

/* A row that moves to another partition of the topic is known there only while what was read in the
 * first one holds. */
static void other_partitions_know_as_long_as_they_are_read(void **state)
{
    (void)state;
    static const struct {
        uint32_t seen, read;
        const char *expected;
    } cases[] = {
        {2, 1, "skip already_confirmed"}, {3, 1, "deliver "}, {1, 1, "skip already_confirmed"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct status_cache *status_cache = status_cache_new(10, &(struct hash_key){{1, 2}});
        struct change change = event_at("c", "confirmed", "2026-01-01");
        const struct rule_place seen = {.status_epoch = cases[i].seen},
                                read = {cases[i].read, is_era_2, NULL};
        (void)rule_judge_at(&usual, &change, status_cache, &seen);
        struct judgement j = rule_judge_at(&usual, &change, status_cache, &read);
        assert_string_equal(show(&j), cases[i].expected);
        status_cache_free(status_cache);
    }
}

/* ---- a row that moves: its transition is shown by an update in one partition of the topic and by
 * an insert in another ---- */

enum { SENT_MAX = 2 };

struct sent {
    char ids[SENT_MAX][WEBHOOK_ID_MAX];
    size_t count;
};

static bool is_live(const void *context, uint32_t status_epoch)
{
    (void)status_epoch;
    return *(const bool *)context;
}

/* partition: 0, where it was; 1, where it is. */
static void read_moved(int partition, bool shows_before, struct status_cache *status_cache,
                       const bool *live, struct sent *sent)
{
    const struct rule_place place = {(uint32_t)partition + 1, is_live, live};
    struct change change = event_at(partition == 0 ? "u" : "c", "confirmed", "2026-01-01");
    change.lsn = (struct column){.kind = COLUMN_INT, .number = 100 + partition};
    if (partition == 0 && shows_before) {
        change.has_before = true;
        change.before_status = text("pending");
    }
    if (rule_judge_at(&usual, &change, status_cache, &place).verdict != RULE_DELIVER)
        return;
    const struct order_id id = {.text = "1", .len = 1};
    webhook_id_of(&change, &id, "orders", partition, 7, sent->ids[sent->count++]);
}

/* It is sent once while the process remembers, in whatever order the partitions are read; but an
 * event that shows the row before is believed, so that nothing is lost where the same time comes
 * twice. Both messages have one webhook-id, unless the update showed the row before: that one
 * is named by its place in the source's log (consumer/doc/promises.md, "The limits"). */
static void a_row_that_moves_is_one_transition(void **state)
{
    static const struct {
        bool shows_before, remembered, insert_first;
        size_t count;
        bool one_id;
    } cases[] = {{false, true, false, 1, true},  {false, true, true, 1, true},
                 {false, false, false, 2, true}, {false, false, true, 2, true},
                 {true, true, false, 1, true},   {true, true, true, 2, false},
                 {true, false, false, 2, false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct status_cache *status_cache = status_cache_new(10, &(struct hash_key){{1, 2}});
        struct sent sent = {.count = 0};
        for (int step = 0; step < 2; step++)
            read_moved(step ^ cases[i].insert_first, cases[i].shows_before, status_cache,
                       &cases[i].remembered, &sent);
        if (sent.count != cases[i].count)
            fail_msg("case %zu: sent %zu times", i, sent.count);
        if (sent.count == 2)
            assert_int_equal(strcmp(sent.ids[0], sent.ids[1]) == 0, cases[i].one_id);
        status_cache_free(status_cache);
    }
}

/* Between two assignments of its partition the order may have been anything. */
static void an_earlier_assignment_knows_nothing_of_now(void **state)
{
    static const char *const statuses[] = {"pending", "confirmed"};
    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct status_cache *status_cache = status_cache_new(10, &(struct hash_key){{1, 2}});
        struct change change = event("c", NULL, statuses[i]);
        (void)rule_judge(&usual, &change, status_cache, 1);
        change = event("u", NULL, "confirmed");
        struct judgement j = rule_judge(&usual, &change, status_cache, 2);
        assert_string_equal(show(&j), "deliver unknown");
        status_cache_free(status_cache);
    }
}

static void a_snapshot_sends_what_the_stream_missed(void **state)
{
    (void)state;
    PLAY({"c", NULL, "pending", "skip not_confirmed"}, {"r", NULL, "confirmed", "deliver "},
         {"r", NULL, "confirmed", "skip snapshot"});
    struct status_cache *status_cache = status_cache_new(10, &(struct hash_key){{1, 2}});
    struct change change = event_at("r", "confirmed", "2026-01-01");
    assert_true(rule_judge(&usual, &change, status_cache, 1).unsent);  /* never seen before */
    assert_false(rule_judge(&usual, &change, status_cache, 1).unsent); /* counted already */
    change = event_at("r", "pending", NULL);
    assert_false(rule_judge(&usual, &change, status_cache, 1).unsent);
    status_cache_free(status_cache);
    status_cache = status_cache_new(10, &(struct hash_key){{1, 2}});
    change = event_at("r", "confirmed", NULL); /* the memory alone tells that it was counted */
    assert_true(rule_judge(&usual, &change, status_cache, 1).unsent);
    assert_false(rule_judge(&usual, &change, status_cache, 1).unsent);
    status_cache_free(status_cache);
}

/* Confirmed, taken back and confirmed anew while the stream had a gap. */
static void a_snapshot_sends_what_was_confirmed_anew(void **state)
{
    static const struct {
        const char *seen, *now, *expected;
        uint32_t status_epoch;
    } cases[] = {
        {"2026-01-01", "2026-01-02", "deliver ", 1},
        {"2026-01-01", "2026-01-01", "skip already_confirmed", 1},
        {"2026-01-01", NULL, "skip snapshot", 1}, /* nothing shows that it is another one */
        {NULL, "2026-01-02", "skip snapshot", 1},
        {"2026-01-01", "2026-01-02", "skip snapshot", 2}, /* what was seen holds no longer */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct status_cache *status_cache = status_cache_new(10, &(struct hash_key){{1, 2}});
        struct change change = event_at("c", "confirmed", cases[i].seen);
        (void)rule_judge(&usual, &change, status_cache, 1);
        change = event_at("r", "confirmed", cases[i].now);
        struct judgement j = rule_judge(&usual, &change, status_cache, cases[i].status_epoch);
        if (strcmp(show(&j), cases[i].expected) != 0)
            fail_msg("case %zu: %s, not %s", i, show(&j), cases[i].expected);
        status_cache_free(status_cache);
    }
}

static void key_changes(void **state)
{
    (void)state;
    static const struct {
        const char *before; /* NULL: the memory knows nothing */
        bool same_id, told;
        const char *expected;
    } cases[] = {
        {NULL, true, true, "deliver unknown"},
        {"pending", true, true, "deliver "},
        {"confirmed", true, true, "skip already_confirmed"},
        {NULL, false, true, "skip key_change"},
        {"pending", false, true, "skip key_change"},
        {NULL, false, false, "skip key_change"},
        {"pending", false, false, "deliver "},
        {"confirmed", false, false, "skip already_confirmed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct status_cache *status_cache = status_cache_new(10, &(struct hash_key){{1, 2}});
        struct change before = event("c", NULL, cases[i].before);
        struct change change = event_at("c", "confirmed", "2026-01-01");
        if (cases[i].before != NULL)
            (void)rule_judge(&usual, &before, status_cache, 1);
        struct judgement j = rule_judge_key_change(rule_judge(&usual, &change, status_cache, 1),
                                                   cases[i].same_id, cases[i].told);
        assert_string_equal(show(&j), cases[i].expected);
        status_cache_free(status_cache);
    }
}

static void old_keys(void **state)
{
    (void)state;
    static const struct column words = {.kind = COLUMN_TEXT}, number = {.kind = COLUMN_INT},
                               decimal = {.kind = COLUMN_DECIMAL};
    static const struct {
        const char *header, *id;
        const struct column *column;
        enum old_key expected;
    } cases[] = {
        {"{\"id\":\"a-1\",\"depot\":\"north\"}", "a-1", &words, OLD_KEY_SAME},
        {"{\"id\":\"a-2\",\"depot\":\"north\"}", "a-1", &words, OLD_KEY_CHANGED},
        {"{\"id\":17}", "17", &number, OLD_KEY_SAME},
        {"{\"id\":18}", "17", &number, OLD_KEY_CHANGED},
        {"{\"schema\":{\"type\":\"struct\"},\"payload\":{\"id\":17}}", "17", &number, OLD_KEY_SAME},
        {"{\"id\":\"17\"}", "17", &decimal, OLD_KEY_SAME},
        {"{\"id\":\"EQ==\"}", "17", &decimal, OLD_KEY_UNTOLD}, /* base64 */
        {"{\"id\":1.50}", "1.50", &decimal, OLD_KEY_UNTOLD},
        {"{\"pk\":17}", "a-1", &words, OLD_KEY_UNTOLD},
        {"{\"id\":null}", "a-1", &words, OLD_KEY_UNTOLD},
        /* the row before did not carry the id */
        {"{\"id\":\"00000000-0000-0000-0000-000000000000\"}", "a-1", &words, OLD_KEY_SAME},
        {"{\"id\":\"\"}", "a-1", &words, OLD_KEY_SAME},
        {"{\"id\":0}", "17", &number, OLD_KEY_SAME},
        {"{\"id\":\"00000000-0000-0000-0000-000000000001\"}", "a-1", &words, OLD_KEY_CHANGED},
        {"Struct{id=a-1}", "a-1", &words, OLD_KEY_UNTOLD},
        {"", "a-1", &words, OLD_KEY_UNTOLD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct order_id id = {.text = cases[i].id, .len = strlen(cases[i].id)};
        enum old_key got = old_key_compare(slice_of(cases[i].header), "id", &id, cases[i].column);
        if (got != cases[i].expected)
            fail_msg("%s: %d", cases[i].header, (int)got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deleted_rows_of_other_types),
        cmocka_unit_test(the_same_confirmed_at_is_the_same_transition),
        cmocka_unit_test(other_partitions_know_as_long_as_they_are_read),
        cmocka_unit_test(a_row_that_moves_is_one_transition),
        cmocka_unit_test(an_earlier_assignment_knows_nothing_of_now),
        cmocka_unit_test(a_snapshot_sends_what_the_stream_missed),
        cmocka_unit_test(a_snapshot_sends_what_was_confirmed_anew),
        cmocka_unit_test(key_changes),
        cmocka_unit_test(old_keys),
        cmocka_unit_test(every_operation),
        cmocka_unit_test(a_row_that_is_missing),
        cmocka_unit_test(case_mismatches),
        cmocka_unit_test(snapshots_may_be_delivered),
        cmocka_unit_test(another_value),
        cmocka_unit_test(an_operation_is_assumed_only_where_none_is_said),
        cmocka_unit_test(deleted_rows),
        cmocka_unit_test(the_memory_stands_in_for_before),
        cmocka_unit_test(an_unavailable_status_changes_nothing),
        cmocka_unit_test(orders_are_known_by_ids_of_every_kind),
        cmocka_unit_test(ids_that_name_no_order),
    };
    return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
