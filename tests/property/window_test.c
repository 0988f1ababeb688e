/* window: compared with the simplest model there is, a bitmap of settled offsets. */
#include "core/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OFFSETS = 4000, ROUNDS = 200, OPEN_MAX = 500 };

struct model {
    bool seen[OFFSETS], settled[OFFSETS];
    int64_t next;
};

static int64_t model_watermark(const struct model *m)
{
    for (int64_t i = 0; i < m->next; i++)
        if (m->seen[i] && !m->settled[i])
            return i;
    return m->next;
}

static uint32_t random_of(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*seed >> 32) * below >> 32);
}

struct open_offset {
    int64_t offset;
    uint64_t ticket;
};

struct run {
    struct window window;
    struct model model;
    struct open_offset open[OPEN_MAX];
    size_t open_len;
    uint64_t seed;
};

static void see(struct run *r)
{
    int64_t offset = r->model.next + (random_of(&r->seed, 10) == 0 ? random_of(&r->seed, 5) : 0);
    if (offset >= OFFSETS)
        return;
    bool open = random_of(&r->seed, 3) == 0 && r->open_len < OPEN_MAX;
    assert_true(window_is_new(&r->window, offset));
    if (open) {
        assert_true(window_reserve(&r->window));
        r->open[r->open_len++] = (struct open_offset){offset, window_open(&r->window, offset)};
    } else {
        window_pass(&r->window, offset);
    }
    r->model.seen[offset] = true;
    r->model.settled[offset] = !open;
    r->model.next = offset + 1;
    assert_false(window_is_new(&r->window, offset));
}

static void settle(struct run *r)
{
    if (r->open_len == 0)
        return;
    size_t at = random_of(&r->seed, (uint32_t)r->open_len);
    window_settle(&r->window, r->open[at].ticket);
    r->model.settled[r->open[at].offset] = true;
    r->open[at] = r->open[--r->open_len];
}

static void agrees_with_a_bitmap(void **state)
{
    (void)state;
    struct run *r = calloc(1, sizeof *r);
    assert_non_null(r);
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        memset(r, 0, sizeof *r);
        r->seed = round;
        window_init(&r->window, 0);
        uint32_t bias = 1 + random_of(&r->seed, 9); /* some rounds fill up, some stay empty */
        for (int step = 0; step < 1500; step++) {
            int64_t before = window_watermark(&r->window);
            if (random_of(&r->seed, 10) < bias)
                see(r);
            else
                settle(r);
            assert_int_equal(window_watermark(&r->window), model_watermark(&r->model));
            assert_true(window_watermark(&r->window) >= before);
            assert_int_equal(window_open_count(&r->window), r->open_len);
        }
        while (r->open_len > 0)
            settle(r);
        assert_int_equal(window_watermark(&r->window), r->model.next);
        window_done(&r->window);
    }
    free(r);
}

static void begins_at_its_position(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 42);
    assert_int_equal(window_watermark(&w), 42);
    assert_false(window_is_new(&w, 41));
    assert_true(window_is_new(&w, 42));
    window_pass(&w, 50); /* a gap counts as settled */
    assert_int_equal(window_watermark(&w), 51);
    window_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_at_its_position),
        cmocka_unit_test(agrees_with_a_bitmap),
    };
    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
