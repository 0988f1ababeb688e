/* config_reference_test: the files in the repository are what the table says today. */
#include "config/config.h"
#include "config/reference/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAGE_MAX = 1024 * 1024 };

/* The committed file holds what was written into b now; command: what makes it anew. */
static void assert_fresh(const char *path, const char *command, struct buf *b)
{
    char *page = calloc(1, PAGE_MAX);
    FILE *file = fopen(path, "r");
    assert_non_null(page);
    assert_non_null(file);
    size_t len = fread(page, 1, PAGE_MAX - 1, file);
    fclose(file);
    assert_true(buf_ok(b));
    if (b->len != len || memcmp(b->data, page, len) != 0)
        fail_msg("stale; write it anew: %s", command);
    free(page);
}

static void page_is_fresh(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, PAGE_MAX);
    config_reference_markdown(&b);
    assert_fresh(TESTS_DIR "/../consumer/OPTIONS.md",
                 "elementor-sync options --markdown >consumer/OPTIONS.md", &b);
    buf_done(&b);
}

/* tests/interop/config_schema.py holds it against the program itself. */
static void schema_is_fresh(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, PAGE_MAX);
    assert_true(config_reference_schema(&b));
    assert_fresh(TESTS_DIR "/../schemas/config.schema.json",
                 "elementor-sync options --json-schema >schemas/config.schema.json", &b);
    buf_done(&b);
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
                                       cmocka_unit_test(schema_is_fresh),
                                       cmocka_unit_test(text_has_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
