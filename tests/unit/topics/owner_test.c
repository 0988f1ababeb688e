/* owner_test: with auth.owner_column a customer sees and syncs only orders of its own; what run
 * writes of an owner, and what it says when there is no such column. */
#include "fakes/dashboard_harness.h"
#include "topics/owner.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SYNC "/functions/v1/sync-order-elementor"
#define DELIVERIES "elementor-sync.deliveries"

/* ---- the dashboard ---- */

/* o1 is u-1's, o2 is u-2's, o3 is of before there were owners; all three are parked. */
static void open_harness(struct dashboard_harness *s, char marks[2][OWNER_MARK_MAX])
{
    static const char *const orders[] = {"o1", "o2", "o3"};
    dashboard_harness_open(s);
    dashboard_harness_set(s, "dashboard.wait", "0s");
    dashboard_harness_set(s, "auth.owner_column", "user_id");
    dashboard_harness_set(s, "auth.owner_secret", "a key of the shop's own");
    owner_mark(s->config, slice_of("u-1"), marks[0]);
    owner_mark(s->config, slice_of("u-2"), marks[1]);
    dashboard_harness_start(s);
    cluster_produce(&s->cluster, 0, "bytes", 5);
    for (size_t i = 0; i < 3; i++) {
        const struct outcome o = {.order = orders[i],
                                  .state = "parked",
                                  .reason = "http:422",
                                  .owner = i < 2 ? marks[i] : NULL};
        dashboard_harness_park(s, &o, "refused");
        dashboard_harness_outcome(s, &o);
        dashboard_harness_await_order(s, orders[i], "parked");
    }
}

static struct answer look(struct dashboard_harness *s, const char *headers, const char *order)
{
    char path[160];
    snprintf(path, sizeof path, SYNC "?order_id=%s", order);
    return dashboard_harness_ask(s, "GET", path, headers, NULL);
}

static struct answer sync_order(struct dashboard_harness *s, const char *headers, const char *order)
{
    char body[160];
    snprintf(body, sizeof body, "{\"order_id\":\"%s\"}", order);
    return dashboard_harness_ask(s, "POST", SYNC, headers, body);
}

/* As an order that does not exist: its answer, but for the id. */
static void assert_unknown(struct dashboard_harness *s, const char *order)
{
    char body[4096];
    struct answer a = look(s, s->customer, "xx");
    int status = a.status;
    snprintf(body, sizeof body, "%s", a.body);
    for (char *at = body; (at = strstr(at, "xx")) != NULL;)
        memcpy(at, order, 2);
    a = look(s, s->customer, order);
    assert_int_equal(a.status, status);
    assert_string_equal(a.body, body);
    a = sync_order(s, s->customer, order);
    assert_int_equal(a.status, 202);
    assert_non_null(strstr(a.body, "\"status\":\"unseen\""));
    assert_null(strstr(a.body, "http:422"));
}

static void a_customer_sees_and_syncs_its_own_orders_only(void **state)
{
    struct dashboard_harness s;
    char marks[2][OWNER_MARK_MAX], request[64];
    (void)state;
    open_harness(&s, marks);
    assert_non_null(strstr(look(&s, s.customer, "o1").body, "\"status\":\"parked\""));
    assert_unknown(&s, "o2");
    assert_unknown(&s, "o3");
    assert_int_equal(dashboard_harness_retries(&s, request),
                     0); /* nothing of another's was sent again */
    struct answer a = sync_order(&s, s.customer, "o1");
    assert_int_equal(a.status, 202);
    for (int i = 0; dashboard_harness_retries(&s, request) == 0; i++) {
        assert_true(i < 1000);
        usleep(10000);
    }
    dashboard_harness_close(&s);
}

/* A later record may name another owner, and the earlier one sees the order no longer. */
static void an_order_that_changes_hands_changes_who_sees_it(void **state)
{
    struct dashboard_harness s;
    char marks[2][OWNER_MARK_MAX], other[1024];
    (void)state;
    open_harness(&s, marks);
    dashboard_harness_sign(other, sizeof other, "\"sub\":\"u-2\",\"role\":\"authenticated\"");
    dashboard_harness_outcome(
        &s, &(struct outcome){.order = "o1", .state = "delivered", .owner = marks[1]});
    dashboard_harness_await_order(&s, "o1", "delivered");
    assert_unknown(&s, "o1");
    assert_non_null(strstr(look(&s, other, "o1").body, "\"status\":\"delivered\""));
    dashboard_harness_close(&s);
}

static void operators_see_all(void **state)
{
    static const char *const orders[] = {"o1", "o2", "o3"};
    struct dashboard_harness s;
    char marks[2][OWNER_MARK_MAX];
    (void)state;
    open_harness(&s, marks);
    for (size_t i = 0; i < 3; i++)
        assert_non_null(strstr(look(&s, s.operator, orders[i]).body, "\"status\":\"parked\""));
    dashboard_harness_close(&s);
}

/* A token without a sub owns nothing, not even an order whose owner is empty. */
static void a_token_without_a_subject_owns_nothing(void **state)
{
    struct dashboard_harness s;
    char marks[2][OWNER_MARK_MAX], nameless[1024];
    (void)state;
    open_harness(&s, marks);
    dashboard_harness_sign(nameless, sizeof nameless, "\"sub\":\"\",\"role\":\"authenticated\"");
    dashboard_harness_outcome(&s,
                              &(struct outcome){.order = "o3", .state = "delivered", .owner = ""});
    dashboard_harness_await_order(&s, "o3", "delivered");
    for (size_t i = 0; i < 3; i++) {
        struct answer a = look(&s, nameless, (const char *const[]){"o1", "o2", "o3"}[i]);
        assert_null(strstr(a.body, "parked"));
        assert_null(strstr(a.body, "delivered\""));
    }
    dashboard_harness_close(&s);
}

/* ---- run ---- */

static const struct server_rule accepting[] = {{NULL, SERVER_ANSWER, NO_CONTENT, 0}, {0}};

struct found {
    size_t records, owners, names;
    char wanted[OWNER_MARK_MAX + 16];
};

static bool holds(const rd_kafka_message_t *m, const char *text)
{
    return memmem(m->payload, m->len, text, strlen(text)) != NULL;
}

static void find(void *context, const rd_kafka_message_t *m)
{
    struct found *found = context;
    found->records++;
    found->owners += holds(m, found->wanted);
    found->names += holds(m, "Amina");
}

/* The column's value goes into no record: only its mark, with the configured key. */
static void run_writes_the_owners_mark_and_not_the_owner(void **state)
{
    struct pipeline_harness w;
    char mark[OWNER_MARK_MAX], unkeyed[OWNER_MARK_MAX];
    struct found found = {0};
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_set(&w, "auth.owner_column", "client_name");
    owner_mark(w.config, slice_of("Amina"), unkeyed);
    pipeline_harness_set(&w, "auth.owner_secret", "a key of the shop's own");
    owner_mark(w.config, slice_of("Amina"), mark);
    assert_string_not_equal(mark, unkeyed);
    pipeline_harness_confirm(&w, 0, "o1");
    pipeline_harness_run_to_end(&w);
    snprintf(found.wanted, sizeof found.wanted, "\"owner\":\"%s\"", mark);
    cluster_read(&w.cluster, DELIVERIES, find, &found);
    assert_true(found.records > 0);
    assert_int_equal(found.owners, found.records);
    assert_int_equal(found.names, 0);
    pipeline_harness_close(&w);
}

/* Orders go on; that their customers see none of them is said, once. */
static void a_missing_owner_column_is_warned_of(void **state)
{
    struct pipeline_harness w;
    struct found found = {.wanted = "\"owner\""};
    (void)state;
    pipeline_harness_open(&w, accepting);
    pipeline_harness_set(&w, "auth.owner_column", "user_id");
    pipeline_harness_confirm(&w, 0, "o1");
    pipeline_harness_log_open(&w);
    pipeline_harness_run_to_end(&w);
    pipeline_harness_await_log(
        &w, "event=\"owner column missing\" column=user_id schema=Row schema_id=1 ");
    assert_int_equal(server_request_count(w.webhook), 1);
    cluster_read(&w.cluster, DELIVERIES, find, &found);
    assert_int_equal(found.records, 1);
    assert_int_equal(found.owners, 0);
    pipeline_harness_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_customer_sees_and_syncs_its_own_orders_only),
        cmocka_unit_test(an_order_that_changes_hands_changes_who_sees_it),
        cmocka_unit_test(operators_see_all),
        cmocka_unit_test(a_token_without_a_subject_owns_nothing),
        cmocka_unit_test(run_writes_the_owners_mark_and_not_the_owner),
        cmocka_unit_test(a_missing_owner_column_is_warned_of),
    };
    return pipeline_harness_main("owner", tests, sizeof tests / sizeof *tests);
}
