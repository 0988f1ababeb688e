/* http_limits_test: how long a connection may be used again, and a libcurl that will not do.
 *
 * The limits are lowered on their way to libcurl (the linker's --wrap), one at a time; libcurl
 * counts them in whole seconds, so that one of a second holds for up to two. */
#include "unit/http/http_fixture.h"

#include "sys/clock.h"

#include <curl/curl.h>

enum { LOWERED_S = 1, PASSED_MS = 2200, PAUSE_MS = 50, PATIENCE_MS = 20000 };

CURLcode __real_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...);
curl_version_info_data *__real_curl_version_info(CURLversion version);
curl_version_info_data *__wrap_curl_version_info(CURLversion version);

static CURLoption lowered;
static long meant_s; /* what the program gave for it; 0: nothing */
static bool synchronous;

static long lower(CURLoption option, long value)
{
    if (option != lowered)
        return value;
    meant_s = value;
    return LOWERED_S;
}

CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    CURLcode code;
    va_list args;
    va_start(args, option);
    if (option < CURLOPTTYPE_OBJECTPOINT)
        code = __real_curl_easy_setopt(easy, option, lower(option, va_arg(args, long)));
    else if (option < CURLOPTTYPE_FUNCTIONPOINT)
        code = __real_curl_easy_setopt(easy, option, va_arg(args, void *));
    else if (option < CURLOPTTYPE_OFF_T)
        code = __real_curl_easy_setopt(easy, option, va_arg(args, void (*)(void)));
    else
        code = __real_curl_easy_setopt(easy, option, va_arg(args, curl_off_t));
    va_end(args);
    return code;
}

curl_version_info_data *__wrap_curl_version_info(CURLversion version)
{
    static curl_version_info_data info;
    info = *__real_curl_version_info(version);
    if (synchronous)
        info.features &= ~CURL_VERSION_ASYNCHDNS;
    return &info;
}

static struct fixture *serve_lowered(void **state, CURLoption option)
{
    lowered = option;
    meant_s = 0;
    return serve(state, accepting);
}

static int connection_of_next_post(struct fixture *f)
{
    assert_int_equal(post(f, &plain).status, 200);
    return server_request(f->server, server_request_count(f->server) - 1)->connection;
}

/* The loop runs on meanwhile. */
static void let_pass(struct net *net, int64_t ms)
{
    int64_t end_ms = clock_mono_ms() + ms, left_ms;
    while ((left_ms = end_ms - clock_mono_ms()) > 0) {
        (void)http_turn(net->http);
        loop_wait(net->loop, left_ms);
    }
}

/* A server's own limit would close it just as the next request goes out on it. */
static void a_connection_that_idled_is_not_used_again(void **state)
{
    struct fixture *f = serve_lowered(state, CURLOPT_MAXAGE_CONN);
    assert_int_equal(connection_of_next_post(f), 0);
    assert_int_equal(connection_of_next_post(f), 0);
    let_pass(&f->net, PASSED_MS);
    assert_int_equal(connection_of_next_post(f), 1);
    assert_true(meant_s > 0 && meant_s < 60); /* the least that is common: load balancers */
}

/* However busy: its host's name may stand for another address by now. */
static void a_connection_does_not_live_for_ever(void **state)
{
    int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
    struct fixture *f = serve_lowered(state, CURLOPT_MAXLIFETIME_CONN);
    assert_int_equal(connection_of_next_post(f), 0);
    assert_int_equal(connection_of_next_post(f), 0);
    while (connection_of_next_post(f) == 0) {
        assert_true(clock_mono_ms() < deadline_ms);
        let_pass(&f->net, PAUSE_MS);
    }
    assert_true(meant_s > 0 && meant_s <= 3600);
}

/* One look-up of a name would stop everything for as long as it takes. */
static void a_libcurl_that_waits_for_names_is_refused(void **state)
{
    struct error err = {0};
    struct loop *loop = loop_new(NULL);
    (void)state;
    synchronous = true;
    assert_null(http_new(loop, &err));
    synchronous = false;
    assert_int_equal(err.code, ERROR_FAILED);
    assert_non_null(strstr(err.text, "resolves names synchronously"));
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_connection_that_idled_is_not_used_again),
        HTTP_TEST(a_connection_does_not_live_for_ever),
        cmocka_unit_test(a_libcurl_that_waits_for_names_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
