/* bare_post: a bare libcurl multi loop that posts the same bytes as elementor-sync, headers
 * included, and does nothing else. Our sending is measured against it.
 *
 *   bench_bare_post URL CONCURRENCY COUNT BODY_FILE      prints count, milliseconds, CPU
 * milliseconds
 *
 * BENCH_CA_FILE in the environment: certificates to trust instead of the system's, PEM. */
#include "bench/bare_sender.h"
#include "bench/clock.h"

#include <stdlib.h>

static long started, done, wanted;

/* Those that ended make room for the next. */
static void collect(CURLM *multi)
{
    for (CURL *easy; (easy = bare_ended(multi)) != NULL;) {
        done++;
        if (started < wanted) {
            bare_begin(multi, easy);
            started++;
        }
    }
}

int main(int argc, char **argv)
{
    need(argc == 5, "usage", "bench_bare_post URL CONCURRENCY COUNT BODY_FILE");
    long concurrency = atol(argv[2]);
    wanted = atol(argv[3]);
    need(concurrency > 0 && concurrency <= BARE_CONCURRENCY_MAX, "CONCURRENCY", "out of range");
    const char *body = bare_body(argv[4]);
    curl_global_init(CURL_GLOBAL_ALL);
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, concurrency);
    struct curl_slist *headers = bare_headers();
    double began_ms = now_ms();
    for (; started < concurrency && started < wanted; started++)
        bare_begin(multi, bare_easy(argv[1], headers, body));
    for (int running; done < wanted;) {
        need(curl_multi_perform(multi, &running) == CURLM_OK, "curl", "perform");
        collect(multi);
        if (done < wanted)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    printf("%ld %.3f %.3f\n", done, now_ms() - began_ms, cpu_ms());
    return 0;
}
