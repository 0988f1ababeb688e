/* view: the topics' contents in SQLite; it may be deleted at any time and is built again.
 *
 * Each batch of records is one transaction, with the offsets that it reaches: after a crash reading
 * goes on exactly there. A database of another schema, or of other topics, is emptied first. */
#ifndef DASHBOARD_VIEW_VIEW_H
#define DASHBOARD_VIEW_VIEW_H

#include "base/error.h"
#include "base/slice.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct view;
struct trend;        /* of dashboard/view/trend.h */
struct control_word; /* of topics/control_record.h */

/* Bytes of an order's key, from a topic or from the API. */
enum { VIEW_KEY_MAX = 1024 };

/* True for 1 to VIEW_KEY_MAX bytes of UTF-8 without a NUL. Records of other keys are not taken into
 * the view. */
bool view_key_is_valid(struct slice key);

enum view_topic {
    VIEW_DELIVERIES,
    VIEW_PARKED,
    VIEW_RETRY,
    VIEW_MEMBERS,
    VIEW_CONTROL,
    VIEW_TOPIC_COUNT
};
enum order_state {
    ORDER_DELIVERED,
    ORDER_RETRYING,
    ORDER_PARKED,
    ORDER_OVERTAKEN,
    ORDER_DISMISSED, /* parked, and an operator has said that it will never be sent */
    ORDER_STATE_COUNT
};
extern const char *const order_state_names[];

/* identity: the topics' names; a view of another identity is emptied. ":memory:" keeps nothing. */
struct view *view_open(const char *path, const char *identity, struct error *err);
void view_close(struct view *view); /* accepts NULL */

/* ---- filling it ---- */

/* Until its indexes are made, a commit may be put off to the next batch: a crash then has more to
 * read again. Queries see the uncommitted records too. */
bool view_begin(struct view *view, struct error *err) must_check;
bool view_commit(struct view *view, struct error *err) must_check;

/* The next offset to read; 0 at the beginning. */
int64_t view_offset(struct view *view, enum view_topic topic, int32_t partition);
bool view_set_offset(struct view *view, enum view_topic topic, int32_t partition, int64_t next,
                     struct error *err) must_check;

/* Makes the next of the lists' indexes, once the view has caught up. Takes a second each for a
 * million orders the first time, no time later. */
bool view_index(struct view *view, struct error *err) must_check;
bool view_is_indexed(const struct view *view);

/* Empties it, offsets too: a topic was deleted and created again. */
bool view_reset(struct view *view, struct error *err) must_check;

/* A record of the deliveries topic; without a value the order is forgotten. A record that cannot be
 * read is passed over (false without err). */
bool view_put_delivery(struct view *view, struct slice key, struct slice value, int64_t record_ms,
                       struct error *err);

struct parked_note {   /* of a parked record's headers; numbers -1, texts without data: none */
    int32_t partition; /* of the parked topic */
    int64_t offset, at_ms;
    struct slice topic; /* of the source */
    int64_t source_partition, source_offset;
    struct slice class, detail, response;
};
bool view_put_parked(struct view *view, const struct parked_note *note, struct error *err);

/* A retry was requested: it is pending until an outcome names its request, or is newer. The time
 * that was noted first stays: an answer has named it, and the record's own is a little later. */
struct retry_note { /* by: without bytes: not known */
    struct slice order, request, source, by;
    int64_t asked_ms;
};
bool view_put_retry(struct view *view, const struct retry_note *note, struct error *err);

/* Writes that an order's personal values were shown to `by`, at at_ms (wall clock). No topic has
 * it: it outlives a view that is built again for another schema, and nothing else. */
bool view_put_shown(struct view *view, const char *key, const char *by, int64_t at_ms,
                    struct error *err) must_check;

bool view_put_member(struct view *view, struct slice member, struct slice value, struct error *err);

/* The last word of an operator to the group. */
bool view_put_word(struct view *view, const struct control_word *word, struct error *err);

/* ---- queries; JSON as in schemas/openapi.yaml, NULL: not found, or err ---- */

int64_t view_count(const struct view *view, enum order_state state);
int64_t view_retries(struct view *view); /* pending */

enum { VIEW_NO_STATUS = -1 };

struct order_filter {
    int state;                  /* enum order_state; -1: any */
    const char *reason;         /* NULL: any */
    int status;                 /* HTTP's; 0: any; VIEW_NO_STATUS: none */
    const char *source;         /* "cdc", …; NULL: any */
    const char *search;         /* NULL: any */
    int64_t since_ms, until_ms; /* -1: none */
    const char *cursor;         /* NULL: the first page */
    int limit;
    bool not_pending;  /* without a retry under way */
    bool oldest_first; /* else newest first */
};

/* {orders, next_cursor}; NULL with CONFIG when the cursor is not one that a page gave. */
json_t *view_list(struct view *view, const struct order_filter *filter, struct error *err);
json_t *view_order(struct view *view, const char *key);                     /* an Order */
json_t *view_order_detail(struct view *view, const char *key);              /* an OrderDetail */
json_t *view_reasons(struct view *view, const struct order_filter *filter); /* [Reason] */

/* The retries that `who` has asked for since since_ms, and those that are under way, newest first,
 * the newest of
 * an order, at most 50: [{order: an Order, request, asked_ms}]. */
json_t *view_asked_by(struct view *view, const char *who, int64_t since_ms);
json_t *view_members(struct view *view); /* each member's record */

/* Zeroed while the control topic has no word of this group. */
void view_word(struct view *view, struct control_word *ret);

/* Number of matching parked orders, and the times of the oldest and newest (-1: none). */
int64_t view_parked_count(struct view *view, const struct order_filter *filter,
                          int64_t *ret_oldest_ms, int64_t *ret_newest_ms);

/* Calls each with every matching order's key, oldest first. */
void view_parked_each(struct view *view, const struct order_filter *filter,
                      void (*each)(void *context, const char *key), void *context);

/* The facts that a bulk asks of a listed order. */
struct listed_order {
    const char *key; /* borrowed for the call */
    enum order_state state;
    bool is_pending;
    int64_t at_ms;
};

/* Calls each with every order that view_list would list, page after page, up to the filter's limit,
 * in its order. */
void view_each(struct view *view, const struct order_filter *filter,
               void (*each)(void *context, const struct listed_order *order), void *context);

/* Calls each with the key of every order that has this number, in either case, of at most eight.
 * None while the view is still being read: there is no index yet. */
void view_number_each(struct view *view, const char *number,
                      void (*each)(void *context, const char *key), void *context);

/* When an order reached this state last, ms; -1: none is in it. */
int64_t view_newest(struct view *view, enum order_state state);

/* When the order that changed longest ago did, ms; -1: there is none, or the view is still read. */
int64_t view_oldest(struct view *view);

/* Settled orders by minute; borrowed. */
const struct trend *view_trend(const struct view *view);

/* The facts of an order that a retry needs. */
struct order_facts {
    enum order_state state;
    int attempts, status;
    int64_t at_ms;
    char reason[64], class[32], confirmed_at[64], request[64], source[16];
    char owner[40];    /* "": not known */
    char topic[256];   /* of the source */
    int32_t partition; /* -1: not known, as the others */
    int64_t offset, timestamp_ms;
    bool is_parked_known; /* the next two are known */
    int32_t parked_partition;
    int64_t parked_offset;
    bool is_pending;
    char pending_request[64];
    int64_t pending_ms;
};
bool view_facts(struct view *view, const char *key, struct order_facts *ret);

/* The order's newest outcome, as its record in the deliveries topic has it; json_decref() it. NULL:
 * none is known. */
json_t *view_outcome(struct view *view, const char *key);

/* The outcomes of the order's earlier transitions, as the last outcome's record has them: an array,
 * empty where there are none. json_decref() it. */
json_t *view_previous(struct view *view, const char *key);

#endif
