/* preview: prints the verdict on each record; sends nothing, commits nothing. */
#ifndef OPERATOR_PREVIEW_H
#define OPERATOR_PREVIEW_H

#include "config/config.h"
#include "terminal/style.h"

#include <stdio.h>

struct preview_options {
    const char *from; /* see kafka/reader.h */
    bool until_end;
    int64_t limit; /* -1: none */
    int stop_fd;   /* becomes readable when a signal asks to stop */
    bool json;
    bool shown;                         /* `out` is a terminal */
    const struct terminal_style *style; /* of the text for people */
};

/* For people: a line for each record with its place, time and verdict, below it what would be sent,
 * and how many there were of each verdict at the end. With json one object a line on `out`:
 * {"topic","partition","offset","verdict","why","body"}; body is a string that holds the exact
 * bytes, there only when something would be sent. */
bool preview_run(const struct config *config, const struct preview_options *options, FILE *out,
                 struct error *err) must_check;

#endif
