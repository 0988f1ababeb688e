#include "demo/parts/receiver.h"

#include "demo/parts/listener.h"
#include "demo/parts/shop_life.h"
#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>

const char *const receiver_mood_names[RECEIVER_MOOD_COUNT] = {
#define X(id, name) name,
    RECEIVER_MOODS(X)
#undef X
};

#define REFUSAL                                                                              \
    "{\"error\":\"quantity: 99 at most\",\"note\":\"The limit of this form has been raised " \
    "meanwhile: send this order again.\"}"

enum { CLOSES = 0, TAKES = 204, REFUSES = 422, PATIENCE = 429, BREAKS = 500, IS_DOWN = 503 };

struct visit { /* one request under way; the listener's request holds it */
    struct listener_request *request;
    struct visit *next;
    int64_t began_ms, due_ms;
    int status;
    bool held;
};

struct receiver {
    struct listener *listener;
    struct receiver_events events;
    struct visit *visits;
    enum receiver_mood mood;
    int64_t mood_until_ms, now_ms;
    uint64_t random;
};

/* ---- moods ---- */

/* Well between any two others. */
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

/* The form takes at most so many of a product. */
static bool is_refused(const char *body)
{
    const char *quantity = strstr(body, "\"quantity\":");
    return quantity != NULL && atol(quantity + strlen("\"quantity\":")) > SHOP_QUANTITY_MAX;
}

static const char *header(const struct listener_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static bool is_by_hand(const struct listener_request *request)
{
    const char *source = header(request, "webhook-source");
    return source != NULL && (strcmp(source, "retry") == 0 || strcmp(source, "redrive") == 0);
}

static int choose_status(struct receiver *r, struct listener_request *request)
{
    uint32_t dice = life_below(&r->random, 100);
    if (r->mood == RECEIVER_DOWN)
        return IS_DOWN;
    if (r->mood == RECEIVER_BUSY && dice < 40)
        return PATIENCE;
    if (r->mood == RECEIVER_FLAKY && dice < 30)
        return dice < 10 ? CLOSES : dice < 20 ? BREAKS : IS_DOWN;
    return is_refused(buf_text(&request->body)) && !is_by_hand(request) ? REFUSES : TAKES;
}

/* ---- requests ---- */

static void tell(struct receiver *r, const struct visit *visit)
{
    struct listener_request *request = visit->request;
    const char *attempt = header(request, "webhook-attempt");
    const struct receiver_answer answer = {.body = buf_text(&request->body),
                                           .attempt = attempt != NULL ? atoi(attempt) : 0,
                                           .by_hand = is_by_hand(request),
                                           .status = visit->status,
                                           .took_ms = r->now_ms - visit->began_ms};
    r->events.answered(r->events.context, &answer);
}

static enum MHD_Result finish(struct receiver *r, struct visit *visit)
{
    tell(r, visit);
    switch (visit->status) {
    case CLOSES: return MHD_NO;
    case PATIENCE: return listener_reply(visit->request, PATIENCE, "", "Retry-After", "1");
    case REFUSES:
        return listener_reply(visit->request, REFUSES, REFUSAL, "Content-Type", "application/json");
    default: return listener_reply(visit->request, (unsigned)visit->status, "", NULL, NULL);
    }
}

static enum MHD_Result answer(void *context, struct listener_request *request)
{
    struct receiver *r = context;
    if (request->own != NULL)
        return finish(r, request->own);
    struct visit *visit = calloc(1, sizeof *visit);
    if (visit == NULL)
        return MHD_NO;
    r->now_ms = clock_mono_ms();
    *visit = (struct visit){.request = request,
                            .next = r->visits,
                            .began_ms = r->now_ms,
                            .due_ms = r->now_ms + latency_ms(r),
                            .status = choose_status(r, request),
                            .held = true};
    r->visits = visit;
    request->own = visit;
    return listener_hold(request);
}

static void closed(void *context, struct listener_request *request)
{
    struct receiver *r = context;
    struct visit **link = &r->visits;
    while (*link != NULL && *link != request->own)
        link = &(*link)->next;
    if (*link != NULL)
        *link = (*link)->next;
    free(request->own);
}

/* ---- life ---- */

struct receiver *receiver_new(struct loop *loop, uint64_t seed, int64_t now_ms,
                              const struct receiver_events *events, struct error *err)
{
    struct receiver *r = calloc(1, sizeof *r);
    if (r == NULL) {
        error_set(err, ERROR_NO_MEMORY, "no memory for the demo");
        return NULL;
    }
    r->events = *events;
    r->random = seed;
    r->mood_until_ms = now_ms + 8000;
    r->listener = listener_new(loop, &(struct listener_events){r, answer, closed}, err);
    if (r->listener != NULL)
        return r;
    free(r);
    return NULL;
}

static void let_go(struct receiver *r, struct visit *visit)
{
    visit->held = false;
    listener_go(r->listener, visit->request);
}

static void nobody_listens(void *context, const struct receiver_answer *answer)
{
    (void)context, (void)answer;
}

void receiver_free(struct receiver *r)
{
    if (r == NULL)
        return;
    r->events.answered = nobody_listens;
    for (struct visit *visit = r->visits; visit != NULL; visit = visit->next)
        if (visit->held) {
            visit->status = CLOSES;
            let_go(r, visit);
        }
    listener_turn(r->listener);
    listener_free(r->listener);
    free(r);
}

int receiver_port(const struct receiver *r)
{
    return listener_port(r->listener);
}

enum receiver_mood receiver_mood(const struct receiver *r)
{
    return r->mood;
}

int64_t receiver_turn(struct receiver *r, int64_t now_ms)
{
    int64_t wait_ms = -1;
    r->now_ms = now_ms;
    if (now_ms >= r->mood_until_ms)
        change_mood(r, now_ms);
    for (struct visit *visit = r->visits; visit != NULL; visit = visit->next) {
        if (visit->held && visit->due_ms <= now_ms)
            let_go(r, visit);
        else if (visit->held && (wait_ms < 0 || visit->due_ms - now_ms < wait_ms))
            wait_ms = visit->due_ms - now_ms;
    }
    int64_t listener_ms = listener_turn(r->listener);
    return listener_ms >= 0 && (wait_ms < 0 || listener_ms < wait_ms) ? listener_ms : wait_ms;
}
