/* requests: the manual retries that wait in the retry topic. Blocking; for the commands. */
#ifndef OPERATOR_REQUESTS_H
#define OPERATOR_REQUESTS_H

#include "base/error.h"
#include "base/slice.h"
#include "config/config.h"

#include <stdbool.h>
#include <stdint.h>

struct requests;

/* Reads the retry topic from the group's commit on: earlier records were served. A topic that does
 * not exist holds none. The config must outlive it. */
struct requests *requests_new(const struct config *config, struct error *err);
void requests_free(struct requests *requests); /* accepts NULL */

/* A retry of this topic and group: where its source record lies, its order and its id. */
struct request {
    int32_t partition;
    int64_t offset;
    char id[64];
    char order[1024]; /* "": not known */
};

/* The next one; false when none came within timeout_ms. Others' and unreadable ones are skipped. */
bool requests_next(struct requests *requests, int timeout_ms, struct request *ret);

/* True when everything was read that was there at the start. */
bool requests_caught_up(const struct requests *requests);

#endif
