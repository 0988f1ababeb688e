/* park_stretch: stretches of a partition whose unreadable records an operator has parked.
 *
 * The order lies in the retry partition with the same number. Its offset stays open until the
 * source partition has settled the whole stretch, so that the next owner reads the order again. */
#ifndef PIPELINE_INTAKE_PARK_STRETCH_H
#define PIPELINE_INTAKE_PARK_STRETCH_H

#include "config/config.h"
#include "pipeline/tracking/partitions.h"

/* The stretch by which this offset of a slot of orders is to be parked; NULL: none. */
const struct stretch *stretch_of(const struct partitions *partitions,
                                 const struct partition *partition, int64_t offset);

/* Takes an order off a retry slot, whose window has it open from then on. *ret_source: the
 * partition whose suspects it concerns, or NULL. False: offer it again. */
bool stretch_add(const struct config *config, const struct partitions *partitions,
                 struct partition *retry, const rd_kafka_message_t *m,
                 struct partition **ret_source);

/* Ends the stretches that are settled. */
void stretches_turn(const struct partitions *partitions, struct partition *retry);

#endif
