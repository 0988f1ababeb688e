/* command_forget: what is left of an order that was forgotten, and what leaves it alone. */
#include "unit/cli/on_parked_orders.h"

static void nothing_of_the_person_is_left(void **state)
{
    char *forget[] = {"--order", "o1", "--yes", NULL}, *retry[] = {"--order", "o1", NULL},
         *redrive[] = {"--yes", "--rate", "1000", NULL};
    struct pipeline_harness w;
    (void)state;
    open_with_parked(&w);
    assert_non_null(strstr(last_of(&w, DELIVERIES, "o1")->text, "CMD-1"));
    assert_true(call(&w, &command_forget, forget));
    const char *marker = last_of(&w, DELIVERIES, "o1")->text;
    assert_non_null(strstr(marker, "\"state\":\"forgotten\""));
    assert_non_null(strstr(marker, "\"order_id\":\"o1\",\"order_number\":null,"
                                   "\"confirmed_at\":null,\"webhook_id\":null"));
    assert_non_null(strstr(marker, "\"previous\":[]"));
    assert_string_equal(last_of(&w, DELIVERIES, CLUSTER_TOPIC "-0-0")->text, TOMBSTONE);
    assert_false(call(&w, &command_retry, retry));
    assert_non_null(strstr(w.err.text, "forgotten"));
    assert_true(call(&w, &command_redrive, redrive));
    assert_int_equal(last_of(&w, RETRIES, "")->count, 1); /* the other order's */
    pipeline_harness_close(&w);
}

static void it_asks_and_needs_an_order(void **state)
{
    char *nothing[] = {NULL}, *unknown[] = {"--order", "o9", "--yes", NULL},
         *several[] = {"--order", "CMD-1", "--yes", NULL}, *unsure[] = {"--order", "o1", NULL};
    struct pipeline_harness w;
    (void)state;
    open_with_parked(&w);
    size_t before = last_of(&w, DELIVERIES, "o1")->count;
    assert_false(call(&w, &command_forget, nothing));
    assert_int_equal(w.err.code, ERROR_CONFIG);
    assert_false(call(&w, &command_forget, unknown));
    assert_false(call(&w, &command_forget, several)); /* both have this number */
    assert_non_null(strstr(w.err.text, "give the id"));
    assert_false(call(&w, &command_forget, unsure)); /* no terminal, no --yes */
    assert_int_equal(last_of(&w, DELIVERIES, "o1")->count, before);
    pipeline_harness_close(&w);
}

/* It would be sent after it was forgotten. */
static void an_order_that_waits_to_be_sent_is_kept(void **state)
{
    char *forget[] = {"--order", "o1", "--yes", NULL},
         *redrive[] = {"--yes", "--rate", "1000", NULL};
    struct pipeline_harness w;
    (void)state;
    open_with_parked(&w);
    assert_true(call(&w, &command_redrive, redrive));
    assert_false(call(&w, &command_forget, forget));
    assert_non_null(strstr(w.err.text, "waits to be sent"));
    assert_null(strstr(last_of(&w, DELIVERIES, "o1")->text, "forgotten"));
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_the_person_is_left),
        cmocka_unit_test(it_asks_and_needs_an_order),
        cmocka_unit_test(an_order_that_waits_to_be_sent_is_kept),
    };
    return pipeline_harness_main("verb_forget", tests, sizeof tests / sizeof *tests);
}
