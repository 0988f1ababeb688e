#include "core/redact.h"

#include "core/utf8.h"

#include <ctype.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static const char mark[] = "[redacted]";
enum { SEGMENT_MIN = 8 };

/* ---- what to look for ---- */

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
static void add_phone(struct redact *r, const char *phone)
{
    size_t count = 0;
    for (size_t i = phone != NULL ? strlen(phone) : 0; i > 0 && count < REDACT_DIGITS_MAX; i--)
        if (isdigit((unsigned char)phone[i - 1]))
            r->digits[REDACT_DIGITS_MAX - ++count] = phone[i - 1];
    memmove(r->digits, r->digits + REDACT_DIGITS_MAX - count, count);
    r->digit_count = count >= REDACT_DIGITS_MIN ? count : 0;
}

void redact_add_payload(struct redact *r, struct slice body, struct redact_payload *ret_held)
{
    static const char *const personal[] = {"client_name", "client_phone", "client_address",
                                           "client_city"};
    json_t *root = json_loadb(body.data, body.len, 0, NULL);
    json_t *fields = json_object_get(root, "fields");
    if (fields == NULL)
        fields = root;
    ret_held->json = root;
    for (size_t i = 0; i < sizeof personal / sizeof *personal; i++)
        redact_add(r, slice_of(json_string_value(json_object_get(fields, personal[i]))));
    for (size_t i = 0; i < sizeof personal / sizeof *personal; i++) /* as far as there is room */
        redact_add_words(r, slice_of(json_string_value(json_object_get(fields, personal[i]))));
    add_phone(r, json_string_value(json_object_get(fields, "client_phone")));
}

void redact_done(struct redact_payload *held)
{
    json_decref(held->json);
}

/* ---- one character, in whatever way it is written ---- */

static int hex(const char *at, size_t digits)
{
    int value = 0;
    for (size_t i = 0; i < digits; i++) {
        if (!isxdigit((unsigned char)at[i]))
            return -1;
        int digit = isdigit((unsigned char)at[i]) ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10;
        value = value * 16 + digit;
    }
    return value;
}

static bool same_byte(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* The UTF-8 of a code point; returns how many bytes. */
static size_t encode(uint32_t code, char text[4])
{
    static const uint8_t firsts[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, code >>= 6)
        text[i] = (char)(0x80 | (code & 0x3f));
    text[0] = (char)(firsts[len] | code);
    return len;
}

/* "\u00e9", or a pair of them; 0: it is no such thing. */
static size_t read_escape(const char *at, size_t left, uint32_t *ret_code)
{
    int first = left >= 6 && at[0] == '\\' && at[1] == 'u' ? hex(at + 2, 4) : -1;
    if (first < 0)
        return 0;
    *ret_code = (uint32_t)first;
    if (first < 0xd800 || first > 0xdbff)
        return 6;
    int second = left >= 12 && at[6] == '\\' && at[7] == 'u' ? hex(at + 8, 4) : -1;
    if (second < 0xdc00 || second > 0xdfff)
        return 6;
    *ret_code = 0x10000 + (((uint32_t)first - 0xd800) << 10) + ((uint32_t)second - 0xdc00);
    return 12;
}

static size_t step_escape(const char *at, size_t left, struct slice needle, size_t *ret_used)
{
    uint32_t code;
    char utf8[4];
    size_t len = read_escape(at, left, &code);
    if (len == 0)
        return 0;
    *ret_used = encode(code, utf8);
    bool same =
        *ret_used <= needle.len && (*ret_used == 1 ? same_byte(utf8[0], needle.data[0])
                                                   : memcmp(utf8, needle.data, *ret_used) == 0);
    return same ? len : 0;
}

static size_t step_entity(const char *at, size_t left, char wanted)
{
    static const struct {
        const char *text;
        char means;
    } entities[] = {{"&amp;", '&'},  {"&quot;", '"'}, {"&#039;", '\''},
                    {"&#39;", '\''}, {"&lt;", '<'},   {"&gt;", '>'}};
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        size_t len = strlen(entities[i].text);
        if (entities[i].means == wanted && len <= left && memcmp(at, entities[i].text, len) == 0)
            return len;
    }
    return 0;
}

/* The needle's next character as it is, however the text writes it. */
static size_t step_plain(const char *at, size_t left, struct slice needle, size_t *ret_used)
{
    char wanted = needle.data[0];
    *ret_used = 1;
    size_t len = *at == '&' ? step_entity(at, left, wanted) : 0;
    if (len > 0)
        return len;
    if (*at == '%' && left >= 3 && hex(at + 1, 2) >= 0 && same_byte((char)hex(at + 1, 2), wanted))
        return 3;
    if (same_byte(*at, wanted) || (*at == '+' && wanted == ' '))
        return 1;
    if (*at == '\\' && left >= 2 && at[1] == wanted && strchr("/\"\\", wanted) != NULL)
        return 2;
    return step_escape(at, left, needle, ret_used);
}

/* How many bytes of the text stand for the needle's next *ret_used bytes; 0: they do not. What a
 * URL has percent-encoded, a server says decoded. */
static size_t step(const char *at, size_t left, struct slice needle, size_t *ret_used)
{
    size_t len = step_plain(at, left, needle, ret_used);
    int byte = len == 0 && needle.len >= 3 && needle.data[0] == '%' ? hex(needle.data + 1, 2) : -1;
    if (byte < 0)
        return len;
    char decoded = (char)byte;
    len = step_plain(at, left, (struct slice){&decoded, 1}, ret_used);
    *ret_used = 3;
    return len;
}

static size_t match(const struct redact *r, const char *at, size_t left, struct slice needle)
{
    size_t len = 0, whole = needle.len;
    while (needle.len > 0) {
        if (len == left && r->cut && whole - needle.len >= REDACT_NEEDLE_MIN)
            return len;
        size_t used, stepped = len < left ? step(at + len, left - len, needle, &used) : 0;
        if (stepped == 0)
            return 0;
        len += stepped;
        needle.data += used;
        needle.len -= used;
    }
    return len;
}

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

/* The length of the longest needle that begins here; 0: none. */
static size_t needle_at(const struct redact *r, const char *at, size_t left)
{
    size_t longest = match_digits(r, at, left);
    for (size_t i = 0; i < r->count; i++) {
        size_t len = match(r, at, left, r->needles[i]);
        if (len > longest)
            longest = len;
    }
    return longest;
}

void redact_apply(const struct redact *r, struct slice text, struct buf *b)
{
    size_t begin = b->len;
    for (size_t i = 0; i < text.len;) {
        const char *at = text.data + i;
        size_t needle = needle_at(r, at, text.len - i);
        size_t len = needle > 0 ? needle : utf8_char_size(at, text.len - i);
        size_t written = needle > 0 ? sizeof mark - 1 : len > 0 ? len : 1;
        if (b->len - begin + written > REDACT_OUT_MAX)
            return;
        if (needle > 0)
            buf_add_text(b, mark);
        else if (len == 0)
            buf_add_char(b, '?');
        else if (len == 1 && ((unsigned char)*at < 0x20 || *at == 0x7f))
            buf_add_char(b, ' ');
        else
            buf_add(b, at, len);
        i += len > 0 ? len : 1;
    }
}
