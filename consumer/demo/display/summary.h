/* summary: the demo in plain lines: its progress, and the accounts at the end. */
#ifndef DEMO_DISPLAY_SUMMARY_H
#define DEMO_DISPLAY_SUMMARY_H

#include "base/buf.h"
#include "demo/display/snapshot.h"

/* One line without its newline. */
void report_progress(struct buf *b, const struct snapshot *view);

struct report_end {
    uint64_t lost;       /* open confirmations below a commit */
    bool finished;       /* the shop's last record was written: nothing was cut short */
    bool settled;        /* everything that was written is behind a commit */
    bool process_failed; /* the delivering process ended by itself or badly */
};

/* True: the accounts balance: each confirmation is in exactly one place, as it should be, or
 * (only if the demo was cut short) still in the topic where the next start would find it. */
bool report_balances(const struct snapshot *view, const struct report_end *end);

void report_summary(struct buf *b, const struct snapshot *view, const struct report_end *end);

/* One JSON line a confirmation, with its end. */
void report_confirmation(struct buf *b, const struct confirmation *c);

#endif
