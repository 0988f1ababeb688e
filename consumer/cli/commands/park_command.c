/* park_command: parks the unreadable records of a stretch of a partition, so that the partition
 * goes on.
 */
#include "base/utf8.h"
#include "cli/audit.h"
#include "cli/command.h"
#include "cli/confirm.h"
#include "kafka/group/group_admin.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/signals.h"
#include "sys/wakeup.h"
#include "terminal/progress.h"
#include "topics/park_order.h"
#include "topics/retry_record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACKNOWLEDGE_MS = 10000, POLL_MS = 100 };

struct park_arguments {
    const char *partition, *from, *to, *reason;
    bool yes;
};

static const struct argument arguments[] = {
    {"--partition", ARGUMENT_TEXT, offsetof(struct park_arguments, partition), "N",
     "of kafka.topic"},
    {"--from", ARGUMENT_TEXT, offsetof(struct park_arguments, from), "OFFSET",
     "the first one to park"},
    {"--to", ARGUMENT_TEXT, offsetof(struct park_arguments, to), "OFFSET",
     "the first one behind it (default: only --from)"},
    {"--reason", ARGUMENT_TEXT, offsetof(struct park_arguments, reason), "TEXT",
     "why, for the audit log and the parked records"},
    {"--yes", ARGUMENT_FLAG, offsetof(struct park_arguments, yes), "", "do not ask"},
};

struct park {
    const struct config *config;
    const struct park_arguments *own;
    struct park_order order;
    char request[RETRY_REQUEST_MAX];
    int stop_fd, wake_fd;
    bool answered, acknowledged;
};

static bool read_number(const char *name, const char *text, int64_t max, int64_t *ret,
                        struct error *err)
{
    if (text == NULL)
        return error_set(err, ERROR_CONFIG,
                         "%s is missing: the log's \"partition stopped\" names "
                         "partition and offset",
                         name);
    errno = 0;
    *ret = strtoll(text, NULL, 10);
    return (*text != '\0' && text[strspn(text, "0123456789")] == '\0' && errno == 0 &&
            *ret <= max) ||
           error_set(err, ERROR_CONFIG, "%s: \"%s\" is not a number from 0 on", name, text);
}

static bool read_options(struct park *k, struct error *err)
{
    const struct park_arguments *own = k->own;
    int64_t partition = -1;
    if (!read_number("--partition", own->partition, INT32_MAX, &partition, err) ||
        !read_number("--from", own->from, INT64_MAX - 1, &k->order.from, err))
        return false;
    k->order.until = k->order.from + 1;
    if (own->to != NULL && !read_number("--to", own->to, INT64_MAX, &k->order.until, err))
        return false;
    if (k->order.until <= k->order.from)
        return error_set(err, ERROR_CONFIG, "--to: it must lie behind --from");
    if (own->reason == NULL || *own->reason == '\0' ||
        !utf8_is_valid(own->reason, strlen(own->reason)))
        return error_set(err, ERROR_CONFIG, "--reason is missing: it goes into the audit log");
    if (strlen(own->reason) > PARK_REASON_MAX)
        return error_set(err, ERROR_CONFIG, "--reason: at most %d bytes", PARK_REASON_MAX);
    k->order.partition = (int32_t)partition;
    k->order.topic = k->config->kafka_topic;
    k->order.reason = own->reason;
    k->order.request = k->request;
    return retry_request_new(k->request, err);
}

static bool fits(const struct park *k, const struct group_topic *topic, struct error *err)
{
    const struct park_order *order = &k->order;
    if (topic->count == 0)
        return error_set(err, ERROR_FAILED, "topic \"%s\" does not exist on this cluster",
                         k->config->kafka_topic);
    if ((size_t)order->partition >= topic->count)
        return error_set(err, ERROR_CONFIG, "--partition: the topic has %zu, from 0 on",
                         topic->count);
    const struct group_partition *p = &topic->partitions[order->partition];
    if (order->until > p->high)
        return error_set(err, ERROR_CONFIG,
                         "--to: partition %" PRId32 " ends at %" PRId64
                         "; what is not written yet cannot be parked",
                         order->partition, p->high);
    return order->until > p->committed ||
           error_set(err, ERROR_FAILED,
                     "the group has settled partition %" PRId32 " up to %" PRId64
                     " already: nothing of this stretch is left to park",
                     order->partition, p->committed);
}

static void show(const struct park *k, const struct group_topic *topic)
{
    const struct group_partition *p = &topic->partitions[k->order.partition];
    printf("topic %s, partition %" PRId32 ", offsets %" PRId64 " to %" PRId64 " (%" PRId64
           "), group %s, committed %" PRId64 "\n"
           "what cannot be read there is parked as undecodable and the partition goes on;\n"
           "what can be read is processed as usual\n",
           k->config->kafka_topic, k->order.partition, k->order.from, k->order.until - 1,
           k->order.until - k->order.from, k->config->kafka_group, p->committed);
    fflush(stdout);
}

static void written(void *context, bool acknowledged)
{
    struct park *k = context;
    k->answered = true;
    k->acknowledged = acknowledged;
}

static void await_answer(struct park *k, struct publisher *publisher)
{
    while (!k->answered) {
        publisher_turn(publisher, clock_mono_ms());
        if (k->answered)
            return;
        wakeup_wait(k->wake_fd, POLL_MS);
    }
}

static bool write_order(struct park *k, struct error *err)
{
    k->wake_fd = wakeup_new();
    struct publisher *publisher = publisher_new(k->config, k->wake_fd, err);
    bool ok =
        publisher != NULL && park_order_write(publisher, k->config, &k->order,
                                              clock_mono_ms() + ACKNOWLEDGE_MS, written, k, err);
    if (ok)
        await_answer(k, publisher);
    publisher_free(publisher);
    wakeup_free(k->wake_fd);
    return ok && (k->acknowledged ||
                  error_set(err, ERROR_UNREACHABLE,
                            "the retry topic \"%s\" did not acknowledge; it may or may not hold "
                            "the order",
                            k->config->retry_topic));
}

static void write_audit(const struct park *k)
{
    command_audit("park", (const struct log_field[]){LOG_S("topic", k->config->kafka_topic),
                                                     LOG_I("partition", k->order.partition),
                                                     LOG_I("from", k->order.from),
                                                     LOG_I("to", k->order.until),
                                                     LOG_S("reason", k->order.reason),
                                                     LOG_S("request", k->request),
                                                     {0}});
}

static bool park(struct park *k, struct error *err)
{
    struct group_topic topic = {0};
    if (!read_options(k, err))
        return false;
    progress_step("asking the cluster where the group stands", -1);
    struct group *group = group_new(k->config, err);
    bool ok = group != NULL && group_look(group, k->config->kafka_topic, &topic, err) &&
              fits(k, &topic, err);
    progress_end();
    if (ok)
        show(k, &topic);
    group_topic_done(&topic);
    group_free(group);
    if (!ok || !signals_go_on(k->stop_fd, err) ||
        !command_confirm("Park them?", k->own->yes, k->stop_fd, err) || !write_order(k, err))
        return false;
    write_audit(k);
    puts("asked for: the member that has the partition parks them, or the next one to start");
    return true;
}

static bool run(struct config *config, const void *given, struct error *err)
{
    struct park k = {.config = config, .own = given, .stop_fd = signals_of_command()};
    bool ok = park(&k, err);
    signals_close(k.stop_fd);
    return ok;
}

static const char *const examples[] = {
    "park --partition 3 --from 1200 --to 1260 --reason \"JSON by mistake, 22 November\"", NULL};

const struct command command_park = {.name = "park",
                                     .summary =
                                         "park what cannot be read of a stretch of a partition, so "
                                         "that it goes on",
                                     .arguments = arguments,
                                     .argument_count = sizeof arguments / sizeof *arguments,
                                     .options_size = sizeof(struct park_arguments),
                                     .needs = CONFIG_NEED_KAFKA,
                                     .examples = examples,
                                     .run = run};
