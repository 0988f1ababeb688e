/* metrics_text_test: the process's own metrics tell of this very process. */
#include "sys/metrics_text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEXT_MAX = 4096, MIB = 1024 * 1024 };

/* The sample of a name; -1: there is none. */
static double sample(const char *name)
{
    struct buf b;
    char line[128];
    buf_init(&b, TEXT_MAX);
    metrics_process(&b);
    assert_true(buf_ok(&b));
    snprintf(line, sizeof line, "\n%s ", name);
    const char *found = strstr(buf_text(&b), line);
    double value = found != NULL ? strtod(found + strlen(line), NULL) : -1;
    buf_done(&b);
    return value;
}

static void open_files_are_counted(void **state)
{
    (void)state;
    double before = sample("process_open_fds");
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(before >= 0 && fd >= 0);
    assert_true(sample("process_open_fds") == before + 1);
    close(fd);
    assert_true(sample("process_open_fds") == before);
    assert_true(sample("process_max_fds") > before);
}

static void memory_that_is_touched_is_resident(void **state)
{
    (void)state;
    double before = sample("process_resident_memory_bytes");
    char *block = malloc(64 * MIB);
    assert_non_null(block);
    memset(block, 1, 64 * MIB);
    assert_true(before > 0 && sample("process_resident_memory_bytes") >= before + 32 * MIB);
    free(block);
}

/* The clock of the process itself is what is waited for. */
static void processor_time_grows(void **state)
{
    (void)state;
    double before = sample("process_cpu_seconds_total");
    clock_t until = clock() + CLOCKS_PER_SEC / 20;
    assert_true(before >= 0);
    while (clock() < until)
        continue;
    assert_true(sample("process_cpu_seconds_total") > before);
}

static void a_histogram_counts_what_took_at_most_so_long(void **state)
{
    static const struct metric a = {"a", "histogram", "For a test."};
    struct histogram h = {0};
    struct buf b;
    (void)state;
    buf_init(&b, TEXT_MAX);
    histogram_note(&h, 5);
    histogram_note(&h, 6);
    histogram_note(&h, 3600001);
    metric_histogram(&b, &a, "hop=\"x\"", &h);
    assert_true(buf_ok(&b));
    static const char *const lines[] = {"elementor_sync_a_bucket{hop=\"x\",le=\"0.005\"} 1\n",
                                        "elementor_sync_a_bucket{hop=\"x\",le=\"0.01\"} 2\n",
                                        "elementor_sync_a_bucket{hop=\"x\",le=\"3600\"} 2\n",
                                        "elementor_sync_a_bucket{hop=\"x\",le=\"+Inf\"} 3\n",
                                        "elementor_sync_a_sum{hop=\"x\"} 3600.012\n",
                                        "elementor_sync_a_count{hop=\"x\"} 3\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_non_null(strstr(buf_text(&b), lines[i]));
    buf_reset(&b);
    metric_histogram(&b, &a, "", &h);
    assert_non_null(strstr(buf_text(&b), "elementor_sync_a_bucket{le=\"0.01\"} 2\n"));
    assert_non_null(strstr(buf_text(&b), "elementor_sync_a_count 3\n"));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_histogram_counts_what_took_at_most_so_long),
        cmocka_unit_test(open_files_are_counted),
        cmocka_unit_test(memory_that_is_touched_is_resident),
        cmocka_unit_test(processor_time_grows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
