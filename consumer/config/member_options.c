#include "config/member_options.h"

#include "config/own_names.h"
#include "config/value.h"

#include <stdlib.h>
#include <strings.h>

enum { DEFAULT_SESSION_MS = 10000, SHOWN_MAX = 80, QUANTITY_TEXT = 32 };

bool config_group_is_brokers(const struct config *config)
{
    const char *protocol = config_property(config, "group.protocol");
    return protocol != NULL && strcasecmp(protocol, "consumer") == 0;
}

int64_t config_session_ms(const struct config *config)
{
    const char *property = config_property(config, "session.timeout.ms");
    int64_t ms = property != NULL ? strtoll(property, NULL, 10) : 0;
    return ms > 0 ? ms : config->session_timeout;
}

const char *config_instance(const struct config *config)
{
    const char *property = config_property(config, "group.instance.id");
    return property != NULL && *property != '\0' ? property : config->kafka_instance;
}

/* The properties that librdkafka refuses beside group.protocol=consumer. */
static bool check_brokers_group(const struct config *config, struct error *err)
{
    static const char *const refused[] = {"session.timeout.ms", "heartbeat.interval.ms",
                                          "partition.assignment.strategy", "group.protocol.type"};
    char text[QUANTITY_TEXT];
    if (config->session_timeout != DEFAULT_SESSION_MS)
        return error_set(err, ERROR_CONFIG,
                         "session.timeout (%s) has no effect with "
                         "kafka.properties.group.protocol=consumer: the broker's "
                         "group.consumer.session.timeout.ms decides; leave it out",
                         config_quantity_format(CONFIG_QUANTITY_DURATION, config->session_timeout,
                                                text, sizeof text));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (config_property(config, refused[i]) != NULL)
            return error_set(err, ERROR_CONFIG,
                             "kafka.properties.%s does not go with "
                             "kafka.properties.group.protocol=consumer: the broker decides; leave "
                             "it out",
                             refused[i]);
    return true;
}

static bool check_instance(const struct config *config, struct error *err)
{
    char shown[SHOWN_MAX];
    const char *instance = config->kafka_instance;
    if (instance == NULL)
        return true;
    if (config_property(config, "group.instance.id") != NULL)
        return error_set(err, ERROR_CONFIG,
                         "kafka.instance and kafka.properties.group.instance.id are both set: keep "
                         "kafka.instance");
    return config_name_is_topic(instance) ||
           error_set(err, ERROR_CONFIG,
                     "kafka.instance: \"%s\" is not a valid name: letters, digits, "
                     "\".\", \"_\" and \"-\", at most 249 of them",
                     config_show(instance, shown, sizeof shown));
}

bool config_check_group(const struct config *config, struct error *err)
{
    if (!check_instance(config, err))
        return false;
    if (config_group_is_brokers(config))
        return check_brokers_group(config, err);
    return config->session_timeout == DEFAULT_SESSION_MS ||
           config_property(config, "session.timeout.ms") == NULL ||
           error_set(err, ERROR_CONFIG,
                     "session.timeout and kafka.properties.session.timeout.ms are both set: keep "
                     "session.timeout");
}
