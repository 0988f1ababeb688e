#include "demo/display/snapshot.h"

#include <stdio.h>
#include <string.h>

void snapshot_add_event(struct snapshot *view, const struct snapshot_event *event)
{
    memmove(view->events + 1, view->events, sizeof view->events - sizeof *view->events);
    view->events[0] = *event;
    if (view->event_count < VIEW_EVENTS)
        view->event_count++;
}

void snapshot_add_note(struct snapshot *view, const char *text)
{
    memmove(view->notes[1], view->notes[0], sizeof view->notes - sizeof *view->notes);
    snprintf(view->notes[0], sizeof *view->notes, "%s", text);
}

void view_count_reason(struct view_reason reasons[VIEW_REASONS], const char *text)
{
    for (int i = 0; i < VIEW_REASONS; i++) {
        if (reasons[i].count == 0)
            snprintf(reasons[i].text, sizeof reasons[i].text, "%s", text);
        if (strcmp(reasons[i].text, text) == 0 || i == VIEW_REASONS - 1) {
            reasons[i].count++;
            return;
        }
    }
}

void snapshot_next_second(struct snapshot *view)
{
    memmove(view->per_second + 1, view->per_second,
            sizeof view->per_second - sizeof *view->per_second);
    view->per_second[0] = 0;
}
