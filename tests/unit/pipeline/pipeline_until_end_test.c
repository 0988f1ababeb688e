/* pipeline_until_end: run --until-end beside other members of its group. */
#include "fakes/pipeline_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

struct job {
    struct pipeline *p;
    struct pipeline_options options;
    pthread_t thread;
    struct error err;
    bool ok;
};

/* The mock lets a group wait for whom it has missed for as long as a session lasts. */
static void open_some(struct pipeline_harness *w, const struct server_rule *webhook)
{
    pipeline_harness_open(w, webhook);
    pipeline_harness_set(w, "kafka.properties.session.timeout.ms", "2500");
    pipeline_harness_set(w, "kafka.properties.heartbeat.interval.ms", "100");
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++) {
        char id[16];
        snprintf(id, sizeof id, "o%d", (int)p);
        pipeline_harness_confirm(w, p, id);
    }
}

static void *run(void *context)
{
    struct job *job = context;
    job->ok = pipeline_run(job->p, &job->options, &job->err);
    return NULL;
}

static void start(struct pipeline_harness *w, struct job *job)
{
    *job = (struct job){
        .options = {.until_end = true, .timeout_ms = HARNESS_PATIENCE_MS, .stop_fd = w->stop_fd}};
    job->p = pipeline_new(w->config, &job->err);
    assert_non_null(job->p);
    assert_int_equal(pthread_create(&job->thread, NULL, run, job), 0);
}

static void expect_end(struct job *job)
{
    pthread_join(job->thread, NULL);
    pipeline_free(job->p);
    if (!job->ok)
        fail_msg("%s", job->err.text);
}

/* Each order, and nothing else. A member that the machine let wait past its session is taken for
 * dead: what it had not committed is sent again, with the same id. */
static void expect_each_order(struct pipeline_harness *w)
{
    char ids[HARNESS_PARTITIONS][64] = {{0}}, id[64], order[16];
    size_t count = server_request_count(w->webhook);
    assert_true(count >= HARNESS_PARTITIONS);
    for (size_t i = 0; i < count; i++) {
        int p = 0;
        for (; p < HARNESS_PARTITIONS; p++) {
            snprintf(order, sizeof order, "\"o%d\"", p);
            if (strstr(server_request(w->webhook, i)->body, order) != NULL)
                break;
        }
        assert_true(p < HARNESS_PARTITIONS);
        pipeline_harness_header(w, i, "webhook-id", id, sizeof id);
        if (*ids[p] == '\0')
            memcpy(ids[p], id, sizeof id);
        assert_string_equal(ids[p], id);
    }
    for (int p = 0; p < HARNESS_PARTITIONS; p++)
        assert_string_not_equal(ids[p], "");
}

/* Neither has all partitions, and neither must wait for the other to leave. */
static void two_jobs_come_to_their_end(void **state)
{
    struct pipeline_harness w;
    struct job first, second;
    (void)state;
    open_some(&w, accepting);
    start(&w, &first);
    start(&w, &second);
    expect_end(&first);
    expect_end(&second);
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        assert_int_equal(cluster_committed(&w.cluster, "shop", p), 3);
    expect_each_order(&w);
    pipeline_harness_close(&w);
}

/* Another member's partitions are not at their end before that member has committed them. */
static void a_job_waits_for_the_others(void **state)
{
    static const struct server_rule webhook[] = {
        {NULL, SERVER_HOLD, NO_CONTENT, HARNESS_PARTITIONS},
        {NULL, SERVER_ANSWER, NO_CONTENT, 0},
        {0}};
    struct pipeline_harness w;
    struct job first, second;
    (void)state;
    open_some(&w, webhook);
    start(&w, &first);
    start(&w, &second);
    pipeline_harness_await_requests(&w, HARNESS_PARTITIONS);
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        assert_true(cluster_committed(&w.cluster, "shop", p) < 3);
    server_release(w.webhook);
    expect_end(&first);
    expect_end(&second);
    for (int32_t p = 0; p < HARNESS_PARTITIONS; p++)
        assert_int_equal(cluster_committed(&w.cluster, "shop", p), 3);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_jobs_come_to_their_end),
        cmocka_unit_test(a_job_waits_for_the_others),
    };
    return pipeline_harness_main("pipeline_until_end", tests, sizeof tests / sizeof *tests);
}
