/* order_rows: the shop's table as PostgreSQL writes it: COPY … TO STDOUT CSV HEADER.
 *
 *   id,order_number,status,confirmed_at
 *   7f3b…,CMD-000123,confirmed,2026-11-22 09:15:30.123456+00
 *
 * Columns are found by their names in the first line, in any order: those that payload.fields.*
 * and rule.column name, or the payload's own (order_id). Others are passed by. A value without
 * quotes and without bytes is null, and so is \N. */
#ifndef RECONCILE_ORDER_ROWS_H
#define RECONCILE_ORDER_ROWS_H

#include "config/config.h"
#include "reconcile/comparison.h"

/* Row by row; returns false, with err set, to end it. */
typedef bool order_rows_take(void *context, const struct order_row *row, struct error *err);

/* Reads fd to its end, or until stop_fd becomes readable. CONFIG, naming the line, where it is not
 * such a table: no header, no id, a time that is none; FAILED when stopped. A time without a zone
 * is one of payload.time_zone. whole: rows carry the values of every column of row_values. */
bool order_rows_read(int fd, int stop_fd, const struct config *config, bool whole,
                     order_rows_take *take, void *context, struct error *err) must_check;

#endif
