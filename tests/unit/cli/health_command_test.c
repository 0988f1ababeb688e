/* command_health: what it makes of a probe's answers, and of none. */
#include "cli/arguments.h"
#include "cli/command.h"
#include "config/load/load.h"
#include "fakes/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct server_rule probes[] = {
    {"/readyz", SERVER_ANSWER, "HTTP/1.1 503 X\r\nContent-Length: 9\r\n\r\nstopping\n", 1},
    {"/readyz", SERVER_ANSWER, "HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n", 1},
    {"/readyz", SERVER_CLOSE, "", 1},
    {"/readyz", SERVER_HANG, "", 1},
    {NULL, SERVER_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n", 0},
    {0}};

/* Runs `health` with up to two arguments, `option` set to `address`. */
static struct error ask(const char *option, const char *address, const char *first,
                        const char *second)
{
    static const struct command *const commands[] = {&command_health, NULL};
    char *const nothing[] = {NULL};
    char *argv[5] = {"elementor-sync", "health"}, set[200];
    const char *const sets[] = {set};
    const char *const given[] = {first, second};
    struct invocation call;
    struct error err = {0};
    int argc = 2;
    for (size_t i = 0; i < 2; i++)
        if (given[i] != NULL)
            argv[argc++] = (char *)(uintptr_t)given[i];
    snprintf(set, sizeof set, "%s=%s", option, address);
    struct config *config = config_new();
    assert_non_null(config);
    assert_true(arguments_parse(argc, argv, commands, &call, &err));
    assert_true(config_load(config, NULL, nothing, sets, 1, &err));
    bool ok = command_health.run(config, call.options, &err);
    assert_int_equal(ok, err.code == ERROR_NONE);
    config_free(config);
    return err;
}

static void assert_error(struct error err, enum error_code code, const char *words)
{
    if (err.code != code || strstr(err.text, words) == NULL)
        fail_msg("%d: %s", err.code, err.text);
}

static void each_answer_has_its_words(void **state)
{
    char address[64];
    struct server *server = server_new(probes);
    (void)state;
    server_listen(server);
    snprintf(address, sizeof address, "127.0.0.1:%d", server_port(server));
    assert_error(ask("ops.listen", address, NULL, NULL), ERROR_FAILED, "run is not ready");
    assert_error(ask("ops.listen", address, NULL, NULL), ERROR_FAILED, "another program's port");
    assert_error(ask("ops.listen", address, NULL, NULL), ERROR_UNREACHABLE, "does not answer");
    assert_error(ask("ops.listen", address, "--timeout=200ms", NULL), ERROR_UNREACHABLE,
                 "does not answer");
    assert_int_equal(ask("ops.listen", address, NULL, NULL).code, ERROR_NONE);
    assert_int_equal(ask("ops.listen", address, "--live", NULL).code, ERROR_NONE);
    assert_int_equal(ask("dashboard.listen", address, "--dashboard", "--live").code, ERROR_NONE);
    assert_int_equal(strncmp(server_request(server, 4)->head, "GET /readyz ", 12), 0);
    assert_int_equal(strncmp(server_request(server, 5)->head, "GET /livez ", 11), 0);
    assert_int_equal(server_request_count(server), 7);
    server_free(server);
}

/* "every address" has loopback among it. */
static void every_address_is_asked_at_loopback(void **state)
{
    static const char *const forms[] = {":%d", "0.0.0.0:%d", "localhost:%d"};
    char address[64];
    struct server *server = server_new(probes + 4);
    (void)state;
    server_listen(server);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        snprintf(address, sizeof address, forms[i], server_port(server));
        assert_int_equal(ask("ops.listen", address, NULL, NULL).code, ERROR_NONE);
    }
    server_free(server);
    assert_error(ask("ops.listen", address, NULL, NULL), ERROR_UNREACHABLE, "does not answer");
}

static void a_port_that_cannot_be_asked_is_said(void **state)
{
    (void)state;
    assert_error(ask("log.level", "info", NULL, NULL), ERROR_CONFIG, "ops.listen is not set");
    assert_error(ask("ops.listen", "127.0.0.1:0", NULL, NULL), ERROR_CONFIG, "no port");
    assert_error(ask("ops.listen", "127.0.0.1", NULL, NULL), ERROR_CONFIG, "no port");
    assert_error(ask("dashboard.listen", "[::1]:x", "--dashboard", NULL), ERROR_CONFIG, "no port");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_words),
        cmocka_unit_test(every_address_is_asked_at_loopback),
        cmocka_unit_test(a_port_that_cannot_be_asked_is_said),
    };
    return cmocka_run_group_tests_name("health_command", tests, NULL, NULL);
}
