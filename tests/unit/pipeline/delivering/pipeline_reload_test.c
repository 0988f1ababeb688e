/* pipeline_reload: a secret is rotated while deliveries are under way: nothing is lost, nothing is
 * blamed for the old address. */
#include "fakes/pipeline_harness.h"

#include "config/load/load.h"
#include "sys/log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GONE "HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n"
#define KEY "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OTHER_KEY "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBk="

#define WAITS "options need restart"

enum { SETS = 6, TEXT_MAX = 65536 };

/* A world whose secrets come from files. */
struct rotation {
    struct pipeline_harness w;
    char folder[64], url_file[96], keys_file[96];
    char variables[2][160];
    char *environment[3];
    char texts[SETS][160];
    const char *sets[SETS];
    char text[TEXT_MAX];
};

static void write_file(const char *path, const char *text)
{
    char next[128];
    snprintf(next, sizeof next, "%s.new", path);
    FILE *file = fopen(next, "w");
    assert_non_null(file);
    fprintf(file, "%s\n", text);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(next, path), 0);
}

static void rotate_url(struct rotation *r, const char *path)
{
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server_port(r->w.webhook), path);
    write_file(r->url_file, url);
}

static void add_set(struct rotation *r, int i, const char *name, const char *value)
{
    snprintf(r->texts[i], sizeof r->texts[i], "%s=%s", name, value);
    r->sets[i] = r->texts[i];
}

static void open_rotation(struct rotation *r, const struct server_rule *webhook)
{
    struct error err = {0};
    const struct config *c;
    memset(r, 0, sizeof *r);
    pipeline_harness_open(&r->w, webhook);
    c = r->w.config;
    snprintf(r->folder, sizeof r->folder, "/tmp/rotation-XXXXXX");
    assert_non_null(mkdtemp(r->folder));
    snprintf(r->url_file, sizeof r->url_file, "%s/url", r->folder);
    snprintf(r->keys_file, sizeof r->keys_file, "%s/keys", r->folder);
    rotate_url(r, "/old");
    write_file(r->keys_file, KEY);
    snprintf(r->variables[0], sizeof r->variables[0], "WEBHOOK_URL_FILE=%s", r->url_file);
    snprintf(r->variables[1], sizeof r->variables[1], "WEBHOOK_SIGNING_KEYS_FILE=%s", r->keys_file);
    r->environment[0] = r->variables[0];
    r->environment[1] = r->variables[1];
    add_set(r, 0, "kafka.brokers", c->kafka_brokers);
    add_set(r, 1, "kafka.topic", c->kafka_topic);
    add_set(r, 2, "kafka.start", "earliest");
    add_set(r, 3, "registry.url", c->registry_url);
    add_set(r, 4, "webhook.concurrency", "4");
    add_set(r, 5, "webhook.headers.X-Shop", "casablanca");
    if (!config_load(r->w.config, NULL, r->environment, r->sets, SETS, &err))
        fail_msg("%s", err.text);
}

static void close_rotation(struct rotation *r)
{
    unlink(r->url_file);
    unlink(r->keys_file);
    rmdir(r->folder);
    pipeline_harness_close(&r->w);
}

static void confirm_many(struct rotation *r, int from, int to)
{
    for (int i = from; i < to; i++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", i);
        pipeline_harness_confirm(&r->w, i % HARNESS_PARTITIONS, id);
    }
}

static size_t count_requests(struct rotation *r, const char *beginning)
{
    size_t count = 0;
    for (size_t i = 0; i < server_request_count(r->w.webhook); i++)
        count += strncmp(server_request(r->w.webhook, i)->head, beginning, strlen(beginning)) == 0;
    return count;
}

static void await(struct rotation *r, const char *metric)
{
    pipeline_harness_await_scrape(&r->w, "/metrics", metric, r->text, sizeof r->text);
}

/* Some are under way at the old address, which then answers that it is gone. */
static void a_changed_file_is_taken_up(void **state)
{
    static const struct server_rule webhook[] = {
        {"/old", SERVER_HOLD, GONE, 0}, {"/new", SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static struct rotation r;
    (void)state;
    open_rotation(&r, webhook);
    confirm_many(&r, 0, 20);
    pipeline_harness_start(&r.w);
    pipeline_harness_await_requests(&r.w, 2);
    rotate_url(&r, "/new");
    await(&r, "elementor_sync_reloads_total 1\n");
    server_release(r.w.webhook);
    await(&r, "elementor_sync_records_delivered_total 20\n");
    await(&r, "elementor_sync_partition_committed{topic=\"orders\",partition=\"0\"} 21\n");
    assert_true(pipeline_harness_metric(r.text, "elementor_sync_records_parked_total") == 0);
    assert_true(pipeline_harness_metric(r.text, "elementor_sync_breaker_opened_total") == 0);
    pipeline_harness_stop(&r.w);
    assert_true(r.w.ok);
    assert_in_range(count_requests(&r, "POST /old "), 2, 4); /* two, and more while they hang */
    assert_int_equal(count_requests(&r, "POST /new "), 20);
    close_rotation(&r);
}

/* An open breaker need not wait for its next probe: the new address is another endpoint. */
static void a_signal_is_heeded_behind_an_open_breaker(void **state)
{
    static const struct server_rule webhook[] = {
        {"/old", SERVER_ANSWER, GONE, 0}, {"/new", SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static struct rotation r;
    (void)state;
    open_rotation(&r, webhook);
    pipeline_harness_set(&r.w, "breaker.probe_first", "1h");
    pipeline_harness_set(&r.w, "breaker.probe_cap", "1h");
    confirm_many(&r, 0, 20);
    pipeline_harness_start(&r.w);
    await(&r, "elementor_sync_breaker_open 1\n");
    rotate_url(&r, "/new");
    pipeline_harness_signal(&r.w, SIGHUP);
    await(&r, "elementor_sync_records_delivered_total 20\n");
    assert_true(pipeline_harness_metric(r.text, "elementor_sync_records_parked_total") == 0);
    pipeline_harness_stop(&r.w);
    assert_true(r.w.ok);
    close_rotation(&r);
}

/* An unusable file is refused, and the earlier configuration stays. */
static void a_broken_file_changes_nothing(void **state)
{
    static const struct server_rule webhook[] = {{"/old", SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static struct rotation r;
    (void)state;
    open_rotation(&r, webhook);
    confirm_many(&r, 0, 3);
    pipeline_harness_start(&r.w);
    await(&r, "elementor_sync_records_delivered_total 3\n");
    write_file(r.url_file, "file:///etc/passwd");
    pipeline_harness_signal(&r.w, SIGHUP);
    await(&r, "elementor_sync_reload_failures_total 1\n");
    unlink(r.url_file);
    pipeline_harness_signal(&r.w, SIGHUP);
    await(&r, "elementor_sync_reload_failures_total 2\n");
    confirm_many(&r, 3, 6);
    await(&r, "elementor_sync_records_delivered_total 6\n");
    pipeline_harness_stop(&r.w);
    assert_true(r.w.ok);
    close_rotation(&r);
}

/* The header of the last request; signed with each key there is. */
static void assert_signatures(struct rotation *r, size_t count)
{
    char value[512];
    size_t found = 0;
    pipeline_harness_header(&r->w, server_request_count(r->w.webhook) - 1, "webhook-signature",
                            value, sizeof value);
    for (const char *at = value; (at = strstr(at, "v1,")) != NULL; at++)
        found++;
    assert_int_equal(found, count);
}

static void signing_keys_rotate(void **state)
{
    static const struct server_rule webhook[] = {{"/old", SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static struct rotation r;
    (void)state;
    open_rotation(&r, webhook);
    confirm_many(&r, 0, 3);
    pipeline_harness_start(&r.w);
    await(&r, "elementor_sync_records_delivered_total 3\n");
    assert_signatures(&r, 1);
    write_file(r.keys_file, KEY " " OTHER_KEY);
    pipeline_harness_signal(&r.w, SIGHUP);
    await(&r, "elementor_sync_reloads_total 1\n");
    confirm_many(&r, 3, 6);
    await(&r, "elementor_sync_records_delivered_total 6\n");
    assert_signatures(&r, 2);
    write_file(r.keys_file, OTHER_KEY);
    pipeline_harness_signal(&r.w, SIGHUP);
    await(&r, "elementor_sync_reloads_total 2\n");
    confirm_many(&r, 6, 9);
    await(&r, "elementor_sync_records_delivered_total 9\n");
    assert_signatures(&r, 1);
    pipeline_harness_stop(&r.w);
    assert_true(r.w.ok);
    close_rotation(&r);
}

/* Of what has changed besides, the log says that it waits for a restart; by name, for values may be
 * secrets. */
static void options_that_need_a_restart_are_logged(void **state)
{
    static const struct server_rule webhook[] = {{"/old", SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static struct rotation r;
    static char log[TEXT_MAX];
    char path[] = "/tmp/reload-log-XXXXXX";
    (void)state;
    open_rotation(&r, webhook);
    int fd = mkstemp(path), stderr_fd = dup(STDERR_FILENO);
    assert_true(fd >= 0 && stderr_fd >= 0);
    log_setup(LOG_WARN, false);
    dup2(fd, STDERR_FILENO);
    pipeline_harness_start(&r.w);
    await(&r, "elementor_sync_reloads_total 0\n");
    pipeline_harness_signal(&r.w, SIGHUP);
    await(&r, "elementor_sync_reloads_total 1\n");
    write_file(r.keys_file, KEY " " OTHER_KEY); /* taken up: nothing to be said */
    add_set(&r, 4, "webhook.concurrency", "5");
    add_set(&r, 5, "kafka.properties.client.rack", "c4nary");
    pipeline_harness_signal(&r.w, SIGHUP);
    await(&r, "elementor_sync_reloads_total 2\n");
    pipeline_harness_stop(&r.w);
    dup2(stderr_fd, STDERR_FILENO);
    assert_true(pread(fd, log, sizeof log - 1, 0) > 0);
    unlink(path);
    const char *first = strstr(log, WAITS); /* what the world was made with, and the files lack */
    assert_non_null(first);
    const char *second = strstr(first + 1, WAITS);
    assert_non_null(second);
    const char *named = strstr(log, "webhook.concurrency");
    assert_true(named > second);
    assert_non_null(strstr(second, ", kafka.properties.client.rack\"\n"));
    assert_null(strstr(log, "webhook.signing_keys"));
    assert_null(strstr(log, "c4nary"));
    assert_true(r.w.ok);
    close(fd);
    close(stderr_fd);
    close_rotation(&r);
}

static void traces_can_be_turned_on(void **state)
{
    static const struct server_rule webhook[] = {{"/old", SERVER_ANSWER, NO_CONTENT, 0}, {0}};
    static const struct server_rule taken[] = {
        {"/v1/traces", SERVER_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0}, {0}};
    static struct rotation r;
    char url[64];
    struct server *collector = server_new(taken);
    (void)state;
    server_listen(collector);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/traces", server_port(collector));
    open_rotation(&r, webhook);
    confirm_many(&r, 0, 3);
    pipeline_harness_start(&r.w);
    await(&r, "elementor_sync_records_delivered_total 3\n");
    add_set(&r, 5, "trace.url", url);
    pipeline_harness_signal(&r.w, SIGHUP);
    await(&r, "elementor_sync_reloads_total 1\n");
    confirm_many(&r, 3, 6);
    await(&r, "elementor_sync_trace_spans_exported_total 6\n"); /* one, and an attempt each */
    add_set(&r, 5, "trace.sample", "all of them");
    pipeline_harness_signal(&r.w, SIGHUP);
    await(&r, "elementor_sync_reload_failures_total 1\n");
    confirm_many(&r, 6, 9);
    await(&r, "elementor_sync_trace_spans_exported_total 12\n");
    pipeline_harness_stop(&r.w);
    assert_true(r.w.ok);
    close_rotation(&r);
    server_free(collector);
}

/* No other order was delivered in between: that the old address failed it counts as little as that
 * the new one does. */
static void failure_at_the_old_address_does_not_count(void **state)
{
    static const struct server_rule webhook[] = {{"/old", SERVER_ANSWER, NO_CONTENT, 1},
                                                 {"/old", SERVER_HOLD, GONE, 1},
                                                 {"/new", SERVER_ANSWER, GONE, 1},
                                                 {"/new", SERVER_ANSWER, NO_CONTENT, 0},
                                                 {0}};
    static struct rotation r;
    (void)state;
    open_rotation(&r, webhook);
    pipeline_harness_set(&r.w, "retry.endpoint_attempts", "1");
    pipeline_harness_set(&r.w, "breaker.probe_first", "1ms");
    confirm_many(&r, 0, 1);
    pipeline_harness_start(&r.w);
    await(&r, "elementor_sync_records_delivered_total 1\n");
    confirm_many(&r, 1, 2);
    pipeline_harness_await_requests(&r.w, 2);
    rotate_url(&r, "/new");
    pipeline_harness_signal(&r.w, SIGHUP);
    await(&r, "elementor_sync_reloads_total 1\n");
    server_release(r.w.webhook);
    pipeline_harness_await_requests(&r.w, 3);
    await(&r, "elementor_sync_records_in_flight 0\n");
    assert_true(pipeline_harness_metric(r.text, "elementor_sync_records_parked_total") == 0);
    assert_true(pipeline_harness_metric(r.text, "elementor_sync_records_delivered_total") == 2);
    pipeline_harness_stop(&r.w);
    assert_true(r.w.ok);
    close_rotation(&r);
}

/* A probe of the old address is still under way when one goes to the new: its end, good or bad,
 * says nothing of the new one, which is still being asked. */
static void probe_twice(const struct server_rule *webhook, const char *old_ended)
{
    static struct rotation r;
    open_rotation(&r, webhook);
    pipeline_harness_set(&r.w, "breaker.failures_in_row", "1");
    pipeline_harness_set(&r.w, "breaker.probe_first", "1ms");
    confirm_many(&r, 0, 1);
    pipeline_harness_start(&r.w);
    pipeline_harness_await_requests(&r.w, 2);
    confirm_many(&r, 1, 4);
    rotate_url(&r, "/new");
    pipeline_harness_signal(&r.w, SIGHUP);
    await(&r, "elementor_sync_reloads_total 1\n");
    pipeline_harness_await_requests(&r.w, 3);
    assert_int_equal(count_requests(&r, "POST /new "), 1);
    server_release(r.w.webhook);
    await(&r, old_ended);
    await(&r, "elementor_sync_breaker_open 1\n");
    for (int turns = 0; turns < 3; turns++)
        pipeline_harness_scrape(&r.w, "/metrics", r.text, sizeof r.text);
    assert_int_equal(count_requests(&r, "POST /new "), 1);
    pipeline_harness_stop(&r.w);
    close_rotation(&r);
}

static void a_failed_probe_of_the_old_address_ends_no_other(void **state)
{
    static const struct server_rule webhook[] = {{"/old", SERVER_ANSWER, BUSY, 1},
                                                 {"/old", SERVER_HOLD, GONE, 0},
                                                 {"/new", SERVER_HANG, NULL, 0},
                                                 {0}};
    (void)state;
    probe_twice(webhook, "elementor_sync_webhook_failures_total 2\n");
}

static void a_good_probe_of_the_old_address_closes_nothing(void **state)
{
    static const struct server_rule webhook[] = {{"/old", SERVER_ANSWER, BUSY, 1},
                                                 {"/old", SERVER_HOLD, NO_CONTENT, 0},
                                                 {"/new", SERVER_HANG, NULL, 0},
                                                 {0}};
    (void)state;
    probe_twice(webhook, "elementor_sync_records_delivered_total 1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_file_is_taken_up),
        cmocka_unit_test(a_signal_is_heeded_behind_an_open_breaker),
        cmocka_unit_test(a_broken_file_changes_nothing),
        cmocka_unit_test(signing_keys_rotate),
        cmocka_unit_test(options_that_need_a_restart_are_logged),
        cmocka_unit_test(traces_can_be_turned_on),
        cmocka_unit_test(failure_at_the_old_address_does_not_count),
        cmocka_unit_test(a_failed_probe_of_the_old_address_ends_no_other),
        cmocka_unit_test(a_good_probe_of_the_old_address_closes_nothing),
    };
    return pipeline_harness_main("pipeline_reload", tests, sizeof tests / sizeof *tests);
}
