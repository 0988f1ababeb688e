#include "cdc/schema/schema_text.h"

#include "base/buf.h"

#include <string.h>

/* Places in a schema, by what is allowed there. */
enum place {
    PLACE_NOWHERE,
    PLACE_TYPE,       /* a name, a union or a definition */
    PLACE_FIELDS,     /* a record's list of fields */
    PLACE_FIELD,      /* one of them */
    PLACE_SCALAR,     /* copied as it is: a name, a size */
    PLACE_SCALARS,    /* a list of them: an enum's symbols */
    PLACE_WORD,       /* an annotation's value: only short plain ones mean anything */
    PLACE_WORDS,      /* a list of them */
    PLACE_PARAMETERS, /* connect.parameters */
    PLACE_DEFAULT
};

static const struct attribute {
    enum place of;
    const char *name;
    enum place place;
} attributes[] = {
    {PLACE_TYPE, "type", PLACE_TYPE},
    {PLACE_TYPE, "name", PLACE_SCALAR},
    {PLACE_TYPE, "namespace", PLACE_SCALAR},
    {PLACE_TYPE, "fields", PLACE_FIELDS},
    {PLACE_TYPE, "items", PLACE_TYPE},
    {PLACE_TYPE, "values", PLACE_TYPE},
    {PLACE_TYPE, "symbols", PLACE_SCALARS},
    {PLACE_TYPE, "size", PLACE_SCALAR},
    {PLACE_TYPE, "logicalType", PLACE_WORD},
    {PLACE_TYPE, "scale", PLACE_WORD},
    {PLACE_TYPE, "connect.name", PLACE_WORD},
    {PLACE_TYPE, "connect.parameters", PLACE_PARAMETERS},
    {PLACE_TYPE, "confluent:tags", PLACE_WORDS},
    {PLACE_FIELD, "confluent:tags", PLACE_WORDS},
    {PLACE_FIELD, "encrypted-by", PLACE_WORD}, /* cdc/schema/schema_rules */
    {PLACE_FIELD, "name", PLACE_SCALAR},
    {PLACE_FIELD, "type", PLACE_TYPE},
    {PLACE_FIELD, "default", PLACE_DEFAULT},
    {PLACE_FIELD, "logicalType", PLACE_WORD},
    {PLACE_FIELD, "scale", PLACE_WORD},
    {PLACE_FIELD, "connect.name", PLACE_WORD},
    {PLACE_FIELD, "connect.parameters", PLACE_PARAMETERS},
    {PLACE_PARAMETERS, "scale", PLACE_WORD},
};

struct text_reader {
    const char *at, *end;
    struct buf out;
    struct error *err;
};

static bool reduce(struct text_reader *r, enum place place, unsigned depth);

static bool no_json(struct text_reader *r, const char *why)
{
    return error_set(r->err, ERROR_UNDECODABLE, "the schema is not JSON: %s", why);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_mark(char c)
{
    return c != '\0' && strchr("{}[]\",:", c) != NULL;
}

static void skip_space(struct text_reader *r)
{
    while (r->at < r->end && is_space(*r->at))
        r->at++;
}

/* The next character other than white space, left in place; NUL at the end. */
static char peek(struct text_reader *r)
{
    skip_space(r);
    return r->at < r->end ? *r->at : '\0';
}

static bool skip_string(struct text_reader *r)
{
    for (r->at++; r->at < r->end && *r->at != '"'; r->at++)
        if (*r->at == '\\' && r->at + 1 < r->end)
            r->at++;
    if (r->at >= r->end)
        return no_json(r, "a string does not end");
    r->at++;
    return true;
}

static bool skip_word(struct text_reader *r)
{
    const char *begin = r->at;
    while (r->at < r->end && !is_mark(*r->at) && !is_space(*r->at))
        r->at++;
    return r->at > begin || no_json(r, "a value is missing");
}

/* Skips a whole value. Inside it, only brackets and strings are parsed. */
static bool skip_value(struct text_reader *r)
{
    size_t open = 0;
    do {
        char c = peek(r);
        if (c == '{' || c == '[') {
            open++;
            r->at++;
        } else if (open > 0 && (c == '}' || c == ']')) {
            open--;
            r->at++;
        } else if (open > 0 && (c == ',' || c == ':')) {
            r->at++;
        } else if (c == '"' ? !skip_string(r) : !skip_word(r)) {
            return false;
        }
    } while (open > 0);
    return true;
}

static bool is_integer(const char *text, size_t len)
{
    enum { DIGITS_MAX = 18 }; /* always fit into 64 bits */
    size_t sign = text[0] == '-', digits = len - sign;
    if (digits == 0 || digits > DIGITS_MAX || (text[sign] == '0' && digits > 1))
        return false;
    for (size_t i = sign; i < len; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

static bool is_word(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(text, word, len) == 0;
}

/* Short texts of printable ASCII without escapes, integers, true, false and null. */
static bool is_plain(const char *text, size_t len)
{
    enum { TEXT_MAX = 200 };
    if (text[0] != '"')
        return is_integer(text, len) || is_word(text, len, "true") || is_word(text, len, "false") ||
               is_word(text, len, "null");
    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x20 || text[i] > 0x7e || text[i] == '\\')
            return false;
    return len <= TEXT_MAX;
}

static void keep(struct text_reader *r, const char *text, size_t len)
{
    buf_add(&r->out, text, len);
}

static bool reduce_scalar(struct text_reader *r, enum place place)
{
    skip_space(r);
    const char *begin = r->at;
    bool opens = begin < r->end && (*begin == '{' || *begin == '[');
    if (!skip_value(r))
        return false;
    size_t len = (size_t)(r->at - begin);
    if (place == PLACE_DEFAULT && !is_plain(begin, len))
        buf_add_text(&r->out, "true");
    else if (opens || ((place == PLACE_WORD || place == PLACE_WORDS) && !is_plain(begin, len)))
        buf_add_text(&r->out, "null");
    else
        keep(r, begin, len);
    return true;
}

static enum place place_of(enum place object, const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        if (attributes[i].of == object && strlen(attributes[i].name) == len &&
            memcmp(attributes[i].name, name, len) == 0)
            return attributes[i].place;
    return PLACE_NOWHERE;
}

static bool expect(struct text_reader *r, char c, const char *why)
{
    if (peek(r) != c || r->at == r->end)
        return no_json(r, why);
    r->at++;
    return true;
}

/* "name": value; *kept: members that went out so far. */
static bool reduce_member(struct text_reader *r, enum place object, size_t *kept, unsigned depth)
{
    if (peek(r) != '"')
        return no_json(r, "an attribute has no name");
    const char *name = r->at;
    if (!skip_string(r))
        return false;
    size_t len = (size_t)(r->at - name);
    enum place place = place_of(object, name + 1, len - 2);
    if (!expect(r, ':', "an attribute has no value"))
        return false;
    if (place == PLACE_NOWHERE)
        return skip_value(r);
    if ((*kept)++ > 0)
        buf_add_char(&r->out, ',');
    keep(r, name, len);
    buf_add_char(&r->out, ':');
    return reduce(r, place, depth + 1);
}

static bool reduce_object(struct text_reader *r, enum place place, unsigned depth)
{
    size_t kept = 0;
    r->at++;
    buf_add_char(&r->out, '{');
    for (bool first = true; peek(r) != '}'; first = false)
        if ((!first && !expect(r, ',', "a comma is missing")) ||
            !reduce_member(r, place, &kept, depth))
            return false;
    r->at++;
    buf_add_char(&r->out, '}');
    return true;
}

static enum place place_of_items(enum place list)
{
    switch (list) {
    case PLACE_FIELDS: return PLACE_FIELD;
    case PLACE_SCALARS: return PLACE_SCALAR;
    case PLACE_WORDS: return PLACE_WORD;
    default: return PLACE_TYPE;
    }
}

static bool reduce_array(struct text_reader *r, enum place place, unsigned depth)
{
    r->at++;
    buf_add_char(&r->out, '[');
    for (bool first = true; peek(r) != ']'; first = false) {
        if (!first && !expect(r, ',', "a comma is missing"))
            return false;
        if (!first)
            buf_add_char(&r->out, ',');
        if (!reduce(r, place_of_items(place), depth + 1))
            return false;
    }
    r->at++;
    buf_add_char(&r->out, ']');
    return true;
}

/* Reads one value, and writes the part of it that is needed. */
static bool reduce(struct text_reader *r, enum place place, unsigned depth)
{
    char c = peek(r);
    bool object = place == PLACE_TYPE || place == PLACE_FIELD || place == PLACE_PARAMETERS;
    bool array = place == PLACE_TYPE || place == PLACE_FIELDS || place == PLACE_SCALARS ||
                 place == PLACE_WORDS;
    if (depth > SCHEMA_TEXT_DEPTH_MAX)
        return error_set(r->err, ERROR_UNDECODABLE, "the schema is nested deeper than %d",
                         SCHEMA_TEXT_DEPTH_MAX);
    if (c == '{' && object)
        return reduce_object(r, place, depth);
    if (c == '[' && array)
        return reduce_array(r, place, depth);
    return reduce_scalar(r, place);
}

/* The parser's message on the reduced text; its position would mislead, so it is left out. */
static json_t *parse(struct text_reader *r)
{
    json_error_t error;
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_t *json = json_loadb(r->out.data, r->out.len, flags, &error);
    if (json == NULL)
        no_json(r, error.text);
    return json;
}

json_t *schema_text_parse(const char *text, size_t len, struct error *err)
{
    struct text_reader r = {.at = text, .end = text + len, .err = err};
    json_t *json = NULL;
    buf_init(&r.out, 4 * len + 64); /* a default of one digit becomes true */
    if (reduce(&r, PLACE_TYPE, 0)) {
        skip_space(&r);
        if (r.at < r.end)
            no_json(&r, "something follows it");
        else if (!buf_ok(&r.out))
            error_no_memory(err);
        else
            json = parse(&r);
    }
    buf_done(&r.out);
    return json;
}
