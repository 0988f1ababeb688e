/* own_post: a prototype, to be held against bench_bare_post: libcurl makes the connections
 * (CURLOPT_CONNECT_ONLY: its DNS, proxy and TLS), HTTP/1.1 over them is our own, and answers are
 * read by llhttp. The same bytes as bench_bare_post sends; tried.md has what came of it.
 *
 *   bench_own_post URL CONCURRENCY COUNT BODY_FILE      prints count, milliseconds, CPU
 * milliseconds
 *
 * As little as a fair comparison needs: no time limits, no answer that ends with its connection, a
 * request that fits into the socket's buffer. A connection that the server closes is made anew. */
#include "bench/bare_sender.h"
#include "bench/clock.h"

#include <llhttp.h>
#include <stdlib.h>
#include <sys/epoll.h>

enum { REQUEST_MAX = BARE_BODY_MAX + 2048, ANSWER_MAX = 16384, EVENTS_MAX = 64 };

struct connection {
    CURL *easy;
    curl_socket_t fd;
    llhttp_t parser;
    bool answered, keep;
};

static const char *url, *body, *host, *path;
static struct curl_slist *headers;
static llhttp_settings_t settings;
static long started, done, wanted;
static int ready;

static int on_complete(llhttp_t *parser)
{
    struct connection *c = parser->data;
    c->answered = true;
    c->keep = llhttp_should_keep_alive(parser) == 1;
    return 0;
}

/* Waits for it: connections are few where they are kept. */
static void open_connection(struct connection *c)
{
    if (c->easy != NULL)
        curl_easy_cleanup(c->easy);
    c->easy = bare_easy(url, headers, body);
    curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(c->easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(c->easy, CURLOPT_CONNECT_ONLY, 1L);
    need(curl_easy_perform(c->easy) == CURLE_OK &&
             curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &c->fd) == CURLE_OK,
         url, "no connection");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    need(epoll_ctl(ready, EPOLL_CTL_ADD, c->fd, &event) == 0, "epoll", "refused");
}

static size_t write_request(char text[REQUEST_MAX])
{
    size_t body_len = strlen(body);
    int head = snprintf(text, REQUEST_MAX,
                        "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: elementor-sync/%s\r\nAccept: "
                        "*/*\r\n",
                        path, host, ELEMENTOR_SYNC_VERSION);
    for (const struct curl_slist *h = headers->next; h != NULL; h = h->next)
        head += snprintf(text + head, (size_t)(REQUEST_MAX - head), "%s\r\n", h->data);
    head += snprintf(text + head, (size_t)(REQUEST_MAX - head), "Content-Length: %zu\r\n\r\n",
                     body_len);
    memcpy(text + head, body, body_len);
    return (size_t)head + body_len;
}

static void send_next(struct connection *c)
{
    static char text[REQUEST_MAX];
    size_t len = write_request(text), sent;
    llhttp_init(&c->parser, HTTP_RESPONSE, &settings);
    c->parser.data = c;
    c->answered = false;
    need(curl_easy_send(c->easy, text, len, &sent) == CURLE_OK && sent == len, "request",
         "not sent");
    started++;
}

/* False: the server has closed. */
static bool receive(struct connection *c)
{
    static char bytes[ANSWER_MAX];
    size_t got;
    CURLcode code;
    while ((code = curl_easy_recv(c->easy, bytes, sizeof bytes, &got)) == CURLE_OK && got > 0) {
        need(llhttp_execute(&c->parser, bytes, got) == HPE_OK, "answer", "no HTTP");
        if (c->answered)
            return true;
    }
    need(code == CURLE_AGAIN || (code == CURLE_OK && got == 0), "answer", curl_easy_strerror(code));
    return code == CURLE_AGAIN;
}

static void serve(struct connection *c)
{
    bool open = receive(c);
    if (c->answered) {
        c->answered = false;
        done++;
        if (!c->keep)
            open_connection(c);
        if (started < wanted)
            send_next(c);
    } else {
        need(open, "connection", "closed without an answer");
    }
}

static void split_url(void)
{
    CURLU *parts = curl_url();
    char *name, *port, *where;
    static char with_port[512];
    need(curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
             curl_url_get(parts, CURLUPART_HOST, &name, 0) == CURLUE_OK &&
             curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
             curl_url_get(parts, CURLUPART_PATH, &where, 0) == CURLUE_OK,
         url, "no URL");
    snprintf(with_port, sizeof with_port, "%s:%s", name, port);
    host = with_port;
    path = where;
}

int main(int argc, char **argv)
{
    static struct connection connections[BARE_CONCURRENCY_MAX];
    need(argc == 5, "usage", "bench_own_post URL CONCURRENCY COUNT BODY_FILE");
    url = argv[1];
    long concurrency = atol(argv[2]);
    wanted = atol(argv[3]);
    need(concurrency > 0 && concurrency <= BARE_CONCURRENCY_MAX, "CONCURRENCY", "out of range");
    body = bare_body(argv[4]);
    curl_global_init(CURL_GLOBAL_ALL);
    headers = bare_headers();
    split_url();
    llhttp_settings_init(&settings);
    settings.on_message_complete = on_complete;
    ready = epoll_create1(0);
    double began_ms = now_ms();
    for (long i = 0; i < concurrency && started < wanted; i++) {
        open_connection(&connections[i]);
        send_next(&connections[i]);
    }
    while (done < wanted) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(ready, events, EVENTS_MAX, 1000);
        for (int i = 0; i < count; i++)
            serve(events[i].data.ptr);
    }
    printf("%ld %.3f %.3f\n", done, now_ms() - began_ms, cpu_ms());
    return 0;
}
