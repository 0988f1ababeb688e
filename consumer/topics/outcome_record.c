/* Written without printf: one is written for each delivery. */
#include "topics/outcome_record.h"

#include "order/payload.h"

static void add_name(struct buf *b, const char *name)
{
    buf_add_text(b, ",\"");
    buf_add_text(b, name);
    buf_add_text(b, "\":");
}

static bool add_text(struct buf *b, const char *name, struct slice text)
{
    add_name(b, name);
    if (text.data != NULL && text.len > 0)
        return json_add_string(b, text.data, text.len);
    buf_add_text(b, "null");
    return true;
}

static void add_number(struct buf *b, const char *name, int64_t number)
{
    add_name(b, name);
    if (number >= 0)
        buf_add_int(b, number);
    else
        buf_add_text(b, "null");
}

bool outcome_record_write(const struct outcome_record *r, struct buf *b)
{
    buf_add_text(b, "{\"version\":1");
    bool ok = add_text(b, "state", slice_of(r->state));
    buf_add_text(b, ",\"reason\":");
    ok &= json_add_string(b, r->reason, strlen(r->reason));
    ok &= add_text(b, "order_id", r->order_id);
    ok &= add_text(b, "order_number", r->order_number);
    ok &= add_text(b, "confirmed_at", r->confirmed_at);
    ok &= add_text(b, "webhook_id", slice_of(r->webhook_id));
    ok &= add_text(b, "source", slice_of(r->source));
    ok &= add_text(b, "request", slice_of(r->request));
    ok &= add_text(b, "topic", slice_of(r->topic));
    add_number(b, "partition", r->partition);
    add_number(b, "offset", r->offset);
    add_number(b, "timestamp_ms", r->timestamp_ms);
    add_number(b, "lsn", r->lsn);
    add_number(b, "attempts", r->attempts);
    add_number(b, "status", r->status > 0 ? r->status : -1);
    add_number(b, "first_attempt_ms", r->first_attempt_ms);
    add_number(b, "last_attempt_ms", r->last_attempt_ms);
    add_number(b, "settled_ms", r->settled_ms);
    add_number(b, "next_attempt_ms", r->next_attempt_ms);
    ok &= add_text(b, "member", slice_of(r->member));
    if (r->owner != NULL && r->owner[0] != '\0')
        ok &= add_text(b, "owner", slice_of(r->owner));
    add_name(b, "previous");
    buf_add_text(b, r->previous[0] != '\0' ? r->previous : "[]");
    buf_add_char(b, '}');
    return ok && buf_ok(b);
}
