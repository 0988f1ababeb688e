/* snapshot: the demo's state at a moment, for the display. */
#ifndef DEMO_DISPLAY_SNAPSHOT_H
#define DEMO_DISPLAY_SNAPSHOT_H

#include "demo/parts/ledger.h"

#include <stdbool.h>
#include <stdint.h>

enum { VIEW_EVENTS = 10, VIEW_SECONDS = 60, VIEW_NOTES = 3, VIEW_REASONS = 8, VIEW_TEXT_MAX = 200 };

enum view_mark { VIEW_DELIVERED, VIEW_FAILED, VIEW_PARKED };

struct snapshot_event { /* one answer of the receiver, or one parked record */
    enum view_mark mark;
    char number[16], name[48], product[72], amount[24];
    char what[64]; /* "204", "http:503", "missing:client_phone" */
    int attempt;
    int64_t took_ms; /* -1: not known */
};

struct view_reason {
    char text[48];
    uint64_t count;
};

struct snapshot {
    int64_t elapsed_ms;
    uint64_t limit, orders, records, changes[SHOP_KIND_COUNT], tombstones;
    struct ledger_counts counts;
    uint64_t attempts_failed, retried; /* answers other than 2xx; attempts after an order's first */
    uint64_t lag;
    bool held, stopping; /* the shop waits for the deliveries; the end has begun */
    struct {
        bool own; /* the user's: its mood is unknown */
        char endpoint[VIEW_TEXT_MAX], mood[48], breaker[64];
        bool mood_is_well, breaker_is_closed;
        int64_t latency_ms; /* of late; -1: unknown */
    } receiver;
    char brokers[64], registry[64], dashboard[VIEW_TEXT_MAX * 8]; /* dashboard "": none */
    int64_t first_ms; /* when the first webhook was delivered, from the start; -1: not yet */
    unsigned per_second[VIEW_SECONDS];         /* deliveries; [0] is the present second */
    struct snapshot_event events[VIEW_EVENTS]; /* the newest first */
    int event_count;
    char body[1024]; /* the last one delivered */
    struct view_reason parked_reasons[VIEW_REASONS], failures[VIEW_REASONS];
    char notes[VIEW_NOTES][VIEW_TEXT_MAX]; /* warnings of the delivering process, newest first */
};

void snapshot_add_event(struct snapshot *view, const struct snapshot_event *event);
void snapshot_add_note(struct snapshot *view, const char *text);
void view_count_reason(struct view_reason reasons[VIEW_REASONS], const char *text);
void snapshot_next_second(struct snapshot *view);

#endif
