/* export_row_test: cells that a spreadsheet opens as what they are. */
#include "dashboard/export/export_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 4096 };

static json_t *order_of(const char *number)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:n, s:i, s:s, s:I, s:n, s:s}", "key", "k",
                     "order_number", number, "order_id", "o1", "state", "parked", "reason",
                     "http:422", "status", "attempts", 3, "source", "cdc", "settled_ms",
                     (json_int_t)1795942800123, "next_attempt_ms", "detail", "not in the list");
}

static void expect_cell(const char *number, const char *cell)
{
    struct buf b;
    char line[ROOM];
    json_t *order = order_of(number);
    buf_init(&b, ROOM);
    export_add_csv(&b, order);
    snprintf(line, sizeof line, "%s,o1,parked,http:422,,3,cdc,,,,,2026-11-29T09:00:00.123Z,k\r\n",
             cell);
    assert_string_equal(buf_text(&b), line);
    buf_done(&b);
    json_decref(order);
}

static void cells_are_no_formulas(void **state)
{
    static const char *const cells[][2] = {
        {"CMD-1", "CMD-1"},
        {"=1+1", "'=1+1"},
        {"+33612", "'+33612"},
        {"-2", "'-2"},
        {"@SUM(A1)", "'@SUM(A1)"},
        {"\t=1", "'\t=1"},
        {"\r=1", "\"'\r=1\""},
        {"\n=1", "\"'\n=1\""},
        {"=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""},
        {"a,b", "\"a,b\""},
        {"two\nlines", "\"two\nlines\""},
        {"a \"b\"", "\"a \"\"b\"\"\""},
        {"", ""},
        {"\xc3\x89t\xc3\xa9", "\xc3\x89t\xc3\xa9"},
        {"a=1", "a=1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        expect_cell(cells[i][0], cells[i][1]);
}

/* Nothing but the columns: an order's detail may quote what the webhook said. */
static void both_files_have_the_same_columns(void **state)
{
    struct buf head, b;
    json_t *order = order_of("=1+1");
    const char *name;
    const json_t *value;
    (void)state;
    buf_init(&head, ROOM);
    buf_init(&b, ROOM);
    export_add_head(&head);
    export_add_json(&b, order);
    json_t *row = json_loads(buf_text(&b), 0, NULL);
    struct buf names;
    buf_init(&names, ROOM);
    json_object_foreach ((json_t *)row, name, value) {
        buf_add_text(&names, names.len > 0 ? "," : "");
        buf_add_text(&names, name);
    }
    buf_add_text(&names, "\r\n");
    assert_string_equal(buf_text(&names), buf_text(&head));
    assert_string_equal(json_string_value(json_object_get(row, "order_number")), "=1+1");
    assert_string_equal(json_string_value(json_object_get(row, "settled_at")),
                        "2026-11-29T09:00:00.123Z");
    assert_true(json_is_null(json_object_get(row, "status")));
    assert_int_equal(json_integer_value(json_object_get(row, "attempts")), 3);
    assert_null(strstr(buf_text(&b), "not in the list"));
    assert_int_equal(b.data[b.len - 1], '\n');
    json_decref(row);
    json_decref(order);
    buf_done(&names);
    buf_done(&head);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_no_formulas),
        cmocka_unit_test(both_files_have_the_same_columns),
    };
    return cmocka_run_group_tests_name("export_row", tests, NULL, NULL);
}
