#include "topics/outcome_parse.h"

#include "base/utf8.h"

enum { DIGITS_MAX = 18 };

static const struct field {
    const char *lead; /* what stands before its value */
    size_t lead_len, at;
    bool is_text;
} fields[] = {
#define LEAD(name) ",\"" #name "\":"
#define TEXT(name) {LEAD(name), sizeof LEAD(name) - 1, offsetof(struct outcome_fields, name), true},
#define NUMBER(name) \
    {LEAD(name), sizeof LEAD(name) - 1, offsetof(struct outcome_fields, name), false},
    OUTCOME_FIELDS(TEXT, NUMBER)
#undef TEXT
#undef NUMBER
#undef LEAD
};

static bool skip(struct slice *from, const char *text, size_t len)
{
    if (from->len < len || memcmp(from->data, text, len) != 0)
        return false;
    from->data += len;
    from->len -= len;
    return true;
}

static bool skip_null(struct slice *from)
{
    return skip(from, "null", 4);
}

/* From behind its opening quote. */
static bool take_text(struct slice *from, struct slice *ret)
{
    size_t len = 0;
    while (len < from->len && from->data[len] != '"') {
        if (from->data[len] == '\\' || (unsigned char)from->data[len] < 0x20)
            return false;
        len++;
    }
    *ret = (struct slice){from->data, len};
    from->data += len;
    from->len -= len;
    return skip(from, "\"", 1);
}

static bool take_number(struct slice *from, int64_t *ret)
{
    size_t len = 0;
    *ret = 0;
    for (; len < from->len && len < DIGITS_MAX; len++) {
        char c = from->data[len];
        if (c < '0' || c > '9')
            break;
        *ret = *ret * 10 + (c - '0');
    }
    bool ok = len == 1 || (len > 1 && from->data[0] != '0');
    from->data += len;
    from->len -= len;
    return ok; /* whatever else belongs to the number is not what comes next */
}

static bool take(struct slice *from, const struct field *field, struct outcome_fields *ret)
{
    void *to = (char *)ret + field->at;
    if (!skip(from, field->lead, field->lead_len))
        return false;
    if (skip_null(from)) {
        if (field->is_text)
            *(struct slice *)to = (struct slice){0};
        else
            *(int64_t *)to = -1;
        return true;
    }
    return field->is_text ? skip(from, "\"", 1) && take_text(from, to) : take_number(from, to);
}

bool outcome_read(struct slice record, struct outcome_fields *ret)
{
    static const char begin[] = "{\"version\":1", end[] = ",\"previous\":[]}",
                      owner[] = ",\"owner\":\"";
    struct outcome_fields found = {0};
    if (!skip(&record, begin, sizeof begin - 1) || !utf8_is_valid(record.data, record.len))
        return false;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!take(&record, &fields[i], &found))
            return false;
    if (skip(&record, owner, sizeof owner - 1) && !take_text(&record, &found.owner))
        return false;
    if (!skip(&record, end, sizeof end - 1) || record.len > 0)
        return false;
    *ret = found;
    return true;
}
