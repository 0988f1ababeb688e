/* order_rows: tables as PostgreSQL writes them, and what else may come through the pipe. */
#include "reconcile/order_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEXT_MAX = 4096 };

struct taken {
    char text[TEXT_MAX];
    struct error err;
    bool ok;
};

static bool take(void *context, const struct order_row *row, struct error *err)
{
    struct taken *t = context;
    size_t len = strlen(t->text);
    (void)err;
    snprintf(t->text + len, TEXT_MAX - len, "%.*s|%.*s|%lld|%d\n", (int)row->id.len, row->id.data,
             (int)row->number.len, row->number.data,
             row->confirmed_ms == NO_TIME ? -1LL : (long long)row->confirmed_ms, row->confirmed);
    return true;
}

static struct config *default_config(void)
{
    struct config *config = config_new();
    assert_non_null(config);
    return config;
}

static struct taken *read_with(struct config *config, const char *table, size_t len)
{
    static struct taken t;
    t = (struct taken){0};
    int fd = memfd_create("table", 0), stop_fd = eventfd(0, 0);
    assert_int_equal(write(fd, table, len), (ssize_t)len);
    lseek(fd, 0, SEEK_SET);
    t.ok = order_rows_read(fd, stop_fd, config, false, take, &t, &t.err);
    close(fd);
    close(stop_fd);
    return &t;
}

static struct taken *read_table(const char *table)
{
    struct config *config = default_config();
    struct taken *t = read_with(config, table, strlen(table));
    config_free(config);
    return t;
}

static void rows_are_read(void **state)
{
    (void)state;
    struct taken *t = read_table("id,order_number,status,confirmed_at\n"
                                 "o1,CMD-1,confirmed,2026-11-22 09:15:30.123456+00\n"
                                 "\"o,2\",\"CMD \"\"2\"\"\",pending,\n"
                                 "o3,,confirmed,2026-11-22T10:15:30+01:00\r\n"
                                 "\"o\n4\",CMD-4,\"confirmed\",2026-11-22 09:15:30");
    assert_string_equal(t->err.text, "");
    assert_true(t->ok);
    assert_string_equal(t->text, "o1|CMD-1|1795338930123|1\n"
                                 "o,2|CMD \"2\"|-1|0\n"
                                 "o3||1795338930000|1\n"
                                 "o\n4|CMD-4|1795338930000|1\n");
}

static void columns_are_found_by_name(void **state)
{
    struct error err = {0};
    struct config *config = default_config();
    static const char french[] = "total,confirmee_le,numero,ref\n1250.50,2026-11-22 "
                                 "09:15:30+00,CMD-1,o1\n";
    (void)state;
    struct taken *t = read_table("\xef\xbb\xbf"
                                 "confirmed_at,note,order_id\n2026-11-22 09:15:30+00,x,o1\n");
    assert_true(t->ok); /* without a status every row is confirmed */
    assert_string_equal(t->text, "o1||1795338930000|1\n");
    assert_true(config_set(config, "payload.fields.order_id", "ref", "test", &err));
    assert_true(config_set(config, "payload.fields.order_number", "numero", "test", &err));
    assert_true(config_set(config, "payload.fields.confirmed_at", "confirmee_le", "test", &err));
    t = read_with(config, french, sizeof french - 1);
    assert_true(t->ok);
    assert_string_equal(t->text, "o1|CMD-1|1795338930000|1\n");
    config_free(config);
}

static void another_tables_errors_name_the_place(void **state)
{
    static const struct {
        const char *table, *word;
    } cases[] = {
        {"", "empty"},
        {"o1,CMD-1,confirmed,2026-11-22 09:15:30+00\n", "\"id\" (payload.fields.order_id)"},
        {"id,status\no1,confirmed\n", "confirmed_at"},
        {"id,confirmed_at\no1,2026-11-22\n", "line 2 of the table: confirmed_at is no time: "
                                             "\"2026-11-22\""},
        {"id,confirmed_at\no1,\no2,infinity\n", "line 3 of the table: confirmed_at is no time: "
                                                "\"infinity\""},
        /* the place is the file's line, whatever stands between */
        {"id,confirmed_at\r\n\"o\r\n1\",\r\no2,soon\r\n", "line 4 of the table: confirmed_at"},
        {"id,confirmed_at\n\n\no2,soon\n", "line 4 of the table: confirmed_at"},
        {"\nid,confirmed_at\no2,soon\n", "line 3 of the table: confirmed_at"},
        /* another separator, another encoding */
        {"id;confirmed_at\no1;\n", "line 1 of the table: its columns are separated by semicolons"},
        {"id\tconfirmed_at\no1\t\n", "line 1 of the table: its columns are separated by tabs"},
        {"\xff\xfei", "line 1 of the table: it is UTF-16"},
        {"id,confirmed_at,id\no1,,o2\n", "line 1 of the table: it has two columns \"id\""},
        {"id,confirmed_at\n\\N,\n", "line 2 of the table: it has no order id"},
        {"id,confirmed_at\no1,2026-13-22 09:15:30\n", "line 2"},
        {"id,confirmed_at\no1,2026-11-22 09:15:30 BC\n", "line 2"},
        {"id,confirmed_at\n,2026-11-22 09:15:30\n", "line 2 of the table: it has no order id"},
        {"id,confirmed_at\no1\n", "line 2 of the table: it has another number of fields"},
        {"id,confirmed_at\no1,,x\n", "line 2 of the table: it has another number of fields"},
        {"id,confirmed_at\no1,\"2026", "line 2 of the table is not CSV"},
        {"id,confirmed_at\no1,\"a\"b\n", "line 2 of the table is not CSV"},
        {"id,confirmed_at\no1,a\x1b[2Jb\n", "\"a?[2Jb\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct taken *t = read_table(cases[i].table);
        if (t->ok || t->err.code != ERROR_CONFIG || strstr(t->err.text, cases[i].word) == NULL)
            fail_msg("case %zu: %s", i, t->err.text);
    }
}

/* COPY … CSV NULL '\\N', as pg_dump and MySQL's exports have it. */
static void both_null_forms_are_null(void **state)
{
    (void)state;
    struct taken *t = read_table("id,order_number,status,confirmed_at\n"
                                 "o1,\\N,confirmed,\\N\n"
                                 "o2,,confirmed,\n");
    assert_string_equal(t->err.text, "");
    assert_true(t->ok);
    assert_string_equal(t->text, "o1||-1|1\no2||-1|1\n");
}

static void ids_of_any_length_are_told_apart(void **state)
{
    char table[3000] = "id,confirmed_at\n";
    (void)state;
    memset(table + strlen(table), 'x', 1100);
    strcat(table, ",\n");
    struct taken *t = read_table(table);
    assert_false(t->ok);
    assert_non_null(strstr(t->err.text, "line 2 of the table: its order id is too long"));
}

static void it_stops_when_it_is_told(void **state)
{
    struct config *config = default_config();
    struct taken t = {0};
    int ends[2], stop_fd = eventfd(1, 0);
    (void)state;
    assert_int_equal(pipe(ends), 0); /* from which nothing comes */
    assert_false(order_rows_read(ends[0], stop_fd, config, false, take, &t, &t.err));
    assert_non_null(strstr(t.err.text, "stopped"));
    close(ends[0]);
    close(ends[1]);
    close(stop_fd);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read),
        cmocka_unit_test(columns_are_found_by_name),
        cmocka_unit_test(another_tables_errors_name_the_place),
        cmocka_unit_test(both_null_forms_are_null),
        cmocka_unit_test(ids_of_any_length_are_told_apart),
        cmocka_unit_test(it_stops_when_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
