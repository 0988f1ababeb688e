#include "sys/metrics_text.h"

#include <inttypes.h>

void metric_head(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_addf(b, "# HELP " METRIC_PREFIX "%s %s\n# TYPE " METRIC_PREFIX "%s %s\n", name, help, name,
             type);
}

void metric_counter(struct buf *b, const char *name, uint64_t value, const char *help)
{
    metric_head(b, name, "counter", help);
    buf_addf(b, METRIC_PREFIX "%s %" PRIu64 "\n", name, value);
}

void metric_gauge(struct buf *b, const char *name, int64_t value, const char *help)
{
    metric_head(b, name, "gauge", help);
    buf_addf(b, METRIC_PREFIX "%s %" PRId64 "\n", name, value);
}

/* Only what the format asks for is escaped. */
void metric_label(struct buf *b, const char *name, const char *value)
{
    buf_addf(b, "%s=\"", name);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            buf_add_char(b, '\\');
        buf_add_char(b, *c);
    }
    buf_add_char(b, '"');
}
