/* standstill: a process that is stopped (a paused machine, a debugger, a starved host) past its
 * time limits finds the answers in its sockets when it goes on, and must read them before it looks
 * at the clock. The receiver is in the parent, the process that stands still is a child. */
#include "unit/http/http_fixture.h"

#include "fakes/clock.h"
#include "fakes/pipeline_harness.h"
#include "sys/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAST_MS = 4700, PATIENCE_MS = 20000, LOOK_US = 1000 };

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

/* ---- one request, in simulated time ---- */

/* The client's socket; it has an answer in it, which is not read. */
static void await_unread_answer(const struct fixture *f)
{
    enum { DESCRIPTORS = 1024 };
    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        struct sockaddr_in peer = {0};
        socklen_t len = sizeof peer;
        struct pollfd socket = {.fd = fd, .events = POLLIN};
        if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0 || peer.sin_family != AF_INET ||
            ntohs(peer.sin_port) != server_port(f->server))
            continue;
        assert_int_equal(poll(&socket, 1, PATIENCE_MS), 1);
        return;
    }
    fail_msg("no connection to the server");
}

/* The loop turns, each time too late for its sockets, until the time limit has passed. */
static void starve(struct fixture *f)
{
    enum { PAUSE_MS = 1500 }; /* shorter than what counts as a standstill */
    for (int64_t passed_ms = 0; passed_ms <= TIMEOUT_MS; passed_ms += PAUSE_MS) {
        clock_skip(PAUSE_MS);
        (void)http_turn(f->net.http);
    }
}

static void an_answer_that_arrived_is_read(void **state)
{
    static const struct server_rule rules[] = {{NULL, SERVER_HOLD, OK_ANSWER, 0}, {0}};
    struct fixture *f = serve(state, rules);
    struct answer answer = {0};
    start(f, &plain, "/", &answer);
    assert_true(net_await_requests(&f->net, f->server, 1));
    server_release(f->server);
    await_unread_answer(f);
    starve(f);
    assert_int_equal(answer.calls, 1);
    assert_int_equal(answer.status, 200);
}

/* The limit still holds for answers that do not come: its time goes on with the loop. */
static void an_answer_that_did_not_arrive_is_late(void **state)
{
    static const struct server_rule rules[] = {{NULL, SERVER_HANG, NULL, 0}, {0}};
    struct fixture *f = serve(state, rules);
    struct answer answer = {0};
    start(f, &plain, "/", &answer);
    assert_true(net_await_requests(&f->net, f->server, 1));
    starve(f);
    assert_int_equal(answer.calls, 1);
    assert_int_equal(answer.status, 0);
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
        HTTP_TEST(an_answer_that_arrived_is_read),
        HTTP_TEST(an_answer_that_did_not_arrive_is_late),
        HTTP_TEST(an_answer_that_comes_after_it_is_awaited),
        cmocka_unit_test(no_answered_order_is_sent_again),
    };
    return cmocka_run_group_tests_name("standstill", tests, NULL, NULL);
}
