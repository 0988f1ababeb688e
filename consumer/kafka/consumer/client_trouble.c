#include "kafka/consumer/client_trouble.h"

#include "config/member_options.h"
#include "kafka/advice.h"
#include "sys/clock.h"

#include <stdio.h>

enum { TROUBLE_EVERY_MS = 60000, WHY_MAX = 256 };

/* The end of a list when there is none. */
static struct log_field hint_on(const char *why)
{
    const char *advice = kafka_advice(why);
    return *advice != '\0' ? LOG_S("hint", advice) : (struct log_field){0};
}

void client_trouble_no_broker(struct client_trouble *t, const char *why)
{
    const struct log_field fields[] = {
        LOG_S("brokers", t->config->kafka_brokers), LOG_S("error", why), hint_on(why), {0}};
    log_limited(&t->missed, clock_mono_ms(), TROUBLE_EVERY_MS, "brokers unreachable", fields);
}

static void refused(struct client_trouble *t, const char *why)
{
    const struct log_field fields[] = {
        LOG_S("brokers", t->config->kafka_brokers), LOG_S("error", why), hint_on(why), {0}};
    log_limited(&t->refused, clock_mono_ms(), TROUBLE_EVERY_MS, "broker connection refused",
                fields);
}

void client_trouble_note(struct client_trouble *t, rd_kafka_resp_err_t code, const char *reason)
{
    if (*kafka_advice(reason) != '\0' || *t->words == '\0')
        snprintf(t->words, sizeof t->words, "%s", reason);
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        return; /* client_is_lost looks for it itself */
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL)
        refused(t, reason);
    else
        client_trouble_no_broker(t, reason);
}

/* A missing right, a coordinator that can't be found: librdkafka repeats them. */
void client_trouble_reading(struct client_trouble *t, const char *why)
{
    const struct log_field fields[] = {LOG_S("topic", t->config->kafka_topic),
                                       LOG_S("group", t->config->kafka_group),
                                       LOG_S("error", why),
                                       hint_on(why),
                                       {0}};
    log_limited(&t->reading, clock_mono_ms(), TROUBLE_EVERY_MS, "consumer error", fields);
}

void client_trouble_over(struct client_trouble *t)
{
    log_recovered(&t->refused, "broker connection accepted", (const struct log_field[]){{0}});
    log_recovered(&t->missed, "brokers reachable", (const struct log_field[]){{0}});
}

static void describe(const struct config *config, rd_kafka_resp_err_t code, const char *why,
                     struct error *err)
{
    const char *instance = config_instance(config);
    if (code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        error_set(err, ERROR_CONFIG,
                  "another process joined the group \"%.100s\" as instance \"%.100s\" and has "
                  "taken over: give each member a kafka.instance of its own, or run this one once",
                  config->kafka_group, instance != NULL ? instance : "");
    else
        error_set(err, ERROR_FAILED, "librdkafka's consumer cannot go on: %s: %.200s",
                  rd_kafka_err2name(code), why);
}

bool client_is_lost(rd_kafka_t *rk, const struct config *config, struct error *err)
{
    char why[WHY_MAX] = "";
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(rk, why, sizeof why);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    describe(config, code, why, err);
    return true;
}
