/* http_names_test: a name server that does not answer costs its request the time limit, and delays
 * no other.
 *
 * The look-up is replaced for the whole process: libcurl calls it in a thread of its own. */
#include "unit/http/http_fixture.h"

#include "sys/clock.h"

#include <netdb.h>
#include <pthread.h>

enum { LIMIT_MS = 1000 }; /* the thread is there by then, on a busy machine too */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool answers, asked, gone;

/* Until told to answer; for half a minute at most. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
    enum { PATIENCE_S = 30 };
    struct timespec end;
    (void)name, (void)service, (void)hints, (void)ret;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&lock);
    asked = true;
    while (!answers && pthread_cond_timedwait(&changed, &lock, &end) == 0)
        continue;
    gone = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return EAI_AGAIN;
}

static bool is_gone(void)
{
    pthread_mutex_lock(&lock);
    bool is = gone;
    pthread_mutex_unlock(&lock);
    return is;
}

static void let_answer(void)
{
    pthread_mutex_lock(&lock);
    answers = true;
    pthread_cond_broadcast(&changed);
    while (!gone)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void a_silent_name_server_delays_only_its_request(void **state)
{
    struct fixture *f = serve(state, accepting);
    struct http_endpoint impatient = plain;
    struct answer unknown = {0};
    impatient.timeout_ms = LIMIT_MS;
    assert_non_null(http_start(f->net.http, &impatient, "POST", "http://shop.example:9/", NULL,
                               "body", 4, note, &unknown, NULL));
    assert_true(net_run(&f->net, &unknown.calls, 1));
    assert_true(asked);
    assert_int_equal(unknown.kind, FAILURE_TIMEOUT);
    assert_false(is_gone()); /* the loop did not wait for it */
    assert_int_equal(post(f, &plain).status, 200);
    let_answer();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_silent_name_server_delays_only_its_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
