/* command_dismiss: a parked order needs no decision any more, until it is taken back or something
 * else becomes of it. */
#include "unit/cli/on_parked_orders.h"

#include <jansson.h>
#include <stdlib.h>

static void expect(struct pipeline_harness *w, const char *order, const char *wanted)
{
    const char *text = last_of(w, DELIVERIES, order)->text;
    if (strstr(text, wanted) == NULL)
        fail_msg("%s: no %s in %s", order, wanted, text);
}

/* The record without the word: all else stays as it was. */
static char *without_word(const char *text)
{
    json_t *record = json_loads(text, 0, NULL);
    assert_non_null(record);
    json_object_del(record, "dismissed");
    char *rest = json_dumps(record, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(record);
    return rest;
}

static void the_outcome_stays_as_it_is(void **state)
{
    char *dismiss[] = {"--order", "o1", "--reason", "cancelled by \"telephone\"", NULL},
         *undo[] = {"--order", "o1", "--undo", NULL};
    struct pipeline_harness w;
    (void)state;
    open_with_parked(&w);
    char *before = without_word(last_of(&w, DELIVERIES, "o1")->text);
    assert_true(call(&w, &command_dismiss, dismiss));
    expect(&w, "o1", "\"reason\":\"cancelled by \\\"telephone\\\"\"}");
    char *after = without_word(last_of(&w, DELIVERIES, "o1")->text);
    assert_string_equal(after, before);
    size_t count = last_of(&w, DELIVERIES, "o1")->count;
    assert_true(call(&w, &command_dismiss, dismiss)); /* it is already */
    assert_int_equal(last_of(&w, DELIVERIES, "o1")->count, count);
    assert_true(call(&w, &command_dismiss, undo));
    expect(&w, "o1", "\"undone_by\":");
    expect(&w, "o1", "cancelled by");
    count = last_of(&w, DELIVERIES, "o1")->count;
    assert_true(call(&w, &command_dismiss, undo));
    assert_int_equal(last_of(&w, DELIVERIES, "o1")->count, count);
    free(before);
    free(after);
    pipeline_harness_close(&w);
}

static void redrive_leaves_it_alone_unless_it_is_named(void **state)
{
    char *dismiss[] = {"--order", "o1", "--reason", "cancelled", NULL},
         *redrive[] = {"--yes", "--rate", "1000", NULL},
         *named[] = {"--order", "o1", "--yes", "--rate", "1000", NULL},
         *again[] = {"--order", "o1", "--undo", NULL};
    struct pipeline_harness w;
    (void)state;
    open_with_parked(&w);
    assert_true(call(&w, &command_dismiss, dismiss));
    assert_true(call(&w, &command_redrive, redrive));
    assert_int_equal(last_of(&w, RETRIES, "")->count, 1); /* the other order's */
    assert_true(call(&w, &command_redrive, named));
    assert_int_equal(last_of(&w, RETRIES, "")->count, 2);
    assert_false(call(&w, &command_dismiss, again)); /* it is under way */
    assert_non_null(strstr(w.err.text, "asked for again"));
    pipeline_harness_close(&w);
}

static void it_wants_a_reason_and_a_parked_order(void **state)
{
    char *nothing[] = {NULL}, *unexplained[] = {"--order", "o1", NULL},
         *both[] = {"--order", "o1", "--undo", "--reason", "no", NULL},
         *unknown[] = {"--order", "o9", "--reason", "no", NULL},
         *several[] = {"--order", "CMD-1", "--reason", "no", NULL},
         *one[] = {"--order", "o2", "--reason", "no", NULL},
         *forget[] = {"--order", "o2", "--yes", NULL};
    struct pipeline_harness w;
    (void)state;
    open_with_parked(&w);
    size_t before = last_of(&w, DELIVERIES, "o1")->count;
    assert_false(call(&w, &command_dismiss, nothing));
    assert_int_equal(w.err.code, ERROR_CONFIG);
    assert_false(call(&w, &command_dismiss, unexplained));
    assert_int_equal(w.err.code, ERROR_CONFIG);
    assert_false(call(&w, &command_dismiss, both));
    assert_int_equal(w.err.code, ERROR_CONFIG);
    assert_false(call(&w, &command_dismiss, unknown));
    assert_false(call(&w, &command_dismiss, several)); /* both have this number */
    assert_non_null(strstr(w.err.text, "give the id"));
    assert_int_equal(last_of(&w, DELIVERIES, "o1")->count, before);
    assert_true(call(&w, &command_forget, forget));
    assert_false(call(&w, &command_dismiss, one));
    assert_non_null(strstr(w.err.text, "it is forgotten"));
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_outcome_stays_as_it_is),
        cmocka_unit_test(redrive_leaves_it_alone_unless_it_is_named),
        cmocka_unit_test(it_wants_a_reason_and_a_parked_order),
    };
    return pipeline_harness_main("verb_dismiss", tests, sizeof tests / sizeof *tests);
}
