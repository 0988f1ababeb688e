/* demo_command: everything on this machine, nothing to install or to configure. */
#include "cli/command.h"
#include "demo/demo.h"
#include "sys/signals.h"

#include <unistd.h>

enum { RATE_USUAL = 10, RATE_MAX = 500 }; /* new orders a second */

struct demo_arguments {
    int64_t orders, rate, seed;
    const char *webhook_url, *journal;
};

static const struct argument arguments[] = {
    {"--orders", ARGUMENT_COUNT, offsetof(struct demo_arguments, orders), "N",
     "end after N orders and settle the accounts (default: at Ctrl-C)"},
    {"--rate", ARGUMENT_COUNT, offsetof(struct demo_arguments, rate), "N",
     "new orders a second (default 10, at most 500)"},
    {"--seed", ARGUMENT_COUNT, offsetof(struct demo_arguments, seed), "N", "the same orders again"},
    {"--webhook-url", ARGUMENT_TEXT, offsetof(struct demo_arguments, webhook_url), "URL",
     "deliver to a receiver of your own"},
    {"--journal", ARGUMENT_TEXT, offsetof(struct demo_arguments, journal), "FILE",
     "write what became of each confirmation, one JSON line each"},
};

/* A fast shop: seconds where a real endpoint gets minutes. */
static const char *const settings[] = {"kafka.topic=orders.public.orders",
                                       "kafka.group=elementor-sync",
                                       "parked.topic=elementor-sync.parked",
                                       "deliveries.topic=elementor-sync.deliveries",
                                       "retry.topic=elementor-sync.retry",
                                       "members.topic=elementor-sync.members",
                                       "control.topic=elementor-sync.control",
                                       "kafka.start=earliest",
                                       "retry.base=200ms",
                                       "retry.cap=5s",
                                       "breaker.probe_first=1s",
                                       "breaker.probe_cap=5s",
                                       NULL};

static bool run(struct config *config, const void *given, struct error *err)
{
    const struct demo_arguments *own = given;
    if (own->rate > RATE_MAX)
        return error_set(err, ERROR_CONFIG, "--rate: at most %d orders a second", RATE_MAX);
    const struct demo_options options = {.orders = own->orders > 0 ? (uint64_t)own->orders : 0,
                                         .rate = own->rate > 0 ? (double)own->rate : RATE_USUAL,
                                         .seed = own->seed > 0 ? (uint64_t)own->seed : 1,
                                         .webhook_url = own->webhook_url,
                                         .journal_path = own->journal,
                                         .stop_fd = signals_open()};
    bool ok = demo_run(config, &options, err);
    close(options.stop_fd);
    return ok;
}

static const char *const examples[] = {"demo", "demo --orders 100", NULL};

const struct command command_demo = {
    .name = "demo",
    .summary = "the whole pipeline on this machine: a shop, Kafka, a moody receiver",
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof *arguments,
    .options_size = sizeof(struct demo_arguments),
    .config = COMMAND_CONFIG_LOADED,
    .settings = settings,
    .examples = examples,
    .failure = "an account of the demo does not balance",
    .run = run};
