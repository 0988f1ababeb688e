#include "kafka/kafka_client.h"

#include "kafka/advice.h"
#include "kafka/broker_certificate.h"
#include "kafka/kafka_client_log.h"

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, struct error *err)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK)
        return true;
    /* librdkafka repeats the value in its text, which may be a secret. */
    return error_set(err, ERROR_CONFIG, "kafka.properties.%s: %s", name,
                     config_property_is_secret(name) ? "refused by librdkafka" : text);
}

/* A partition whose queue was full would rest for a second, long after its queue is read.
 * librdkafka before 2.2 has no such rest, and does not know the property. */
static bool set_queue_rest(rd_kafka_conf_t *conf, struct error *err)
{
    enum { RESTS_SINCE = 0x02020000 };
    return rd_kafka_version() < RESTS_SINCE || set(conf, "fetch.queue.backoff.ms", "20", err);
}

static bool set_list(rd_kafka_conf_t *conf, const struct kafka_property *properties,
                     struct error *err)
{
    for (; properties->name != NULL; properties++)
        if (!set(conf, properties->name, properties->value, err))
            return false;
    return true;
}

/* Properties of the user replace the program's own. */
static bool set_all(rd_kafka_conf_t *conf, const struct config *config,
                    const struct kafka_property *common, const struct kafka_property *properties,
                    struct error *err)
{
    if (!set(conf, "bootstrap.servers", config->kafka_brokers, err) ||
        !set(conf, "client.id", "elementor-sync", err) || !set_queue_rest(conf, err) ||
        !set_list(conf, common, err) || !set_list(conf, properties, err))
        return false;
    for (size_t i = 0; i < config->kafka_property_count; i++)
        if (!set(conf, config->kafka_properties[i].name, config->kafka_properties[i].value, err))
            return false;
    return true;
}

static rd_kafka_conf_t *conf_of(const struct config *config, const struct kafka_property *common,
                                const struct kafka_property *properties, struct error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (!set_all(conf, config, common, properties, err) || !broker_certificate_explain(conf, err)) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_conf_set_log_cb(conf, kafka_log);
    return conf;
}

rd_kafka_conf_t *kafka_conf_new(const struct config *config,
                                const struct kafka_property *properties, struct error *err)
{
    static const struct kafka_property none = {NULL, NULL};
    return conf_of(config, &none, properties, err);
}

rd_kafka_conf_t *kafka_observer_conf(const struct config *config, const char *group,
                                     const struct kafka_property *properties, struct error *err)
{
    const struct kafka_property common[] = {{"group.id", group},
                                            {"enable.auto.commit", "false"},
                                            {"enable.auto.offset.store", "false"},
                                            {"auto.offset.reset", "earliest"},
                                            {"allow.auto.create.topics", "false"},
                                            {"enable.partition.eof", "true"},
                                            {NULL, NULL}};
    return conf_of(config, common, properties, err);
}

rd_kafka_t *kafka_observer_new(const struct config *config, const char *group,
                               const struct kafka_property *properties, struct error *err)
{
    rd_kafka_conf_t *conf = kafka_observer_conf(config, group, properties, err);
    rd_kafka_t *rk = conf != NULL ? kafka_client_new(RD_KAFKA_CONSUMER, conf, err) : NULL;
    if (rk != NULL)
        rd_kafka_poll_set_consumer(rk);
    return rk;
}

rd_kafka_queue_t *kafka_observer_queue(rd_kafka_t *rk, int wake_fd)
{
    static const uint64_t one = 1;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    rd_kafka_queue_io_event_enable(queue, wake_fd, &one, sizeof one);
    return queue;
}

rd_kafka_t *kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct error *err)
{
    char text[256];
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof text);
    if (rk == NULL) {
        const char *advice = kafka_advice(text);
        rd_kafka_conf_destroy(conf);
        error_set(err, ERROR_CONFIG, "librdkafka: %s%s%s", text, *advice != '\0' ? "; " : "",
                  advice);
    }
    return rk;
}

bool kafka_no_broker(const struct config *config, rd_kafka_resp_err_t code, struct error *err)
{
    return error_set(err, ERROR_UNREACHABLE,
                     "%s: no broker answers: %s; elementor-sync check says why and what to do",
                     config->kafka_brokers, rd_kafka_err2str(code));
}
