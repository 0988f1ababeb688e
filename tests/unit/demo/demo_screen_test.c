/* demo_screen_test: the live display is never wider or higher than the terminal. */
#include "demo/display/screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void fill(struct snapshot *view)
{
    const struct snapshot_event event = {.mark = VIEW_FAILED,
                                         .number = "CMD-000001",
                                         .name = "Čabḥa Ould Kadi Ould Kadi",
                                         .product = "3 × Théière « Zellige » grande",
                                         .amount = "123456789.00",
                                         .what = "503",
                                         .attempt = 12,
                                         .took_ms = 1234};
    *view = (struct snapshot){.elapsed_ms = 3723000,
                              .limit = 500,
                              .orders = 1234567,
                              .counts = {.confirmations = 1234567, .delivered = 7},
                              .receiver.latency_ms = 12};
    snprintf(view->brokers, sizeof view->brokers, "127.0.0.1:65535");
    snprintf(view->receiver.endpoint, sizeof view->receiver.endpoint, "127.0.0.1:65535");
    snprintf(view->receiver.mood, sizeof view->receiver.mood, "failing now and then");
    snprintf(view->receiver.breaker, sizeof view->receiver.breaker, "probing");
    memset(view->dashboard, 'd', 230);
    memset(view->body, 'x', sizeof view->body - 1);
    for (int i = 0; i < VIEW_EVENTS; i++) {
        snapshot_add_event(view, &event);
        snapshot_add_note(view, "\"breaker open\" why=\033[31mred\033[0m\ttab");
        view_count_reason(view->parked_reasons, i % 2 == 0 ? "missing:client_phone" : "http:422");
    }
    for (int i = 0; i < VIEW_SECONDS; i++)
        view->per_second[i] = (unsigned)i;
}

/* Lines of a frame without colours: their number, and the widest; the dashboard's link is broken by
 * the terminal itself. Only the canvas's own sequences may be in it. */
static void measure(const char *frame, int columns, int *ret_lines, int *ret_widest)
{
    char line[4096];
    size_t len = 0;
    *ret_lines = 1;
    *ret_widest = 0;
    assert_memory_equal(frame, "\033[H", 3);
    for (const char *at = frame + 3;; at++) {
        if (*at == '\033') {
            assert_true(at[1] == '[' && (at[2] == 'K' || at[2] == 'J'));
            at += 2;
        } else if (*at == '\r' || *at == '\0') {
            line[len] = '\0';
            int width = canvas_width(line);
            for (; line[0] == 'd' && width > columns; width -= columns)
                ++*ret_lines;
            *ret_widest = width > *ret_widest ? width : *ret_widest;
            len = 0;
            if (*at == '\0')
                return;
            assert_int_equal(*++at, '\n');
            ++*ret_lines;
        } else {
            assert_true((unsigned char)*at >= 0x20);
            line[len++] = *at;
        }
    }
}

static void fits_every_size(void **state)
{
    static struct snapshot view;
    struct canvas c;
    (void)state;
    fill(&view);
    canvas_init(&c);
    for (int width = 20; width <= SCREEN_WIDTH_MAX; width++)
        for (int height = 5; height <= 60; height += 5) {
            int lines, widest;
            canvas_begin(&c, width, height, false);
            screen_paint(&c, &view);
            assert_true(buf_ok(&c.out));
            measure(buf_text(&c.out), width, &lines, &widest);
            assert_true(widest <= width);
            assert_true(lines <= height);
        }
    canvas_done(&c);
}

static void shows_what_matters_at_eighty(void **state)
{
    static struct snapshot view;
    struct canvas c;
    (void)state;
    fill(&view);
    canvas_init(&c);
    canvas_begin(&c, 80, 24, false);
    screen_paint(&c, &view);
    const char *frame = buf_text(&c.out);
    assert_non_null(strstr(frame, "1,234,567"));
    assert_non_null(strstr(frame, "failing now and then, answers in 12 ms · breaker probing"));
    assert_non_null(strstr(frame, "missing:client_phone × 5, http:422 × 5"));
    assert_non_null(strstr(frame, "CMD-000001"));
    canvas_done(&c);
}

static void colours_only_when_wanted(void **state)
{
    static struct snapshot view;
    struct canvas c;
    (void)state;
    fill(&view);
    canvas_init(&c);
    canvas_begin(&c, 80, 40, true);
    screen_paint(&c, &view);
    assert_non_null(strstr(buf_text(&c.out), "\033[1melementor-sync demo\033[0m"));
    canvas_begin(&c, 80, 40, false);
    screen_paint(&c, &view);
    assert_null(strstr(buf_text(&c.out), "m"
                                         "elementor-sync demo"));
    canvas_done(&c);
}

static void numbers_are_grouped(void **state)
{
    char text[32];
    (void)state;
    assert_string_equal(screen_number(0, text), "0");
    assert_string_equal(screen_number(999, text), "999");
    assert_string_equal(screen_number(1000, text), "1,000");
    assert_string_equal(screen_number(1234567, text), "1,234,567");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits_every_size), cmocka_unit_test(shows_what_matters_at_eighty),
        cmocka_unit_test(colours_only_when_wanted), cmocka_unit_test(numbers_are_grouped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
