#include "http/web_internal.h"

#include "base/hex.h"
#include "base/utf8.h"

#include <assert.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the target ---- */

bool web_decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; to++) {
        if (*from != '%') {
            *to = *from++;
            continue;
        }
        int high = hex_digit(from[1]), low = high >= 0 ? hex_digit(from[2]) : -1;
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *to = (char)(high * 16 + low);
        from += 3;
    }
    *to = '\0';
    return utf8_is_valid(text, (size_t)(to - text));
}

static void plus_to_space(char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '+')
            *text = ' ';
}

static void add_pair(struct web_request *x, char *pair)
{
    if (x->query_count == WEB_QUERY_MAX) {
        x->target_bad = true;
        return;
    }
    struct query_pair *q = &x->query[x->query_count++];
    char *equals = strchr(pair, '=');
    q->name = pair;
    q->value = equals != NULL ? equals + 1 : pair + strlen(pair);
    if (equals != NULL)
        *equals = '\0';
    plus_to_space(q->name);
    plus_to_space(q->value);
    bool name_ok = web_decode(q->name), value_ok = web_decode(q->value);
    q->bad = !name_ok || !value_ok;
}

static void split_target(struct web_request *x)
{
    char *query = strchr(x->target, '?');
    if (query != NULL)
        *query++ = '\0';
    for (char *rest = query, *pair; rest != NULL && (pair = strsep(&rest, "&")) != NULL;)
        if (*pair != '\0')
            add_pair(x, pair);
}

struct web_request *web_request_new(struct web *web, const char *target)
{
    struct web_request *x = calloc(1, sizeof *x);
    if (x == NULL || (x->target = strdup(target)) == NULL) {
        free(x);
        return NULL;
    }
    x->web = web;
    x->method = "";
    buf_init(&x->body, web->limits.body_max);
    buf_init(&x->stream, STREAM_BEHIND_MAX);
    split_target(x);
    LIST_INSERT_HEAD(&web->requests, x, link);
    return x;
}

void web_request_free(struct web_request *x)
{
    LIST_REMOVE(x, link);
    for (size_t i = 0; i < x->header_count; i++)
        free(x->headers[i].value);
    if (x->response != NULL)
        MHD_destroy_response(x->response);
    buf_done(&x->body);
    buf_done(&x->stream);
    free(x->target);
    free(x);
}

void web_request_wake(struct web_request *x)
{
    if (!x->suspended)
        return;
    x->suspended = false;
    MHD_resume_connection(x->connection);
}

/* ---- the request ---- */

const char *web_request_method(const struct web_request *x)
{
    return x->method;
}

const char *web_request_path(const struct web_request *x)
{
    return x->target + x->path_at;
}

void web_request_skip(struct web_request *x, size_t len)
{
    size_t left = strlen(web_request_path(x));
    x->path_at += len < left ? len : left;
}

const char *web_request_address(const struct web_request *x, char text[64])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info != NULL ? info->client_addr : NULL;
    snprintf(text, 64, "unknown");
    if (address != NULL)
        (void)getnameinfo(address,
                          address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                         : sizeof(struct sockaddr_in),
                          text, 64, NULL, 0, NI_NUMERICHOST);
    return text;
}

struct slice web_request_body(const struct web_request *x)
{
    return (struct slice){x->body.data, x->body.len};
}

bool web_request_body_cut(const struct web_request *x)
{
    return x->body.failed;
}

struct count {
    unsigned lengths, hosts, encodings;
};

static enum MHD_Result count_header(void *context, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    struct count *count = context;
    (void)kind, (void)value;
    count->lengths += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    count->hosts += strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
    count->encodings += strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    return MHD_YES;
}

bool web_request_is_ambiguous(const struct web_request *x)
{
    struct count count = {0};
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, count_header, &count);
    return count.lengths + count.encodings > 1 || count.hosts > 1 || x->target_bad ||
           strlen(x->target) > WEB_PATH_MAX;
}

const char *web_request_header(const struct web_request *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

const char *web_request_query(struct web_request *x, const char *name, bool *ret_bad)
{
    const char *found = NULL;
    for (size_t i = 0; i < x->query_count; i++) {
        if (strcmp(x->query[i].name, name) != 0)
            continue;
        *ret_bad |= found != NULL || x->query[i].bad;
        found = x->query[i].value;
    }
    return found;
}

bool web_request_query_is_known(const struct web_request *x, const char *const *names)
{
    for (size_t i = 0; i < x->query_count; i++) {
        const char *const *name = names;
        while (*name != NULL && strcmp(*name, x->query[i].name) != 0)
            name++;
        if (*name == NULL)
            return false;
    }
    return true;
}

void web_request_set_context(struct web_request *x, void *context)
{
    x->context = context;
}

void *web_request_context(const struct web_request *x)
{
    return x->context;
}

/* ---- the answer ---- */

void web_request_add_header(struct web_request *x, const char *name, const char *value)
{
    size_t i = 0;
    while (i < x->header_count && strcmp(x->headers[i].name, name) != 0)
        i++;
    assert(i < sizeof x->headers / sizeof *x->headers);
    if (i < x->header_count) { /* set before: the later value counts */
        free(x->headers[i].value);
        x->headers[i] = x->headers[--x->header_count];
        i = x->header_count;
    }
    x->headers[i].name = name;
    x->headers[i].value = strdup(value);
    if (x->headers[i].value != NULL)
        x->header_count++;
}

static void answer(struct web_request *x, unsigned status, const char *content_type,
                   struct MHD_Response *response)
{
    assert(x->response == NULL);
    if (response == NULL) /* no memory: an empty answer */
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    x->status = status;
    x->response = response;
    if (content_type != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    for (size_t i = 0; i < x->header_count; i++)
        MHD_add_response_header(response, x->headers[i].name, x->headers[i].value);
    web_request_wake(x);
}

/* libmicrohttpd's parameter lacks the const that its documentation promises. */
static struct MHD_Response *response_of(struct slice body, enum MHD_ResponseMemoryMode mode)
{
    union {
        const char *in;
        void *out;
    } data = {.in = body.len > 0 ? body.data : ""};
    return MHD_create_response_from_buffer(body.len, data.out, mode);
}

void web_request_reply(struct web_request *x, unsigned status, const char *content_type,
                       struct slice body)
{
    answer(x, status, content_type, response_of(body, MHD_RESPMEM_MUST_COPY));
}

void web_request_reply_static(struct web_request *x, unsigned status, const char *content_type,
                              struct slice body)
{
    answer(x, status, content_type, response_of(body, MHD_RESPMEM_PERSISTENT));
}

void web_request_close(struct web_request *x)
{
    x->closed = true;
    web_request_wake(x);
}

/* The connection sleeps while there is nothing to send. */
static ssize_t read_stream(void *context, uint64_t at, char *out, size_t max)
{
    struct web_request *x = context;
    size_t left = x->stream.len - x->stream_at;
    (void)at;
    if (x->stream_end == STREAM_BROKEN)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (left == 0 && x->stream_end == STREAM_OVER)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (left == 0) {
        x->suspended = true;
        MHD_suspend_connection(x->connection);
        return 0;
    }
    size_t size = left < max ? left : max;
    memcpy(out, x->stream.data + x->stream_at, size);
    x->stream_at += size;
    if (x->stream_at == x->stream.len) {
        buf_reset(&x->stream);
        x->stream_at = 0;
    }
    return (ssize_t)size;
}

void web_request_stream(struct web_request *x, const char *content_type)
{
    enum { BLOCK = 4096 };
    x->is_stream = true;
    answer(x, MHD_HTTP_OK, content_type,
           MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, x, NULL));
}

bool web_request_send(struct web_request *x, struct slice bytes)
{
    if (x->stream_end != STREAM_OPEN)
        return false;
    buf_add(&x->stream, bytes.data, bytes.len);
    if (!buf_ok(&x->stream)) {
        buf_reset(&x->stream);
        x->stream_at = 0;
        web_request_end(x);
        return false;
    }
    web_request_wake(x);
    return true;
}

void web_request_end(struct web_request *x)
{
    x->stream_end = STREAM_OVER;
    web_request_wake(x);
}

void web_request_break(struct web_request *x)
{
    x->stream_end = STREAM_BROKEN;
    web_request_wake(x);
}

size_t web_request_unsent(const struct web_request *x)
{
    return x->stream.len - x->stream_at;
}
