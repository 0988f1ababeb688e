/* parked_list: the parked records that still wait to be sent, of all that were ever parked.
 *
 * A record may be parked, sent again and parked again: the last parking counts. Its order's last
 * outcome decides: when that is not "parked", or is of another record, it waits no more. Orders are
 * told apart by their whole ids. Of one orders' topic; pure but for its memory.
 *
 *   add … add ─▶ sort ─▶ outcome, request … ─▶ select ─▶ outcome, request, waits …
 */
#ifndef OPERATOR_PARKED_LIST_H
#define OPERATOR_PARKED_LIST_H

#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARKED_REASON_MAX = 64, PARKED_REQUEST_MAX = 64 };

/* The source record's coordinates in the orders' topic. */
struct parked_source {
    int32_t partition;
    int64_t offset;
};

struct parked_entry {
    struct parked_source source;
    int32_t parked_partition; /* of the parked record */
    int64_t parked_offset;
    int64_t parked_ms;
    struct slice order;               /* its id; without bytes: not known. Owned by the list */
    bool settled;                     /* waits no more */
    bool dismissed;                   /* by an operator: sent only where it is named */
    bool selected;                    /* by parked_list_select */
    char request[PARKED_REQUEST_MAX]; /* asked for and not yet answered; "": none */
    char reason[PARKED_REASON_MAX];
};

struct parked_list {
    struct parked_entry *entries;
    struct parked_entry **by_order, **by_place; /* after parked_list_sort */
    size_t count, room;
    /* After parked_list_select: to be sent, and left out as asked for, or as dismissed. */
    size_t selected, requested, dismissed;
    bool with_dismissed; /* one order was chosen: it is sent though it be dismissed */
};

void parked_list_done(struct parked_list *list);

/* Copies the entry and its order's id. False without memory. */
bool parked_list_add(struct parked_list *list, const struct parked_entry *entry) must_check;

/* After the last add: keeps the last parking of each source record. A record that could not be read
 * when it was parked had no order; the order of an earlier or later parking of the same record
 * counts for it too. False without memory. */
bool parked_list_sort(struct parked_list *list) must_check;

/* An outcome record; add them in the order in which they were written. */
struct parked_outcome {
    struct slice
        order; /* without bytes: it has none; it then counts for entries without one only */
    struct parked_source source;
    bool parked, dismissed;
    struct slice request; /* the request it answers; without bytes: none */
};
void parked_list_outcome(struct parked_list *list, const struct parked_outcome *outcome);

/* A retry of this source record was asked for; an outcome that names its request answers it. */
void parked_list_request(struct parked_list *list, const struct parked_source *source,
                         struct slice request);

/* Selects those that wait and are neither asked for nor dismissed, of this choice; one that is
 * chosen by its id may be dismissed. */
struct parked_choice {
    const char *reason; /* NULL: any; "http:" means all that begin so */
    int64_t since_ms;   /* parked at or after it */
    int64_t until_ms;   /* parked before it; 0: whenever */
    struct slice order; /* its id; without bytes: any */
};
void parked_list_select(struct parked_list *list, const struct parked_choice *choice);

/* True when the record at this place of the parked topic was selected. */
bool parked_list_selected(const struct parked_list *list, int32_t parked_partition,
                          int64_t parked_offset);

/* True when the record at this place of the parked topic was selected, and still waits. */
bool parked_list_waits(const struct parked_list *list, int32_t parked_partition,
                       int64_t parked_offset);

#endif
