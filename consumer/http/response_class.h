/* response_class: classifies the end of an attempt: the fault of the record, of the endpoint, or
 * transient.
 *
 *   2xx                                                      DELIVERED
 *   no answer (network, TLS, timeout), 408 425 429, 5xx      TRANSIENT   but 501 and 505
 *   400 413 415 422 and the other 4xx                        REFUSED     the record's fault
 *   401 403 404 410, 501 505, any 3xx, no HTTP status        ENDPOINT    the endpoint's fault */
#ifndef HTTP_RESPONSE_CLASS_H
#define HTTP_RESPONSE_CLASS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum response_class { RESPONSE_DELIVERED, RESPONSE_TRANSIENT, RESPONSE_REFUSED, RESPONSE_ENDPOINT };

/* Reasons for having no answer. */
enum response_failure {
    FAILURE_NONE, /* there was an answer: its status decides */
    FAILURE_NETWORK,
    FAILURE_DNS,
    FAILURE_PROXY, /* the one before the endpoint: it cannot be reached, or refuses */
    FAILURE_TIMEOUT,
    FAILURE_TLS,
    FAILURE_CLOSED,     /* sent, and the connection closed */
    FAILURE_BAD_ANSWER, /* not HTTP, or too large */
    FAILURE_LOCAL       /* ours: no memory, no file descriptors */
};

/* A class for each status, 0 … 599: the table above with the operator's changes. */
struct response_rules {
    uint8_t class_of[600];
};

void response_rules_default(struct response_rules *rules);

/* Assigns the statuses of a list ("409,5xx,520-527") to a class. False with err CONFIG, naming the
 * item: neither a status of 100 to 599, nor "Nxx", nor a range; or a 2xx. */
bool response_rules_change(struct response_rules *rules, const char *list, enum response_class to,
                           struct error *err) must_check;

/* status: 0 when there was no answer; then failure has the reason. */
enum response_class response_classify(const struct response_rules *rules, int status,
                                      enum response_failure failure);

/* True: the answer only asks for a slower pace. */
bool outcome_is_pace(int status, bool has_retry_after);

/* "http:503", "timeout", "network"…: a word of the closed list. Returns text. */
const char *response_reason(int status, enum response_failure failure, char *text, size_t size);

extern const char *const response_class_names[];

#endif
