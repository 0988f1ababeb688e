/* parked_reader: fills a parked_list from Kafka: the parked topic, then the outcomes. */
#ifndef OPERATOR_PARKED_READER_H
#define OPERATOR_PARKED_READER_H

#include "config/config.h"
#include "operator/parked_list.h"

#include <jansson.h>

/* True when to go on reading; asked before each wait. */
typedef bool parked_may_go_on(void *context);

/* Reads the parked topic to its present end and sorts the list. Records of another topic or group
 * are only counted, those that name no source record are skipped. False when may_go_on ended it
 * (err untouched) or on an error. */
bool parked_reader_read(const struct config *config, struct parked_list *list,
                        parked_may_go_on *may_go_on, void *context, size_t *ret_others,
                        struct error *err) must_check;

/* Adds an outcome record, unless it is of another topic. */
void parked_reader_outcome(const struct config *config, struct parked_list *list,
                           const json_t *outcome);

#endif
