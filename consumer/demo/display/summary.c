#include "demo/display/summary.h"

#include "base/time_text.h"
#include "demo/display/canvas.h"
#include "demo/display/screen.h"
#include "order/payload.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void report_progress(struct buf *b, const struct snapshot *view)
{
    int64_t seconds = view->elapsed_ms / 1000;
    buf_addf(b,
             "%02" PRId64 ":%02" PRId64 "  orders %" PRIu64 "  confirmed %" PRIu64
             "  delivered %" PRIu64 "  retried %" PRIu64 "  parked %" PRIu64 "  lag %" PRIu64
             "  endpoint %s, breaker %s",
             seconds / 60, seconds % 60, view->orders, view->counts.confirmations,
             view->counts.delivered, view->retried, view->counts.parked, view->lag,
             view->receiver.own ? "yours" : view->receiver.mood, view->receiver.breaker);
}

bool report_balances(const struct snapshot *view, const struct report_end *end)
{
    bool whole = end->finished ? view->counts.open == 0 && end->settled : true;
    return ledger_is_clean(&view->counts) && end->lost == 0 && !end->process_failed && whole;
}

enum { INDENT = 29, WIDTH = 79 };

/* A row of the accounts: a label, a number, and a wrapped explanation. */
static void add_row(struct buf *b, const char *label, uint64_t number)
{
    char text[32];
    buf_addf(b, "  %-15s%9s   ", label, screen_number(number, text));
}

static void add_item(struct buf *b, int *column, bool first, const char *item)
{
    int width = canvas_width(item);
    if (!first) {
        buf_add_char(b, ',');
        if (*column + 2 + width + 1 > WIDTH) {
            buf_addf(b, "\n%*s", INDENT, "");
            *column = INDENT;
        } else {
            buf_add_char(b, ' ');
            *column += 2;
        }
    }
    buf_add_text(b, item);
    *column += width;
}

static void add_reasons(struct buf *b, const struct view_reason reasons[VIEW_REASONS])
{
    char item[96];
    int column = INDENT;
    for (int i = 0; i < VIEW_REASONS && reasons[i].count > 0; i++) {
        snprintf(item, sizeof item, "%s × %" PRIu64, reasons[i].text, reasons[i].count);
        add_item(b, &column, i == 0, item);
    }
    if (reasons[0].count == 0)
        buf_add_text(b, "none");
    buf_add_char(b, '\n');
}

static void add_records(struct buf *b, const struct snapshot *view)
{
    char item[96];
    int column = INDENT;
    bool first = true;
    add_row(b, "records", view->records);
    for (int i = 0; i < SHOP_KIND_COUNT; i++) {
        if (view->changes[i] == 0)
            continue;
        snprintf(item, sizeof item, "%" PRIu64 " %s", view->changes[i], shop_kind_names[i]);
        add_item(b, &column, first, item);
        first = false;
    }
    snprintf(item, sizeof item, "%" PRIu64 " tombstones", view->tombstones);
    add_item(b, &column, first, item);
    buf_add_char(b, '\n');
}

static void add_places(struct buf *b, const struct snapshot *view)
{
    const struct ledger_counts *n = &view->counts;
    add_row(b, "confirmations", n->confirmations);
    buf_add_text(b, "each must be in one of these places:\n");
    add_row(b, "  delivered", n->delivered);
    buf_add_text(b, view->receiver.own ? "answered with 2xx by your receiver\n"
                                       : "in the receiver's journal, byte for byte\n");
    add_row(b, "  parked", n->parked);
    add_reasons(b, view->parked_reasons);
    if (n->open > 0) {
        add_row(b, "  still open", n->open);
        buf_add_text(b, "above the last commit: sent at the next start\n");
    }
    if (!view->receiver.own) {
        add_row(b, "failed attempts", view->attempts_failed);
        add_reasons(b, view->failures);
    }
    add_row(b, "retried", view->retried);
    buf_add_text(b, "attempts after an order's first\n");
}

static void add_fault(struct buf *b, uint64_t count, const char *what)
{
    if (count > 0)
        buf_addf(b, "  WRONG: %" PRIu64 " %s\n", count, what);
}

static void add_faults(struct buf *b, const struct snapshot *view, const struct report_end *end)
{
    const struct ledger_counts *n = &view->counts;
    add_fault(b, end->finished ? n->open : 0, "confirmations are in neither place");
    add_fault(b, end->lost,
              "confirmations lie below a commit and were neither delivered nor parked");
    add_fault(b, n->twice, "confirmations ended twice");
    add_fault(b, n->altered, "bodies differ from what the shop confirmed");
    add_fault(b, n->wrong, "confirmations ended in the wrong place");
    add_fault(b, n->unexpected, "deliveries or parked records that the shop never confirmed");
    add_fault(b, end->process_failed, "delivering process that ended by itself");
    add_fault(b, end->finished && !end->settled ? view->lag : 0, "records are not behind a commit");
}

void report_summary(struct buf *b, const struct snapshot *view, const struct report_end *end)
{
    char text[32];
    buf_addf(b, "\n%s orders in %.1f s", screen_number(view->orders, text),
             (double)view->elapsed_ms / 1000);
    if (view->first_ms >= 0)
        buf_addf(b, ", the first webhook after %.1f s", (double)view->first_ms / 1000);
    buf_addf(b, "%s\n\n", end->finished ? "" : "; ended early");
    add_records(b, view);
    add_places(b, view);
    buf_add_char(b, '\n');
    add_faults(b, view, end);
    if (!report_balances(view, end))
        buf_add_text(b, "The accounts do not balance.\n");
    else if (view->counts.open > 0)
        buf_add_text(b, "The accounts balance so far: nothing was lost, nothing was sent twice.\n");
    else
        buf_add_text(b,
                     "The accounts balance: every confirmation was delivered once or parked with "
                     "its reason.\n");
}

void report_confirmation(struct buf *b, const struct confirmation *c)
{
    buf_addf(b, "{\"order_id\":\"%s\",\"order_number\":\"%s\",\"client_name\":", c->row.id,
             c->row.number);
    json_add_string(b, c->row.name, strlen(c->row.name));
    buf_addf(b, ",\"confirmation\":%d,\"confirmed_at\":\"", c->ordinal);
    timestamp_add(b, c->row.confirmed_us, 6);
    buf_addf(b,
             "\",\"partition\":%" PRId32 ",\"offset\":%" PRId64 ",\"outcome\":\"%s\",\"reason\":",
             c->partition, c->offset,
             c->delivered > 0 ? "delivered"
             : c->parked > 0  ? "parked"
                              : "open");
    json_add_string(b, c->reason, strlen(c->reason));
    buf_add_text(b, "}\n");
}
