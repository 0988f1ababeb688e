#include "sys/metrics_text.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

void metric_head(struct buf *b, const struct metric *metric)
{
    buf_addf(b, "# HELP " METRIC_PREFIX "%s %s\n# TYPE " METRIC_PREFIX "%s %s\n", metric->name,
             metric->help, metric->name, metric->type);
}

void metric_count(struct buf *b, const struct metric *metric, uint64_t value)
{
    metric_head(b, metric);
    buf_addf(b, METRIC_PREFIX "%s %" PRIu64 "\n", metric->name, value);
}

void metric_number(struct buf *b, const struct metric *metric, int64_t value)
{
    metric_head(b, metric);
    buf_addf(b, METRIC_PREFIX "%s %" PRId64 "\n", metric->name, value);
}

void metric_real(struct buf *b, const struct metric *metric, double value)
{
    metric_head(b, metric);
    buf_addf(b, METRIC_PREFIX "%s %.3f\n", metric->name, value);
}

void metric_of(struct buf *b, const struct metric *metric, const char *label, const char *text,
               uint64_t value)
{
    buf_addf(b, METRIC_PREFIX "%s{", metric->name);
    metric_label(b, label, text);
    buf_addf(b, "} %" PRIu64 "\n", value);
}

/* Quotes and backslashes alone have to be escaped. */
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

/* ---- histograms ---- */

/* From a request on the same network to an outage of an hour. */
static const int64_t bounds_ms[HISTOGRAM_BOUNDS] = {
    5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 900000, 3600000};

void histogram_note(struct histogram *h, int64_t took_ms)
{
    int bound = 0;
    while (bound < HISTOGRAM_BOUNDS && took_ms > bounds_ms[bound])
        bound++;
    h->took[bound]++;
    h->sum_ms += took_ms;
}

uint64_t histogram_count(const struct histogram *h)
{
    uint64_t count = 0;
    for (int i = 0; i <= HISTOGRAM_BOUNDS; i++)
        count += h->took[i];
    return count;
}

void metric_histogram(struct buf *b, const struct metric *metric, const char *labels,
                      const struct histogram *h)
{
    const char *name = metric->name;
    uint64_t below = 0;
    const char *comma = labels[0] != '\0' ? "," : "", *open = labels[0] != '\0' ? "{" : "",
               *close = labels[0] != '\0' ? "}" : "";
    for (int i = 0; i < HISTOGRAM_BOUNDS; i++) {
        below += h->took[i];
        buf_addf(b, METRIC_PREFIX "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name, labels, comma,
                 (double)bounds_ms[i] / 1000, below);
    }
    buf_addf(b, METRIC_PREFIX "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, comma,
             histogram_count(h));
    buf_addf(b, METRIC_PREFIX "%s_sum%s%s%s %.3f\n", name, open, labels, close,
             (double)h->sum_ms / 1000);
    buf_addf(b, METRIC_PREFIX "%s_count%s%s%s %" PRIu64 "\n", name, open, labels, close,
             histogram_count(h));
}

/* ---- the process ---- */

/* Bytes; -1: not told. */
static int64_t resident_memory(void)
{
    long pages = -1;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return -1;
    if (fscanf(file, "%*d %ld", &pages) != 1) // NOLINT(cert-err34-c): the kernel's own number
        pages = -1;
    fclose(file);
    return pages >= 0 ? (int64_t)pages * sysconf(_SC_PAGESIZE) : -1;
}

/* -1: not told. */
static int64_t open_files(void)
{
    int64_t count = -1; /* the directory's own, which is closed again */
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return -1;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void add_process(struct buf *b, const char *name, const char *type, double value,
                        const char *help)
{
    buf_addf(b, "# HELP process_%s %s\n# TYPE process_%s %s\nprocess_%s %.15g\n", name, help, name,
             type, name, value);
}

void metrics_process(struct buf *b)
{
    struct rusage used;
    struct rlimit files;
    int64_t memory = resident_memory(), open = open_files();
    if (getrusage(RUSAGE_SELF, &used) == 0)
        add_process(b, "cpu_seconds_total", "counter",
                    (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                        (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6,
                    "Processor time that was used.");
    if (memory >= 0)
        add_process(b, "resident_memory_bytes", "gauge", (double)memory, "Resident memory.");
    if (open >= 0)
        add_process(b, "open_fds", "gauge", (double)open, "Open files and sockets.");
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        add_process(b, "max_fds", "gauge", (double)files.rlim_cur, "How many may be open.");
}
