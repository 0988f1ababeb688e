/* notices_test: an outage is two messages, by a clock that the test turns. */
#include "dashboard/notify/notice_text.h"
#include "dashboard/notify/notices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static const int64_t start_ms = INT64_C(1800000000000);

/* Days in seconds: how things are, what was told and when. */
struct story {
    struct notices notices;
    struct notices_facts facts;
    char told[64]; /* a letter each: T trouble, O over, P parked */
    int64_t told_at_ms[64];
    bool deaf; /* the receiver takes nothing */
};

static void begin(struct story *s)
{
    *s = (struct story){
        .facts = {.now_ms = start_ms, .cause = VERDICT_BREAKER_OPEN, .parked_newest_ms = -1}};
    notices_init(&s->notices, 2 * MINUTE, HOUR);
}

static void hear(struct story *s, enum notice notice)
{
    size_t count = strlen(s->told);
    if (notice == NOTICE_NONE || s->deaf)
        return;
    notices_told(&s->notices, notice, &s->facts);
    s->told[count] = " TOP"[notice];
    s->told_at_ms[count] = s->facts.now_ms - start_ms;
    if (notice == NOTICE_PARKED)
        s->facts.parked_new = 0;
}

static void pass(struct story *s, int64_t ms)
{
    for (int64_t until_ms = s->facts.now_ms + ms; s->facts.now_ms < until_ms;) {
        s->facts.now_ms += SECOND;
        notices_see(&s->notices, &s->facts);
        hear(s, notices_owed(&s->notices, &s->facts));
    }
}

static void park(struct story *s, int64_t count)
{
    s->facts.parked_new += count;
    s->facts.parked_newest_ms = s->facts.now_ms;
}

static void bad(struct story *s, int64_t ms)
{
    s->facts.bad = true;
    pass(s, ms);
}

static void well(struct story *s, int64_t ms)
{
    s->facts.bad = false;
    pass(s, ms);
}

static void an_outage_is_two_messages(void **state)
{
    struct story s;
    (void)state;
    begin(&s);
    well(&s, HOUR);
    s.facts.waiting = 7;
    bad(&s, 10 * MINUTE);
    s.facts.waiting = 512;
    bad(&s, 20 * MINUTE);
    s.facts.waiting = 3;
    well(&s, HOUR);
    assert_string_equal(s.told, "TO");
    assert_int_equal(s.told_at_ms[0], HOUR + 2 * MINUTE + SECOND);
    assert_int_equal(s.notices.ended_ms - s.notices.began_ms, 30 * MINUTE);
    assert_int_equal(s.notices.waited, 512);
}

static void what_does_not_last_is_not_told(void **state)
{
    struct story s;
    (void)state;
    begin(&s);
    for (int i = 0; i < 20; i++) {
        bad(&s, 2 * MINUTE);
        well(&s, 31 * SECOND);
    }
    assert_string_equal(s.told, "");
}

/* An endpoint that is probed, or fails again at once, is one trouble still. */
static void a_moment_of_being_well_ends_nothing(void **state)
{
    struct story s;
    (void)state;
    begin(&s);
    bad(&s, 5 * MINUTE);
    for (int i = 0; i < 20; i++) {
        well(&s, 20 * SECOND);
        bad(&s, MINUTE);
    }
    assert_string_equal(s.told, "T");
    well(&s, 5 * MINUTE);
    assert_string_equal(s.told, "TO");
}

static void trouble_that_comes_and_goes_is_told(void **state)
{
    struct story s;
    (void)state;
    begin(&s);
    for (int i = 0; i < 20; i++) {
        bad(&s, 20 * SECOND);
        well(&s, 5 * SECOND);
    }
    assert_string_equal(s.told, "T");
    well(&s, HOUR);
    assert_string_equal(s.told, "TO");
}

static void a_clock_that_is_set_back_silences_nothing(void **state)
{
    struct story s;
    (void)state;
    begin(&s);
    park(&s, 1);
    well(&s, HOUR);
    bad(&s, MINUTE);
    s.facts.now_ms -= 24 * HOUR;
    bad(&s, 3 * MINUTE);
    assert_string_equal(s.told, "PT");
    park(&s, 1);
    well(&s, 5 * MINUTE);
    assert_string_equal(s.told, "PTOP");
}

/* A notice that its receiver does not take is owed, in its order. */
static void nothing_owed_is_lost(void **state)
{
    struct story s;
    (void)state;
    begin(&s);
    s.deaf = true;
    bad(&s, 5 * MINUTE);
    well(&s, HOUR);
    park(&s, 3);
    well(&s, HOUR);
    assert_string_equal(s.told, "");
    s.deaf = false;
    well(&s, MINUTE);
    assert_string_equal(s.told, "TOP");
}

/* The next sender goes on from the kept text, at any moment. */
static void a_takeover_loses_nothing_and_repeats_nothing(void **state)
{
    static const struct {
        int64_t bad_ms, well_ms;
    } phases[] = {{150 * SECOND, 0}, {10 * MINUTE, 10 * SECOND}, {10 * MINUTE, 5 * MINUTE}};
    (void)state;
    for (int deaf = 0; deaf < 2; deaf++)
        for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
            struct story one, two;
            char kept[NOTICES_TEXT_MAX];
            begin(&one);
            begin(&two);
            one.deaf = deaf;
            bad(&one, phases[i].bad_ms);
            well(&one, phases[i].well_ms);
            notices_write(&one.notices, kept);
            assert_true(notices_read(&two.notices, kept, strlen(kept)));
            two.facts.now_ms = one.facts.now_ms;
            well(&two, HOUR);
            char all[sizeof one.told + sizeof two.told];
            snprintf(all, sizeof all, "%s%s", one.told, two.told);
            assert_string_equal(all, "TO");
        }
}

static void keep(struct story *s, char kept[NOTICES_TEXT_MAX])
{
    notices_write(&s->notices, kept);
    s->notices.kept = s->notices.changes;
}

/* One tells of Kafka, and can keep nothing; the other one, which follows, tells the end of it. So
 * it is when it was the same one, and when that one had not even lived to tell. */
static void what_could_not_be_kept_has_its_end_told(void **state)
{
    (void)state;
    for (int same = 0; same < 2; same++) {
        struct story one, two;
        char kept[NOTICES_TEXT_MAX];
        begin(&one);
        begin(&two);
        well(&one, MINUTE);
        keep(&one, kept);
        one.facts.cause = two.facts.cause = VERDICT_KAFKA_AWAY;
        two.facts.now_ms = one.facts.now_ms;
        two.facts.bad = true;
        for (int s = 0; s < 10 * 60; s++) {
            bad(&one, SECOND);
            two.facts.now_ms = one.facts.now_ms;
            notices_follow(&two.notices, &two.facts);
        }
        assert_string_equal(one.told, "T");
        struct story *next = same ? &one : &two;
        assert_true(notices_read(&next->notices, kept, strlen(kept)));
        assert_false(notices_are_kept(&next->notices));
        well(next, HOUR);
        assert_string_equal(next->told, same ? "TO" : "O");
        assert_int_equal(next->notices.ended_ms - next->notices.began_ms, 10 * MINUTE);
        /* The other one follows, and has nothing to add. */
        struct story *other = same ? &two : &one;
        keep(next, kept);
        assert_true(notices_read(&other->notices, kept, strlen(kept)));
        other->facts.now_ms = next->facts.now_ms;
        other->told[0] = '\0';
        well(other, HOUR);
        assert_string_equal(other->told, "");
    }
}

static void what_another_one_keeps_is_not_told_again(void **state)
{
    struct story s;
    (void)state;
    begin(&s);
    bad(&s, 5 * MINUTE);
    notices_forget(&s.notices);
    assert_true(notices_are_kept(&s.notices));
    well(&s, HOUR);
    assert_string_equal(s.told, "T");
}

static void parked_orders_are_one_digest_a_window(void **state)
{
    struct story s;
    (void)state;
    begin(&s);
    for (int i = 0; i < 60; i++) {
        park(&s, 1);
        well(&s, SECOND);
    }
    well(&s, 5 * MINUTE);
    assert_string_equal(s.told, "P");
    park(&s, 1);
    well(&s, 10 * MINUTE);
    assert_string_equal(s.told, "P");
    well(&s, HOUR);
    assert_string_equal(s.told, "PP");
    assert_int_equal(s.told_at_ms[1] - s.told_at_ms[0], HOUR);
    well(&s, 5 * HOUR);
    assert_string_equal(s.told, "PP");
}

static void foreign_texts_change_nothing(void **state)
{
    static const char *const texts[] = {"",
                                        "x",
                                        "{}",
                                        "[]",
                                        "{\"v\":2}",
                                        "{\"v\":1,\"phase\":4,\"began\":0,\"ended\":0,\"cause\":"
                                        "\"\",\"waited\":0,\"parked\":0,\"digest\":0}",
                                        "{\"v\":1,\"phase\":\"1\",\"began\":0,\"ended\":0,"
                                        "\"cause\":\"\",\"waited\":0,\"parked\":0,\"digest\":0}"};
    struct notices notices, before;
    (void)state;
    notices_init(&notices, 1, 1);
    before = notices;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(notices_read(&notices, texts[i], strlen(texts[i])));
    assert_memory_equal(&before, &notices, sizeof notices);
}

static void assert_text(enum notice notice, const struct story *s,
                        const struct notice_subject *subject, const char *text)
{
    json_t *json = notice_json(notice, &s->notices, &s->facts, subject, false);
    assert_null(json_object_get(json, "attachments"));
    assert_string_equal(json_string_value(json_object_get(json, "text")), text);
    assert_string_equal(json_string_value(json_object_get(json, "content")), text);
    json_decref(json);
}

static void it_says_what_how_long_and_how_many(void **state)
{
    struct notice_subject subject = {.topic = "orders.public.orders",
                                     .group = "g",
                                     .page = "https://example.com/orders/",
                                     .state = VERDICT_TROUBLE,
                                     .code = VERDICT_BREAKER_OPEN,
                                     .parked = 9};
    struct story s;
    (void)state;
    begin(&s);
    s.facts.waiting = 512;
    bad(&s, 3 * MINUTE);
    assert_text(NOTICE_TROUBLE, &s, &subject,
                "orders.public.orders: trouble for 2 min. The webhook does not work; orders wait "
                "for it. Nothing is lost. https://example.com/orders/");
    bad(&s, 27 * MINUTE + SECOND);
    well(&s, 5 * MINUTE);
    subject.page = NULL;
    assert_text(NOTICE_OVER, &s, &subject,
                "orders.public.orders: the trouble is over. It lasted 30 min; up to 512 changes "
                "waited. Nothing is lost.");
    s.facts.parked_new = 1;
    assert_text(NOTICE_PARKED, &s, &subject,
                "orders.public.orders: 1 order was set aside and needs a decision; 9 in all.");
    s.facts.parked_new = 3;
    assert_text(NOTICE_PARKED, &s, &subject,
                "orders.public.orders: 3 orders were set aside and need a decision; 9 in all.");
}

static void where_it_is_not_known_it_says_of_nothing_that_it_is_not_lost(void **state)
{
    struct notice_subject subject = {
        .topic = "t", .group = "g", .state = VERDICT_NO_CHANGES, .code = VERDICT_NO_CHANGES_ARRIVE};
    struct story s;
    (void)state;
    begin(&s);
    s.facts.cause = VERDICT_NO_CHANGES_ARRIVE;
    bad(&s, 3 * MINUTE);
    assert_text(NOTICE_TROUBLE, &s, &subject,
                "t: trouble for 2 min. No changes arrive: the source's connector gives no sign of "
                "life.");
    s.facts.cause = VERDICT_BREAKER_OPEN;
    bad(&s, 3 * MINUTE);
    well(&s, 5 * MINUTE);
    assert_text(NOTICE_OVER, &s, &subject,
                "t: the trouble is over. It lasted 6 min. Whether the source kept every change, "
                "\"elementor-sync reconcile\" says.");
}

/* As the documentation of Workflows has it: an array of adaptive cards. */
static void teams_gets_a_card(void **state)
{
    static const char *const teams[] = {
        "https://default0123.45.environment.api.powerplatform.com:443/powerautomate/x?sig=s",
        "https://prod-12.westeurope.logic.azure.com:443/workflows/x",
        "https://X.WEBHOOK.OFFICE.COM/"};
    static const char *const others[] = {"https://hooks.slack.com/services/T/B/X",
                                         "https://discord.com/api/webhooks/1/x",
                                         "https://example.com/.logic.azure.com/", "https://h/", ""};
    const struct notice_subject subject = {
        .topic = "t", .group = "g", .state = VERDICT_TROUBLE, .code = VERDICT_BREAKER_OPEN};
    struct story s;
    (void)state;
    for (size_t i = 0; i < sizeof teams / sizeof *teams; i++)
        assert_true(notice_is_for_teams(teams[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(notice_is_for_teams(others[i]));
    begin(&s);
    bad(&s, 3 * MINUTE);
    json_t *json = notice_json(NOTICE_TROUBLE, &s.notices, &s.facts, &subject, true);
    const char *type, *kind, *card, *block, *shown;
    assert_int_equal(0, json_unpack(json, "{s:s, s:[{s:s, s:{s:s, s:[{s:s, s:s}]}}]}", "type",
                                    &type, "attachments", "contentType", &kind, "content", "type",
                                    &card, "body", "type", &block, "text", &shown));
    assert_string_equal(type, "message");
    assert_string_equal(kind, "application/vnd.microsoft.card.adaptive");
    assert_string_equal(card, "AdaptiveCard");
    assert_string_equal(block, "TextBlock");
    assert_string_equal(shown, json_string_value(json_object_get(json, "text")));
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outage_is_two_messages),
        cmocka_unit_test(what_does_not_last_is_not_told),
        cmocka_unit_test(a_moment_of_being_well_ends_nothing),
        cmocka_unit_test(trouble_that_comes_and_goes_is_told),
        cmocka_unit_test(a_clock_that_is_set_back_silences_nothing),
        cmocka_unit_test(nothing_owed_is_lost),
        cmocka_unit_test(a_takeover_loses_nothing_and_repeats_nothing),
        cmocka_unit_test(what_could_not_be_kept_has_its_end_told),
        cmocka_unit_test(what_another_one_keeps_is_not_told_again),
        cmocka_unit_test(parked_orders_are_one_digest_a_window),
        cmocka_unit_test(foreign_texts_change_nothing),
        cmocka_unit_test(it_says_what_how_long_and_how_many),
        cmocka_unit_test(where_it_is_not_known_it_says_of_nothing_that_it_is_not_lost),
        cmocka_unit_test(teams_gets_a_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
