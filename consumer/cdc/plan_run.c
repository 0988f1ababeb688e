/* plan_run: executes a plan over one body. The hot path: one pass, no allocation, no recursion. */
#include "cdc/plan_internal.h"

#include <string.h>

/* A routine or the items of one array block under way. */
struct frame {
    uint32_t resume;    /* where to go on after the last item */
    uint32_t item;      /* first instruction of routine or item */
    uint64_t remaining; /* items still to come after this one */
};

struct avro_reader {
    const uint8_t *at, *end;
    const char *why; /* NULL: fine so far */
};

static bool malformed(struct avro_reader *r, const char *why)
{
    r->why = why;
    return false;
}

/* A zig-zag varint of at most 10 bytes (Avro: long). The tenth byte may carry one bit only. */
static bool read_long_slow(struct avro_reader *r, int64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (r->at == r->end)
            return malformed(r, "a number is cut off");
        uint8_t byte = *r->at++;
        if (shift == 63 && byte > 1)
            return malformed(r, "a number has more than 64 bits");
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
            return true;
        }
    }
    return malformed(r, "a number has more than 10 bytes");
}

static inline bool read_long(struct avro_reader *r, int64_t *ret_value)
{
    if (r->at < r->end && *r->at < 0x80) {
        uint64_t value = *r->at++;
        *ret_value = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
        return true;
    }
    return read_long_slow(r, ret_value);
}

static inline bool skip(struct avro_reader *r, uint64_t len)
{
    if (len > (uint64_t)(r->end - r->at))
        return malformed(r, "a length reaches past the record's end");
    r->at += len;
    return true;
}

static inline bool read_blob(struct avro_reader *r, const char **ret_data, size_t *ret_len)
{
    int64_t len;
    if (!read_long(r, &len))
        return false;
    if (len < 0)
        return malformed(r, "a length is negative");
    const uint8_t *data = r->at;
    if (!skip(r, (uint64_t)len))
        return false;
    *ret_data = (const char *)data;
    *ret_len = (size_t)len;
    return true;
}

static inline bool skip_blob(struct avro_reader *r)
{
    const char *data;
    size_t len;
    return read_blob(r, &data, &len);
}

static inline bool read_index(struct avro_reader *r, uint32_t count, const char *why,
                              uint32_t *ret_index)
{
    int64_t index;
    if (!read_long(r, &index))
        return false;
    if (index < 0 || index >= (int64_t)count)
        return malformed(r, why);
    *ret_index = (uint32_t)index;
    return true;
}

static inline bool read_branch(struct avro_reader *r, uint32_t count, uint32_t *ret_branch)
{
    return read_index(r, count, "a union names a branch that it does not have", ret_branch);
}

static bool read_symbol(struct avro_reader *r, uint32_t count, uint32_t *ret_symbol)
{
    return read_index(r, count, "an enum names a symbol that it does not have", ret_symbol);
}

static bool skip_boolean(struct avro_reader *r)
{
    if (r->at == r->end)
        return malformed(r, "a boolean is cut off");
    return *r->at++ <= 1 ? true : malformed(r, "a boolean is neither 0 nor 1");
}

static inline bool skip_optional(struct avro_reader *r, uint32_t null_branch)
{
    uint32_t branch;
    return read_branch(r, 2, &branch) && (branch == null_branch || skip_blob(r));
}

/* Reads block headers until one has items. *ret_items 0: the array is over. A block that states its
 * bytes (negative count) is skipped whole. */
static bool read_block(struct avro_reader *r, uint64_t *ret_items)
{
    for (;;) {
        int64_t count, bytes;
        if (!read_long(r, &count))
            return false;
        if (count >= 0) {
            *ret_items = (uint64_t)count;
            return true;
        }
        if (!read_long(r, &bytes))
            return false;
        if (bytes < 0 || count == INT64_MIN)
            return malformed(r, "a block's size is negative");
        if (!skip(r, (uint64_t)bytes))
            return false;
    }
}

static bool take_real(struct avro_reader *r, struct column *c, size_t width)
{
    const uint8_t *data = r->at;
    if (!skip(r, width))
        return false;
    uint64_t bits = 0;
    for (size_t i = 0; i < width; i++)
        bits |= (uint64_t)data[i] << (8 * i);
    if (width == sizeof(float)) {
        uint32_t half = (uint32_t)bits;
        float single;
        memcpy(&single, &half, sizeof single);
        c->real = (double)single;
        c->kind = COLUMN_FLOAT;
    } else {
        memcpy(&c->real, &bits, sizeof c->real);
        c->kind = COLUMN_DOUBLE;
    }
    return true;
}

static bool take_blob(struct avro_reader *r, struct column *c, enum column_kind kind, int32_t scale)
{
    c->kind = kind;
    c->scale = scale;
    return read_blob(r, &c->data, &c->len);
}

static bool take_scaled(struct avro_reader *r, struct column *c, bool scale_first)
{
    int64_t scale = 0;
    if (scale_first && !read_long(r, &scale))
        return false;
    if (!take_blob(r, c, COLUMN_DECIMAL, 0) || (!scale_first && !read_long(r, &scale)))
        return false;
    if (scale < INT32_MIN || scale > INT32_MAX)
        return malformed(r, "a decimal's scale has more than 32 bits");
    c->scale = (int32_t)scale;
    return true;
}

static bool take_enum(const struct plan *plan, const struct instruction *i, struct avro_reader *r,
                      struct column *c)
{
    uint32_t symbol;
    if (!read_symbol(r, i->a, &symbol))
        return false;
    c->kind = COLUMN_TEXT;
    c->data = plan->symbols[i->b + symbol];
    c->len = strlen(c->data);
    return true;
}

static bool take_boolean(struct avro_reader *r, struct column *c)
{
    if (!skip_boolean(r))
        return false;
    c->kind = COLUMN_BOOLEAN;
    c->number = r->at[-1];
    return true;
}

static bool take_fixed(struct avro_reader *r, struct column *c, const struct instruction *i)
{
    c->kind = COLUMN_DECIMAL;
    c->scale = i->scale;
    c->data = (const char *)r->at;
    c->len = i->a;
    return skip(r, i->a);
}

static bool take_int(struct avro_reader *r, struct column *c, const struct instruction *i)
{
    c->kind = COLUMN_INT;
    c->ticks = i->ticks;
    c->local = i->a != 0;
    c->is_day = i->b != 0;
    return read_long(r, &c->number);
}

/* One TAKE_* instruction: fills its slot. */
static bool take(const struct plan *plan, const struct instruction *i, struct avro_reader *r,
                 struct change *change)
{
    struct column *c = (struct column *)((char *)change + i->slot);
    switch ((enum plan_operation)i->operation) {
    case PLAN_TAKE_TEXT: c->local = i->a != 0; return take_blob(r, c, COLUMN_TEXT, 0);
    case PLAN_TAKE_INT: return take_int(r, c, i);
    case PLAN_TAKE_FLOAT: return take_real(r, c, sizeof(float));
    case PLAN_TAKE_DOUBLE: return take_real(r, c, sizeof(double));
    case PLAN_TAKE_ENUM: return take_enum(plan, i, r, c);
    case PLAN_TAKE_DECIMAL: return take_blob(r, c, COLUMN_DECIMAL, i->scale);
    case PLAN_TAKE_FIXED: return take_fixed(r, c, i);
    case PLAN_TAKE_SCALED: return take_scaled(r, c, true);
    case PLAN_TAKE_SCALED_END: return take_scaled(r, c, false);
    case PLAN_TAKE_BOOLEAN: return take_boolean(r, c);
    case PLAN_TAKE_NULL: c->kind = COLUMN_NULL; return true;
    case PLAN_COPY: *c = *(const struct column *)((char *)change + i->a); return true;
    default: c->kind = COLUMN_OTHER; return true;
    }
}

static bool triggers(const struct plan *plan, const struct column *status)
{
    return status->kind == COLUMN_TEXT && status->len == plan->rule_value_len &&
           memcmp(status->data, plan->rule_value, status->len) == 0;
}

/* The program counter: kept apart from the frames, so that the compiler holds it in registers.
 */
struct plan_cursor {
    const struct instruction *next;
    unsigned depth;
};

static inline bool push(struct plan_cursor *c, struct frame *frames, struct avro_reader *r,
                        uint32_t item, uint32_t resume, uint64_t items,
                        const struct instruction *code)
{
    if (c->depth == PLAN_DEPTH_MAX)
        return malformed(r, "values are nested too deeply");
    frames[c->depth++] = (struct frame){resume, item, items - 1};
    c->next = code + item;
    return true;
}

/* END: the next item, or back to where this routine was called from. False: the program is over. */
static inline bool leave(struct plan_cursor *c, struct frame *frames,
                         const struct instruction *code)
{
    if (c->depth == 0)
        return false;
    struct frame *frame = &frames[c->depth - 1];
    if (frame->remaining > 0) {
        frame->remaining--;
        c->next = code + frame->item;
    } else {
        c->next = code + frame->resume;
        c->depth--;
    }
    return true;
}

/* ITEMS comes back to itself after each block, until an empty one ends the array. Items that take
 * no bytes (an array of null) are not iterated: 2^62 of them fit into ten bytes. */
static bool enter_items(const struct plan *plan, const struct instruction *i, struct plan_cursor *c,
                        struct frame *frames, struct avro_reader *r)
{
    uint64_t items;
    if (!read_block(r, &items))
        return false;
    if (items == 0)
        return true;
    c->next = i;
    return plan->code[i->a].operation == PLAN_END ||
           push(c, frames, r, i->a, (uint32_t)(i - plan->code), items, plan->code);
}

static inline bool jump_to_branch(const struct plan *plan, const struct instruction *i,
                                  struct plan_cursor *c, struct avro_reader *r)
{
    uint32_t branch;
    if (!read_branch(r, i->a, &branch))
        return false;
    c->next = plan->code + plan->jumps[i->b + branch];
    return true;
}

static inline bool skip_blobs(struct avro_reader *r, uint32_t count)
{
    for (; count > 0; count--)
        if (!skip_blob(r))
            return false;
    return true;
}

static bool skip_varints(struct avro_reader *r, uint32_t count)
{
    int64_t number;
    for (; count > 0; count--)
        if (!read_long(r, &number))
            return false;
    return true;
}

/* Runs one instruction that neither ends nor gates. */
static inline __attribute__((always_inline)) bool step(const struct plan *plan,
                                                       const struct instruction *i,
                                                       struct plan_cursor *c, struct frame *frames,
                                                       struct avro_reader *r, struct change *change)
{
    uint32_t symbol;
    switch ((enum plan_operation)i->operation) {
    case PLAN_SKIP_BLOB: return skip_blobs(r, i->a);
    case PLAN_SKIP_OPTIONAL: return skip_optional(r, i->a);
    case PLAN_SKIP_VARINT: return skip_varints(r, i->a);
    case PLAN_SKIP_BYTES: return skip(r, i->a);
    case PLAN_SKIP_ENUM: return read_symbol(r, i->a, &symbol);
    case PLAN_SKIP_BOOLEAN: return skip_boolean(r);
    case PLAN_SWITCH: return jump_to_branch(plan, i, c, r);
    case PLAN_JUMP: c->next = plan->code + i->a; return true;
    case PLAN_CALL:
        return push(c, frames, r, i->a, (uint32_t)(c->next - plan->code), 1, plan->code);
    case PLAN_ITEMS: return enter_items(plan, i, c, frames, r);
    case PLAN_MARK: *((bool *)change + i->a) = true; return true;
    default: return take(plan, i, r, change);
    }
}

/* 1970-01-01T00:00:00, with or without a fraction, which is 0. */
static bool is_epoch(const struct column *c)
{
    static const char assignment_epoch[] = "1970-01-01T00:00:00";
    if (c->kind == COLUMN_INT)
        return c->number == 0;
    if (c->kind != COLUMN_TEXT || c->len < sizeof assignment_epoch - 1 ||
        memcmp(c->data, assignment_epoch, sizeof assignment_epoch - 1) != 0)
        return false;
    for (size_t i = sizeof assignment_epoch - 1; i < c->len; i++)
        if (strchr("0.Z+:", c->data[i]) == NULL)
            return false;
    return true;
}

enum plan_result plan_run(const struct plan *plan, const uint8_t *body, size_t len, bool gate,
                          struct change *ret_change, const char **ret_why, uint64_t *ret_steps)
{
    struct avro_reader r = {body, body + len, NULL};
    struct frame frames[PLAN_DEPTH_MAX];
    struct plan_cursor c = {plan->code, 0};
    memset(ret_change, 0,
           offsetof(struct change, extra) + plan->extra_count * sizeof *ret_change->extra);
    ret_change->extra_count = plan->extra_count;
    enum plan_result result = PLAN_DONE;
    uint64_t steps = 0;
    for (;;) {
        const struct instruction *i = c.next++;
        steps++;
        if (i->operation == PLAN_END) {
            if (!leave(&c, frames, plan->code))
                break;
        } else if (i->operation == PLAN_GATE) {
            if (gate && !triggers(plan, &ret_change->status)) {
                ret_change->stopped_early = true;
                result = PLAN_STOPPED;
                break;
            }
        } else if (!step(plan, i, &c, frames, &r, ret_change)) {
            break;
        }
    }
    if (ret_steps != NULL)
        *ret_steps = steps;
    if (r.why == NULL && result == PLAN_DONE && r.at != r.end)
        malformed(&r, "bytes are left over after the record");
    if (plan->epoch_is_null && is_epoch(&ret_change->field[FIELD_CONFIRMED_AT]))
        ret_change->field[FIELD_CONFIRMED_AT] = (struct column){.kind = COLUMN_NULL};
    if (r.why == NULL)
        return result;
    *ret_why = r.why;
    return PLAN_MALFORMED;
}
