#include "reconcile/order_rows.h"

#include "base/printable.h"
#include "base/time_text.h"
#include "base/time_zone.h"

#include <csv.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 65536 };
enum { ID, NUMBER, STATUS, CONFIRMED_AT, WANTED_COUNT };
enum { TIME_MAX = 48, ID_MAX = 1024 };

#define ASK                                                                                     \
    "psql -c \"COPY (SELECT id, order_number, status, confirmed_at FROM orders) TO STDOUT CSV " \
    "HEADER\""

struct rows {
    const struct config *config;
    order_rows_take *take;
    void *context;
    struct error *err;
    int64_t number;           /* of the row that is read; the header is row 1 */
    int at, count;            /* fields of this row, columns of the table */
    int column[WANTED_COUNT]; /* its place; -1: not in the table */
    char value[WANTED_COUNT][ID_MAX];
    size_t len[WANTED_COUNT];
    bool is_null[WANTED_COUNT];
    bool failed;
};

/* ---- times ---- */

/* PostgreSQL writes a blank for the T and leaves minutes of zero out: 2026-11-22
 * 09:15:30.123456+00. Returns whether it has a zone. */
static bool as_rfc3339(struct slice text, char ret[TIME_MAX])
{
    size_t len = text.len < TIME_MAX - 8 ? text.len : TIME_MAX - 8;
    memcpy(ret, text.data, len);
    ret[len] = '\0';
    if (len > 10 && ret[10] == ' ')
        ret[10] = 'T';
    size_t zone = len > 19 ? 19 + strcspn(ret + 19, "+-Z") : len;
    if (zone == len)
        strcpy(ret + len, "Z");
    else if (len - zone == 3)
        strcpy(ret + len, ":00");
    return zone < len;
}

bool order_time_read(struct slice text, const struct time_zone *zone, int64_t *ret_ms)
{
    char written[TIME_MAX];
    int64_t ms;
    if (text.len == 0 || text.len >= TIME_MAX - 8)
        return false;
    bool has_zone = as_rfc3339(text, written);
    if (!timestamp_read_ms(written, strlen(written), &ms))
        return false;
    if (!has_zone && zone != NULL) {
        int64_t seconds = ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000);
        ms += (time_zone_instant(zone, seconds) - seconds) * 1000;
    }
    *ret_ms = ms;
    return true;
}

/* ---- the header ---- */

/* The column of the shop's table, and the payload's name for it. */
static const char *name_of(const struct config *config, int wanted, bool own)
{
    switch (wanted) {
    case ID:
        return own ? payload_field_names[FIELD_ORDER_ID] : config->payload_column[FIELD_ORDER_ID];
    case NUMBER:
        return own ? payload_field_names[FIELD_ORDER_NUMBER]
                   : config->payload_column[FIELD_ORDER_NUMBER];
    case STATUS: return own ? payload_field_names[FIELD_STATUS] : config->rule_column;
    default:
        return own ? payload_field_names[FIELD_CONFIRMED_AT]
                   : config->payload_column[FIELD_CONFIRMED_AT];
    }
}

static void take_name(struct rows *r, const char *name)
{
    if (r->at == 0 && strncmp(name, "\xef\xbb\xbf", 3) == 0)
        name += 3; /* a byte order mark, as spreadsheets write it */
    for (int wanted = 0; wanted < WANTED_COUNT; wanted++) {
        const char *column = name_of(r->config, wanted, false);
        bool by_column = column != NULL && strcmp(name, column) == 0;
        if (by_column ||
            (r->column[wanted] < 0 && strcmp(name, name_of(r->config, wanted, true)) == 0))
            r->column[wanted] = r->at;
    }
}

static bool end_header(struct rows *r)
{
    r->count = r->at;
    if (r->column[ID] < 0)
        return error_set(r->err, ERROR_CONFIG,
                         "the table has no column \"%s\" (payload.fields.order_id), or no header: "
                         "write it with " ASK,
                         name_of(r->config, ID, false));
    return r->column[CONFIRMED_AT] >= 0 ||
           error_set(r->err, ERROR_CONFIG,
                     "the table has no column \"%s\" (payload.fields.confirmed_at), without which "
                     "no confirmation can be told from an earlier one: add it to the SELECT",
                     name_of(r->config, CONFIRMED_AT, false));
}

/* ---- rows ---- */

static bool bad_row(struct rows *r, const char *what, struct slice value)
{
    char text[80], shown[80];
    snprintf(text, sizeof text, "%.*s", (int)(value.len < 60 ? value.len : 60), value.data);
    return error_set(r->err, ERROR_CONFIG, "row %" PRId64 " of the table: %s%s%s%s", r->number,
                     what, value.len > 0 ? " \"" : "", printable(text, shown, sizeof shown),
                     value.len > 0 ? "\"" : "");
}

static struct slice value_of(const struct rows *r, int wanted)
{
    if (r->column[wanted] < 0 || r->is_null[wanted])
        return (struct slice){"", 0};
    return (struct slice){r->value[wanted], r->len[wanted]};
}

static bool end_row(struct rows *r)
{
    const struct slice none = {"", 0};
    struct slice at = value_of(r, CONFIRMED_AT), status = value_of(r, STATUS);
    struct order_row row = {.id = value_of(r, ID),
                            .number = value_of(r, NUMBER),
                            .confirmed_ms = NO_TIME,
                            .confirmed =
                                r->column[STATUS] < 0 || slice_is(status, r->config->rule_value)};
    if (r->at != r->count)
        return bad_row(r, "it has another number of fields than the header", none);
    if (row.id.len == 0)
        return bad_row(r, "it has no order id", none);
    if (row.id.len == ID_MAX - 1)
        return bad_row(r, "its order id is too long:", row.id);
    if (at.len > 0 && !order_time_read(at, r->config->zone, &row.confirmed_ms))
        return bad_row(r, "confirmed_at is no time:", at);
    return r->take(r->context, &row, r->err);
}

/* Called for each field; data NULL: empty and without quotes, which is PostgreSQL's NULL. */
static void on_field(void *data, size_t len, void *context)
{
    struct rows *r = context;
    const char *text = data != NULL ? data : "";
    if (r->failed)
        return;
    if (r->number == 1) {
        take_name(r, text);
    } else {
        for (int wanted = 0; wanted < WANTED_COUNT; wanted++) {
            if (r->column[wanted] != r->at)
                continue;
            r->is_null[wanted] = data == NULL;
            r->len[wanted] = len < ID_MAX ? len : ID_MAX - 1;
            memcpy(r->value[wanted], text, r->len[wanted]);
        }
    }
    r->at++;
}

static void on_row(int last, void *context)
{
    struct rows *r = context;
    (void)last;
    if (r->failed)
        return;
    r->failed = r->number == 1 ? !end_header(r) : !end_row(r);
    r->number++;
    r->at = 0;
}

/* ---- the stream ---- */

static bool malformed(struct rows *r, int code)
{
    return error_set(r->err, ERROR_CONFIG,
                     "row %" PRId64 " of the table is not CSV (%s): write it with " ASK, r->number,
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

static bool parse_all(struct rows *r, struct csv_parser *parser, int fd, int stop_fd)
{
    char bytes[CHUNK];
    ssize_t len;
    while ((len = next_bytes(fd, stop_fd, bytes, r->err)) > 0) {
        if (csv_parse(parser, bytes, (size_t)len, on_field, on_row, r) != (size_t)len && !r->failed)
            return malformed(r, csv_error(parser));
        if (r->failed)
            return false;
    }
    if (len < 0)
        return false;
    if (csv_fini(parser, on_field, on_row, r) != 0 && !r->failed)
        return malformed(r, csv_error(parser));
    return !r->failed &&
           (r->number > 1 ||
            error_set(r->err, ERROR_CONFIG,
                      "the table is empty, without even a header: pipe " ASK " into this command"));
}

static int no_space(unsigned char c)
{
    (void)c;
    return 0;
}

bool order_rows_read(int fd, int stop_fd, const struct config *config, order_rows_take *take,
                     void *context, struct error *err)
{
    struct rows r = {.config = config, .take = take, .context = context, .err = err, .number = 1};
    struct csv_parser parser;
    for (int wanted = 0; wanted < WANTED_COUNT; wanted++)
        r.column[wanted] = -1;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL | CSV_EMPTY_IS_NULL) != 0)
        return error_no_memory(err);
    csv_set_space_func(&parser, no_space); /* blanks belong to a value */
    bool ok = parse_all(&r, &parser, fd, stop_fd);
    csv_free(&parser);
    return ok;
}
