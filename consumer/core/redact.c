#include "core/redact.h"

#include "core/utf8.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

static const char mark[] = "[redacted]";
enum { SEGMENT_MIN = 8 };

void redact_add(struct redact *r, struct slice needle)
{
    if (needle.data != NULL && needle.len >= REDACT_NEEDLE_MIN && r->count < REDACT_NEEDLES_MAX)
        r->needles[r->count++] = needle;
}

void redact_add_url(struct redact *r, const char *url)
{
    redact_add(r, slice_of(url));
    const char *host = strstr(url, "://");
    const char *path = host != NULL ? strchr(host + 3, '/') : NULL;
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

void redact_add_payload(struct redact *r, struct slice body, struct redact_payload *ret_held)
{
    static const char *const personal[] = {"client_name", "client_phone", "client_address",
                                           "client_city"};
    json_t *root = json_loadb(body.data, body.len, 0, NULL);
    json_t *fields = json_object_get(root, "fields");
    ret_held->json = root;
    for (size_t i = 0; i < sizeof personal / sizeof *personal; i++)
        redact_add(r, slice_of(json_string_value(
                          json_object_get(fields != NULL ? fields : root, personal[i]))));
}

void redact_done(struct redact_payload *held)
{
    json_decref(held->json);
}

/* The length of the longest needle that begins here; 0: none. */
static size_t needle_at(const struct redact *r, const char *at, size_t left)
{
    size_t longest = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct slice *n = &r->needles[i];
        if (n->len <= left && n->len > longest && strncasecmp(at, n->data, n->len) == 0)
            longest = n->len;
    }
    return longest;
}

/* Bytes of the character that begins here; 0 when it is none. */
static size_t character_at(const char *at, size_t left)
{
    for (size_t len = 1; len <= 4 && len <= left; len++)
        if (utf8_is_valid(at, len))
            return len;
    return 0;
}

void redact_apply(const struct redact *r, struct slice text, struct buf *b)
{
    size_t begin = b->len;
    for (size_t i = 0; i < text.len;) {
        const char *at = text.data + i;
        size_t needle = needle_at(r, at, text.len - i);
        size_t len = needle > 0 ? needle : character_at(at, text.len - i);
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
