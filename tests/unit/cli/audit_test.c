/* audit: each command that changed something leaves its line. (retry's: retry_command_test;
 * replay's: tests/e2e, since librdkafka's mock cluster describes no groups.) */
#include "cli/arguments.h"
#include "cli/command.h"
#include "fakes/pipeline_harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REFUSED "HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n"

enum { TEXT_MAX = 65536, LINE_MAX_BYTES = 512, WORDS_MAX = 16 };

static const struct server_rule refusing[] = {{NULL, SERVER_ANSWER, REFUSED, 0}, {0}};

/* Two parked orders, and a group without members. */
static void open_with_parked(struct pipeline_harness *w)
{
    static char text[TEXT_MAX];
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL); /* before there are threads */
    pipeline_harness_open(w, refusing);
    pipeline_harness_produce(w, 0, "o1", "06", "confirmed");
    pipeline_harness_produce(w, 0, "o2", "06", "confirmed");
    pipeline_harness_start(w);
    pipeline_harness_await_scrape(w, "/metrics", "elementor_sync_records_parked_total 2\n", text,
                                  sizeof text);
    pipeline_harness_await_scrape(w, "/metrics", "elementor_sync_records_in_flight 0\n", text,
                                  sizeof text);
    pipeline_harness_stop(w);
}

static bool call(struct pipeline_harness *w, const struct command *command, char *const *words)
{
    const struct command *const commands[] = {command, NULL};
    char *argv[WORDS_MAX] = {"elementor-sync", (char *)(uintptr_t)command->name};
    struct invocation invocation;
    int argc = 2;
    for (; words[argc - 2] != NULL; argc++)
        argv[argc] = words[argc - 2];
    w->err = (struct error){0};
    assert_true(arguments_parse(argc, argv, commands, &invocation, &w->err));
    return command->run(w->config, invocation.options, &w->err);
}

/* Calls the command: its line begins with who, on this machine, and what. */
static void assert_line(struct pipeline_harness *w, const struct command *command,
                        char *const *words, const char *what)
{
    char host[128] = "", wanted[LINE_MAX_BYTES];
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    snprintf(wanted, sizeof wanted, "@%s what=%s", host, what);
    pipeline_harness_log_open(w);
    if (!call(w, command, words))
        printf("%s\n", w->err.text); /* standard error goes to the log until it is read */
    fflush(stdout);
    pipeline_harness_await_log(w, wanted);
}

static void redrive_leaves_a_line_for_each_order(void **state)
{
    char *all[] = {"--yes", "--rate", "1000", NULL};
    struct pipeline_harness w;
    (void)state;
    open_with_parked(&w);
    assert_line(&w, &command_redrive, all,
                "redrive order=o2 topic=" CLUSTER_TOPIC " partition=0 offset=1");
    pipeline_harness_close(&w);
}

static void park_leaves_a_line(void **state)
{
    char *stretch[] = {"--partition", "0",        "--from", "2",     "--to",
                       "3",           "--reason", "broken", "--yes", NULL};
    struct pipeline_harness w;
    (void)state;
    open_with_parked(&w);
    pipeline_harness_produce(&w, 0, "o3", "06", "confirmed"); /* not settled */
    assert_line(&w, &command_park, stretch, "park topic=" CLUSTER_TOPIC " partition=0 from=2 to=3");
    pipeline_harness_close(&w);
}

static void forget_leaves_a_line(void **state)
{
    char *one[] = {"--order", "o1", "--yes", NULL};
    struct pipeline_harness w;
    (void)state;
    open_with_parked(&w);
    assert_line(&w, &command_forget, one, "forget order=o1");
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redrive_leaves_a_line_for_each_order),
        cmocka_unit_test(park_leaves_a_line),
        cmocka_unit_test(forget_leaves_a_line),
    };
    return pipeline_harness_main("audit", tests, sizeof tests / sizeof *tests);
}
