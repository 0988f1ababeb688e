#include "dashboard/export/export.h"

#include "dashboard/api/api.h"
#include "dashboard/export/export_row.h"
#include "dashboard/export/order_query.h"
#include "sys/log.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    BUSY_MS = 10000,
    PAGE_ROWS = 500,
    PIECE = 64 * 1024,
    PIECE_MAX = 400 * 1024, /* bytes; a stream may be 512 KB behind */
    LOOK_EVERY_MS = 10,
    STALLED_MS = 60000
};

struct list_export {
    struct pending *p; /* busy until the export ends */
    bool csv;
    struct order_filter filter; /* its texts are the request's, which lasts as long as its answer */
    char cursor[64];            /* of the page after; "": there is none */
    json_t *page;               /* NULL: none was read */
    size_t at;                  /* its rows before are sent */
    int64_t sent_ms;            /* -1: nothing yet */
};

static void end(struct list_export **place)
{
    struct list_export *e = *place;
    *place = NULL;
    e->p->busy = false;
    pending_free(e->p);
    json_decref(e->page);
    free(e);
}

void export_done(struct exports *exports)
{
    for (size_t i = 0; i < EXPORTS_MAX; i++)
        if (exports->under_way[i] != NULL)
            end(&exports->under_way[i]);
}

/* ---- pages ---- */

static void add_row(const struct list_export *e, struct buf *b)
{
    const json_t *order = json_array_get(json_object_get(e->page, "orders"), e->at);
    if (e->csv)
        export_add_csv(b, order);
    else
        export_add_json(b, order);
}

static size_t rows_left(const struct list_export *e)
{
    return json_array_size(json_object_get(e->page, "orders")) - e->at;
}

/* False: the view failed. */
static bool read_page(struct list_export *e)
{
    struct error err = {0};
    json_t *page = view_list(e->p->api->view, &e->filter, &err);
    if (page == NULL) {
        log_warn("export broken off", LOG_S("error", err.text));
        return false;
    }
    const char *next = json_string_value(json_object_get(page, "next_cursor"));
    snprintf(e->cursor, sizeof e->cursor, "%s", next != NULL ? next : "");
    e->filter.cursor = e->cursor;
    json_decref(e->page);
    e->page = page;
    e->at = 0;
    return true;
}

/* Rows differ in length: those of a page may be more than a stream may be behind. */
static bool send_piece(struct list_export *e)
{
    struct buf b;
    buf_init(&b, PIECE_MAX);
    if (e->csv && e->sent_ms < 0)
        export_add_head(&b);
    for (; rows_left(e) > 0 && b.len < PIECE; e->at++)
        add_row(e, &b);
    bool ok =
        buf_ok(&b) && (b.len == 0 || web_request_send(e->p->x, (struct slice){b.data, b.len}));
    buf_done(&b);
    e->sent_ms = e->p->api->now_ms;
    return ok;
}

static bool go_on(struct list_export *e)
{
    return (rows_left(e) > 0 || read_page(e)) && send_piece(e);
}

static bool is_whole(const struct list_export *e)
{
    return rows_left(e) == 0 && e->cursor[0] == '\0';
}

/* True: it has come to its end. */
static bool look_at(struct list_export *e)
{
    struct web_request *x = e->p->x;
    if (x == NULL)
        return true;
    if (web_request_unsent(x) > 0 && e->p->api->now_ms - e->sent_ms < STALLED_MS)
        return false;
    if (web_request_unsent(x) > 0 || !go_on(e)) {
        web_request_break(x);
        return true;
    }
    if (is_whole(e))
        web_request_end(x);
    return is_whole(e);
}

int64_t export_turn(struct api *api)
{
    int64_t wait_ms = -1;
    for (size_t i = 0; i < EXPORTS_MAX; i++) {
        struct list_export **place = &api->exports->under_way[i];
        if (*place != NULL && look_at(*place))
            end(place);
        else if (*place != NULL)
            wait_ms = LOOK_EVERY_MS;
    }
    return wait_ms;
}

/* ---- the calls ---- */

static void start(struct call *call, struct list_export **place, const struct order_filter *filter,
                  bool csv)
{
    struct list_export *e = calloc(1, sizeof *e);
    if (e != NULL)
        e->p = pending_new(call, PENDING_EXPORT, NULL, NULL);
    if (e == NULL || e->p == NULL) {
        free(e);
        reply_problem(call->x, PROBLEM_INTERNAL, NULL, NULL);
        return;
    }
    e->p->busy = true;
    e->csv = csv;
    e->filter = *filter;
    e->filter.limit = PAGE_ROWS;
    e->filter.oldest_first = true;
    e->sent_ms = -1;
    *place = e;
    call_audit(&call->caller, "export orders", "", "");
    web_request_add_header(call->x, "Cache-Control", "no-store");
    web_request_add_header(call->x, "Content-Disposition",
                           csv ? "attachment; filename=\"orders.csv\""
                               : "attachment; filename=\"orders.ndjson\"");
    web_request_stream(call->x, csv ? "text/csv; charset=utf-8" : "application/x-ndjson");
}

static void begin(struct call *call, bool csv)
{
    struct order_filter filter;
    struct list_export **place = call->api->exports->under_way, **last = place + EXPORTS_MAX;
    if (!order_query_read(call, &filter))
        return;
    while (place < last && *place != NULL)
        place++;
    if (place == last)
        refuse_for(call, PROBLEM_TOO_MANY, "too many exports are under way", BUSY_MS);
    else
        start(call, place, &filter, csv);
}

void call_export_csv(struct call *call)
{
    begin(call, true);
}

void call_export_ndjson(struct call *call)
{
    begin(call, false);
}
