#include "order/webhook_id.h"

#include "base/buf.h"
#include "base/digest/sha256.h"
#include "base/hex.h"

#include <inttypes.h>
#include <string.h>

/* Each part is preceded by its length, so that no two lists of parts are equal. */
static void add(struct buf *b, const char *data, size_t len)
{
    buf_add_int(b, (int64_t)len);
    buf_add_char(b, ':');
    buf_add(b, data, len);
}

static void add_number(struct buf *b, const char *name, int64_t number)
{
    buf_add_text(b, name);
    buf_add_int(b, number);
}

/* confirmed_at as the event has it; false when the event has none. */
static bool add_time(struct buf *b, const struct column *time)
{
    if (time->kind == COLUMN_TEXT)
        add(b, time->data, time->len);
    else if (time->kind == COLUMN_INT)
        add_number(b, "confirmed_at=", time->number);
    else
        return false;
    return true;
}

static void add_transition(struct buf *b, const struct change *change, const char *topic,
                           int32_t partition, int64_t offset)
{
    bool has_lsn = change->lsn.kind == COLUMN_INT;
    if (!(has_lsn && change->has_before) && add_time(b, &change->field[FIELD_CONFIRMED_AT]))
        return;
    if (has_lsn)
        add_number(b, "lsn=", change->lsn.number);
    else
        buf_addf(b, "topic=%s partition=%" PRId32 " offset=%" PRId64, topic, partition, offset);
}

void webhook_id_of(const struct change *change, const struct order_id *id, const char *topic,
                   int32_t partition, int64_t offset, char text[WEBHOOK_ID_MAX])
{
    struct buf b;
    buf_init(&b, id->len + change->field[FIELD_CONFIRMED_AT].len + 1024);
    add(&b, id->text, id->len);
    add_transition(&b, change, topic, partition, offset);
    unsigned char digest[SHA256_BYTES];
    sha256(b.data, b.len, digest);
    buf_done(&b);
    *hex_write(stpcpy(text, "msg_"), digest, sizeof digest / 2) = '\0';
}
