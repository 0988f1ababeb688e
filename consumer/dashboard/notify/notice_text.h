/* notice_text: a notice as JSON that Slack, Discord and Teams take, with plain fields beside it.
 * Holds no personal data: states, numbers and times only.
 *
 *   Slack    "text" (docs.slack.dev, incoming webhooks)
 *   Discord  "content", up to 2000 characters (docs.discord.com, execute webhook)
 *   Teams    an adaptive card in "attachments" (learn.microsoft.com, create incoming webhooks with
 *            Workflows); Discord refuses this field, so that only Teams' addresses get it */
#ifndef DASHBOARD_NOTIFY_NOTICE_TEXT_H
#define DASHBOARD_NOTIFY_NOTICE_TEXT_H

#include "dashboard/notify/notices.h"
#include "dashboard/verdict/verdict.h"

#include <jansson.h>

/* A notice's subject; texts borrowed. */
struct notice_subject {
    const char *topic, *group, *page; /* page: the dashboard's address; NULL: not known */
    enum verdict_state state;
    enum verdict_code code; /* of the gravest cause; VERDICT_CODE_COUNT: none */
    int64_t parked;         /* in all */
};

/* True: an address of Teams', of a Workflow or of a connector. */
bool notice_is_for_teams(const char *url);

/* The same with the card that Teams shows, where `card` says so. NULL without memory. */
json_t *notice_json(enum notice notice, const struct notices *notices,
                    const struct notices_facts *facts, const struct notice_subject *subject,
                    bool card);

#endif
