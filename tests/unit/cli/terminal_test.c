/* terminal_test: no text of a record, a commit or an endpoint controls the terminal by a command.
 */
#include "cli/arguments.h"
#include "cli/command.h"
#include "fakes/pipeline_harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ESC, C1's CSI, a change of direction, a bell. */
#define HOSTILE       \
    "\x1b[2J\xc2\x9b" \
    "31m\xe2\x80\xae\a"
#define REFUSED \
    "HTTP/1.1 422 No\r\nContent-Type: text/plain\r\nContent-Length: 16\r\n\r\n" HOSTILE "1234"

enum { TEXT_MAX = 65536, WORDS = 7 };

static const struct server_rule refusing[] = {{NULL, SERVER_ANSWER, REFUSED, 0}, {0}};

static const struct {
    const struct command *command;
    const char *words[WORDS];
    const char *shows; /* what proves that the hostile record was read */
} calls[] = {
    {&command_preview, {"preview", "--until-end"}, "deliver: 1, skip: "},
    {&command_preview, {"preview", "--until-end", "--json"}, "\"verdict\":"},
    {&command_offsets, {"offsets"}, "group "},
    {&command_offsets, {"offsets", "--json"}, "\"topic\":"},
    {&command_replay, {"replay", "--from", "beginning", "--dry-run"}, "would be sent again"},
    {&command_redrive, {"redrive", "--yes", "--rate", "1000"}, "asked for again"},
    {&command_redrive, {"redrive", "--yes", "--reason", HOSTILE}, "no parked order matches"},
};

/* A parked record as any producer of the topic could write it. */
static void write_parked(struct pipeline_harness *w)
{
    static const struct {
        const char *name, *value;
    } headers[] = {{"elementor-sync.topic", CLUSTER_TOPIC}, {"elementor-sync.partition", "2"},
                   {"elementor-sync.offset", "0"},          {"elementor-sync.reason", HOSTILE},
                   {"elementor-sync.detail", HOSTILE},      {"elementor-sync.order-id", HOSTILE},
                   {"elementor-sync.class", HOSTILE},       {"elementor-sync.source", HOSTILE}};
    rd_kafka_headers_t *list = rd_kafka_headers_new(sizeof headers / sizeof *headers);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        rd_kafka_header_add(list, headers[i].name, -1, headers[i].value, -1);
    assert_int_equal(rd_kafka_producev(w->cluster.rk, RD_KAFKA_V_TOPIC(w->config->parked_topic),
                                       RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY(HOSTILE, 4),
                                       RD_KAFKA_V_VALUE(HOSTILE, 4),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                       RD_KAFKA_V_HEADERS(list), RD_KAFKA_V_END),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_flush(w->cluster.rk, HARNESS_PATIENCE_MS),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
}

/* Runs a command; standard output and error go to the text. */
static void call(struct pipeline_harness *w, const struct command *command,
                 const char *const *words, char *ret_text)
{
    const struct command *const commands[] = {command, NULL};
    char *argv[WORDS + 2] = {"elementor-sync"};
    int count = 1, fd = memfd_create("output", MFD_CLOEXEC);
    int out = dup(STDOUT_FILENO), trouble = dup(STDERR_FILENO);
    struct invocation invocation;
    struct error err = {0};
    assert_true(fd >= 0 && out >= 0 && trouble >= 0);
    for (; words[count - 1] != NULL; count++)
        argv[count] = (char *)(uintptr_t)words[count - 1];
    assert_true(arguments_parse(count, argv, commands, &invocation, &err));
    fflush(stdout);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    (void)!command->run(w->config, invocation.options, &err);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    dup2(trouble, STDERR_FILENO);
    ssize_t len = pread(fd, ret_text, TEXT_MAX - ERROR_TEXT_MAX - 1, 0);
    assert_true(len >= 0);
    snprintf(ret_text + len, ERROR_TEXT_MAX, "%s", err.text);
    arguments_done(&invocation);
    close(fd);
    close(out);
    close(trouble);
}

static void assert_harmless(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((((unsigned char)*c < ' ' && *c != '\n') || *c == 0x7f) ||
            (*c == '\xc2' && (unsigned char)c[1] < 0xa0) || strncmp(c, "\xe2\x80\xae", 3) == 0)
            fail_msg("byte %02x at %td of: %s", (unsigned char)*c, c - text, text);
}

static void no_command_prints_control_characters(void **state)
{
    static char text[TEXT_MAX];
    struct pipeline_harness w;
    sigset_t set;
    (void)state;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL); /* before there are threads */
    pipeline_harness_open(&w, refusing);
    cluster_commit(&w.cluster, w.config->kafka_group, 1, 0, HOSTILE);
    pipeline_harness_produce(&w, 0, "o" HOSTILE, "06", "confirmed");
    pipeline_harness_produce(&w, 0, "o1", "06", HOSTILE);
    pipeline_harness_run_to_end(&w);
    write_parked(&w);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        call(&w, calls[i].command, calls[i].words, text);
        printf("%s: %s\n", calls[i].words[0], text);
        assert_harmless(text);
        assert_non_null(strstr(text, calls[i].shows));
    }
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_command_prints_control_characters)};
    return pipeline_harness_main("command_terminal", tests, sizeof tests / sizeof *tests);
}
