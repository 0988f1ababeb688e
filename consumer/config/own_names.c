#include "config/own_names.h"

#include "base/buf.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_DIGITS = 16 };

#define NAME(suffix)                                                       \
    {                                                                      \
#suffix ".topic", #suffix, offsetof(struct config, suffix##_topic) \
    }
const struct own_name own_names[OWN_TOPIC_COUNT] = {NAME(parked), NAME(deliveries), NAME(retry),
                                                    NAME(members), NAME(control)};
#undef NAME

static char **member_of(struct config *config, const struct own_name *name)
{
    return (char **)(void *)((char *)config + name->member);
}

const char *own_name_of(const struct config *config, const struct own_name *name)
{
    return *(char *const *)(const void *)((const char *)config + name->member);
}

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

bool config_name_is_topic(const char *name)
{
    size_t len = strspn(name, plain);
    return len > 0 && len <= TOPIC_NAME_MAX && name[len] == '\0' && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/* Each character becomes one byte: the bytes behind its first one are dropped. */
static size_t add_plain(char *to, size_t size, const char *text)
{
    size_t len = 0;
    for (; *text != '\0' && len < size; text++)
        if (((unsigned char)*text & 0xc0) != 0x80)
            to[len++] = strchr(plain, *text) != NULL ? *text : '_';
    return len;
}

const char *own_topic_name(const char *group, const char *suffix, char ret[TOPIC_NAME_MAX + 1])
{
    size_t tail = 1 + strlen(suffix);
    size_t len = add_plain(ret, TOPIC_NAME_MAX + 1, group);
    if (len + tail > TOPIC_NAME_MAX) {
        len = TOPIC_NAME_MAX - tail - 1 - HASH_DIGITS;
        static const struct hash_key fixed; /* every process of the group makes the same name */
        uint64_t hash = hash_keyed(&fixed, group, strlen(group));
        snprintf(ret + len, HASH_DIGITS + 2, "-%016" PRIx64, hash);
        len += 1 + HASH_DIGITS;
    }
    snprintf(ret + len, TOPIC_NAME_MAX + 1 - len, ".%s", suffix);
    return ret;
}

static bool set(char **member, const char *value)
{
    *member = strdup(value);
    return *member != NULL;
}

static bool set_group(struct config *config)
{
    if (config->kafka_topic == NULL)
        return set(&config->kafka_group, FORMER_GROUP);
    size_t size = sizeof FORMER_GROUP + 1 + strlen(config->kafka_topic);
    config->kafka_group = malloc(size);
    if (config->kafka_group != NULL)
        snprintf(config->kafka_group, size, FORMER_GROUP ".%s", config->kafka_topic);
    return config->kafka_group != NULL;
}

bool own_names_fill(struct config *config)
{
    char text[TOPIC_NAME_MAX + 1];
    if (config->kafka_group == NULL) {
        config->derived.group = true;
        if (!set_group(config))
            return false;
    }
    for (size_t i = 0; i < OWN_TOPIC_COUNT; i++) {
        char **member = member_of(config, &own_names[i]);
        if (*member != NULL)
            continue;
        config->derived.topics[i] = true;
        if (!set(member, own_topic_name(config->kafka_group, own_names[i].suffix, text)))
            return false;
    }
    return true;
}

bool own_name_is_default(const struct config *config, const struct own_name *name)
{
    char text[TOPIC_NAME_MAX + 1];
    return strcmp(own_name_of(config, name),
                  own_topic_name(config->kafka_group, name->suffix, text)) == 0;
}
