/* former_names: the records and commits that a former release left under its default names.
 *
 * Releases before 1 used the group "elementor-sync" and the topics "elementor-sync.parked" … for
 * every shop (config/own_names). */
#ifndef TOPICS_SETTINGS_FORMER_NAMES_H
#define TOPICS_SETTINGS_FORMER_NAMES_H

#include "base/error.h"
#include "config/config.h"

#include <librdkafka/rdkafka.h>

/* Looks only for names that this config did not set. Topics that hold records are named in the log,
 * with the option that keeps each. False with CONFIG, naming the options, when the former group has
 * commits in kafka.topic and this one has none: going on would send again, or pass over, what lies
 * between; with UNREACHABLE where a broker fails meanwhile. Any other look-up that fails is
 * logged, and does not stop the start. Blocks for some seconds at most; partitions: of kafka.topic.
 */
bool former_names_look(rd_kafka_t *rk, const struct config *config, int32_t partitions,
                       struct error *err) must_check;

#endif
