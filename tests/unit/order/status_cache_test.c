/* status_cache_test: the memory of last statuses against the simplest LRU there is: a list. */
#include "order/status_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ORDERS_MAX = 1200 };

/* Most recent first. */
struct model {
    struct {
        uint32_t order, status_epoch;
        bool triggered;
    } list[ORDERS_MAX];
    size_t held, capacity;
    struct status_cache_stats stats;
};

static enum status_cache_answer model_swap(struct model *m, uint32_t order, uint32_t status_epoch,
                                           bool triggered)
{
    enum status_cache_answer answer = STATUS_CACHE_UNKNOWN;
    size_t at = 0;
    while (at < m->held && m->list[at].order != order)
        at++;
    bool holds = at < m->held && m->list[at].status_epoch == status_epoch;
    if (holds)
        answer = m->list[at].triggered ? STATUS_CACHE_TRIGGERED : STATUS_CACHE_OTHER;
    *(holds ? &m->stats.hits : &m->stats.misses) += 1;
    if (at == m->held) {
        if (m->capacity == 0)
            return answer;
        if (m->held == m->capacity) {
            m->stats.evictions++;
            at = m->held - 1;
        } else {
            m->held++;
        }
    }
    memmove(m->list + 1, m->list, at * sizeof *m->list);
    m->list[0].order = order;
    m->list[0].status_epoch = status_epoch;
    m->list[0].triggered = triggered;
    return answer;
}

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

static void compare(struct status_cache *status_cache, struct model *model, uint32_t order)
{
    char id[40];
    bool triggered = random_below(2);
    uint32_t status_epoch = random_below(8) / 6; /* mostly the same one */
    int len = snprintf(id, sizeof id, "11111111-0000-4000-8000-%u", order);
    enum status_cache_answer expected = model_swap(model, order, status_epoch, triggered);
    assert_int_equal(status_cache_swap(status_cache, id, (size_t)len, status_epoch, triggered),
                     expected);
    struct status_cache_stats stats = status_cache_stats(status_cache);
    assert_int_equal(stats.hits, model->stats.hits);
    assert_int_equal(stats.misses, model->stats.misses);
    assert_int_equal(stats.evictions, model->stats.evictions);
    assert_int_equal(stats.held, model->held);
}

/* Orders come from ranges a little smaller, and larger, than what is remembered. */
static void it_is_an_exact_lru(void **state)
{
    (void)state;
    static const size_t capacities[] = {0, 1, 2, 3, 10, 255, 256, 257, 600, 1024};
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++)
        for (uint32_t seed = 1; seed <= 4; seed++) {
            static struct model model;
            size_t capacity = capacities[i];
            struct status_cache *status_cache =
                status_cache_new(capacity, &(struct hash_key){{1, 2}});
            assert_non_null(status_cache);
            model = (struct model){.capacity = capacity};
            random_state = seed * 1000003u + capacity;
            uint32_t orders = (uint32_t)(capacity * (seed + 1) / 3 + 2);
            for (int n = 0; n < 6000; n++)
                compare(status_cache, &model, random_below(orders));
            status_cache_free(status_cache);
        }
}

/* An id is bytes: NUL, prefixes and lengths count. */
static void ids_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        size_t len;
    } ids[] = {{"", 0},    {"\0", 1},       {"\0\0", 2},       {"a", 1},
               {"a\0", 2}, {"12345678", 8}, {"12345678\0", 9}, {"123456781", 9}};
    enum { COUNT = sizeof ids / sizeof *ids };
    struct status_cache *status_cache = status_cache_new(COUNT, &(struct hash_key){{1, 2}});
    assert_non_null(status_cache);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(status_cache_swap(status_cache, ids[i].id, ids[i].len, 1, i % 2),
                         STATUS_CACHE_UNKNOWN);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(status_cache_swap(status_cache, ids[i].id, ids[i].len, 1, false),
                         i % 2 ? STATUS_CACHE_TRIGGERED : STATUS_CACHE_OTHER);
    status_cache_free(status_cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_an_exact_lru),
        cmocka_unit_test(ids_are_told_apart),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
