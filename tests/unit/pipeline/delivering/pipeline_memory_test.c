/* pipeline_memory: memory runs out for a moment, and nothing stands still for it. delivery_new is
 * stood in for at link time (-Wl,--wrap). */
#include "delivery/delivery.h"
#include "fakes/pipeline_harness.h"

#include <stdatomic.h>

#define M "elementor_sync_"

enum { TEXT_MAX = 65536 };

static char text[TEXT_MAX];
static atomic_int failures;

struct delivery *__real_delivery_new(const struct slice texts[DELIVERY_TEXT_COUNT]);
struct delivery *__wrap_delivery_new(const struct slice texts[DELIVERY_TEXT_COUNT]);

struct delivery *__wrap_delivery_new(const struct slice texts[DELIVERY_TEXT_COUNT])
{
    return atomic_fetch_sub(&failures, 1) > 0 ? NULL : __real_delivery_new(texts);
}

/* No schema comes any more that would make the partition look again. */
static void a_record_without_memory_is_offered_again(void **state)
{
    static const struct server_rule webhook[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    struct pipeline_harness w;
    (void)state;
    pipeline_harness_open(&w, webhook);
    atomic_store(&failures, 2);
    pipeline_harness_confirm(&w, 0, "o1");
    pipeline_harness_start(&w);
    pipeline_harness_await_scrape(&w, "/metrics", M "records_delivered_total 1\n", text,
                                  sizeof text);
    pipeline_harness_stop(&w);
    assert_true(w.ok);
    assert_true(atomic_load(&failures) < 0);
    assert_int_equal(server_request_count(w.webhook), 1);
    assert_int_equal(cluster_committed(&w.cluster, "shop", 0), 3);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_without_memory_is_offered_again),
    };
    return pipeline_harness_main("pipeline_memory", tests, sizeof tests / sizeof *tests);
}
