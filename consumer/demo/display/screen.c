#include "demo/display/screen.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LEFT = 1, VALUE = 14, RIGHT_LABEL = 30, RIGHT_VALUE = 42, CHART = 56, PAIR_MIN = 74 };

const char *screen_number(uint64_t number, char text[32])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, number), at = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

static void put_title(struct canvas *c, const struct snapshot *view)
{
    char right[64];
    int64_t seconds = view->elapsed_ms / 1000;
    snprintf(right, sizeof right, "%02" PRId64 ":%02" PRId64 " · %s ", seconds / 60, seconds % 60,
             view->stopping ? "ending …" : "Ctrl-C ends it");
    canvas_column(c, LEFT);
    canvas_put(c, CANVAS_BOLD, "elementor-sync demo");
    canvas_right(c, CANVAS_DIM, right);
    canvas_line(c);
}

static void put_rule(struct canvas *c)
{
    canvas_column(c, LEFT);
    while (c->column < c->width - 1 && c->row < c->height)
        canvas_put(c, CANVAS_DIM, "─");
    canvas_line(c);
}

static void put_way(struct canvas *c, const struct snapshot *view)
{
    canvas_column(c, LEFT);
    canvas_put(c, CANVAS_DIM, "a shop ▸ Kafka ");
    canvas_put(c, CANVAS_PLAIN, "%s", view->brokers);
    canvas_put(c, CANVAS_DIM, " ▸ elementor-sync ▸ ");
    canvas_put(c, CANVAS_PLAIN, "%s", view->receiver.endpoint);
    canvas_line(c);
    if (view->dashboard[0] == '\0')
        return;
    canvas_column(c, LEFT);
    canvas_put(c, CANVAS_DIM, "its dashboard, signed in already:");
    canvas_line(c);
    canvas_unbroken(c, CANVAS_CYAN, view->dashboard);
}

/* ---- the numbers ---- */

static void put_count(struct canvas *c, int label_at, int value_at, const char *label,
                      enum canvas_style style, uint64_t number)
{
    char text[32];
    canvas_column(c, label_at);
    canvas_put(c, CANVAS_DIM, "%s", label);
    canvas_column(c, value_at + 9 - (int)strlen(screen_number(number, text)));
    canvas_put(c, style, "%s", text);
}

static unsigned highest(const struct snapshot *view, int seconds)
{
    unsigned most = 1;
    for (int i = 0; i < seconds; i++)
        if (view->per_second[i] > most)
            most = view->per_second[i];
    return most;
}

/* One of two rows of bars, eighths of a cell each, the newest at the right. Square roots: a burst
 * after a pause must not flatten the other bars. */
static void put_chart_row(struct canvas *c, const struct snapshot *view, int row_from_below)
{
    static const char *const bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    int seconds = c->width - 2 - CHART;
    if (seconds < 8)
        return;
    if (seconds > VIEW_SECONDS - 1)
        seconds = VIEW_SECONDS - 1;
    unsigned most = highest(view, seconds + 1);
    canvas_column(c, c->width - 1 - seconds);
    for (int i = seconds; i >= 1; i--) { /* the present second is not over: it is left out */
        int eighths = (int)(16 * sqrt((double)view->per_second[i] / most)) - 8 * row_from_below;
        canvas_put(c, CANVAS_GREEN, "%s", bars[eighths < 0 ? 0 : eighths > 8 ? 8 : eighths]);
    }
}

static void put_chart_name(struct canvas *c, const struct snapshot *view)
{
    char text[48];
    int seconds = c->width - 2 - CHART;
    if (seconds < 8)
        return;
    snprintf(text, sizeof text,
             seconds < 30 ? "delivered/s, most %u " : "delivered a second, most %u ",
             highest(view, seconds > VIEW_SECONDS ? VIEW_SECONDS : seconds));
    canvas_right(c, CANVAS_DIM, text);
}

static void put_numbers(struct canvas *c, const struct snapshot *view)
{
    bool pair = c->width >= PAIR_MIN;
    int label = pair ? RIGHT_LABEL : LEFT, value = pair ? RIGHT_VALUE : VALUE;
    put_count(c, LEFT, VALUE, "orders seen", CANVAS_BOLD, view->orders);
    if (!pair)
        canvas_line(c);
    put_count(c, label, value, "confirmed", CANVAS_BOLD, view->counts.confirmations);
    put_chart_row(c, view, 1);
    canvas_line(c);
    put_count(c, LEFT, VALUE, "delivered", CANVAS_GREEN, view->counts.delivered);
    if (!pair)
        canvas_line(c);
    put_count(c, label, value, "retried", view->retried > 0 ? CANVAS_YELLOW : CANVAS_PLAIN,
              view->retried);
    put_chart_row(c, view, 0);
    canvas_line(c);
    put_count(c, LEFT, VALUE, "parked", view->counts.parked > 0 ? CANVAS_RED : CANVAS_PLAIN,
              view->counts.parked);
    if (!pair)
        canvas_line(c);
    put_count(c, label, value, "lag", CANVAS_PLAIN, view->lag);
    put_chart_name(c, view);
    canvas_line(c);
}

/* ---- the endpoint ---- */

static void put_endpoint(struct canvas *c, const struct snapshot *view)
{
    canvas_column(c, LEFT);
    canvas_put(c, CANVAS_DIM, "endpoint");
    canvas_column(c, VALUE);
    if (view->receiver.own)
        canvas_put(c, CANVAS_PLAIN, "yours");
    else
        canvas_put(c, view->receiver.mood_is_well ? CANVAS_GREEN : CANVAS_YELLOW, "● %s",
                   view->receiver.mood);
    if (view->receiver.latency_ms >= 0)
        canvas_put(c, CANVAS_DIM, ", answers in %" PRId64 " ms", view->receiver.latency_ms);
    canvas_put(c, CANVAS_DIM, " · breaker ");
    canvas_put(c, view->receiver.breaker_is_closed ? CANVAS_PLAIN : CANVAS_RED, "%s",
               view->receiver.breaker);
    canvas_line(c);
}

static void put_reasons(struct canvas *c, const char *label,
                        const struct view_reason reasons[VIEW_REASONS])
{
    canvas_column(c, LEFT);
    canvas_put(c, CANVAS_DIM, "%s", label);
    canvas_column(c, VALUE);
    if (reasons[0].count == 0)
        canvas_put(c, CANVAS_DIM, "none yet");
    for (int i = 0; i < VIEW_REASONS && reasons[i].count > 0; i++)
        canvas_put(c, CANVAS_PLAIN, "%s%s × %" PRIu64, i > 0 ? ", " : "", reasons[i].text,
                   reasons[i].count);
    canvas_line(c);
}

static void put_shop(struct canvas *c, const struct snapshot *view)
{
    char text[32];
    canvas_column(c, LEFT);
    canvas_put(c, CANVAS_DIM, "shop");
    canvas_column(c, VALUE);
    if (view->held)
        canvas_put(c, CANVAS_YELLOW, "waits until deliveries catch up; ");
    canvas_put(c, CANVAS_PLAIN, "%s records written", screen_number(view->records, text));
    if (view->limit > 0)
        canvas_put(c, CANVAS_DIM, ", order %" PRIu64 " of %" PRIu64, view->orders, view->limit);
    canvas_line(c);
}

/* ---- events ---- */

/* Up to a column. */
static void put_within(struct canvas *c, int end, enum canvas_style style, const char *text)
{
    int width = c->width;
    c->width = end < width ? end : width;
    canvas_put(c, style, "%s", text);
    c->width = width;
}

static void put_event(struct canvas *c, const struct snapshot_event *event)
{
    static const struct {
        const char *mark;
        enum canvas_style style;
    } marks[] = {[VIEW_DELIVERED] = {"✓", CANVAS_GREEN},
                 [VIEW_FAILED] = {"↻", CANVAS_YELLOW},
                 [VIEW_PARKED] = {"✕", CANVAS_RED}};
    bool wide = c->width >= 100;
    canvas_column(c, LEFT);
    canvas_put(c, marks[event->mark].style, "%s ", marks[event->mark].mark);
    canvas_put(c, CANVAS_PLAIN, "%s", event->number);
    canvas_column(c, 14);
    put_within(c, 33, CANVAS_PLAIN, event->name);
    canvas_column(c, 34);
    if (event->mark == VIEW_PARKED) {
        canvas_put(c, CANVAS_RED, "parked: %s", event->what);
        canvas_line(c);
        return;
    }
    put_within(c, 58, CANVAS_DIM, event->product);
    canvas_column(c, 59 + 10 - (int)strlen(event->amount));
    canvas_put(c, CANVAS_PLAIN, "%s", event->amount);
    canvas_column(c, 71);
    canvas_put(c, marks[event->mark].style, "%s", event->what);
    if (wide && event->took_ms >= 0)
        canvas_put(c, CANVAS_DIM, " in %" PRId64 " ms", event->took_ms);
    if (wide && event->attempt > 1)
        canvas_put(c, CANVAS_DIM, ", attempt %d", event->attempt);
    canvas_line(c);
}

static void put_heading(struct canvas *c, const char *text)
{
    canvas_line(c);
    canvas_column(c, LEFT);
    canvas_put(c, CANVAS_BOLD, "%s", text);
    canvas_line(c);
}

static void put_events(struct canvas *c, const struct snapshot *view, int room)
{
    put_heading(c, "last payloads");
    if (view->event_count == 0) {
        canvas_column(c, LEFT);
        canvas_put(c, CANVAS_DIM,
                   "joining the consumer group: a new group waits three seconds for "
                   "its first members");
        canvas_line(c);
    }
    for (int i = 0; i < view->event_count && i < room; i++)
        put_event(c, &view->events[i]);
}

/* The exact bytes, wrapped at the line's end and cut at the last row. */
static void put_body(struct canvas *c, const char *body)
{
    size_t len = strlen(body);
    for (size_t at = 0; at < len && c->row < c->height;) {
        char piece[512];
        size_t size = 0;
        int columns = 0;
        while (at + size < len && columns < c->width - 2 && size < sizeof piece - 5) {
            do
                size++;
            while (at + size < len && ((unsigned char)body[at + size] & 0xc0) == 0x80);
            columns++;
        }
        memcpy(piece, body + at, size);
        piece[size] = '\0';
        canvas_column(c, LEFT);
        canvas_put(c, CANVAS_CYAN, "%s", piece);
        canvas_line(c);
        at += size;
    }
}

static void put_notes(struct canvas *c, const struct snapshot *view)
{
    if (view->notes[0][0] == '\0')
        return;
    put_heading(c, "its log (warnings)");
    for (int i = 0; i < VIEW_NOTES && view->notes[i][0] != '\0'; i++) {
        canvas_column(c, LEFT);
        canvas_put(c, CANVAS_DIM, "%s", view->notes[i]);
        canvas_line(c);
    }
}

/* Rows for events; in a small terminal the body and the notes lose theirs first. */
static int event_room(const struct canvas *c, const struct snapshot *view)
{
    enum { HEADING = 2, LEAST = 3, NOTES_FROM = 36 };
    int body = view->body[0] != '\0' ? HEADING + canvas_width(view->body) / (c->width - 2) + 1 : 0;
    int notes = c->height >= NOTES_FROM ? HEADING + VIEW_NOTES : 0;
    int room = c->height - c->row - HEADING - body - notes;
    return room < LEAST ? LEAST : room;
}

void screen_paint(struct canvas *c, const struct snapshot *view)
{
    put_title(c, view);
    put_rule(c);
    put_way(c, view);
    canvas_line(c);
    put_numbers(c, view);
    canvas_line(c);
    put_endpoint(c, view);
    put_reasons(c, "failures", view->failures);
    put_reasons(c, "parked for", view->parked_reasons);
    put_shop(c, view);
    put_events(c, view, event_room(c, view));
    if (view->body[0] != '\0') {
        put_heading(c, "the last one, as it was sent");
        put_body(c, view->body);
    }
    put_notes(c, view);
    canvas_end(c);
}
