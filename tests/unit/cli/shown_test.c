/* shown_test: what a person at a terminal sees of offsets and preview. */
#include "cli/arguments.h"
#include "cli/command.h"
#include "fakes/pipeline_harness.h"
#include "fakes/pseudo_terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 7, NARROW = 75, WIDE = 160 };

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};
static struct pseudo_terminal shown;

/* On a busy machine a command shows its progress, and takes it away before it prints. */
static void forget_progress(void)
{
    static const char erased[] = "\033[K";
    for (const char *at; (at = strstr(shown.text, erased)) != NULL;) {
        const char *rest = at + sizeof erased - 1;
        memmove(shown.text, rest, strlen(rest) + 1);
    }
}

static void call(struct pipeline_harness *w, const struct command *command,
                 const char *const *words, unsigned short columns)
{
    const struct command *const commands[] = {command, NULL};
    char *argv[WORDS + 2] = {"elementor-sync"};
    int count = 1;
    struct invocation invocation;
    struct error err = {0};
    for (; words[count - 1] != NULL; count++)
        argv[count] = (char *)(uintptr_t)words[count - 1];
    assert_true(arguments_parse(count, argv, commands, &invocation, &err));
    pseudo_terminal_begin(&shown, columns);
    bool ok = command->run(w->config, invocation.options, &err);
    pseudo_terminal_end(&shown);
    forget_progress();
    printf("%s\n", shown.text);
    arguments_done(&invocation);
    if (!ok)
        fail_msg("%s", err.text);
}

static void assert_shows(const char *text)
{
    if (strstr(shown.text, text) == NULL)
        fail_msg("no \"%s\" in: %s", text, shown.text);
}

static size_t widest_line(void)
{
    size_t widest = 0;
    for (const char *at = shown.text, *end; *at != '\0'; at = end + (*end != '\0')) {
        end = at + strcspn(at, "\n");
        widest = (size_t)(end - at) > widest ? (size_t)(end - at) : widest;
    }
    return widest;
}

static void open_with_lag(struct pipeline_harness *w)
{
    pipeline_harness_open(w, accepting);
    for (int i = 0; i < 3; i++)
        pipeline_harness_produce(w, 1, "o1", "06", "pending");
    pipeline_harness_produce(w, 2, "o2", "06", "confirmed");
    cluster_commit(&w->cluster, w->config->kafka_group, 0, 0, "");
    cluster_settle(&w->cluster);
    cluster_commit(&w->cluster, w->config->kafka_group, 1, 1, "");
    cluster_settle(&w->cluster);
    cluster_commit(&w->cluster, w->config->kafka_group, 2, 1, "");
}

/* Partition 1 waits with two records, since they were written; the mock does not describe groups.
 */
static void offsets_say_how_far_behind_and_of_all(void **state)
{
    static const char *const words[] = {"offsets", NULL};
    struct pipeline_harness w;
    (void)state;
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "1", 1);
    open_with_lag(&w);
    call(&w, &command_offsets, words, WIDE);
    assert_shows(
        "\norders\n  partition   committed         end       lag       behind  settled above"
        "  owner\n");
    assert_shows(
        "\n          0           0           0         0          0 s              0  ?\n");
    assert_shows("\n          1           1           3         2 ");
    assert_shows("\n   together           -           -         2 ");
    assert_shows("\nThe cluster does not tell whose the partitions are.\n");
    assert_null(strstr(shown.text, "\033"));
    const char *row = strstr(shown.text, "\n          1 ");
    assert_int_not_equal(row[50], '?'); /* known, whatever it is by now */
    call(&w, &command_offsets, words, NARROW);
    assert_true(widest_line() <= NARROW);
    assert_shows("\n             ?\n");
    unsetenv("NO_COLOR");
    call(&w, &command_offsets, words, WIDE);
    assert_shows("\033[33m       2\033[0m");
    pipeline_harness_close(&w);
}

static void preview_shows_what_would_be_sent(void **state)
{
    static const char *const words[] = {"preview", "--until-end", NULL};
    struct pipeline_harness w;
    (void)state;
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "1", 1);
    open_with_lag(&w);
    call(&w, &command_preview, words, WIDE);
    assert_shows("partition      offset  written                   verdict  why\n");
    assert_shows("  skip     not_confirmed\n");
    assert_shows("  deliver  \n    {\n      \"form_name\": \"order_confirmation\",\n"
                 "      \"fields\": {\n        \"order_id\": \"o2\",\n");
    assert_shows("\n      }\n    }\n");
    assert_shows("\nrecords: 4; deliver: 1, skip: 3, reject: 0\n");
    unsetenv("NO_COLOR");
    call(&w, &command_preview, words, WIDE);
    assert_shows("\033[32mdeliver\033[0m");
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(offsets_say_how_far_behind_and_of_all),
                                       cmocka_unit_test(preview_shows_what_would_be_sent)};
    return pipeline_harness_main("command_shown", tests, sizeof tests / sizeof *tests);
}
