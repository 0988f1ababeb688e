/* template_load_test: a template's file read into parts, and every error's exact words. */
#include "config/load/template_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The parts, one behind the other: values in <>, with a "+" within a text. */
static void show(const struct payload_template *t, char *text, size_t size)
{
    static const char *const constants[] = {
#define X(id, name) name,
        TEMPLATE_CONSTANTS(X)
#undef X
    };
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < t->part_count; i++) {
        const struct template_part *p = &t->parts[i];
        if (p->kind == TEMPLATE_TEXT) {
            used +=
                (size_t)snprintf(text + used, size - used, "%.*s", (int)p->text.len, p->text.data);
            continue;
        }
        const char *name = p->kind == TEMPLATE_FIELD    ? payload_field_names[p->index]
                           : p->kind == TEMPLATE_COLUMN ? t->columns[p->index]
                                                        : constants[p->index];
        used += (size_t)snprintf(text + used, size - used, "<%s%s%zu:%s>", p->in_text ? "+" : "",
                                 p->kind == TEMPLATE_COLUMN ? "column" : "", p->index, name);
    }
}

static const struct {
    const char *file, *parts;
} readable[] = {
    {"{}", "{}"},
    {" [ ] \n", "[]"},
    {"{ \"a\" :\t\"b c\" ,\r\n\"d\": [ 1.50, -0, 1E2, 10000000000000000 ] }",
     "{\"a\":\"b c\",\"d\":[1.50,-0,1E2,10000000000000000]}"},
    {"{\"z\":1,\"a\":2}", "{\"z\":1,\"a\":2}"},
    {"[\"\\u00e9 \\\" \\\\\"]", "[\"\\u00e9 \\\" \\\\\"]"},
    {"[\"\xc3\xa9\"]", "[\"\xc3\xa9\"]"},
    {"{\"id\":\"${order_id}\"}", "{\"id\":<0:order_id>}"},
    {"{\"q\":\"${quantity}\",\"w\":\"${status}\"}", "{\"q\":<7:quantity>,\"w\":<10:status>}"},
    {"[\" ${order_id}\"]", "[\" <+0:order_id>\"]"},
    {"[\"${order_id}${order_id}\"]", "[\"<+0:order_id><+0:order_id>\"]"},
    {"[\"a ${quantity} b\"]", "[\"a <+7:quantity> b\"]"},
    {"[\"${event_id}\",\"${event_at}\",\"${form_name}\"]",
     "[<0:event_id>,<1:event_at>,<2:form_name>]"},
    {"[\"${column:b}\",\"${column:a}\",\"x${column:b}\"]",
     "[<column0:b>,<column1:a>,\"x<+column0:b>\"]"},
    {"[\"${column:d\xc3\xa9lai de x}\"]", "[<column0:d\xc3\xa9lai de x>]"},
    {"[\"${column:order_id}\"]", "[<column0:order_id>]"},
    {"[\"$${order_id}\",\"$ $$ {a} $\"]", "[\"${order_id}\",\"$ $$ {a} $\"]"},
    {"{\"$a\":\"b:\"}", "{\"$a\":\"b:\"}"},
};

static void files_in_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++) {
        struct error err = {0};
        char text[512];
        /* of exact length: a sanitizer sees each byte read behind the end */
        size_t len = strlen(readable[i].file);
        char *copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy, readable[i].file, len + 1);
        struct payload_template *t = template_read("order.json", copy, len, &err);
        free(copy); /* nothing is borrowed */
        if (t == NULL)
            fail_msg("%s: %s", readable[i].file, err.text);
        show(t, text, sizeof text);
        assert_string_equal(text, readable[i].parts);
        free(t);
    }
}

static const struct {
    const char *file, *error;
} refused[] = {
    {"", "order.json:1: not JSON: '[' or '{' expected near end of file"},
    {"{\"a\":\n\"${order_id}\",\n}", "order.json:3: not JSON: string or '}' expected"},
    {"{\"a\":1,\n\"a\":2}", "order.json:2: not JSON: duplicate object key"},
    {"{\"a\":\n\"${ordr_id}\"}", "order.json:2: unknown placeholder ${ordr_id}; did you mean "
                                 "${order_id}? (a column of the table "
                                 "is ${column:NAME})"},
    {"[\"${delivery_notes}\"]",
     "order.json:1: unknown placeholder ${delivery_notes}; a column of the table is "
     "${column:delivery_notes}, and the names of all others stand in consumer/doc/receivers.md"},
    {"\n\n[\"at ${sent_at}\"]",
     "order.json:3: unknown placeholder ${sent_at}: the body is the same in every attempt; "
     "${event_at} is when the change was made, and the header webhook-timestamp when it was sent"},
    {"[\"${}\"]",
     "order.json:1: unknown placeholder ${}; a column of the table is ${column:}, and the names of "
     "all others stand in consumer/doc/receivers.md"},
    {"[\"${column:}\"]", "order.json:1: ${column:} names no column"},
    {"[\"a ${order_id\"]",
     "order.json:1: a placeholder has no }; write $${ for the characters themselves"},
    {"[\"${\"]", "order.json:1: a placeholder has no }; write $${ for the characters themselves"},
    {"{\n\"${order_id}\":1}",
     "order.json:2: a placeholder stands in a key; only values are replaced"},
    {"[\"${column:a\\\"b}\"]", "order.json:1: a placeholder's name holds a backslash; write the "
                               "characters themselves"},
};

static void files_that_are_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct error err = {0};
        assert_null(template_read("order.json", refused[i].file, strlen(refused[i].file), &err));
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_string_equal(err.text, refused[i].error);
    }
}

static void as_many_columns_as_there_is_room_for(void **state)
{
    (void)state;
    for (int count = CHANGE_EXTRA_MAX; count <= CHANGE_EXTRA_MAX + 1; count++) {
        char text[4096] = "[\"\"";
        struct error err = {0};
        for (int i = 0; i < count; i++)
            snprintf(text + strlen(text), sizeof text - strlen(text), ",\"${column:c%d}\"", i);
        strcat(text, "]");
        struct payload_template *t = template_read("order.json", text, strlen(text), &err);
        assert_int_equal(t != NULL, count <= CHANGE_EXTRA_MAX);
        if (t == NULL)
            assert_string_equal(err.text,
                                "order.json:1: more columns than the 32 that a template may name");
        free(t);
    }
}

static bool load(const char *shape, const char *path, struct config **ret, struct error *err)
{
    *ret = config_new();
    assert_non_null(*ret);
    assert_true(config_set(*ret, "payload.shape", shape, "test", NULL));
    assert_true(path == NULL || config_set(*ret, "payload.template", path, "test", NULL));
    return template_load(*ret, err);
}

static void the_two_options_go_together(void **state)
{
    static const struct {
        const char *shape, *path, *error; /* "": fine */
    } rows[] = {{"nested", NULL, ""},
                {"template", NULL, "payload.shape is template, which needs payload.template"},
                {"flat", "x.json", "payload.template is set, and payload.shape is not template"},
                {"template", "/nowhere/x.json",
                 "/nowhere/x.json: cannot be read: No such file or directory"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config *config;
        struct error err = {0};
        assert_int_equal(load(rows[i].shape, rows[i].path, &config, &err), *rows[i].error == '\0');
        assert_non_null(strstr(err.text, rows[i].error));
        assert_null(config->template);
        config_free(config);
    }
}

static void a_file_is_loaded(void **state)
{
    char path[] = "/tmp/template-test-XXXXXX";
    struct config *config;
    (void)state;
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "[\"${column:note}\"]\n", 19), 19);
    close(fd);
    assert_true(load("template", path, &config, NULL));
    assert_non_null(config->template);
    assert_int_equal(config->template->column_count, 1);
    assert_string_equal(config->template->columns[0], "note");
    unlink(path);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_in_parts),
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(as_many_columns_as_there_is_room_for),
        cmocka_unit_test(the_two_options_go_together),
        cmocka_unit_test(a_file_is_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
