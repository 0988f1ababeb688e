#include "dashboard/notify/speaker.h"

bool speaker_may_tell(struct speaker *s, const struct speaker_facts *f)
{
    bool sure = f->role == SENDER_ANOTHER || (f->role == SENDER_MINE && f->is_kept);
    if (f->away)
        s->away_ms = f->now_ms;
    if (f->away || sure)
        s->unsure_since_ms = 0;
    else if (s->unsure_since_ms == 0)
        s->unsure_since_ms = f->now_ms;
    if (f->role == SENDER_ANOTHER)
        return false;
    return f->away || sure || f->now_ms - s->unsure_since_ms >= SPEAKER_PATIENCE_MS;
}

bool speaker_is_settled_elsewhere(const struct speaker *s, const struct speaker_facts *f)
{
    return f->role == SENDER_ANOTHER && !f->away &&
           (s->away_ms == 0 || f->now_ms - s->away_ms >= SPEAKER_PATIENCE_MS);
}
