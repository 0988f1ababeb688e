#include "delivery/redact.h"

#include "base/utf8.h"
#include "delivery/unescape.h"

#include <ctype.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>

static const char mark[] = "[redacted]";
enum { SEGMENT_MIN = 8 };

/* ---- the values to find ---- */

void redact_add(struct redact *r, struct slice needle)
{
    if (needle.data != NULL && needle.len >= REDACT_NEEDLE_MIN && r->count < REDACT_NEEDLES_MAX)
        r->needles[r->count++] = needle;
}

void redact_add_words(struct redact *r, struct slice text)
{
    redact_add(r, text);
    for (size_t at = 0, len; at < text.len; at += len + 1) {
        for (len = 0; at + len < text.len && strchr(" ,;", text.data[at + len]) == NULL;)
            len++;
        if (len < text.len)
            redact_add(r, (struct slice){text.data + at, len});
    }
}

void redact_add_url(struct redact *r, const char *url)
{
    redact_add(r, slice_of(url));
    const char *host = strstr(url, "://");
    const char *path = host != NULL ? strpbrk(host + 3, "/?") : NULL;
    if (path == NULL)
        return;
    redact_add(r, slice_of(path));
    for (const char *at = path + 1; *at != '\0'; at += strspn(at, "/?&=")) {
        size_t len = strcspn(at, "/?&=");
        if (len >= SEGMENT_MIN)
            redact_add(r, (struct slice){at, len});
        at += len;
    }
}

/* By its last digits: in front of them stand a zero, or a country's number, or neither. */
static void add_phone(struct redact *r, struct slice phone)
{
    size_t count = 0;
    for (size_t i = phone.len; i > 0 && count < REDACT_DIGITS_MAX; i--)
        if (isdigit((unsigned char)phone.data[i - 1]))
            r->digits[REDACT_DIGITS_MAX - ++count] = phone.data[i - 1];
    memmove(r->digits, r->digits + REDACT_DIGITS_MAX - count, count);
    r->digit_count = count >= REDACT_DIGITS_MIN ? count : 0;
}

static struct slice text_of(const json_t *value)
{
    return (struct slice){json_string_value(value), json_string_length(value)};
}

void redact_add_payload(struct redact *r, struct slice body, struct redact_payload *ret_held)
{
    static const char *const personal[] = {"client_name", "client_phone", "client_address",
                                           "client_city"};
    enum { COUNT = sizeof personal / sizeof *personal };
    json_t *root = json_loadb(body.data, body.len, JSON_ALLOW_NUL, NULL), *column;
    json_t *fields = json_object_get(root, "fields");
    size_t at;
    if (fields == NULL)
        fields = root;
    ret_held->json = root;
    for (size_t i = 0; i < COUNT; i++)
        redact_add(r, text_of(json_object_get(fields, personal[i])));
    for (size_t i = 0; i < COUNT; i++) /* as far as there is room */
        redact_add_words(r, text_of(json_object_get(fields, personal[i])));
    add_phone(r, text_of(json_object_get(fields, "client_phone")));
    json_array_foreach (json_object_get(root, "columns"), at, column) {
        redact_add_words(r, text_of(column));
    }
}

void redact_done(struct redact_payload *held)
{
    json_decref(held->json);
}

/* ---- their places ---- */

/* The bytes to be redacted: changes[i] is how many more needles cover byte i than byte i - 1. */
struct cover {
    struct unescaped text, stripped; /* the same without accents */
    int32_t changes[UNESCAPE_MAX + 1];
};

/* The characters [first, end) of an unescaped text, as bytes of the text itself. */
static void cover_range(struct cover *c, const struct unescaped *text, size_t first, size_t end)
{
    c->changes[text->begin[first]]++;
    c->changes[text->end[end - 1]]--;
}

/* For each beginning of the needle the longest shorter one that it ends with (Knuth, Morris and
 * Pratt 1977): so each byte of the text is looked at twice at most. */
static void find_borders(const struct unescaped *needle, uint16_t *ret_borders)
{
    size_t border = 0;
    ret_borders[0] = 0;
    for (size_t i = 1; i < needle->len; i++) {
        while (border > 0 && needle->bytes[i] != needle->bytes[border])
            border = ret_borders[border - 1];
        border += needle->bytes[i] == needle->bytes[border];
        ret_borders[i] = (uint16_t)border;
    }
}

/* A needle too long to be compared as a whole covers all that follows its beginning. */
static void cover_needle(struct cover *c, const struct unescaped *text,
                         const struct unescaped *needle, bool whole, bool text_cut)
{
    uint16_t borders[UNESCAPE_MAX];
    size_t same = 0;
    if (needle->len < REDACT_NEEDLE_MIN)
        return;
    find_borders(needle, borders);
    for (size_t i = 0; i < text->len; i++) {
        while (same > 0 && text->bytes[i] != needle->bytes[same])
            same = borders[same - 1];
        same += text->bytes[i] == needle->bytes[same];
        if (same < needle->len)
            continue;
        cover_range(c, text, i + 1 - same, whole ? i + 1 : text->len);
        same = borders[same - 1];
    }
    if (text_cut && same >= REDACT_NEEDLE_MIN)
        cover_range(c, text, text->len - same, text->len);
}

/* The length of the telephone number that begins here; 0: none does. */
static size_t match_digits(const struct redact *r, const char *at, size_t left)
{
    size_t len = 0, found = 0;
    for (; len < left && found < r->digit_count; len++) {
        if (at[len] == r->digits[found])
            found++;
        else if (found == 0 || strchr(" .-/()", at[len]) == NULL)
            return 0;
    }
    return found == r->digit_count ? len : 0;
}

static void cover_digits(struct cover *c, const struct redact *r)
{
    for (size_t i = 0, len; i < c->text.len; i++)
        if ((len = match_digits(r, c->text.bytes + i, c->text.len - i)) > 0)
            cover_range(c, &c->text, i, i + len);
}

static void cover_all(struct cover *c, const struct redact *r, struct slice text, bool cut)
{
    struct unescaped needle;
    unescape(text, &c->text);
    c->stripped = c->text;
    bool has_accents = unescape_strip(&c->stripped);
    memset(c->changes, 0, sizeof c->changes);
    for (size_t i = 0; i < r->count; i++) {
        unescape(r->needles[i], &needle);
        bool whole = r->needles[i].len <= UNESCAPE_MAX;
        cover_needle(c, &c->text, &needle, whole, cut);
        if (unescape_strip(&needle) || has_accents)
            cover_needle(c, &c->stripped, &needle, whole, cut);
    }
    cover_digits(c, r);
}

static void add_printable(struct buf *b, const char *at, size_t size)
{
    if (size == 0)
        buf_add_char(b, '?');
    else if (size == 1 && ((unsigned char)*at < 0x20 || *at == 0x7f))
        buf_add_char(b, ' ');
    else
        buf_add(b, at, size);
}

void redact_apply(const struct redact *r, struct slice text, struct buf *b)
{
    struct cover c;
    size_t begin = b->len;
    bool cut = r->cut || text.len > UNESCAPE_MAX, blotted = false;
    if (text.len > UNESCAPE_MAX)
        text.len = UNESCAPE_MAX;
    cover_all(&c, r, text, cut);
    int32_t depth = 0;
    for (size_t i = 0, taken; i < text.len; i += taken) {
        size_t size = utf8_char_size(text.data + i, text.len - i);
        bool was = blotted;
        for (taken = 0; taken == 0 || taken < size; taken++)
            depth += c.changes[i + taken];
        blotted = depth > 0;
        size_t written = blotted ? (was ? 0 : sizeof mark - 1) : taken;
        if (b->len - begin + written > REDACT_OUT_MAX)
            return;
        if (blotted && !was)
            buf_add_text(b, mark);
        else if (!blotted)
            add_printable(b, text.data + i, size);
    }
}
