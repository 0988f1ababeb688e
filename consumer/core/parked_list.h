/* parked_list: which parked records still wait to be sent, of all that were ever parked.
 *
 * A record may be parked, sent again and parked again: the last one stands for it. What its order's
 * last outcome says decides: when that is delivered, or of another record, it waits no more. */
#ifndef CORE_PARKED_LIST_H
#define CORE_PARKED_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARKED_REASON_MAX = 64 };

/* Where the source record lies. */
struct parked_source {
    uint64_t topic; /* a hash of its name */
    int32_t partition;
    int64_t offset;
};

struct parked_entry {
    struct parked_source source;
    int32_t parked_partition; /* of the parked record */
    int64_t parked_offset;
    int64_t parked_ms;
    uint64_t order; /* a hash of the outcome's key; 0: none */
    bool settled;   /* waits no more */
    char reason[PARKED_REASON_MAX];
};

struct parked_list {
    struct parked_entry *entries;
    size_t count, room;
};

void parked_list_done(struct parked_list *list);

/* False without memory. */
bool parked_list_add(struct parked_list *list, const struct parked_entry *entry);

/* After the last add: by order and source record, the last parking of each. What could not be read
 * when it was parked had no order; what a later parking or outcome of the same record knows of it
 * counts for it too. */
void parked_list_sort(struct parked_list *list);

/* An outcome of the order with this hash, in the order they were written: whether it is parked, and
 * of which source record. */
void parked_list_outcome(struct parked_list *list, uint64_t order, bool parked,
                         const struct parked_source *source);

/* Keeps those that wait, for this reason ("" for any; "http:" means all that begin so), parked at
 * or after since_ms; in the order in which they were parked within each parked partition. */
void parked_list_select(struct parked_list *list, const char *reason, int64_t since_ms);

/* The selected one at this place of the parked topic; after parked_list_select. */
bool parked_list_has(const struct parked_list *list, int32_t parked_partition,
                     int64_t parked_offset);

#endif
