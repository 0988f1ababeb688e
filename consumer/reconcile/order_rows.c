#include "reconcile/order_rows.h"

#include "base/buf.h"
#include "base/printable.h"
#include "reconcile/row_time.h"

#include <csv.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 65536, ID_MAX = 1022, ROW_BYTES_MAX = 4 * 1024 * 1024 };

#define ASK                                                                                     \
    "psql -c \"COPY (SELECT id, order_number, status, confirmed_at FROM orders) TO STDOUT CSV " \
    "HEADER\""

struct rows {
    const struct config *config;
    order_rows_take *take;
    void *context;
    struct error *err;
    bool whole, header_read, failed;
    int64_t line;      /* that the row begins at, from 1 */
    int64_t breaks;    /* line breaks within this row's values */
    bool after_return; /* a carriage return ended the row before: a line feed belongs to it */
    int at, count;     /* fields of this row, columns of the table */
    struct row_columns columns;
    int place[ROW_COLUMNS_MAX];      /* of each column in the table; -1: not in it */
    bool by_column[ROW_COLUMNS_MAX]; /* under its own name, not the payload's */
    struct cell {
        bool is_null;
        size_t at, len; /* in bytes */
    } cell[ROW_COLUMNS_MAX];
    struct buf bytes; /* of this row's cells */
    struct row_values values;
};

static bool bad_line(struct rows *r, const char *what, struct slice value)
{
    char text[80], shown[80];
    snprintf(text, sizeof text, "%.*s", (int)(value.len < 60 ? value.len : 60), value.data);
    r->failed = true;
    return error_set(r->err, ERROR_CONFIG, "line %" PRId64 " of the table: %s%s%s%s", r->line, what,
                     value.len > 0 ? " \"" : "", printable(text, shown, sizeof shown),
                     value.len > 0 ? "\"" : "");
}

/* ---- the header ---- */

/* The payload's own name for a column; NULL: it has none. */
static const char *own_name(size_t column)
{
    return column < FIELD_COUNT        ? payload_field_names[column]
           : column == ROW_RULE_COLUMN ? payload_field_names[FIELD_STATUS]
                                       : NULL;
}

static bool is_named(const char *name, const char *column)
{
    return column != NULL && strcmp(name, column) == 0;
}

static bool twice(struct rows *r, const char *name)
{
    return bad_line(r, "it has two columns", slice_of(name));
}

/* The table's own name wins over the payload's, wherever the two stand. */
static void take_name(struct rows *r, const char *name)
{
    for (size_t i = 0; i < r->columns.count; i++) {
        const char *column = r->columns.name[i];
        bool by_column = is_named(name, column);
        if (by_column && r->place[i] >= 0 && r->by_column[i]) {
            twice(r, name);
            return;
        }
        if (by_column || (column != NULL && r->place[i] < 0 && is_named(name, own_name(i)))) {
            r->place[i] = r->at;
            r->by_column[i] = by_column;
        }
    }
}

/* Another separator leaves the whole line in one field. */
static bool one_field(struct rows *r)
{
    const char *line = buf_text(&r->bytes);
    if (strchr(line, ';') != NULL)
        return bad_line(r,
                        "its columns are separated by semicolons, not commas: write it with " ASK,
                        (struct slice){0});
    if (strchr(line, '\t') != NULL)
        return bad_line(r, "its columns are separated by tabs, not commas: write it with " ASK,
                        (struct slice){0});
    return true;
}

static bool end_header(struct rows *r)
{
    r->header_read = true;
    r->count = r->at;
    if (r->count == 1 && !one_field(r))
        return false;
    if (r->place[FIELD_ORDER_ID] < 0)
        return error_set(r->err, ERROR_CONFIG,
                         "the table has no column \"%s\" (payload.fields.order_id), or no header: "
                         "write it with " ASK,
                         r->columns.name[FIELD_ORDER_ID]);
    return r->place[FIELD_CONFIRMED_AT] >= 0 ||
           error_set(r->err, ERROR_CONFIG,
                     "the table has no column \"%s\" (payload.fields.confirmed_at), without which "
                     "no confirmation can be told from an earlier one: add it to the SELECT",
                     r->columns.name[FIELD_CONFIRMED_AT]);
}

/* ---- rows ---- */

/* Once the row's bytes no longer move. */
static void gather(struct rows *r)
{
    for (size_t i = 0; i < r->columns.count; i++) {
        const struct cell *c = &r->cell[i];
        r->values.value[i] =
            r->place[i] < 0 ? (struct row_value){ROW_VALUE_ABSENT, {"", 0}}
            : c->is_null    ? (struct row_value){ROW_VALUE_NULL, {"", 0}}
                            : (struct row_value){ROW_VALUE_TEXT, {r->bytes.data + c->at, c->len}};
    }
}

static bool end_row(struct rows *r)
{
    const struct slice none = {"", 0};
    struct row_time time;
    if (r->at != r->count)
        return bad_line(r, "it has another number of fields than the header", none);
    if (!buf_ok(&r->bytes))
        return bad_line(r, "it is longer than 4 MiB", none);
    gather(r);
    const struct row_value *v = r->values.value;
    struct slice at = v[FIELD_CONFIRMED_AT].text;
    struct order_row row = {.id = v[FIELD_ORDER_ID].text,
                            .number = v[FIELD_ORDER_NUMBER].text,
                            .confirmed_ms = NO_TIME,
                            .confirmed = r->place[ROW_RULE_COLUMN] < 0 ||
                                         slice_is(v[ROW_RULE_COLUMN].text, r->config->rule_value),
                            .values = r->whole ? &r->values : NULL};
    if (row.id.len == 0)
        return bad_line(r, "it has no order id", none);
    if (row.id.len > ID_MAX)
        return bad_line(r, "its order id is too long:", row.id);
    if (at.len > 0 && !row_time_read(at, r->config->zone, &time))
        return bad_line(r, "confirmed_at is no time:", at);
    if (at.len > 0)
        row.confirmed_ms = row_time_ms(&time);
    return r->take(r->context, &row, r->err);
}

static bool is_wanted(const struct rows *r, size_t column)
{
    return r->whole || column == FIELD_ORDER_ID || column == FIELD_ORDER_NUMBER ||
           column == FIELD_CONFIRMED_AT || column == ROW_RULE_COLUMN;
}

static void take_value(struct rows *r, const char *text, size_t len, bool is_null)
{
    for (size_t i = 0; i < r->columns.count; i++) {
        if (r->place[i] != r->at || !is_wanted(r, i))
            continue;
        r->cell[i] = (struct cell){is_null, r->bytes.len, len};
        buf_add(&r->bytes, text, len);
    }
}

/* Called for each field; data NULL: empty and without quotes, which is PostgreSQL's NULL. */
static void on_field(void *data, size_t len, void *context)
{
    struct rows *r = context;
    const char *text = data != NULL ? data : "";
    if (r->failed)
        return;
    for (const char *at = text; (at = memchr(at, '\n', len - (size_t)(at - text))) != NULL; at++)
        r->breaks++;
    if (r->header_read) {
        bool is_null = data == NULL || strcmp(text, "\\N") == 0;
        take_value(r, text, is_null ? 0 : len, is_null);
    } else {
        buf_add_text(&r->bytes, text);
        take_name(r, text);
    }
    r->at++;
}

/* With CSV_REPALL_NL each of the two bytes of CRLF ends a row, and so does a blank line. */
static void on_row(int last, void *context)
{
    struct rows *r = context;
    bool belongs = last == '\n' && r->after_return && r->at == 0;
    if (r->failed)
        return;
    if (r->at > 0)
        r->failed = r->header_read ? !end_row(r) : !end_header(r);
    r->after_return = last == '\r';
    if (!belongs && !r->failed)
        r->line += 1 + r->breaks;
    r->breaks = 0;
    r->at = 0;
    buf_reset(&r->bytes);
}

/* ---- the stream ---- */

static bool malformed(struct rows *r, int code)
{
    return error_set(r->err, ERROR_CONFIG,
                     "line %" PRId64 " of the table is not CSV (%s): write it with " ASK, r->line,
                     csv_strerror(code));
}

/* Waits for bytes; false with FAILED when stopped. */
static ssize_t next_bytes(int fd, int stop_fd, char *bytes, struct error *err)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        ;
    if (fds[1].revents != 0) {
        error_set(err, ERROR_FAILED, "stopped; nothing was done");
        return -1;
    }
    ssize_t len = read(fd, bytes, CHUNK);
    if (len < 0)
        error_set(err, ERROR_FAILED, "the table: %s", strerror(errno));
    return len;
}

/* Spreadsheets begin a file with a byte order mark. */
static bool begin(struct rows *r, char **bytes, size_t *len)
{
    if (*len >= 2 && (memcmp(*bytes, "\xff\xfe", 2) == 0 || memcmp(*bytes, "\xfe\xff", 2) == 0))
        return bad_line(r, "it is UTF-16, not UTF-8: write it with " ASK, (struct slice){0});
    if (*len >= 3 && memcmp(*bytes, "\xef\xbb\xbf", 3) == 0) {
        *bytes += 3;
        *len -= 3;
    }
    return true;
}

static bool parse_all(struct rows *r, struct csv_parser *parser, int fd, int stop_fd)
{
    char chunk[CHUNK];
    ssize_t got;
    for (bool first = true; (got = next_bytes(fd, stop_fd, chunk, r->err)) > 0; first = false) {
        char *bytes = chunk;
        size_t len = (size_t)got;
        if (first && !begin(r, &bytes, &len))
            return false;
        if (csv_parse(parser, bytes, len, on_field, on_row, r) != len && !r->failed)
            return malformed(r, csv_error(parser));
        if (r->failed)
            return false;
    }
    if (got < 0)
        return false;
    if (csv_fini(parser, on_field, on_row, r) != 0 && !r->failed)
        return malformed(r, csv_error(parser));
    return !r->failed &&
           (r->header_read ||
            error_set(r->err, ERROR_CONFIG,
                      "the table is empty, without even a header: pipe " ASK " into this command"));
}

static int no_space(unsigned char c)
{
    (void)c;
    return 0;
}

bool order_rows_read(int fd, int stop_fd, const struct config *config, bool whole,
                     order_rows_take *take, void *context, struct error *err)
{
    struct rows r = {.config = config,
                     .whole = whole,
                     .take = take,
                     .context = context,
                     .err = err,
                     .line = 1,
                     .columns = row_columns_of(config)};
    struct csv_parser parser;
    memset(r.place, -1, sizeof r.place);
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL | CSV_EMPTY_IS_NULL |
                              CSV_REPALL_NL) != 0)
        return error_no_memory(err);
    csv_set_space_func(&parser, no_space); /* blanks belong to a value */
    buf_init(&r.bytes, ROW_BYTES_MAX);
    bool ok = parse_all(&r, &parser, fd, stop_fd);
    buf_done(&r.bytes);
    csv_free(&parser);
    return ok;
}
