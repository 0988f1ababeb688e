#include "demo/parts/debezium.h"

#include "base/time_text.h"

#include <avro.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const unsigned char schema_orders_key[], schema_orders_envelope[];
extern const size_t schema_orders_key_len, schema_orders_envelope_len;

enum { HEAD_BYTES = 5, TIME_MAX = 40, UNION_NULL = 0, UNION_VALUE = 1, UNION_CREATED_AT = 0 };

struct form { /* a schema, and a value that is filled again for each change */
    avro_schema_t schema;
    avro_value_iface_t *class;
    avro_value_t value;
};

struct debezium {
    struct form key, envelope;
    int64_t lsn, tx;
    bool ok; /* no call of avro-c has failed */
};

/* ---- schemas ---- */

const char *debezium_schema(int id)
{
    if (id == DEBEZIUM_KEY_SCHEMA)
        return (const char *)schema_orders_key;
    return id == DEBEZIUM_VALUE_SCHEMA ? (const char *)schema_orders_envelope : NULL;
}

static bool form_open(struct form *form, int id, struct error *err)
{
    const char *text = debezium_schema(id);
    if (avro_schema_from_json_length(text, strlen(text), &form->schema) != 0 ||
        (form->class = avro_generic_class_from_schema(form->schema)) == NULL ||
        avro_generic_value_new(form->class, &form->value) != 0)
        return error_set(err, ERROR_FAILED, "the demo's schema %d: %s", id, avro_strerror());
    return true;
}

static void form_done(struct form *form)
{
    if (form->value.self != NULL)
        avro_value_decref(&form->value);
    if (form->class != NULL)
        avro_value_iface_decref(form->class);
    if (form->schema != NULL)
        avro_schema_decref(form->schema);
}

struct debezium *debezium_new(struct error *err)
{
    struct debezium *d = calloc(1, sizeof *d);
    if (d == NULL) {
        error_no_memory(err);
        return NULL;
    }
    d->lsn = 36000000;
    d->tx = 750;
    if (form_open(&d->key, DEBEZIUM_KEY_SCHEMA, err) &&
        form_open(&d->envelope, DEBEZIUM_VALUE_SCHEMA, err))
        return d;
    debezium_free(d);
    return NULL;
}

void debezium_free(struct debezium *d)
{
    if (d == NULL)
        return;
    form_done(&d->key);
    form_done(&d->envelope);
    free(d);
}

/* ---- setters: a failure is kept in `ok`, which is checked once at the end ---- */

static avro_value_t field(struct debezium *d, avro_value_t *record, const char *name)
{
    avro_value_t value = {0};
    d->ok = d->ok && avro_value_get_by_name(record, name, &value, NULL) == 0;
    return value;
}

static avro_value_t branch(struct debezium *d, avro_value_t *record, const char *name, int number)
{
    avro_value_t choice = field(d, record, name), value = {0};
    d->ok = d->ok && avro_value_set_branch(&choice, number, &value) == 0;
    return value;
}

static void set_text(struct debezium *d, avro_value_t value, const char *text)
{
    d->ok = d->ok && avro_value_set_string(&value, text) == 0;
}

static void set_long(struct debezium *d, avro_value_t value, int64_t number)
{
    d->ok = d->ok && avro_value_set_long(&value, number) == 0;
}

static void set_null(struct debezium *d, avro_value_t *record, const char *name)
{
    avro_value_t value = branch(d, record, name, UNION_NULL);
    d->ok = d->ok && avro_value_set_null(&value) == 0;
}

static void set_text_or_null(struct debezium *d, avro_value_t *record, const char *name,
                             const char *text)
{
    if (text[0] == '\0')
        set_null(d, record, name);
    else
        set_text(d, branch(d, record, name, UNION_VALUE), text);
}

/* The fewest bytes of a two's complement number, the most significant first. */
static void set_decimal(struct debezium *d, avro_value_t value, int64_t number)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)number >> (56 - 8 * i));
    size_t at = 0;
    while (at < 7 && ((bytes[at] == 0 && bytes[at + 1] < 0x80) ||
                      (bytes[at] == 0xff && bytes[at + 1] >= 0x80)))
        at++;
    d->ok = d->ok && avro_value_set_bytes(&value, bytes + at, 8 - at) == 0;
}

static void set_time(struct debezium *d, avro_value_t value, int64_t us)
{
    struct buf text;
    buf_init(&text, TIME_MAX);
    d->ok &= timestamp_add(&text, us, 6);
    set_text(d, value, buf_text(&text));
    buf_done(&text);
}

/* ---- the envelope's parts ---- */

static void fill_row(struct debezium *d, avro_value_t row, const struct shop_row *r)
{
    set_text(d, field(d, &row, "id"), r->id);
    set_text(d, field(d, &row, "order_number"), r->number);
    set_text(d, field(d, &row, "client_name"), r->name);
    set_text(d, field(d, &row, "client_phone"), r->phone);
    set_text_or_null(d, &row, "client_address", r->address);
    set_text_or_null(d, &row, "client_city", r->city);
    set_text(d, field(d, &row, "product_name"), r->product);
    avro_value_t quantity = field(d, &row, "quantity");
    d->ok = d->ok && avro_value_set_int(&quantity, r->quantity) == 0;
    set_decimal(d, field(d, &row, "unit_price"), r->unit_price);
    set_decimal(d, field(d, &row, "total_amount"), r->total);
    set_text(d, field(d, &row, "status"), r->status);
    if (r->confirmed_us == 0)
        set_null(d, &row, "confirmed_at");
    else
        set_time(d, branch(d, &row, "confirmed_at", UNION_VALUE), r->confirmed_us);
    set_time(d, branch(d, &row, "created_at", UNION_CREATED_AT), r->created_us);
}

static void fill_image(struct debezium *d, const char *name, bool there, const struct shop_row *row)
{
    if (there)
        fill_row(d, branch(d, &d->envelope.value, name, UNION_VALUE), row);
    else
        set_null(d, &d->envelope.value, name);
}

static void fill_source(struct debezium *d, bool snapshot, int64_t at_us)
{
    char sequence[64];
    avro_value_t source = field(d, &d->envelope.value, "source");
    snprintf(sequence, sizeof sequence, "[\"%" PRId64 "\",\"%" PRId64 "\"]", d->lsn - 56, d->lsn);
    set_text(d, field(d, &source, "version"), "3.4.0.Final");
    set_text(d, field(d, &source, "connector"), "postgresql");
    set_text(d, field(d, &source, "name"), "orders");
    set_long(d, field(d, &source, "ts_ms"), at_us / 1000);
    set_text(d, branch(d, &source, "snapshot", 0), snapshot ? "true" : "false");
    set_text(d, field(d, &source, "db"), "shop");
    set_text(d, branch(d, &source, "sequence", UNION_VALUE), sequence);
    set_long(d, branch(d, &source, "ts_us", UNION_VALUE), at_us);
    set_long(d, branch(d, &source, "ts_ns", UNION_VALUE), at_us * 1000);
    set_text(d, field(d, &source, "schema"), "public");
    set_text(d, field(d, &source, "table"), "orders");
    set_long(d, branch(d, &source, "txId", UNION_VALUE), d->tx);
    set_long(d, branch(d, &source, "lsn", UNION_VALUE), d->lsn);
    set_null(d, &source, "xmin");
}

static void fill_envelope(struct debezium *d, const struct shop_change *change, int64_t at_us)
{
    avro_value_t *envelope = &d->envelope.value;
    const char op[] = {change->op, '\0'};
    fill_image(d, "before", change->has_before, &change->before);
    fill_image(d, "after", change->has_after, &change->after);
    fill_source(d, change->op == 'r', at_us);
    set_null(d, envelope, "transaction");
    set_text(d, field(d, envelope, "op"), op);
    set_long(d, branch(d, envelope, "ts_ms", UNION_VALUE), at_us / 1000 + 3);
    set_long(d, branch(d, envelope, "ts_us", UNION_VALUE), at_us + 3000);
    set_long(d, branch(d, envelope, "ts_ns", UNION_VALUE), (at_us + 3000) * 1000);
}

/* ---- bytes ---- */

static bool write_form(struct form *form, int id, struct buf *out)
{
    const unsigned char head[HEAD_BYTES] = {0, 0, 0, 0, (unsigned char)id};
    char bytes[4096] = {0}; /* more than a row of the shop can fill */
    size_t len = 0;
    avro_writer_t writer = avro_writer_memory(bytes, sizeof bytes);
    bool ok = writer != NULL && avro_value_write(writer, &form->value) == 0;
    if (ok)
        len = (size_t)avro_writer_tell(writer);
    avro_writer_free(writer);
    buf_reset(out);
    buf_add(out, head, sizeof head);
    buf_add(out, bytes, len);
    return ok && buf_ok(out);
}

bool debezium_encode(struct debezium *d, const struct shop_change *change, int64_t at_us,
                     struct buf *key, struct buf *value, struct error *err)
{
    const struct shop_row *row = change->has_after ? &change->after : &change->before;
    d->ok = true;
    d->lsn += 280;
    d->tx++;
    avro_value_reset(&d->key.value);
    avro_value_reset(&d->envelope.value);
    set_text(d, field(d, &d->key.value, "id"), row->id);
    fill_envelope(d, change, at_us);
    if (d->ok && write_form(&d->key, DEBEZIUM_KEY_SCHEMA, key) &&
        write_form(&d->envelope, DEBEZIUM_VALUE_SCHEMA, value))
        return true;
    return error_set(err, ERROR_FAILED, "the demo could not write a record: %s", avro_strerror());
}
