#include "config/open_options.h"

#include "base/slice.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- refused names and values ---- */

/* The properties that would break the program's guarantees, and why. */
static const char *refusal(const char *property)
{
    static const char by_us[] = "the program commits offsets, once their records are settled";
    static const char parking[] = "records are parked with acks=all and idempotence, or they could "
                                  "be lost; this cannot be changed";
    static const struct {
        const char *name, *why;
    } refused[] = {
        {"bootstrap.servers", "use kafka.brokers"},
        {"metadata.broker.list", "use kafka.brokers"},
        {"group.id", "use kafka.group"},
        {"auto.offset.reset", "a lost offset must not be skipped silently; kafka.start sets where "
                              "a partition without a commit begins"},
        {"enable.auto.commit", by_us},
        {"auto.commit.enable", by_us},
        {"enable.auto.offset.store", by_us},
        {"enable.partition.eof", "the program depends on the value that it sets"},
        {"allow.auto.create.topics", "a mistyped topic must be an error, not a new topic"},
        {"acks", parking},
        {"request.required.acks", parking},
        {"enable.idempotence", parking},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (strcmp(refused[i].name, property) == 0)
            return refused[i].why;
    return NULL;
}

static bool check_property(const char *name, const char *value, struct error *err)
{
    const char *why_not = refusal(name);
    if (strcmp(name, "isolation.level") == 0 && strcasecmp(value, "read_committed") != 0)
        return error_set(err, ERROR_CONFIG,
                         "cannot be set to anything but read_committed: records of a transaction "
                         "that was rolled back would be sent as orders");
    return why_not == NULL || error_set(err, ERROR_CONFIG, "cannot be set: %s", why_not);
}

/* own: the headers that the program sends itself, or that would break the request; ended by NULL.
 */
static bool check_header(const char *const *own, const char *name, struct error *err)
{
    for (; *own != NULL; own++)
        if (strcasecmp(*own, name) == 0)
            return error_set(err, ERROR_CONFIG, "cannot be set: the program sends it itself");
    return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")] ==
               '\0' ||
           error_set(err, ERROR_CONFIG, "is not a valid header name: letters, digits, - and _");
}

static bool check_webhook_header(const char *name, const char *value, struct error *err)
{
    static const char *const own[] = {"content-type",
                                      "content-length",
                                      "host",
                                      "transfer-encoding",
                                      "connection",
                                      "expect",
                                      "webhook-id",
                                      "webhook-timestamp",
                                      "webhook-signature",
                                      "webhook-attempt",
                                      "webhook-source",
                                      "idempotency-key",
                                      "traceparent",
                                      NULL};
    (void)value;
    return check_header(own, name, err);
}

static bool check_registry_header(const char *name, const char *value, struct error *err)
{
    static const char *const own[] = {"accept", "authorization", "content-length",
                                      "host",   "connection",    NULL};
    (void)value;
    return check_header(own, name, err);
}

static bool check_trace_header(const char *name, const char *value, struct error *err)
{
    static const char *const own[] = {
        "content-type",      "content-length", "content-encoding", "host",
        "transfer-encoding", "connection",     "expect",           NULL};
    (void)value;
    return check_header(own, name, err);
}

/* ---- the lists ---- */

static const struct open_options {
    const char *prefix;
    size_t list, count; /* offsetof in struct config */
    size_t most;        /* 0: no limit */
    bool may_be_empty;
    bool (*check)(const char *name, const char *value, struct error *err);
} kinds[] = {
    {"kafka.properties.", offsetof(struct config, kafka_properties),
     offsetof(struct config, kafka_property_count), 0, true, check_property},
    {"webhook.headers.", offsetof(struct config, webhook_headers),
     offsetof(struct config, webhook_header_count), CONFIG_HEADERS_MAX, false,
     check_webhook_header},
    {"registry.headers.", offsetof(struct config, registry_headers),
     offsetof(struct config, registry_header_count), CONFIG_HEADERS_MAX, false,
     check_registry_header},
    {"trace.headers.", offsetof(struct config, trace_headers),
     offsetof(struct config, trace_header_count), CONFIG_HEADERS_MAX, false, check_trace_header},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static struct config_pair **list_of(struct config *config, const struct open_options *kind)
{
    return (struct config_pair **)(void *)((char *)config + kind->list);
}

static size_t *count_of(struct config *config, const struct open_options *kind)
{
    return (size_t *)(void *)((char *)config + kind->count);
}

/* The kind with this name's prefix; *ret_rest: the name behind it. NULL: none. */
static const struct open_options *kind_of(const char *name, const char **ret_rest)
{
    for (size_t i = 0; i < KINDS; i++)
        if ((*ret_rest = after_prefix(name, kinds[i].prefix)) != NULL)
            return &kinds[i];
    return NULL;
}

bool config_open_is_name(const char *name)
{
    const char *rest;
    return kind_of(name, &rest) != NULL && *rest != '\0' && config_name_is_plain(name);
}

bool config_open_may_be_empty(const char *name)
{
    const char *rest;
    const struct open_options *kind = kind_of(name, &rest);
    return kind != NULL && kind->may_be_empty;
}

/* The pair of this name in a list, made if need be; NULL without memory. */
static struct config_pair *pair_named(struct config_pair **list, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp((*list)[i].name, name) == 0)
            return &(*list)[i];
    struct config_pair *pairs = realloc(*list, (*count + 1) * sizeof *pairs);
    if (pairs == NULL)
        return NULL;
    *list = pairs;
    pairs[*count] = (struct config_pair){.name = strdup(name)};
    if (pairs[*count].name == NULL)
        return NULL;
    return &pairs[(*count)++];
}

static bool set_pair(struct config_pair **list, size_t *count, const char *name, const char *value,
                     struct error *err)
{
    char *copy = strdup(value);
    struct config_pair *pair = copy != NULL ? pair_named(list, count, name) : NULL;
    if (pair == NULL) {
        free(copy);
        return error_no_memory(err);
    }
    free(pair->value);
    pair->value = copy;
    return true;
}

static void free_pairs(struct config_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(pairs[i].name);
        free(pairs[i].value);
    }
    free(pairs);
}

bool config_open_set(struct config *config, const char *name, const char *value, struct error *err)
{
    const char *rest;
    const struct open_options *kind = kind_of(name, &rest);
    size_t *count = count_of(config, kind);
    if (!kind->check(rest, value, err))
        return false;
    if (kind->most > 0 && *count >= kind->most)
        return error_set(err, ERROR_CONFIG, "more than %zu extra headers", kind->most);
    return set_pair(list_of(config, kind), count, rest, value, err);
}

void config_open_free(struct config *config)
{
    for (size_t i = 0; i < KINDS; i++)
        free_pairs(*list_of(config, &kinds[i]), *count_of(config, &kinds[i]));
}

/* ---- reading ---- */

const char *config_property(const struct config *config, const char *property)
{
    for (size_t i = 0; i < config->kafka_property_count; i++)
        if (strcmp(config->kafka_properties[i].name, property) == 0)
            return config->kafka_properties[i].value;
    return NULL;
}

bool config_property_is_secret(const char *property)
{
    static const char *const endings[] = {"password", "secret", "jaas.config", "oauthbearer.config",
                                          "key.pem"};
    size_t len = strlen(property);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t size = strlen(endings[i]);
        if (len >= size && strcmp(property + len - size, endings[i]) == 0)
            return true;
    }
    return false;
}

bool config_name_is_secret(const char *name)
{
    for (size_t i = 0; i < config_option_count; i++)
        if (strcmp(config_options[i].name, name) == 0)
            return config_options[i].secret;
    const char *rest;
    const struct open_options *kind = kind_of(name, &rest);
    return kind != NULL && (kind->check != check_property || config_property_is_secret(rest));
}
