/* fatal: librdkafka cannot go on. Every fatal error of its consumer is the end of the
 * member: it takes part in the group no more, so that nothing of what it had is its own. */
#include "config/member_options.h"
#include "kafka/consumer/consumer_internal.h"

#include <stdio.h>

enum { WHY_MAX = 256 };

static void describe(const struct consumer *s, rd_kafka_resp_err_t code, const char *why,
                     struct error *err)
{
    const char *instance = config_instance(s->config);
    if (code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        error_set(err, ERROR_CONFIG,
                  "another process joined the group \"%.100s\" as instance \"%.100s\" and has "
                  "taken over: give each member a kafka.instance of its own, or run this one once",
                  s->config->kafka_group, instance != NULL ? instance : "");
    else
        error_set(err, ERROR_FAILED, "librdkafka's consumer cannot go on: %s: %.200s",
                  rd_kafka_err2name(code), why);
}

void consumer_look_for_fatal(struct consumer *s)
{
    char why[WHY_MAX] = "";
    struct error err = {0};
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(s->rk, why, sizeof why);
    if (s->fatal || code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    s->fatal = true;
    s->joined = false;
    s->pending = CHANGE_NONE; /* librdkafka has unassigned everything */
    consumer_lose_all(s);
    describe(s, code, why, &err);
    s->events.trouble(s->events.context, &err, true);
}
