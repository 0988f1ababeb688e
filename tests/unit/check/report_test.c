/* report_test: a report for people, in windows of each width; and for machines. */
#include "check/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct report *sample(void)
{
    struct report *r = report_new();
    struct error err = {ERROR_CONFIG, "kafka.topic is required; set it in the file, or KAFKA_TOPIC "
                                      "in the environment"};
    assert_non_null(r);
    report_add(r, REPORT_DETAIL, "configuration", "webhook.timeout", "30s");
    report_fail(r, &err, "configuration", "missing");
    report_add(r, REPORT_NOTE, "configuration", "payload.fields.client_address",
               "a name as long as they come, and a text that needs more than one line of eighty");
    report_add(r, REPORT_OK, "kafka", "brokers", "localhost:9092: 1 in the cluster");
    report_field(r, REPORT_WARN, "unit_price", "prix_unitaire_du_produit",
                 "bytes (Decimal, scale 2), or null",
                 "number with exactly its digits; null is parked, and the order with it");
    report_field(r, REPORT_FAIL, "client_name", "client_name", "", "no such column");
    return r;
}

static size_t longest_line(const char *text)
{
    size_t longest = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, "\n"), columns = 0;
        for (size_t i = 0; i < len; i++)
            columns += ((unsigned char)text[i] & 0xc0) != 0x80;
        longest = columns > longest ? columns : longest;
        text += len + (text[len] == '\n');
    }
    return longest;
}

static void no_line_is_longer_than_the_window(void **state)
{
    struct report *r = sample();
    struct buf b;
    (void)state;
    buf_init(&b, 65536);
    for (size_t width = 60; width <= 160; width++) {
        buf_reset(&b);
        report_text(r, width, &terminal_plain, &b);
        if (longest_line(buf_text(&b)) > width)
            fail_msg("%d:\n%s", (int)width, buf_text(&b));
    }
    buf_done(&b);
    report_free(r);
}

static void at_eighty_columns(void **state)
{
    static const char expected[] =
        "configuration\n"
        "  FAIL  missing                        kafka.topic is required; set it in the\n"
        "                                       file, or KAFKA_TOPIC in the environment\n"
        "  -     payload.fields.client_address  a name as long as they come, and a text\n"
        "                                       that needs more than one line of eighty\n"
        "\n"
        "kafka\n"
        "  ok    brokers           localhost:9092: 1 in the cluster\n"
        "\n"
        "fields\n"
        "  warn  unit_price        prix_unitaire_du_produit\n"
        "          bytes (Decimal, scale 2), or null: number with exactly its digits;\n"
        "          null is parked, and the order with it\n"
        "  FAIL  client_name       client_name\n"
        "          no such column\n"
        "\n"
        "failures: 2, warnings: 1\n";
    struct report *r = sample();
    struct buf b;
    (void)state;
    buf_init(&b, 65536);
    report_text(r, 80, &terminal_plain, &b);
    assert_string_equal(buf_text(&b), expected);
    buf_done(&b);
    report_free(r);
}

/* Text from a topic does not reach the terminal as it is. */
static void control_characters(void **state)
{
    struct report *r = report_new();
    struct buf b;
    (void)state;
    report_add(r, REPORT_NOTE, "records", "values",
               "a\x1b]0;x\x07 b\xc2\x9b 31m c\xe2\x80\xae d\xe2\x81\xa6 \xd9\x83\xff e");
    buf_init(&b, 65536);
    report_text(r, 80, &terminal_plain, &b);
    assert_non_null(strstr(buf_text(&b), "a?]0;x? b? 31m c? d? \xd9\x83? e\n"));
    buf_reset(&b);
    report_json(r, "0", &b);
    assert_non_null(strstr(buf_text(&b), "a?]0;x? b? 31m c? d? \xd9\x83? e\""));
    buf_done(&b);
    report_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_line_is_longer_than_the_window),
                                       cmocka_unit_test(at_eighty_columns),
                                       cmocka_unit_test(control_characters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
