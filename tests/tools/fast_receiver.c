/* fast_receiver: a webhook receiver that keeps up: one thread, epoll, answers as it is told.
 *
 *   fast_receiver PORT_FILE JOURNAL [BEHAVIOUR]     JOURNAL "-": none; loopback only
 *
 * BEHAVIOUR, and the body of PUT /_control, are words "name=number" (given at the start or changed
 * for what comes later):
 *   port          at the start only: the port to listen on; 0: any
 *   seed          of the dice
 *   status        200: of the answer
 *   delay_us      the time before the answer, at least; spread_us: at most so much more
 *   fail          one request in so many is answered 500, 502, 503 or 429 (0: none)
 *   reset         one in so many ends with RST, unanswered
 *   shut          one in so many is closed, unanswered
 *   hang          one in so many is never answered: the client must give up
 *   refuse        1: an order whose number ends in "!" is answered 422
 *   retry_after   seconds, with every failure; 0: none
 *   rate          so many a second, burst at once; more are answered 429 at once; 0: no bound
 *   workers       so many at a time; more are answered 503 at once, or wait with queue=1; 0: no
 * bound
 *
 * The journal has a line for each request, written when it ends:
 *   arrived_us ended_us status flag life attempt crc32 order_number order_id webhook_id
 * Times of the wall clock; `arrived` is that of its first byte; status 0: no answer; flag "-", or
 * "g" where the client was gone before its answer: the work is done, and the client does not know.
 * crc32 is of the body; `life` the header x-life; the rest as received. The webhook-signature is
 * journaled as it is, with its timestamp, where there is one, behind the line: " timestamp
 * signature". */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 4096, INPUT_MAX = 64 * 1024, EVENTS = 256, TEXT = 96, SIGNATURE = 256 };

enum { ENDS_ANSWERED, ENDS_RESET, ENDS_SHUT, ENDS_HUNG };

struct client {
    int fd; /* -1: free */
    char *input;
    size_t len;
    int64_t arrived_us; /* first byte of the request that is being read or answered; 0: none */
    bool pending;       /* a request waits for its time */
    int64_t due_us;
    size_t heap_at;
    int ends, status;
    uint32_t crc;
    char life[TEXT], attempt[TEXT], number[TEXT], order[TEXT], id[TEXT];
    char timestamp[TEXT], signature[SIGNATURE];
};

static struct behaviour {
    const char *name;
    long value;
} behaviour[] = {{"port", 0},      {"seed", 1},    {"status", 200},    {"delay_us", 0},
                 {"spread_us", 0}, {"fail", 0},    {"reset", 0},       {"shut", 0},
                 {"hang", 0},      {"refuse", 0},  {"retry_after", 0}, {"rate", 0},
                 {"burst", 1},     {"workers", 0}, {"queue", 0}};

enum { WORKERS_MAX = 1024 };
static int64_t worker_free_us[WORKERS_MAX];
static double tokens;
static int64_t tokens_us;

static struct client clients[CLIENTS_MAX];
static struct client *heap[CLIENTS_MAX + 1]; /* those that wait, soonest at 1 */
static size_t heap_len;
static int epoll_fd;
static FILE *journal;
static uint64_t dice;
static uint32_t crc_table[256];

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}

static long told(const char *name)
{
    for (size_t i = 0; i < sizeof behaviour / sizeof *behaviour; i++)
        if (strcmp(behaviour[i].name, name) == 0)
            return behaviour[i].value;
    abort();
}

static bool tell(char *words)
{
    for (char *save, *word = strtok_r(words, " \n", &save); word != NULL;
         word = strtok_r(NULL, " \n", &save)) {
        char *sign = strchr(word, '=');
        bool known = false;
        for (size_t i = 0; sign != NULL && i < sizeof behaviour / sizeof *behaviour; i++)
            if (strncmp(word, behaviour[i].name, (size_t)(sign - word)) == 0 &&
                behaviour[i].name[sign - word] == '\0') {
                behaviour[i].value = atol(sign + 1);
                known = true;
            }
        if (!known)
            return false;
        if (strncmp(word, "seed=", 5) == 0)
            dice = (uint64_t)told("seed") * 0x9E3779B97F4A7C15u + 1;
    }
    return true;
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint32_t throw_dice(void)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(dice >> 33);
}

static bool one_in(const char *name)
{
    long n = told(name);
    return n > 0 && throw_dice() % (uint32_t)n == 0;
}

static void make_crc_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ 0xEDB88320u : c >> 1;
        crc_table[i] = c;
    }
}

static uint32_t crc32_of(const char *data, size_t len)
{
    uint32_t c = 0xFFFFFFFFu;
    for (size_t i = 0; i < len; i++)
        c = crc_table[(c ^ (unsigned char)data[i]) & 255] ^ c >> 8;
    return ~c;
}

/* ---- waiting connections, soonest first ---- */

static void heap_set(size_t at, struct client *c)
{
    heap[at] = c;
    c->heap_at = at;
}

static void heap_sift(size_t at)
{
    struct client *c = heap[at];
    for (; at > 1 && heap[at / 2]->due_us > c->due_us; at /= 2)
        heap_set(at, heap[at / 2]);
    for (size_t child; (child = 2 * at) <= heap_len; at = child) {
        if (child < heap_len && heap[child + 1]->due_us < heap[child]->due_us)
            child++;
        if (heap[child]->due_us >= c->due_us)
            break;
        heap_set(at, heap[child]);
    }
    heap_set(at, c);
}

static void heap_add(struct client *c)
{
    heap_set(++heap_len, c);
    heap_sift(heap_len);
}

static void heap_remove(struct client *c)
{
    size_t at = c->heap_at;
    struct client *last = heap[heap_len--];
    if (last == c)
        return;
    heap_set(at, last);
    heap_sift(at);
}

/* ---- the end of a request ---- */

static void write_line(const struct client *c, int status, const char *flag)
{
    if (journal == NULL)
        return;
    fprintf(journal, "%lld %lld %d %s %s %s %08x %s %s %s", (long long)c->arrived_us,
            (long long)now_us(), status, flag, c->life, c->attempt, c->crc, c->number, c->order,
            c->id);
    if (c->signature[0] != '\0')
        fprintf(journal, " %s %s", c->timestamp, c->signature);
    fputc('\n', journal);
}

static void forget(struct client *c)
{
    close(c->fd);
    c->fd = -1;
    c->len = 0;
    c->arrived_us = 0;
}

static void hang_up(struct client *c)
{
    if (c->ends == ENDS_RESET) {
        struct linger linger = {.l_onoff = 1, .l_linger = 0};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    }
    forget(c);
}

static void answer(struct client *c)
{
    char text[160], retry[48] = "";
    if (c->status >= 400 && c->status != 422 && told("retry_after") > 0)
        snprintf(retry, sizeof retry, "Retry-After: %ld\r\n", told("retry_after"));
    int len = snprintf(text, sizeof text, "HTTP/1.1 %d X\r\n%sContent-Length: 0\r\n\r\n", c->status,
                       retry);
    write_line(c, c->status, "-");
    if (journal != NULL)
        fflush(journal); /* what was answered is on record first */
    if (send(c->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        forget(c);
    c->arrived_us = 0;
}

static void end_request(struct client *c)
{
    c->pending = false;
    if (c->ends == ENDS_ANSWERED) {
        answer(c);
        return;
    }
    write_line(c, 0, "-");
    hang_up(c);
}

/* The client hung up. Its request is done nevertheless. */
static void gone(struct client *c)
{
    if (c->pending) {
        if (c->ends != ENDS_HUNG)
            heap_remove(c);
        c->pending = false;
        write_line(c, c->ends == ENDS_ANSWERED ? c->status : 0, "g");
    }
    forget(c);
}

/* ---- requests ---- */

static void copy_until(char *text, size_t size, const char *from, const char *stops)
{
    size_t len = strcspn(from, stops);
    if (len >= size)
        len = size - 1;
    memcpy(text, from, len);
    text[len] = '\0';
    for (char *at = text; *at != '\0'; at++)
        if (*at == ' ')
            *at = '_'; /* words of the journal are parted by spaces */
    if (len == 0 && size > 1)
        memcpy(text, "-", 2);
}

static void take_headers(struct client *c, char *head, size_t *ret_body)
{
    *ret_body = 0;
    strcpy(c->life, "-"), strcpy(c->attempt, "-"), strcpy(c->id, "-");
    c->timestamp[0] = c->signature[0] = '\0';
    for (char *line = strstr(head, "\r\n"); line != NULL && line[2] != '\r';
         line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, "content-length: ", 16) == 0)
            *ret_body = strtoul(line + 16, NULL, 10);
        else if (strncasecmp(line, "x-life: ", 8) == 0)
            copy_until(c->life, TEXT, line + 8, "\r");
        else if (strncasecmp(line, "webhook-attempt: ", 17) == 0)
            copy_until(c->attempt, TEXT, line + 17, "\r");
        else if (strncasecmp(line, "webhook-id: ", 12) == 0)
            copy_until(c->id, TEXT, line + 12, "\r");
        else if (strncasecmp(line, "webhook-timestamp: ", 19) == 0)
            copy_until(c->timestamp, TEXT, line + 19, "\r");
        else if (strncasecmp(line, "webhook-signature: ", 19) == 0)
            copy_until(c->signature, SIGNATURE, line + 19, "\r");
    }
}

static void take_field(char *text, const char *body, const char *name)
{
    const char *at = strstr(body, name);
    if (at != NULL)
        copy_until(text, TEXT, at + strlen(name), "\"");
    else
        strcpy(text, "-");
}

static void take_body(struct client *c, const char *body, size_t len)
{
    c->crc = journal != NULL ? crc32_of(body, len) : 0;
    take_field(c->number, body, "\"order_number\":\"");
    take_field(c->order, body, "\"order_id\":\"");
}

static bool is_too_fast(const struct client *c)
{
    double rate = (double)told("rate"), burst = (double)told("burst");
    if (rate == 0)
        return false;
    tokens += rate * (double)(c->arrived_us - tokens_us) / 1e6;
    tokens_us = c->arrived_us;
    if (tokens > burst)
        tokens = burst;
    if (tokens < 1)
        return true;
    tokens -= 1;
    return false;
}

/* The worker that is free first begins with it, now or when it is. False: none is free. */
static bool find_worker(struct client *c)
{
    int64_t *first = &worker_free_us[0];
    long workers = told("workers");
    if (workers == 0)
        return true;
    need(workers <= WORKERS_MAX, "workers");
    for (long i = 1; i < workers; i++)
        if (worker_free_us[i] < *first)
            first = &worker_free_us[i];
    if (told("queue") == 0 && *first > c->arrived_us)
        return false;
    int64_t took_us = c->due_us - c->arrived_us;
    c->due_us = (*first > c->arrived_us ? *first : c->arrived_us) + took_us;
    *first = c->due_us;
    return true;
}

static void decide(struct client *c)
{
    static const int failures[] = {500, 502, 503, 429};
    size_t number_len = strlen(c->number);
    c->ends = one_in("hang")    ? ENDS_HUNG
              : one_in("reset") ? ENDS_RESET
              : one_in("shut")  ? ENDS_SHUT
                                : ENDS_ANSWERED;
    c->status = (int)told("status");
    if (one_in("fail"))
        c->status = failures[throw_dice() % 4];
    else if (told("refuse") != 0 && c->number[number_len - 1] == '!')
        c->status = 422;
    c->pending = true;
    long delay = told("delay_us"), spread = told("spread_us");
    c->due_us = c->arrived_us + delay + (spread > 0 ? throw_dice() % spread : 0);
    if (c->ends == ENDS_HUNG)
        return; /* until the client hangs up */
    bool too_fast = is_too_fast(c), refused = too_fast || !find_worker(c);
    if (refused)
        c->status = too_fast ? 429 : 503;
    if (refused || (delay == 0 && spread == 0))
        end_request(c);
    else
        heap_add(c);
}

static void steer(struct client *c, char *words)
{
    static const char yes[] = "HTTP/1.1 204 X\r\n\r\n", no[] = "HTTP/1.1 400 X\r\n\r\n";
    const char *text = tell(words) ? yes : no;
    (void)!send(c->fd, text, strlen(text), MSG_NOSIGNAL);
    c->arrived_us = 0;
}

/* Takes one whole request out of the input; false when there is none. */
static bool take_request(struct client *c)
{
    c->input[c->len] = '\0';
    char *end = strstr(c->input, "\r\n\r\n");
    size_t body_len;
    if (end == NULL)
        return false;
    take_headers(c, c->input, &body_len);
    size_t head_len = (size_t)(end - c->input) + 4, whole = head_len + body_len;
    need(whole < INPUT_MAX, "a request larger than this receiver takes");
    if (c->len < whole)
        return false;
    char *body = c->input + head_len, behind = body[body_len];
    body[body_len] = '\0';
    if (strncmp(c->input, "PUT /_control ", 14) == 0) {
        steer(c, body);
    } else {
        take_body(c, body, body_len);
        decide(c);
    }
    if (c->fd < 0)
        return false;
    body[body_len] = behind;
    c->len -= whole;
    memmove(c->input, c->input + whole, c->len);
    return true;
}

static void readable(struct client *c)
{
    ssize_t got = recv(c->fd, c->input + c->len, INPUT_MAX - 1 - c->len, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        gone(c);
        return;
    }
    if (c->arrived_us == 0)
        c->arrived_us = now_us();
    c->len += (size_t)got;
    while (!c->pending && c->len > 0 && take_request(c))
        if (c->len > 0 && c->arrived_us == 0)
            c->arrived_us = now_us();
}

/* ---- connections ---- */

static void accept_all(int listener)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        int one = 1;
        size_t i = 0;
        while (i < CLIENTS_MAX && clients[i].fd >= 0)
            i++;
        need(i < CLIENTS_MAX, "too many connections");
        struct client *c = &clients[i];
        c->fd = fd;
        if (c->input == NULL)
            c->input = malloc(INPUT_MAX);
        need(c->input != NULL, "memory");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.u64 = i + 1};
        need(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
    }
}

static int open_listener(const char *port_file)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)told("port")),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    need(fd >= 0, "socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    need(bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, 1024) == 0 &&
             getsockname(fd, (struct sockaddr *)&address, &len) == 0,
         "listen");
    char fresh[1024];
    snprintf(fresh, sizeof fresh, "%s.new", port_file);
    FILE *file = fopen(fresh, "w");
    need(file != NULL, port_file);
    fprintf(file, "%d", ntohs(address.sin_port));
    need(fclose(file) == 0 && rename(fresh, port_file) == 0, port_file);
    return fd;
}

/* Ends what is due; the time until the next, NULL: nothing waits. */
static struct timespec *end_due(struct timespec *wait)
{
    while (heap_len > 0) {
        struct client *c = heap[1];
        int64_t left = c->due_us - now_us();
        if (left > 0) {
            *wait = (struct timespec){left / 1000000, left % 1000000 * 1000};
            return wait;
        }
        heap_remove(c);
        end_request(c);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    need(argc == 3 || argc == 4, "usage: fast_receiver PORT_FILE JOURNAL [BEHAVIOUR]");
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        clients[i].fd = -1;
    make_crc_table();
    dice = 1;
    need(argc < 4 || tell(argv[3]), "a word of the behaviour is not known");
    if (strcmp(argv[2], "-") != 0)
        need((journal = fopen(argv[2], "a")) != NULL, argv[2]);
    int listener = open_listener(argv[1]);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0};
    need(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) == 0, "epoll_ctl");
    for (;;) {
        struct epoll_event events[EVENTS];
        struct timespec wait;
        int count = epoll_pwait2(epoll_fd, events, EVENTS, end_due(&wait), NULL);
        for (int i = 0; i < count; i++) {
            if (events[i].data.u64 == 0)
                accept_all(listener);
            else if (clients[events[i].data.u64 - 1].fd >= 0)
                readable(&clients[events[i].data.u64 - 1]);
        }
        if (journal != NULL)
            fflush(journal);
    }
}
