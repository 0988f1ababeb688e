/* config_reference_test: the page in the repository is what the table says today. */
#include "config/config.h"
#include "config/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE TESTS_DIR "/../consumer/OPTIONS.md"

enum { PAGE_MAX = 1024 * 1024 };

static void page_is_fresh(void **state)
{
    (void)state;
    struct buf b;
    char *page = calloc(1, PAGE_MAX);
    FILE *file = fopen(PAGE, "r");
    assert_non_null(page);
    assert_non_null(file);
    size_t len = fread(page, 1, PAGE_MAX - 1, file);
    fclose(file);
    buf_init(&b, PAGE_MAX);
    config_reference_markdown(&b);
    assert_true(buf_ok(&b));
    if (b.len != len || memcmp(b.data, page, len) != 0)
        fail_msg("consumer/OPTIONS.md is stale; write it anew: "
                 "elementor-sync options --markdown >consumer/OPTIONS.md");
    buf_done(&b);
    free(page);
}

/* A line for every option, and for every field. */
static void text_has_all(void **state)
{
    (void)state;
    struct buf b;
    char line[160];
    buf_init(&b, PAGE_MAX);
    buf_add_char(&b, '\n');
    config_reference_text(&b);
    for (size_t i = 0; i < config_option_count; i++) {
        snprintf(line, sizeof line, "\n%s ", config_options[i].name);
        assert_non_null(strstr(buf_text(&b), line));
    }
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        snprintf(line, sizeof line, "\n  payload.fields.%s ", payload_field_names[f]);
        assert_non_null(strstr(buf_text(&b), line));
    }
    assert_non_null(strstr(buf_text(&b),
                           "\nwebhook.timeout            100ms to 5m        time limit of one "
                           "attempt, connecting included; default 30s\n"));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(page_is_fresh),
                                       cmocka_unit_test(text_has_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
