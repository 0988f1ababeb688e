/* api: the state that the API's calls share.
 *
 *   routes ─▶ sign_in, call_quota ─▶ orders · sync · redrive · pause · status · events ─▶ resend ─▶
 * pending
 *
 * Each part is written by the file that it is named after. */
#ifndef DASHBOARD_API_API_H
#define DASHBOARD_API_API_H

#include "config/config.h"
#include "dashboard/api/asked_orders.h"
#include "dashboard/api/call_quota.h"
#include "dashboard/api/pending.h"
#include "dashboard/api/refusals.h"
#include "dashboard/api/resend.h"
#include "dashboard/api/sign_in.h"
#include "dashboard/auth/offer.h"
#include "dashboard/feed/feed.h"
#include "dashboard/feed/orders_watch.h"
#include "dashboard/feed/record_fetch.h"
#include "dashboard/view/view.h"
#include "dashboard/web/site.h"
#include "http/http_client.h"
#include "kafka/producer/publisher.h"

struct bulks;
struct dismissals;
struct event_stream;
struct trends;
struct health;
struct payloads;
struct exports;

struct api {
    /* The process's own, borrowed. */
    const struct config *config;
    struct http *http;
    struct view *view;
    struct feed *feed;
    struct orders_watch *watch;
    struct fetch *fetch;
    struct publisher *publisher; /* of the retry and control topics */

    int64_t now_ms, wall_ms; /* of this turn of the loop */
    bool called;             /* a call has come: its work begins in the next turn */

    struct site site;
    struct offer offer;
    struct sign_in sign_in;
    struct call_quota quota;   /* of customers' calls */
    struct asked_orders asked; /* that were never seen */
    struct refusals refusals;
    struct pending_requests pending;
    struct resends resends;

    /* Of control/, routes/ and health/, borrowed. */
    struct bulks *bulks;
    struct dismissals *dismissals;
    struct event_stream *stream;
    struct trends *trends;
    struct health *health;
    struct payloads *payloads;
    struct exports *exports;
};

#endif
