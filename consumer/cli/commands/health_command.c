/* health_command: the answer of a running program's probe, for machines without a shell or curl. */
#include "cli/command.h"
#include "http/http_client.h"
#include "sys/loop.h"
#include "terminal/progress.h"

#include <stdio.h>
#include <string.h>

enum { TIMEOUT_MS = 5000, URL_MAX = 320, ANSWER_MAX = 4096, ADDRESS_MAX = 256 };

struct health_arguments {
    bool dashboard, live;
    int64_t timeout_ms;
};

static const struct argument arguments[] = {
    {"--dashboard", ARGUMENT_FLAG, offsetof(struct health_arguments, dashboard), "",
     "ask the dashboard (dashboard.listen), not run (ops.listen)"},
    {"--live", ARGUMENT_FLAG, offsetof(struct health_arguments, live), "",
     "ask whether it should go on living (/livez), not whether it is ready (/readyz)"},
    {"--timeout", ARGUMENT_DURATION, offsetof(struct health_arguments, timeout_ms), "D",
     "wait at most so long for an answer (5s)"},
};

/* The process that is asked, as the messages name it. */
struct target {
    const char *process, *option, *path;
    char address[ADDRESS_MAX], url[URL_MAX];
};

/* An option that names every address includes loopback: that is asked. */
static bool find_target(const struct config *config, const struct health_arguments *own,
                        struct target *ret, struct error *err)
{
    static const struct {
        const char *listens, *asked;
    } any[] = {{"", "127.0.0.1"}, {"0.0.0.0", "127.0.0.1"}, {"[::]", "[::1]"}};
    const char *listens = own->dashboard ? config->dashboard_listen : config->ops_listen;
    ret->process = own->dashboard ? "the dashboard" : "run";
    ret->option = own->dashboard ? "dashboard.listen" : "ops.listen";
    ret->path = own->live ? "/livez" : "/readyz";
    if (listens == NULL)
        return error_set(err, ERROR_CONFIG,
                         "ops.listen is not set, so run answers no probe; set "
                         "ops.listen=127.0.0.1:9464, for run and health alike");
    const char *port = strrchr(listens, ':');
    if (port == NULL || port[1] == '\0' || strspn(port + 1, "0123456789") != strlen(port + 1) ||
        strspn(port + 1, "0") == strlen(port + 1))
        return error_set(err, ERROR_CONFIG,
                         "%s: \"%.80s\" has no port to ask at; write 127.0.0.1:9464, say",
                         ret->option, listens);
    int len = (int)(port - listens);
    snprintf(ret->address, sizeof ret->address, "%s", listens);
    for (size_t i = 0; i < sizeof any / sizeof *any; i++)
        if (strlen(any[i].listens) == (size_t)len &&
            strncmp(listens, any[i].listens, (size_t)len) == 0)
            snprintf(ret->address, sizeof ret->address, "%s%s", any[i].asked, port);
    snprintf(ret->url, sizeof ret->url, "http://%s%s", ret->address, ret->path);
    return true;
}

struct answer {
    const struct target *target;
    bool live, is_there;
    struct error *err;
};

static void judge(void *context, const struct http_result *result)
{
    struct answer *a = context;
    const struct target *t = a->target;
    a->is_there = true;
    if (result->status == 0)
        error_set(a->err, ERROR_UNREACHABLE, "%s does not answer at %s: %s", t->process, t->address,
                  result->failure);
    else if (result->status == 200)
        printf("%s is %s (%s)\n", t->process, a->live ? "alive" : "ready", t->address);
    else if (result->status == 503)
        error_set(a->err, ERROR_FAILED, "%s is not %s (%s): %.*s", t->process,
                  a->live ? "alive" : "ready", t->address, (int)strcspn(result->body, "\n"),
                  result->body);
    else
        error_set(a->err, ERROR_FAILED,
                  "%s answered %d to %s, as no elementor-sync does: is it another program's port?",
                  t->address, result->status, t->path);
}

static bool ask(const struct target *target, const struct health_arguments *own, struct error *err)
{
    const struct http_endpoint endpoint = {.timeout_ms =
                                               own->timeout_ms >= 0 ? own->timeout_ms : TIMEOUT_MS,
                                           .response_max = ANSWER_MAX,
                                           .http_allowed = true,
                                           .connections_max = 1};
    static const char *const headers[] = {NULL};
    struct answer answer = {.target = target, .live = own->live, .err = err};
    struct loop *loop = loop_new(err);
    struct http *http = loop != NULL ? http_new(loop, err) : NULL;
    struct http_request *request = http != NULL ? http_start(http, &endpoint, "GET", target->url,
                                                             headers, NULL, 0, judge, &answer, err)
                                                : NULL;
    progress_step("waiting for an answer", -1);
    while (request != NULL && !answer.is_there) {
        int64_t wait = http_turn(http);
        if (!answer.is_there)
            loop_wait(loop, wait);
    }
    progress_end();
    http_free(http);
    loop_free(loop);
    return err->code == ERROR_NONE;
}

static bool run(struct config *config, const void *given, struct error *err)
{
    const struct health_arguments *own = given;
    struct target target;
    return find_target(config, own, &target, err) && ask(&target, own, err);
}

static const char *const examples[] = {"health --config shop.yaml",
                                       "health --dashboard --live --timeout 2s", NULL};

const struct command command_health = {
    .name = "health",
    .summary = "ask the run, or the dashboard, of this configuration how it is: for probes",
    .failure = "it answers that it is not ready, or not alive; the message says why",
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof *arguments,
    .options_size = sizeof(struct health_arguments),
    .config = COMMAND_CONFIG_LOADED,
    .examples = examples,
    .run = run};
