/* dashboard: a page and an API over the program's own topics; retries by the retry topic.
 *
 * A process of its own, without the webhook's URL. One loop on one thread; librdkafka's own threads
 * fetch. */
#ifndef DASHBOARD_DASHBOARD_H
#define DASHBOARD_DASHBOARD_H

#include "config/config.h"

struct dashboard;

/* Listens, opens the database, reads the keys that verify tokens. NULL with an error. The config
 * outlives it. */
struct dashboard *dashboard_new(const struct config *config, struct error *err);
void dashboard_free(struct dashboard *dashboard); /* accepts NULL */

/* Serves until stop_fd becomes readable. */
bool dashboard_run(struct dashboard *dashboard, int stop_fd, struct error *err) must_check;

/* The address that it listens on ("127.0.0.1:8080"). */
const char *dashboard_address(const struct dashboard *dashboard);

#endif
