#include "demo/demo_internal.h"

#include "demo/display/summary.h"
#include "demo/parts/schemas.h"
#include "http/http_client.h"
#include "order/payload.h"
#include "sys/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    TURN_MS = 25,             /* how often librdkafka's queues are read */
    PATIENCE_MS = 120 * 1000, /* at the end: the longest time without a settled confirmation */
    AFTER_SIGNAL_MS = 3000,   /* for requests in flight, after Ctrl-C */
    STOP_MS = 30 * 1000,      /* for the delivering process to drain */
    ANSWER_MS = 5000,
    RECORD_MAX = 8192,
    SUMMARY_MAX = 16384
};

/* ---- start ---- */

static bool open_receiver(struct demo *d)
{
    const struct receiver_events events = flow_receiver_events(d);
    if (d->options->webhook_url != NULL) {
        d->view.receiver.own = true;
        return true;
    }
    d->receiver = receiver_new(d->loop, d->options->seed, d->started_ms, &events, d->err);
    return d->receiver != NULL;
}

static bool open_surroundings(struct demo *d)
{
    const struct broker_events events = flow_broker_events(d);
    return (d->loop = loop_new(d->err)) != NULL &&
           (d->broker = broker_new(&events, d->err)) != NULL &&
           (d->schemas = schemas_new(d->loop, d->err)) != NULL && open_receiver(d) &&
           (d->debezium = debezium_new(d->err)) != NULL;
}

static bool open_memory(struct demo *d)
{
    d->shop = shop_new(d->options->seed, d->options->rate, d->options->orders, d->started_ms);
    d->ledger = ledger_new();
    d->terminal = terminal_new();
    buf_init(&d->key, RECORD_MAX);
    buf_init(&d->value, RECORD_MAX);
    return (d->shop != NULL && d->ledger != NULL && d->terminal != NULL) || error_no_memory(d->err);
}

/* The addresses to show. The user's own URL is secret and is not shown. */
static void describe(struct demo *d)
{
    struct snapshot *view = &d->view;
    snprintf(view->brokers, sizeof view->brokers, "%s", broker_addresses(d->broker));
    snprintf(view->registry, sizeof view->registry, "http://127.0.0.1:%d", web_port(d->schemas));
    snprintf(view->receiver.breaker, sizeof view->receiver.breaker, "closed");
    view->receiver.breaker_is_closed = view->receiver.mood_is_well = true;
    view->receiver.latency_ms = view->first_ms = -1;
    view->limit = d->options->orders;
    if (d->receiver != NULL)
        snprintf(view->receiver.endpoint, sizeof view->receiver.endpoint, "127.0.0.1:%d",
                 receiver_port(d->receiver));
    else
        snprintf(view->receiver.endpoint, sizeof view->receiver.endpoint, "your receiver");
}

static bool tell_members(struct demo *d)
{
    char settings[512];
    int len = snprintf(settings, sizeof settings, "kafka.brokers=%s\nregistry.url=%s\n",
                       d->view.brokers, d->view.registry);
    if (!operator_go(d, settings))
        return false;
    if (d->receiver != NULL)
        snprintf(settings + len, sizeof settings - (size_t)len,
                 "webhook.url=http://127.0.0.1:%d/hook\n", receiver_port(d->receiver));
    return member_go(&d->member, settings, d->err);
}

/* ---- turns ---- */

static void stop_asked(void *context, int fd, unsigned events)
{
    struct demo *d = context;
    struct signalfd_siginfo signal_info;
    (void)events;
    if (read(fd, &signal_info, sizeof signal_info) <= 0)
        return;
    if (d->interrupted || d->phase == DEMO_STOPPING) { /* again: at once */
        member_kill(&d->member);
        d->phase = DEMO_STOPPING;
    }
    d->interrupted |= d->phase == DEMO_SELLING || ledger_counts(d->ledger).open > 0;
    shop_close(d->shop);
    d->give_up_ms = d->now_ms + AFTER_SIGNAL_MS;
}

static bool is_all_settled(const struct demo *d)
{
    return ledger_counts(d->ledger).open == 0 && broker_pending(d->broker) == 0 &&
           broker_lag(d->broker) == 0;
}

static void note_progress(struct demo *d)
{
    struct ledger_counts counts = ledger_counts(d->ledger);
    uint64_t settled = counts.delivered + counts.parked;
    if (settled == d->settled_before || d->interrupted)
        return;
    d->settled_before = settled;
    d->give_up_ms = d->now_ms + PATIENCE_MS;
}

static void stop_member(struct demo *d)
{
    d->phase = DEMO_STOPPING;
    d->give_up_ms = d->now_ms + STOP_MS;
    member_stop(&d->member);
}

static void advance(struct demo *d)
{
    bool gone = member_gone(&d->member);
    note_progress(d);
    switch (d->phase) {
    case DEMO_SELLING:
        if (shop_due_ms(d->shop) < 0) {
            d->phase = DEMO_SETTLING;
            d->give_up_ms = d->now_ms + (d->interrupted ? AFTER_SIGNAL_MS : PATIENCE_MS);
        }
        break;
    case DEMO_SETTLING:
        if (is_all_settled(d) || d->now_ms >= d->give_up_ms)
            stop_member(d);
        break;
    case DEMO_STOPPING:
        if (!gone && d->now_ms >= d->give_up_ms)
            member_kill(&d->member);
        if (gone)
            d->phase = DEMO_OVER;
        return;
    default: return;
    }
    if (gone) { /* before it was stopped */
        d->process_failed = true;
        d->phase = DEMO_OVER;
    }
}

static void turn(struct demo *d)
{
    int64_t wait_ms = TURN_MS, receiver_ms = -1;
    d->now_ms = clock_mono_ms();
    flow_write_due(d);
    broker_turn(d->broker, d->now_ms);
    if (d->receiver != NULL)
        receiver_ms = receiver_turn(d->receiver, d->now_ms);
    int64_t schemas_ms = web_turn(d->schemas, d->now_ms);
    flow_read_logs(d);
    advance(d);
    flow_update_view(d);
    terminal_show(d->terminal, &d->view, d->now_ms);
    if (receiver_ms >= 0 && receiver_ms < wait_ms)
        wait_ms = receiver_ms;
    loop_wait(d->loop, schemas_ms >= 0 && schemas_ms < wait_ms ? schemas_ms : wait_ms);
}

/* ---- end ---- */

static bool write_journal(const struct demo *d, const char *path, struct error *err)
{
    FILE *file = path != NULL ? fopen(path, "w") : NULL;
    if (path == NULL)
        return true;
    bool ok = file != NULL;
    for (const struct confirmation *c = ledger_first(d->ledger); ok && c != NULL; c = c->next) {
        struct buf line;
        buf_init(&line, RECORD_MAX);
        report_confirmation(&line, c);
        ok = fputs(buf_text(&line), file) >= 0;
        buf_done(&line);
    }
    ok &= file != NULL && fclose(file) == 0;
    return ok || error_set(err, ERROR_FAILED, "%s: %s", path, strerror(errno));
}

static struct report_end judge(struct demo *d)
{
    bool heard =
        broker_ask_committed(d->broker, ANSWER_MS) && broker_read_to_end(d->broker, ANSWER_MS);
    flow_update_view(d);
    return (struct report_end){
        .lost = ledger_lost(d->ledger, broker_committed(d->broker), BROKER_PARTITIONS),
        .finished = !d->interrupted,
        .settled = heard && broker_lag(d->broker) == 0,
        .process_failed = d->process_failed || (!d->interrupted && !member_ended_well(&d->member))};
}

static bool settle_accounts(struct demo *d)
{
    struct buf text;
    const struct report_end end = judge(d);
    buf_init(&text, SUMMARY_MAX);
    report_summary(&text, &d->view, &end);
    terminal_end(d->terminal, buf_text(&text));
    buf_done(&text);
    if (!report_balances(&d->view, &end))
        error_set(d->err, ERROR_FAILED, "the accounts do not balance%s%s",
                  d->process_failed ? "; the delivering process said last: " : "",
                  d->process_failed ? d->view.notes[0] : "");
    return write_journal(d, d->options->journal_path, d->err);
}

static void close_all(struct demo *d)
{
    member_done(&d->dashboard.process);
    member_done(&d->member);
    terminal_free(d->terminal);
    receiver_free(d->receiver);
    web_free(d->schemas);
    d->phase = DEMO_OVER;
    broker_free(d->broker);
    debezium_free(d->debezium);
    shop_free(d->shop);
    ledger_free(d->ledger);
    buf_done(&d->key);
    buf_done(&d->value);
    loop_free(d->loop);
    free(d);
}

static bool check_url(const struct demo *d)
{
    return d->options->webhook_url == NULL ||
           config_set(d->config, "webhook.url", d->options->webhook_url, "--webhook-url", d->err);
}

/* Its receiver keeps accounts of JSON. */
static bool check_shape(const struct demo *d)
{
    return d->config->payload_shape == PAYLOAD_NESTED || d->config->payload_shape == PAYLOAD_FLAT ||
           error_set(d->err, ERROR_CONFIG,
                     "payload.shape: the demo's receiver reads nested and flat only");
}

static bool begin(struct demo *d)
{
    if (!check_shape(d) || !check_url(d) ||
        !member_fork(&d->member, d->config, member_deliver, d->options->stop_fd, NULL, d->err) ||
        !operator_fork(d) || !open_surroundings(d) || !open_memory(d))
        return false;
    d->compares = d->config->payload_shape == PAYLOAD_NESTED &&
                  strcmp(d->config->payload_form_name, "order_confirmation") == 0;
    describe(d);
    d->next_second_ms = d->started_ms + 1000;
    loop_watch(d->loop, d->options->stop_fd, LOOP_READ, stop_asked, d);
    return tell_members(d);
}

bool demo_run(struct config *config, const struct demo_options *options, struct error *err)
{
    struct demo *d = calloc(1, sizeof *d);
    if (d == NULL)
        return error_no_memory(err);
    d->member = d->dashboard.process = (struct member){.settings_fd = -1, .log_fd = -1};
    d->config = config;
    d->options = options;
    d->err = err;
    d->started_ms = d->now_ms = clock_mono_ms();
    if (begin(d)) {
        while (d->phase != DEMO_OVER && err->code == ERROR_NONE)
            turn(d);
        if (err->code == ERROR_NONE)
            settle_accounts(d);
    }
    close_all(d);
    return err->code == ERROR_NONE;
}
