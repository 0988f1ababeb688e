/* window: compared with the simplest model there is, a bitmap of settled offsets. */
#include "offsets/commit_metadata.h"
#include "offsets/offset_window.h"

#include "fakes/searches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OFFSETS = 4000, ROUNDS = 200 / SEARCH_PARTS, OPEN_MAX = 500 };

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
    uint64_t sequence;
};

struct run {
    struct offset_window window;
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
    assert_true(offset_window_is_new(&r->window, offset));
    if (open) {
        assert_true(offset_window_reserve(&r->window));
        r->open[r->open_len++] =
            (struct open_offset){offset, offset_window_open(&r->window, offset)};
    } else {
        offset_window_pass(&r->window, offset);
    }
    r->model.seen[offset] = true;
    r->model.settled[offset] = !open;
    r->model.next = offset + 1;
    assert_false(offset_window_is_new(&r->window, offset));
}

static void settle(struct run *r)
{
    if (r->open_len == 0)
        return;
    size_t at = random_of(&r->seed, (uint32_t)r->open_len);
    offset_window_settle(&r->window, r->open[at].sequence);
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
        offset_window_init(&r->window, 0);
        uint32_t bias = 1 + random_of(&r->seed, 9); /* some rounds fill up, some stay empty */
        for (int step = 0; step < 1500; step++) {
            int64_t before = offset_window_watermark(&r->window);
            if (random_of(&r->seed, 10) < bias)
                see(r);
            else
                settle(r);
            assert_int_equal(offset_window_watermark(&r->window), model_watermark(&r->model));
            assert_true(offset_window_watermark(&r->window) >= before);
            assert_int_equal(offset_window_open_count(&r->window), r->open_len);
        }
        while (r->open_len > 0)
            settle(r);
        assert_int_equal(offset_window_watermark(&r->window), r->model.next);
        offset_window_done(&r->window);
    }
    free(r);
}

/* A new owner that reads the text knows exactly what was settled at or above the watermark, and so
 * does the one after it, wherever the first stopped reading. */
static void text_carries_what_is_settled(void **state)
{
    (void)state;
    struct run *r = calloc(1, sizeof *r);
    char text[COMMIT_METADATA_MAX + 1];
    assert_non_null(r);
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        memset(r, 0, sizeof *r);
        r->seed = round;
        offset_window_init(&r->window, 0);
        for (int step = 0; step < 600; step++)
            if (random_of(&r->seed, 10) < 7)
                see(r);
            else
                settle(r);
        for (int generation = 0; generation < 3; generation++) {
            int64_t replay, watermark = offset_window_watermark(&r->window);
            bool complete =
                commit_metadata_write(&r->window, generation == 1 ? 77 : -1, NULL, text);
            assert_true(strlen(text) <= COMMIT_METADATA_MAX);
            assert_true(complete);
            assert_int_equal(commit_metadata_untold(&r->window), 0);
            struct offset_window next;
            offset_window_init(&next, watermark);
            if (*text != '\0')
                assert_true(commit_metadata_read(&next, text, NULL, &replay));
            if (generation == 1)
                assert_int_equal(replay, 77);
            for (int64_t o = watermark; o < r->model.next; o++)
                if (r->model.seen[o])
                    assert_int_equal(offset_window_is_known(&next, o), r->model.settled[o]);
            /* The next owner reads a part only, delivers nothing, and stops in its turn. */
            next.known_at = 0;
            int64_t stop = watermark + random_of(&r->seed, 40);
            for (int64_t o = watermark; o < stop && o < r->model.next; o++)
                if (offset_window_is_known(&next, o))
                    offset_window_pass(&next, o);
                else if (offset_window_reserve(&next))
                    offset_window_open(&next, o);
            for (int64_t o = watermark; o < r->model.next; o++)
                if (!r->model.seen[o] && o < offset_window_watermark(&next))
                    r->model.settled[o] = true;
            offset_window_done(&r->window);
            r->window = next;
        }
        offset_window_done(&r->window);
    }
    free(r);
}

static void text_that_does_not_fit_is_cut_safely(void **state)
{
    (void)state;
    struct offset_window w, next;
    char text[COMMIT_METADATA_MAX + 1];
    int64_t replay;
    uint64_t last = 0;
    offset_window_init(&w, 0);
    for (int64_t o = 0; o < 20000; o++) { /* every other one settled: the worst there is */
        assert_true(offset_window_reserve(&w));
        last = offset_window_open(&w, o);
        if (o % 2 == 1)
            offset_window_settle(&w, last);
    }
    assert_false(commit_metadata_write(&w, -1, NULL, text));
    assert_true(strlen(text) <= COMMIT_METADATA_MAX);
    offset_window_init(&next, 0);
    assert_true(commit_metadata_read(&next, text, NULL, &replay));
    assert_true(next.known_count >= 1000);
    size_t untold = 0;
    for (int64_t o = 0; o < 20000; o++)
        if (offset_window_is_known(&next, o))
            assert_int_equal(o % 2, 1);
        else
            untold += o % 2 == 1;
    assert_int_equal(commit_metadata_untold(&w), untold);
    offset_window_done(&next);
    offset_window_done(&w);
}

static void foreign_texts_are_ignored(void **state)
{
    static const char *const texts[] = {"",
                                        "x",
                                        "1.",
                                        "1.41.AQ",
                                        "2.42.AQI",
                                        "1.42",
                                        "1.42.AQ",
                                        "1.42.AQA",
                                        "1.42.AQI.",
                                        "1.42.AQI.r",
                                        "1.42.AQI.r-1",
                                        "1.42.AQI.r5x",
                                        "1.42.A Q",
                                        "1.42._____________w",
                                        "1.42.AP__________9_Ag"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct offset_window w;
        int64_t replay;
        offset_window_init(&w, 42);
        assert_false(commit_metadata_read(&w, texts[i], NULL, &replay));
        assert_int_equal(replay, -1);
        assert_false(offset_window_is_known(&w, 43));
        offset_window_done(&w);
    }
}

static void begins_at_its_position(void **state)
{
    (void)state;
    struct offset_window w;
    offset_window_init(&w, 42);
    assert_int_equal(offset_window_watermark(&w), 42);
    assert_false(offset_window_is_new(&w, 41));
    assert_true(offset_window_is_new(&w, 42));
    offset_window_pass(&w, 50); /* a gap counts as settled */
    assert_int_equal(offset_window_watermark(&w), 51);
    offset_window_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_at_its_position),
        cmocka_unit_test(agrees_with_a_bitmap),
        cmocka_unit_test(text_carries_what_is_settled),
        cmocka_unit_test(text_that_does_not_fit_is_cut_safely),
        cmocka_unit_test(foreign_texts_are_ignored),
    };
    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
