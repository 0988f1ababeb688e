/* feed: reads the program's topics into the view, from where the view is.
 *
 * No group: each dashboard reads everything itself. */
#ifndef DASHBOARD_FEED_FEED_H
#define DASHBOARD_FEED_FEED_H

#include "config/config.h"
#include "dashboard/view/view.h"
#include "sys/loop.h"

struct feed;

/* The row of an order, or of a member, has changed. key is NULL for members. */
typedef void feed_changed(void *context, const char *key, size_t key_len);

struct feed *feed_new(const struct config *config, struct view *view, struct loop *loop,
                      feed_changed *changed, void *context, struct error *err);
void feed_free(struct feed *feed); /* accepts NULL */

/* Reads the records that have arrived, at most a batch. *ret_wait_ms: ms until the next call is
 * due, -1: none is. An error is the database's and ends the program. */
bool feed_turn(struct feed *feed, int64_t now_ms, int64_t *ret_wait_ms,
               struct error *err) must_check;

bool feed_caught_up(const struct feed *feed); /* it has once been at every topic's end */
int64_t feed_behind(const struct feed *feed); /* records still to be read, as far as known */
bool feed_kafka_answers(const struct feed *feed);

enum { FEED_IDENTITY_MAX = 2048 };

/* The identity of this view, for view_open. text has FEED_IDENTITY_MAX bytes. */
const char *feed_identity(const struct config *config, char text[FEED_IDENTITY_MAX]);

#endif
