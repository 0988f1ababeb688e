/* own_names: the default names of the group and of the program's own topics.
 *
 *   kafka.topic = shop.orders
 *   kafka.group = elementor-sync.shop.orders            unless it was set
 *   parked.topic … = elementor-sync.shop.orders.parked  <kafka.group>.<what it holds>
 *
 * Each name derives from the one before it, so that two shops on one cluster, or two groups on one
 * topic, share nothing by default. Pure. */
#ifndef CONFIG_OWN_NAMES_H
#define CONFIG_OWN_NAMES_H

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>

enum { OWN_TOPIC_COUNT = 5, TOPIC_NAME_MAX = 249 };

/* Earlier releases, before names were derived, used one set for all shops. */
#define FORMER_GROUP "elementor-sync"

/* One of the program's own topics. */
struct own_name {
    const char *option; /* "parked.topic" */
    const char *suffix; /* "parked" */
    size_t member;      /* offsetof in struct config, of a char * */
};
extern const struct own_name own_names[OWN_TOPIC_COUNT];

/* The topic's name in this config; NULL before own_names_fill unless it was set. */
const char *own_name_of(const struct config *config, const struct own_name *name);

/* Gives each of the six names that was not set its default, and notes in config->derived which.
 * Without a kafka.topic the names are those of former releases. Called again it changes nothing.
 * False without memory. */
bool own_names_fill(struct config *config) must_check;

/* True when Kafka allows it as the name of a topic. */
bool config_name_is_topic(const char *name);

/* "<group>.<suffix>" as a topic may be called: each character that a topic may not have becomes
 * "_"; a name beyond Kafka's 249 characters is cut, and ends in 16 hex digits of a hash of the
 * whole, so that it is stable and unique. Returns ret. */
const char *own_topic_name(const char *group, const char *suffix, char ret[TOPIC_NAME_MAX + 1]);

/* True when the topic is called as this group's own by default. */
bool own_name_is_default(const struct config *config, const struct own_name *name);

#endif
