/* topic_family: topics that look like the partitions of one PostgreSQL table. Pure.
 *
 * Without publish_via_partition_root PostgreSQL publishes each partition under its own name, and
 * Debezium writes a topic for each: shop.public.orders_2025, shop.public.orders_2026, … */
#ifndef CHECK_TOPIC_FAMILY_H
#define CHECK_TOPIC_FAMILY_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the table's own name at the beginning of a topic's: without what usually names a
 * partition ("_2025_01", "_p3", "_y2026m02", "_default", "_eu"). The whole length where there is
 * nothing of that kind. */
size_t topic_family_root(const char *topic);

/* True when the other may be a partition of the topic's table, or its table. False for a topic and
 * itself. */
bool topic_family_same(const char *topic, const char *other);

#endif
