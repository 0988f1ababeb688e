/* preview: prints the verdict on each record; sends nothing, commits nothing. */
#ifndef OPERATOR_PREVIEW_H
#define OPERATOR_PREVIEW_H

#include "config/config.h"

#include <stdio.h>

struct preview_options {
    const char *from; /* see kafka/reader.h */
    bool until_end;
    int64_t limit; /* -1: none */
    int stop_fd;   /* becomes readable when a signal asks to stop */
};

/* One JSON object a line on `out`: {"topic","partition","offset","verdict","why","body"}; body is a
 * string that holds the exact bytes, there only when something would be sent. */
bool preview_run(const struct config *config, const struct preview_options *options, FILE *out,
                 struct error *err) must_check;

#endif
