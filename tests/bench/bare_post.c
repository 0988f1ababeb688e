/* bare_post: a bare libcurl multi loop that posts the same bytes as elementor-sync, headers
 * included, and does nothing else. What our sending is measured against.
 *
 *   bench_bare_post URL CONCURRENCY COUNT BODY_FILE      prints count, milliseconds, CPU
 * milliseconds */
#include "tools/tool.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { CONCURRENCY_MAX = 1024, BODY_MAX = 64 * 1024 };

static char body[BODY_MAX];
static long started, done, wanted;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double cpu_ms(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

static size_t ignore(char *data, size_t size, size_t count, void *userdata)
{
    (void)data, (void)userdata;
    return size * count;
}

/* As webhook.c sends them; an id of its own for each is made by neither side of the comparison. */
static struct curl_slist *headers(void)
{
    static const char *const lines[] = {"Expect:",
                                        "Content-Type: application/json",
                                        "webhook-id: msg_67bd955f107a337e0ea0c8a529404e0d",
                                        "Idempotency-Key: msg_67bd955f107a337e0ea0c8a529404e0d",
                                        "webhook-timestamp: 1795562641",
                                        "webhook-attempt: 1"};
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        list = curl_slist_append(list, lines[i]);
    return list;
}

static void set_up(CURL *easy, const char *url, struct curl_slist *list)
{
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "elementor-sync/" ELEMENTOR_SYNC_VERSION);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

static void begin(CURLM *multi, CURL *easy)
{
    need(curl_multi_add_handle(multi, easy) == CURLM_OK, "curl", "add_handle");
    started++;
}

/* Those that ended make room for the next. */
static void collect(CURLM *multi)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(multi, &left)) != NULL;) {
        CURL *easy = m->easy_handle;
        need(m->msg == CURLMSG_DONE && m->data.result == CURLE_OK, "request", "failed");
        done++;
        curl_multi_remove_handle(multi, easy);
        if (started < wanted)
            begin(multi, easy);
    }
}

int main(int argc, char **argv)
{
    need(argc == 5, "usage", "bench_bare_post URL CONCURRENCY COUNT BODY_FILE");
    long concurrency = atol(argv[2]);
    wanted = atol(argv[3]);
    need(concurrency > 0 && concurrency <= CONCURRENCY_MAX, "CONCURRENCY", "out of range");
    FILE *file = fopen(argv[4], "r");
    need(file != NULL && fread(body, 1, sizeof body - 1, file) > 0, argv[4], "cannot be read");
    fclose(file);
    curl_global_init(CURL_GLOBAL_ALL);
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, concurrency);
    struct curl_slist *list = headers();
    double began_ms = now_ms();
    for (long i = 0; i < concurrency && started < wanted; i++) {
        CURL *easy = curl_easy_init();
        set_up(easy, argv[1], list);
        begin(multi, easy);
    }
    for (int running; done < wanted;) {
        need(curl_multi_perform(multi, &running) == CURLM_OK, "curl", "perform");
        collect(multi);
        if (done < wanted)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    printf("%ld %.3f %.3f\n", done, now_ms() - began_ms, cpu_ms());
    return 0;
}
