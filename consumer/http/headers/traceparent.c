#include "http/headers/traceparent.h"

#include "base/digest/sha256.h"
#include "base/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRACE_AT = 3, TRACE_LEN = 32, PARENT_AT = 36, PARENT_LEN = 16, FLAGS_AT = 53, LEN = 55 };

static bool is_hex(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    return true;
}

static bool is_zero(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] != '0')
            return false;
    return true;
}

bool traceparent_read(struct slice value, char ret_text[TRACEPARENT_TEXT])
{
    const char *text = value.data;
    if (text == NULL || value.len < LEN || text[TRACE_AT - 1] != '-' ||
        text[PARENT_AT - 1] != '-' || text[FLAGS_AT - 1] != '-' || !is_hex(text, 2) ||
        !is_hex(text + TRACE_AT, TRACE_LEN) || !is_hex(text + PARENT_AT, PARENT_LEN) ||
        !is_hex(text + FLAGS_AT, 2))
        return false;
    bool is_later = memcmp(text, "00", 2) != 0;
    if (memcmp(text, "ff", 2) == 0 || is_zero(text + TRACE_AT, TRACE_LEN) ||
        is_zero(text + PARENT_AT, PARENT_LEN))
        return false;
    if (value.len > LEN && !(is_later && text[LEN] == '-'))
        return false;
    snprintf(ret_text, TRACEPARENT_TEXT, "00%.*s", LEN - 2, text + 2);
    return true;
}

/* Sampled (01): with 00 a receiver that follows its caller's decision, as OpenTelemetry's do by
 * default, would record nothing any more. */
void traceparent_make(const char *id, char ret_text[TRACEPARENT_TEXT])
{
    static const char sampled[] = "-01";
    enum { TRACE_BYTES = TRACE_LEN / 2, BYTES = TRACE_BYTES + PARENT_LEN / 2 };
    unsigned char digest[SHA256_BYTES];
    sha256(id, strlen(id), digest);
    digest[TRACE_BYTES - 1] |= 1; /* never all zeros */
    digest[BYTES - 1] |= 1;
    char *at = hex_write(stpcpy(ret_text, "00-"), digest, TRACE_BYTES);
    *at++ = '-';
    at = hex_write(at, digest + TRACE_BYTES, BYTES - TRACE_BYTES);
    memcpy(at, sampled, sizeof sampled);
}

struct trace_context traceparent_split(const char text[TRACEPARENT_TEXT])
{
    struct trace_context context = {.flags = (uint8_t)strtoul(text + FLAGS_AT, NULL, 16)};
    memcpy(context.trace_id, text + TRACE_AT, TRACE_LEN);
    memcpy(context.span_id, text + PARENT_AT, PARENT_LEN);
    return context;
}

void traceparent_join(const struct trace_context *context, char ret_text[TRACEPARENT_TEXT])
{
    snprintf(ret_text, TRACEPARENT_TEXT, "00-%s-%s-%02x", context->trace_id, context->span_id,
             context->flags);
}

bool trace_is_among(const char trace_id[TRACE_ID_TEXT], double share)
{
    enum { BITS = 56, DIGITS = BITS / 4 };
    uint64_t drawn = strtoull(trace_id + TRACE_LEN - DIGITS, NULL, 16);
    return drawn >= (uint64_t)((1 - share) * (double)(UINT64_C(1) << BITS));
}
