/* export: the filtered list as a file, made as fast as its reader takes it.
 *
 * Oldest first: an order that changes meanwhile comes once more at the end, rather than not at all.
 * One page of rows waits in memory for each reader. */
#ifndef DASHBOARD_EXPORT_EXPORT_H
#define DASHBOARD_EXPORT_EXPORT_H

#include <stdint.h>

struct api;
struct call;

enum { EXPORTS_MAX = 4 };

struct exports {
    struct list_export *under_way[EXPORTS_MAX]; /* NULL: a free place */
};

void export_done(struct exports *exports);

/* GET /api/v1/orders.csv and .ndjson, with the list's filters. Each leaves an audit line. */
void call_export_csv(struct call *call);
void call_export_ndjson(struct call *call);

/* ms until the next call is due; -1: not before an export begins. */
int64_t export_turn(struct api *api);

#endif
