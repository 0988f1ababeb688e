/* report: a check's findings, as a table for people or JSON for machines. Pure.
 *
 *   struct report *report = report_new();
 *   report_add(report, REPORT_OK, "kafka", "brokers", "%d answer", 3);
 *   report_fail(report, &err, "registry", "url");
 *   report_text(report, 80, &terminal_plain, &b);
 *   report_free(report); */
#ifndef CHECK_REPORT_H
#define CHECK_REPORT_H

#include "base/buf.h"
#include "base/error.h"
#include "terminal/style.h"

enum report_level {
    REPORT_DETAIL, /* for machines only */
    REPORT_NOTE,
    REPORT_OK,
    REPORT_WARN,
    REPORT_FAIL
};

struct report;

struct report *report_new(void); /* NULL without memory */
void report_free(struct report *report);

/* One finding. area groups them and must live as long as the report; name and text are copied. */
void report_add(struct report *report, enum report_level level, const char *area, const char *name,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A failure; the first one's code is the report's. */
void report_fail(struct report *report, const struct error *why, const char *area,
                 const char *name);

/* A payload field: a finding with two columns more. */
void report_field(struct report *report, enum report_level level, const char *name,
                  const char *column, const char *type, const char *becomes);

/* False with err (the first failure's code, and how many there are) when something failed, or a
 * finding was lost for lack of memory. */
bool report_verdict(const struct report *report, struct error *err);

/* Lines of at most `width` columns (50 to 200), but for words that are longer. */
void report_text(const struct report *report, size_t width, const struct terminal_style *style,
                 struct buf *b);
void report_json(const struct report *report, const char *version, struct buf *b);

#endif
