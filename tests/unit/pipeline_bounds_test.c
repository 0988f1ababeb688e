/* pipeline_bounds: what a crash may send again is bounded, and the bound never stands in the way.
 */
#include "world/world.h"

#include <stdio.h>
#include <string.h>

/* One delivery may be uncovered, and it fails at first: it must be tried again all the same. */
static void the_bound_lets_what_was_sent_be_tried_again(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, BUSY, 2}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct world w;
    (void)state;
    world_open(&w, webhook);
    world_set(&w, "webhook.uncommitted_max", "1");
    world_confirm(&w, 0, "o1");
    world_confirm(&w, 0, "o2");
    world_confirm(&w, 1, "o3");
    world_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 5);
    world_close(&w);
}

/* The same behind an open breaker: every order that was sent rests, and one of them must probe. */
static void the_bound_lets_what_was_sent_probe(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_ANSWER, BUSY, 6}, {NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct world w;
    (void)state;
    world_open(&w, webhook);
    world_set(&w, "webhook.uncommitted_max", "2");
    world_set(&w, "breaker.failures_in_row", "2");
    world_set(&w, "breaker.probe_first", "1ms");
    world_set(&w, "breaker.probe_cap", "2ms");
    for (int i = 0; i < 5; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        world_confirm(&w, i % WORLD_PARTITIONS, id);
    }
    world_run_to_end(&w);
    assert_int_equal(server_request_count(w.webhook), 11);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_lets_what_was_sent_be_tried_again),
        cmocka_unit_test(the_bound_lets_what_was_sent_probe),
    };
    return world_main("pipeline_bounds", tests, sizeof tests / sizeof *tests);
}
