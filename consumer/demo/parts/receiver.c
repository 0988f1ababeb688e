#include "demo/parts/receiver.h"

#include "demo/parts/shop_life.h"
#include "http/web_server.h"
#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

const char *const receiver_mood_names[RECEIVER_MOOD_COUNT] = {
#define X(id, name) name,
    RECEIVER_MOODS(X)
#undef X
};

#define REFUSAL                                                                              \
    "{\"error\":\"quantity: 99 at most\",\"note\":\"The limit of this form has been raised " \
    "meanwhile: send this order again.\"}"

enum { HOUR_MS = 3600 * 1000 };

enum { CLOSES = 0, TAKES = 204, REFUSES = 422, PATIENCE = 429, BREAKS = 500, IS_DOWN = 503 };

struct visit { /* one request under way */
    LIST_ENTRY(visit) link;
    struct web_request *request;
    int64_t began_ms, due_ms;
    int status;
    bool answered;
};

struct receiver {
    struct web *web;
    struct receiver_events events;
    LIST_HEAD(, visit) visits;
    enum receiver_mood mood;
    int64_t mood_until_ms, now_ms;
    uint64_t random;
};

/* ---- moods ---- */

/* WELL follows each other mood. */
static void change_mood(struct receiver *r, int64_t now_ms)
{
    bool was_well = r->mood == RECEIVER_WELL;
    uint32_t trouble = life_below(&r->random, RECEIVER_MOOD_COUNT - 1);
    r->mood = was_well ? (enum receiver_mood)(RECEIVER_WELL + 1 + trouble) : RECEIVER_WELL;
    r->mood_until_ms = now_ms + (was_well ? 2500 : 5000) + life_below(&r->random, 2000);
}

static int64_t latency_ms(struct receiver *r)
{
    if (r->mood == RECEIVER_SLOW)
        return 300 + life_below(&r->random, 900);
    return 15 + life_below(&r->random, 75);
}

/* Connections of the delivering process stay open between orders. */
static const struct web_limits limits = {
    .connections = {.connections = 256, .request_ms = HOUR_MS, .answer_ms = HOUR_MS, .prefix = 16},
    .head_max = 32 * 1024,
    .body_max = WEB_BODY_MAX};

/* NUL-terminated: "" without a body. */
static const char *body_text(const struct web_request *request)
{
    const char *text = web_request_body(request).data;
    return text != NULL ? text : "";
}

/* The form accepts at most so many of a product. */
static bool is_refused(const char *body)
{
    const char *quantity = strstr(body, "\"quantity\":");
    return quantity != NULL && atol(quantity + strlen("\"quantity\":")) > SHOP_QUANTITY_MAX;
}

static bool is_by_hand(const struct web_request *request)
{
    const char *source = web_request_header(request, "webhook-source");
    return source != NULL && (strcmp(source, "retry") == 0 || strcmp(source, "redrive") == 0);
}

static int choose_status(struct receiver *r, struct web_request *request)
{
    uint32_t dice = life_below(&r->random, 100);
    if (r->mood == RECEIVER_DOWN)
        return IS_DOWN;
    if (r->mood == RECEIVER_BUSY && dice < 40)
        return PATIENCE;
    if (r->mood == RECEIVER_FLAKY && dice < 30)
        return dice < 10 ? CLOSES : dice < 20 ? BREAKS : IS_DOWN;
    return is_refused(body_text(request)) && !is_by_hand(request) ? REFUSES : TAKES;
}

/* ---- requests ---- */

static void report(struct receiver *r, const struct visit *visit)
{
    const char *attempt = web_request_header(visit->request, "webhook-attempt");
    const struct receiver_answer answer = {.body = body_text(visit->request),
                                           .attempt = attempt != NULL ? atoi(attempt) : 0,
                                           .by_hand = is_by_hand(visit->request),
                                           .status = visit->status,
                                           .took_ms = r->now_ms - visit->began_ms};
    r->events.answered(r->events.context, &answer);
}

static void answer(struct receiver *r, struct visit *visit)
{
    struct web_request *request = visit->request;
    visit->answered = true;
    report(r, visit);
    if (visit->status == CLOSES) {
        web_request_close(request);
        return;
    }
    if (visit->status == PATIENCE)
        web_request_add_header(request, "Retry-After", "1");
    bool refuses = visit->status == REFUSES;
    web_request_reply_static(request, (unsigned)visit->status, refuses ? "application/json" : NULL,
                             slice_of(refuses ? REFUSAL : ""));
}

static void arrived(void *context, struct web_request *request)
{
    struct receiver *r = context;
    if (web_request_body_cut(request)) {
        web_request_reply_static(request, 413, NULL, (struct slice){0});
        return;
    }
    struct visit *visit = calloc(1, sizeof *visit);
    if (visit == NULL) {
        web_request_close(request);
        return;
    }
    int64_t now_ms = clock_mono_ms();
    *visit = (struct visit){.request = request,
                            .began_ms = now_ms,
                            .due_ms = now_ms + latency_ms(r),
                            .status = choose_status(r, request)};
    LIST_INSERT_HEAD(&r->visits, visit, link);
    web_request_set_context(request, visit);
}

static void gone(void *context, struct web_request *request)
{
    struct visit *visit = web_request_context(request);
    (void)context;
    if (visit == NULL)
        return;
    LIST_REMOVE(visit, link);
    free(visit);
}

/* ---- life ---- */

struct receiver *receiver_new(struct loop *loop, uint64_t seed, int64_t now_ms,
                              const struct receiver_events *events, struct error *err)
{
    struct receiver *r = calloc(1, sizeof *r);
    if (r == NULL) {
        error_no_memory(err);
        return NULL;
    }
    r->events = *events;
    r->random = seed;
    r->mood_until_ms = now_ms + 8000;
    r->web = web_new(loop, "127.0.0.1:0", "the demo's receiver", &limits,
                     &(struct web_callbacks){arrived, gone, r}, err);
    if (r->web != NULL)
        return r;
    free(r);
    return NULL;
}

void receiver_free(struct receiver *r)
{
    if (r == NULL)
        return;
    web_free(r->web);
    free(r);
}

int receiver_port(const struct receiver *r)
{
    return web_port(r->web);
}

enum receiver_mood receiver_mood(const struct receiver *r)
{
    return r->mood;
}

int64_t receiver_turn(struct receiver *r, int64_t now_ms)
{
    struct visit *visit;
    int64_t wait_ms = -1;
    r->now_ms = now_ms;
    if (now_ms >= r->mood_until_ms)
        change_mood(r, now_ms);
    LIST_FOREACH (visit, &r->visits, link)
        if (!visit->answered && visit->due_ms <= now_ms)
            answer(r, visit);
    int64_t web_ms = web_turn(r->web, now_ms); /* new ones arrive here */
    LIST_FOREACH (visit, &r->visits, link)
        if (!visit->answered && (wait_ms < 0 || visit->due_ms - now_ms < wait_ms))
            wait_ms = visit->due_ms > now_ms ? visit->due_ms - now_ms : 0;
    return web_ms >= 0 && (wait_ms < 0 || web_ms < wait_ms) ? web_ms : wait_ms;
}
