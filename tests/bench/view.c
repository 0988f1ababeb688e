/* view: how fast the dashboard's view takes outcomes, and how fast it answers.
 *
 *   bench_view FILE [N]     builds FILE from N outcomes (1,000,000), then asks it; 0: only asks */
#include "dashboard/view/view.h"
#include "bench/order_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { BATCH = 2000, ROUNDS = 100 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put(struct view *view, uint64_t n, struct error *err)
{
    char id[37], text[1024];
    bool parked = n % 50 == 0;
    int64_t at = INT64_C(1790000000000) + (int64_t)n * 3;
    order_id(n, id);
    int len = snprintf(
        text, sizeof text,
        "{\"version\":1,\"state\":\"%s\",\"reason\":\"%s\",\"order_id\":\"%s\",\"order_number\":"
        "\"CMD-%08llu\",\"confirmed_at\":\"2026-11-22T09:15:30.123456Z\",\"webhook_id\":"
        "\"msg_c32c71f621b497ead7947d05cefae5b0\",\"source\":\"cdc\",\"request\":null,\"topic\":"
        "\"orders.public.orders\",\"partition\":3,\"offset\":%llu,\"timestamp_ms\":%lld,\"lsn\":"
        "36384160,\"attempts\":1,\"status\":%d,\"first_attempt_ms\":%lld,\"last_attempt_ms\":%lld,"
        "\"settled_ms\":%lld,\"next_attempt_ms\":null,\"member\":\"vm-32747-e0f468f0\","
        "\"previous\":[]}",
        parked ? "parked" : "delivered", parked ? "http:422" : "", id, (unsigned long long)n,
        (unsigned long long)n, (long long)at, n % 10000 == 1 ? 503 : 200, (long long)at,
        (long long)at, (long long)at);
    view_put_delivery(view, slice_of(id), (struct slice){text, (size_t)len}, at, err);
    if (!parked)
        return;
    const struct parked_note note = {.partition = 3,
                                     .offset = (int64_t)n,
                                     .at_ms = at,
                                     .topic = slice_of("orders.public.orders"),
                                     .source_partition = 3,
                                     .source_offset = (int64_t)n,
                                     .class = slice_of("refused"),
                                     .detail = slice_of(""),
                                     .response = slice_of("{\"message\":\"no\"}")};
    view_put_parked(view, &note, err);
}

/* A database that another program made may lack one. */
static void make_indexes(struct view *view, struct error *err)
{
    while (err->code == ERROR_NONE && !view_is_indexed(view))
        if (!view_index(view, err))
            return;
}

static void build(struct view *view, uint64_t total, struct error *err)
{
    double began = now_s();
    for (uint64_t n = 0; n < total && err->code == ERROR_NONE; n += BATCH) {
        bool ok = view_begin(view, err);
        for (uint64_t i = n; ok && i < n + BATCH && i < total; i++)
            put(view, i, err);
        ok = ok && view_set_offset(view, VIEW_DELIVERIES, 0, (int64_t)n, err) &&
             view_commit(view, err);
    }
    double filled = now_s() - began;
    make_indexes(view, err);
    double took = now_s() - began;
    printf("filled in %.1f s; ", filled);
    printf("built: %llu outcomes in %.1f s, %.0f a second\n", (unsigned long long)total, took,
           (double)total / took);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* The processor's time too: on a machine with other work it says more than the clock's. */
static void ask(struct view *view, const char *what, struct order_filter filter)
{
    double took_ms[ROUNDS], cpu = cpu_s();
    size_t rows = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct error err = {0};
        double began = now_s();
        json_t *page = view_list(view, &filter, &err);
        char *text = json_dumps(page, JSON_COMPACT);
        took_ms[i] = (now_s() - began) * 1e3;
        rows = json_array_size(json_object_get(page, "orders"));
        free(text);
        json_decref(page);
    }
    cpu = (cpu_s() - cpu) / ROUNDS * 1e3;
    qsort(took_ms, ROUNDS, sizeof *took_ms, by_size);
    printf("%-34s %zu rows, p50 %.2f ms, p99 %.2f ms, CPU %.2f ms\n", what, rows,
           took_ms[ROUNDS / 2], took_ms[ROUNDS * 99 / 100], cpu);
}

/* The order numbers are CMD- and eight digits, the earliest the least. */
static void ask_searches(struct view *view, uint64_t total)
{
    struct order_filter f = {.state = -1, .since_ms = -1, .until_ms = -1, .limit = 50};
    char id[37], text[128];
    f.search = text;
    order_id(total / 3, id);
    snprintf(text, sizeof text, "%s", id);
    ask(view, "search: an id", f);
    text[2] = '\0';
    ask(view, "search: two letters of ids", f);
    text[1] = '\0';
    ask(view, "search: a letter of ids", f);
    snprintf(text, sizeof text, "CMD-%08llu", (unsigned long long)total / 2);
    ask(view, "search: a number", f);
    snprintf(text, sizeof text, "%llu", (unsigned long long)total / 2);
    ask(view, "search: digits", f);
    static const char *const prefixes[][2] = {{"every number", "CMD-"},
                                              {"old numbers", "CMD-000012"},
                                              {"many old numbers", "CMD-0000"},
                                              {"a tenth, the oldest", "CMD-000"}};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        char what[64];
        f.search = prefixes[i][1];
        snprintf(what, sizeof what, "search: %s", prefixes[i][0]);
        ask(view, what, f);
        f.oldest_first = true;
        snprintf(what, sizeof what, "same, oldest first");
        ask(view, what, f);
        f.oldest_first = false;
        f.state = ORDER_PARKED;
        snprintf(what, sizeof what, "same, parked");
        ask(view, what, f);
        f.state = -1;
    }
}

static void ask_kinds(struct view *view, uint64_t total)
{
    struct order_filter f = {.state = -1, .since_ms = -1, .until_ms = -1, .limit = 50};
    ask(view, "first page", f);
    f.state = ORDER_PARKED;
    ask(view, "first page of the parked", f);
    f.oldest_first = true;
    ask(view, "the oldest parked", f);
    f.oldest_first = false;
    f.source = "retry";
    ask(view, "parked, of a retry: none", f);
    f.state = -1;
    ask(view, "of a retry: none", f);
    f.source = NULL;
    f.status = 503;
    ask(view, "answer 503: one of 10,000", f);
    f.state = ORDER_PARKED;
    ask(view, "answer 503, parked: none", f);
    f.state = -1;
    f.status = 200;
    f.reason = "http:422";
    f.until_ms = INT64_C(1790000000000) + (int64_t)total * 3 / 2;
    ask(view, "200, a reason, up to half", f);
    f.status = 0;
    f.reason = NULL;
    ask(view, "up to half", f);
}

int main(int argc, char **argv)
{
    struct error err = {0};
    struct rusage usage;
    uint64_t total = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    struct view *view = argc > 1 ? view_open(argv[1], "bench", &err) : NULL;
    if (view == NULL) {
        fprintf(stderr, "usage: bench_view FILE [N]  %s\n", err.text);
        return 2;
    }
    if (total > 0)
        build(view, total, &err);
    make_indexes(view, &err);
    total = (uint64_t)(view_count(view, ORDER_DELIVERED) + view_count(view, ORDER_PARKED));
    ask_kinds(view, total);
    ask_searches(view, total);
    getrusage(RUSAGE_SELF, &usage);
    printf("memory: %ld MiB at most\n", usage.ru_maxrss / 1024);
    view_close(view);
    if (err.code != ERROR_NONE)
        fprintf(stderr, "%s\n", err.text);
    return err.code != ERROR_NONE;
}
