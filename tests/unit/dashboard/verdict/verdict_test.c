/* verdict_test: situations.json: facts, and the verdict on them.
 *
 *   verdict_test            judges each and compares
 *   verdict_test --print    prints what the API would answer, by name: the browser's tests hold the
 *                           page's words to it */
#include "dashboard/verdict/verdict.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const int64_t now_ms = INT64_C(1800000000000);

static json_t *situations(json_t **ret_file)
{
    json_error_t error;
    *ret_file = json_load_file(TESTS_DIR "/unit/dashboard/verdict/situations.json", 0, &error);
    if (*ret_file == NULL)
        fail_msg("situations.json: %s, line %d", error.text, error.line);
    return json_object_get(*ret_file, "situations");
}

/* ---- facts ---- */

static int64_t ago(const json_t *facts, const char *name, int64_t otherwise)
{
    const json_t *seconds = json_object_get(facts, name);
    return json_is_integer(seconds) ? now_ms - json_integer_value(seconds) * 1000 : otherwise;
}

static int64_t number(const json_t *facts, const char *name)
{
    return json_integer_value(json_object_get(facts, name));
}

static void add_all(struct verdict_partitions *p, const json_t *from, const char *name,
                    bool is_retry, int64_t since_ms)
{
    const char *reason = json_string_value(json_object_get(from, "reason"));
    const json_t *each;
    size_t i;
    json_array_foreach (json_object_get(from, name), i, each)
        verdict_add_partition(p, (int32_t)json_integer_value(each), is_retry, since_ms,
                              reason != NULL ? reason : "");
}

static void read_partitions(struct verdict_partitions *p, const json_t *from)
{
    int64_t since_ms = ago(from, "since_s", VERDICT_NONE);
    add_all(p, from, "numbers", false, since_ms);
    add_all(p, from, "retry_numbers", true, since_ms);
}

static void read_text(char to[VERDICT_TEXT_MAX], const json_t *from)
{
    const char *reason = json_string_value(json_object_get(from, "reason"));
    if (reason != NULL)
        verdict_set_text(to, reason);
}

static void read_members(struct verdict_facts *f, const json_t *silent)
{
    const json_t *name;
    size_t i;
    json_array_foreach (json_object_get(silent, "names"), i, name)
        verdict_add_member(&f->silent, json_string_value(name),
                           ago(silent, "heard_s", VERDICT_NONE));
    read_partitions(&f->unowned, silent);
}

static void read_breaker(struct verdict_facts *f, const json_t *breaker)
{
    f->breaker.open = breaker != NULL;
    f->breaker.refused = json_is_true(json_object_get(breaker, "refused"));
    f->breaker.since_ms = ago(breaker, "since_s", VERDICT_NONE);
    f->breaker.next_probe_ms = ago(breaker, "next_probe_s", VERDICT_NONE);
    read_text(f->breaker.reason, breaker);
}

static void read_facts(struct verdict_facts *f, const json_t *facts)
{
    *f = (struct verdict_facts){
        .now_ms = now_ms,
        .kafka_answers = json_is_true(json_object_get(facts, "kafka_answers")),
        .caught_up = json_is_true(json_object_get(facts, "caught_up")),
        .answered_ms = ago(facts, "answered_s", VERDICT_NONE),
        .behind = number(facts, "behind"),
        .alive = (size_t)number(facts, "alive"),
        .heard_ms = ago(facts, "heard_s", VERDICT_NONE),
        .registry = {.since_ms = ago(json_object_get(facts, "registry"), "since_s", VERDICT_NONE)},
        .paused = {.since_ms = ago(json_object_get(facts, "paused"), "since_s", VERDICT_NONE)},
        .hold_until_ms = ago(facts, "hold_until_s", VERDICT_NONE),
        .parked = number(facts, "parked"),
        .expiring = number(facts, "expiring"),
        .retrying = number(facts, "retrying"),
        .oldest_unsettled_ms = ago(facts, "unsettled_s", VERDICT_NONE),
        .oldest_unread_ms = ago(facts, "unread_s", VERDICT_NONE),
        .unread = number(facts, "unread"),
        .newest_change_ms = ago(facts, "newest_change_s", VERDICT_NONE),
        .commit_ms = number(facts, "commit_s") * 1000,
        .heartbeat_ms = ago(facts, "heartbeat_s", VERDICT_UNKNOWN),
        .heartbeat_every_ms = number(facts, "heartbeat_every_s") * 1000};
    read_text(f->registry.reason, json_object_get(facts, "registry"));
    read_text(f->paused.reason, json_object_get(facts, "paused"));
    read_partitions(&f->stopped, json_object_get(facts, "stopped"));
    read_partitions(&f->held, json_object_get(facts, "held"));
    read_members(f, json_object_get(facts, "silent"));
    read_breaker(f, json_object_get(facts, "breaker"));
}

static json_t *judged(const json_t *file, const json_t *situation)
{
    struct verdict_facts facts;
    struct verdict verdict;
    json_t *all = json_copy(json_object_get(file, "base"));
    json_object_update(all, json_object_get(situation, "facts"));
    read_facts(&facts, all);
    verdict_judge(&facts, &verdict);
    json_decref(all);
    return verdict_json(&verdict);
}

/* ---- tests ---- */

static const char *text(const json_t *object, const char *name)
{
    const char *found = json_string_value(json_object_get(object, name));
    return found != NULL ? found : "";
}

static void compare(const json_t *situation, const json_t *verdict)
{
    const char *name = text(situation, "name");
    const json_t *codes = json_object_get(situation, "causes");
    const json_t *causes = json_object_get(verdict, "causes");
    if (strcmp(text(verdict, "state"), text(situation, "state")) != 0)
        fail_msg("%s: %s, not %s", name, text(verdict, "state"), text(situation, "state"));
    if (!json_equal(json_object_get(verdict, "flows"), json_object_get(situation, "flows")))
        fail_msg("%s: flows", name);
    assert_int_equal(json_array_size(causes), json_array_size(codes));
    for (size_t i = 0; i < json_array_size(codes); i++) {
        const char *code = text(json_array_get(causes, i), "code");
        if (strcmp(code, json_string_value(json_array_get(codes, i))) != 0)
            fail_msg("%s: %s, not %s", name, code, json_string_value(json_array_get(codes, i)));
    }
}

static void each_situation_has_its_verdict(void **state)
{
    json_t *file, *list = situations(&file), *situation;
    size_t i;
    (void)state;
    assert_true(json_array_size(list) >= 25);
    json_array_foreach (list, i, situation) {
        json_t *verdict = judged(file, situation);
        compare(situation, verdict);
        json_decref(verdict);
    }
    json_decref(file);
}

/* Only where no cause is, and everything is known, all is well; "blind" is what it says. */
static void what_is_not_known_is_not_well(void **state)
{
    struct verdict_facts facts = {.now_ms = now_ms,
                                  .answered_ms = VERDICT_NONE,
                                  .heard_ms = VERDICT_NONE,
                                  .registry = {.since_ms = VERDICT_NONE},
                                  .hold_until_ms = VERDICT_NONE,
                                  .oldest_unsettled_ms = VERDICT_UNKNOWN,
                                  .oldest_unread_ms = VERDICT_UNKNOWN,
                                  .newest_change_ms = VERDICT_UNKNOWN,
                                  .heartbeat_ms = VERDICT_UNKNOWN};
    struct verdict verdict;
    (void)state;
    verdict_judge(&facts, &verdict);
    assert_int_equal(verdict.state, VERDICT_BLIND);
    facts.kafka_answers = facts.caught_up = true;
    verdict_judge(&facts, &verdict);
    assert_int_equal(verdict.state, VERDICT_NOBODY);
}

/* The worst that could come together fits, in the order of its gravity. */
static void all_causes_at_once_are_sorted(void **state)
{
    struct verdict_facts f = {.now_ms = now_ms,
                              .kafka_answers = true,
                              .caught_up = true,
                              .alive = 1,
                              .heard_ms = now_ms,
                              .registry = {.since_ms = now_ms - 1000},
                              .breaker = {.open = true, .since_ms = now_ms},
                              .hold_until_ms = now_ms + 1000,
                              .parked = 1,
                              .retrying = 1,
                              .oldest_unsettled_ms = now_ms - 3600000,
                              .oldest_unread_ms = VERDICT_NONE,
                              .newest_change_ms = VERDICT_NONE,
                              .heartbeat_ms = now_ms - 60000,
                              .heartbeat_every_ms = 10000};
    struct verdict verdict;
    (void)state;
    verdict_add_partition(&f.stopped, 0, false, VERDICT_NONE, "a");
    verdict_add_partition(&f.held, 1, false, now_ms - 60000, "");
    verdict_add_partition(&f.unowned, 2, true, now_ms - 16000, "");
    verdict_add_member(&f.silent, "m", now_ms - 16000);
    verdict_judge(&f, &verdict);
    assert_int_equal(verdict.state, VERDICT_TROUBLE);
    assert_int_equal(verdict.count, 9);
    for (size_t i = 1; i < verdict.count; i++)
        assert_true(verdict.causes[i - 1].level > verdict.causes[i].level ||
                    (verdict.causes[i - 1].level == verdict.causes[i].level &&
                     verdict.causes[i - 1].code < verdict.causes[i].code));
    assert_false(verdict.flows);
}

/* Lists are bounded, and count on; a text is cut between characters, and steers no terminal. */
static void lists_are_bounded(void **state)
{
    struct verdict_partitions p = {0};
    struct verdict_members m = {0};
    char hostile[600] = "\x1b[2J";
    (void)state;
    for (size_t i = 4; i + 2 < sizeof hostile; i += 2)
        memcpy(hostile + i, "\xc3\xa9", 2);
    for (int32_t i = 0; i < 100; i++) {
        verdict_add_partition(&p, i, false, now_ms - i, hostile);
        verdict_add_member(&m, hostile, now_ms - i);
    }
    assert_int_equal(p.count, 100);
    assert_int_equal(p.named, VERDICT_NAMED_MAX);
    assert_int_equal(p.since_ms, now_ms - 99);
    assert_int_equal(m.count, 100);
    assert_int_equal(m.heard_ms, now_ms);
    assert_null(strchr(p.reason, '\x1b'));
    json_t *text = json_string(p.reason); /* NULL for what is not UTF-8 */
    assert_non_null(text);
    json_decref(text);
}

static int print_all(void)
{
    json_t *file, *list = situations(&file), *answers = json_object(), *situation;
    size_t i;
    json_array_foreach (list, i, situation)
        json_object_set_new(answers, text(situation, "name"), judged(file, situation));
    json_object_set_new(answers, "now_ms", json_integer(now_ms));
    int failed = json_dumpf(answers, stdout, JSON_COMPACT);
    json_decref(answers);
    json_decref(file);
    return failed;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_situation_has_its_verdict),
        cmocka_unit_test(what_is_not_known_is_not_well),
        cmocka_unit_test(all_causes_at_once_are_sorted),
        cmocka_unit_test(lists_are_bounded),
    };
    if (argc > 1 && strcmp(argv[1], "--print") == 0)
        return print_all();
    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
