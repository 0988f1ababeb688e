/* standstill: a process that is stopped (a paused machine, a debugger, a starved host) past its
 * time limits finds the answers in its sockets when it goes on, and must read them before it looks
 * at the clock. The receiver is in the parent, the process that stands still is a child. */
#include "unit/http/http_fixture.h"

#include "fakes/clock.h"
#include "fakes/pipeline_harness.h"
#include "sys/clock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT_MS = 4000, PAST_MS = 4700, PATIENCE_MS = 20000, LOOK_US = 1000 };

/* Until the receiver has so many requests. */
static void await_requests(struct server *server, size_t count)
{
    int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
    while (server_request_count(server) < count) {
        assert_true(clock_mono_ms() < deadline_ms);
        usleep(LOOK_US);
    }
}

/* Stops the child, has everything answered, lets the child's time limits pass, lets it go on. */
static void stop_until_too_late(pid_t child, struct server *server)
{
    int status;
    assert_int_equal(kill(child, SIGSTOP), 0);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    server_release(server);
    usleep(PAST_MS * 1000); /* past the limits */
    assert_int_equal(kill(child, SIGCONT), 0);
}

/* Runs `body` in a child that waits until the server listens; it exits with what that returns. */
static pid_t run_child(struct server *server, int (*body)(int port))
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ready[1]);
        while (read(ready[0], &byte, 1) > 0)
            continue;
        _exit(body(server_port(server)));
    }
    close(ready[0]);
    server_listen(server);
    close(ready[1]);
    return child;
}

static int exit_code_of(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* ---- one request ---- */

static int post_once(int port)
{
    struct http_endpoint endpoint = plain;
    struct answer answer = {0};
    struct net net;
    char url[64];
    endpoint.timeout_ms = LIMIT_MS;
    net_open(&net);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    if (http_start(net.http, &endpoint, "POST", url, NULL, "body", 4, note, &answer, NULL) ==
            NULL ||
        !net_run(&net, &answer.calls, 1))
        return 1;
    net_close(&net);
    return answer.status == 200 ? 0 : 2;
}

static void an_answer_that_arrived_is_read(void **state)
{
    static const struct server_rule rules[] = {{NULL, SERVER_HOLD, OK_ANSWER, 0}, {0}};
    struct server *server = server_new(rules);
    (void)state;
    pid_t child = run_child(server, post_once);
    await_requests(server, 1);
    stop_until_too_late(child, server);
    assert_int_equal(exit_code_of(child), 0);
    server_free(server);
}

/* The limit still holds for answers that do not come: its time goes on with the loop. */
static void an_answer_that_did_not_arrive_is_late(void **state)
{
    static const struct server_rule rules[] = {{NULL, SERVER_HANG, NULL, 0}, {0}};
    struct server *server = server_new(rules);
    (void)state;
    pid_t child = run_child(server, post_once);
    await_requests(server, 1);
    stop_until_too_late(child, server);
    assert_int_equal(exit_code_of(child), 2);
    server_free(server);
}

/* One that comes a moment later, as from an endpoint that stood still too: most of the limit is
 * left. */
static void an_answer_that_comes_after_it_is_awaited(void **state)
{
    static const struct server_rule rules[] = {{NULL, SERVER_HOLD, OK_ANSWER, 0}, {0}};
    struct fixture *f = serve(state, rules);
    struct answer answer = {0};
    start(f, &plain, "/", &answer);
    assert_true(net_await_requests(&f->net, f->server, 1));
    clock_skip(2 * (int64_t)TIMEOUT_MS);
    (void)http_turn(f->net.http);
    assert_int_equal(answer.calls, 0);
    server_release(f->server);
    assert_true(net_run(&f->net, &answer.calls, 1));
    assert_int_equal(answer.status, 200);
}

/* ---- the pipeline ---- */

enum { ORDERS = 2 }; /* as many as are sent before the first answer */

static int deliver_all(int port)
{
    static const struct server_rule unused[] = {{0}};
    struct pipeline_harness w;
    char url[64];
    pipeline_harness_open(&w, unused);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/hook", port);
    pipeline_harness_set(&w, "webhook.url", url);
    pipeline_harness_set(&w, "webhook.timeout", "4s");
    for (int i = 0; i < ORDERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_produce(&w, i % HARNESS_PARTITIONS, id, "06", "confirmed");
    }
    return pipeline_harness_try_to_end(&w) ? 0 : 1;
}

static void no_answered_order_is_sent_again(void **state)
{
    static const struct server_rule rules[] = {{NULL, SERVER_HOLD, NO_CONTENT, 0}, {0}};
    struct server *server = server_new(rules);
    (void)state;
    pid_t child = run_child(server, deliver_all);
    await_requests(server, ORDERS);
    stop_until_too_late(child, server);
    assert_int_equal(exit_code_of(child), 0);
    assert_int_equal(server_request_count(server), ORDERS);
    server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_arrived_is_read),
        cmocka_unit_test(an_answer_that_did_not_arrive_is_late),
        HTTP_TEST(an_answer_that_comes_after_it_is_awaited),
        cmocka_unit_test(no_answered_order_is_sent_again),
    };
    return cmocka_run_group_tests_name("standstill", tests, NULL, NULL);
}
