#include "dashboard/notify/notice_text.h"

#include "base/buf.h"
#include "base/time_text.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum { TEXT_MAX = 1900 }; /* Discord takes 2000 characters */

/* A sentence for each cause that calls for an operator. */
static const char *const sentences[VERDICT_CODE_COUNT] = {
    [VERDICT_KAFKA_AWAY] = "Kafka does not answer the dashboard, which cannot tell how things are.",
    [VERDICT_VIEW_BEHIND] =
        "The dashboard does not catch up with Kafka, and cannot tell how things are.",
    [VERDICT_NOBODY_DELIVERS] = "Nobody delivers: no \"elementor-sync run\" is heard of.",
    [VERDICT_BREAKER_OPEN] = "The webhook does not work; orders wait for it.",
    [VERDICT_BREAKER_REFUSED] = "The webhook refuses nearly all orders; the others wait.",
    [VERDICT_PARTITIONS_STOPPED] = "Some orders are not read: a partition has stopped.",
    [VERDICT_REGISTRY_AWAY] = "The schema registry is in trouble; orders that need it wait.",
    [VERDICT_PARTITIONS_HELD] = "Some orders wait to be read, for a schema.",
    [VERDICT_MEMBERS_SILENT] = "A member has fallen silent, and no other reads what it read.",
    [VERDICT_WAITS_LONG] = "An order has been waiting for longer than it should.",
    [VERDICT_NO_CHANGES_ARRIVE] =
        "No changes arrive: the source's connector gives no sign of life."};

static const char *const names[] = {[NOTICE_NONE] = "",
                                    [NOTICE_TROUBLE] = "trouble",
                                    [NOTICE_OVER] = "over",
                                    [NOTICE_PARKED] = "parked"};

static void add_duration(struct buf *b, int64_t ms)
{
    char text[DURATION_TEXT];
    buf_add_text(b, duration_text(ms, true, text));
}

/* Changes that have reached Kafka stay there. Of others nothing is known here, nor of Kafka while
 * it is away. */
static bool is_safe(enum verdict_code cause)
{
    return cause != VERDICT_NO_CHANGES_ARRIVE && cause != VERDICT_KAFKA_AWAY &&
           cause != VERDICT_VIEW_BEHIND;
}

static void say_trouble(struct buf *b, const struct notices *n, const struct notices_facts *f,
                        const struct notice_subject *s)
{
    if (n->ended_ms > 0) { /* its end follows at once */
        buf_addf(b, "%s: there was trouble for ", s->topic);
        add_duration(b, n->ended_ms - n->began_ms);
        buf_add_text(b, ".");
        return;
    }
    buf_addf(b, "%s: trouble for ", s->topic);
    add_duration(b, f->now_ms - n->began_ms);
    buf_add_text(b, ".");
    if (s->code < VERDICT_CODE_COUNT && sentences[s->code] != NULL)
        buf_addf(b, " %s", sentences[s->code]);
    if (is_safe(s->code))
        buf_add_text(b, " Nothing is lost.");
}

static void say_over(struct buf *b, const struct notices *n, const struct notice_subject *s)
{
    buf_addf(b, "%s: the trouble is over. It lasted ", s->topic);
    add_duration(b, n->ended_ms - n->began_ms);
    if (n->waited > 0)
        buf_addf(b, "; up to %" PRId64 " change%s waited", n->waited, n->waited == 1 ? "" : "s");
    buf_add_text(b,
                 n->cause == VERDICT_NO_CHANGES_ARRIVE
                     ? ". Whether the source kept every change, \"elementor-sync reconcile\" says."
                     : ". Nothing is lost.");
}

static void say_parked(struct buf *b, const struct notices_facts *f, const struct notice_subject *s)
{
    buf_addf(b, "%s: %" PRId64 " order%s set aside and need%s a decision; %" PRId64 " in all.",
             s->topic, f->parked_new, f->parked_new == 1 ? " was" : "s were",
             f->parked_new == 1 ? "s" : "", s->parked);
}

static json_t *time_or_null(int64_t ms)
{
    char text[TIMESTAMP_TEXT];
    return ms > 0 ? json_string(timestamp_text(ms, text)) : json_null();
}

static json_t *plain(enum notice notice, const struct notices *n, const struct notices_facts *f,
                     const struct notice_subject *s)
{
    bool episode = notice != NOTICE_PARKED;
    enum verdict_code cause = notice == NOTICE_OVER ? n->cause : s->code;
    json_t *o = json_object();
    json_object_set_new(o, "event", json_string(names[notice]));
    json_object_set_new(o, "group", json_string(s->group));
    json_object_set_new(o, "topic", json_string(s->topic));
    json_object_set_new(o, "state", json_string(verdict_state_names[s->state]));
    json_object_set_new(o, "cause",
                        cause < VERDICT_CODE_COUNT ? json_string(verdict_code_names[cause])
                                                   : json_null());
    json_object_set_new(o, "at", time_or_null(f->now_ms));
    json_object_set_new(o, "began", episode ? time_or_null(n->began_ms) : json_null());
    json_object_set_new(o, "ended", episode ? time_or_null(n->ended_ms) : json_null());
    json_object_set_new(o, "waited", episode ? json_integer(n->waited) : json_null());
    json_object_set_new(o, "parked_new", json_integer(f->parked_new));
    json_object_set_new(o, "parked", json_integer(s->parked));
    json_object_set_new(o, "page", s->page != NULL ? json_string(s->page) : json_null());
    return o;
}

/* ---- Teams ---- */

static bool ends_with(const char *host, size_t len, const char *end)
{
    size_t size = strlen(end);
    return len > size && strncasecmp(host + len - size, end, size) == 0;
}

bool notice_is_for_teams(const char *url)
{
    static const char *const ends[] = {".api.powerplatform.com", ".logic.azure.com",
                                       ".webhook.office.com"};
    const char *slashes = strstr(url, "://"), *host = slashes != NULL ? slashes + 3 : url;
    size_t len = strcspn(host, ":/?#");
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_with(host, len, ends[i]))
            return true;
    return false;
}

static void add_card(json_t *json, const char *text)
{
    json_t *block = json_pack("{s:s, s:s, s:b}", "type", "TextBlock", "text", text, "wrap", 1);
    json_t *card = json_pack("{s:s, s:s, s:s, s:[o]}", "$schema",
                             "http://adaptivecards.io/schemas/adaptive-card.json", "type",
                             "AdaptiveCard", "version", "1.2", "body", block);
    json_object_set_new(json, "type", json_string("message"));
    json_object_set_new(json, "attachments",
                        json_pack("[{s:s, s:n, s:o}]", "contentType",
                                  "application/vnd.microsoft.card.adaptive", "contentUrl",
                                  "content", card));
}

/* ---- a notice ---- */

json_t *notice_json(enum notice notice, const struct notices *n, const struct notices_facts *f,
                    const struct notice_subject *s, bool card)
{
    struct buf b;
    buf_init(&b, TEXT_MAX);
    if (notice == NOTICE_TROUBLE)
        say_trouble(&b, n, f, s);
    else if (notice == NOTICE_OVER)
        say_over(&b, n, s);
    else
        say_parked(&b, f, s);
    if (s->page != NULL)
        buf_addf(&b, " %s", s->page);
    json_t *json = plain(notice, n, f, s);
    json_object_set_new(json, "text", json_string(buf_text(&b)));
    json_object_set_new(json, "content", json_string(buf_text(&b)));
    if (card)
        add_card(json, buf_text(&b));
    buf_done(&b);
    return json;
}
