/* shape_test: the bytes of Elementor's two forms. */
#include "order/shape/shape.h"

#include "order/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char nested[] =
    "{\"form_name\":\"a \\\"b\\\",\\\\\",\"fields\":{\"order_id\":\"6e1f\","
    "\"order_number\":\"CMD-1\",\"client_name\":\"Zo\xc3\xa9 \\\"Z\\\" & C=o \\\\ /\","
    "\"client_phone\":\"+213 555\",\"client_address\":\"1\\n2\\t\\u0001~*\",\"client_city\":\"\","
    "\"product_name\":\"{,}]:\\\",\",\"quantity\":2,\"unit_price\":1250.50,"
    "\"total_amount\":2501.00,\"status\":\"confirmed\","
    "\"confirmed_at\":\"2026-11-22T09:15:30.123456Z\"}}";

static struct form_options form(void)
{
    struct form_options options = {.form_id = "a1b2", .form_name = "Order form"};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        options.labels[f] = payload_field_names[f];
    options.labels[FIELD_CLIENT_NAME] = "Nom & pr\xc3\xa9nom";
    return options;
}

typedef bool write_form(const struct form_options *options, const struct shape_values *values,
                        struct buf *b);

static void expect(write_form *write, const char *expected)
{
    struct form_options options = form();
    struct shape_values values;
    struct buf b;
    buf_init(&b, PAYLOAD_BODY_MAX);
    assert_true(shape_values_read(slice_of(nested), &values));
    assert_true(write(&options, &values, &b));
    assert_string_equal(buf_text(&b), expected);
    buf_done(&b);
}

static void elementor(void **state)
{
    (void)state;
    expect(form_write,
           "order_id=6e1f&order_number=CMD-1&Nom+%26+pr%C3%A9nom=Zo%C3%A9+%22Z%22+%26+C%3Do+%5C+"
           "%2F&client_phone=%2B213+555&client_address=1%0A2%09%01%7E%2A&client_city=&"
           "product_name=%7B%2C%7D%5D%3A%22%2C&quantity=2&unit_price=1250.50&total_amount=2501.00&"
           "status=confirmed&confirmed_at=2026-11-22T09%3A15%3A30.123456Z&form_id=a1b2&"
           "form_name=Order+form");
}

#define FIELD(id, type, title, value, required)                                             \
    "&fields%5B" id "%5D%5Bid%5D=" id "&fields%5B" id "%5D%5Btype%5D=" type "&fields%5B" id \
    "%5D%5Btitle%5D=" title "&fields%5B" id "%5D%5Bvalue%5D=" value "&fields%5B" id         \
    "%5D%5Braw_value%5D=" value "&fields%5B" id "%5D%5Brequired%5D=" required
#define META(id, title, value) \
    "&meta%5B" id "%5D%5Btitle%5D=" title "&meta%5B" id "%5D%5Bvalue%5D=" value

static void elementor_advanced(void **state)
{
    (void)state;
    expect(
        form_write_advanced,
        "form%5Bid%5D=a1b2&form%5Bname%5D=Order+form" FIELD("order_id", "text", "order_id", "6e1f",
                                                            "1")
            FIELD("order_number", "text", "order_number", "CMD-1", "1") FIELD(
                "client_name", "text", "Nom+%26+pr%C3%A9nom", "Zo%C3%A9+%22Z%22+%26+C%3Do+%5C+%2F",
                "1") FIELD("client_phone", "tel", "client_phone", "%2B213+555", "1")
                FIELD("client_address", "text", "client_address", "1%0A2%09%01%7E%2A", "0")
                    FIELD("client_city", "text", "client_city", "", "0")
                        FIELD("product_name", "text", "product_name", "%7B%2C%7D%5D%3A%22%2C", "1")
                            FIELD("quantity", "number", "quantity", "2", "1")
                                FIELD("unit_price", "number", "unit_price", "1250.50", "1")
                                    FIELD("total_amount", "number", "total_amount", "2501.00", "1")
                                        FIELD("status", "text", "status", "confirmed", "0")
                                            FIELD("confirmed_at", "text", "confirmed_at",
                                                  "2026-11-22T09%3A15%3A30.123456Z", "0")
                                                META("date", "Date", "2026-11-22")
                                                    META("time", "Time", "09%3A15%3A30")
                                                        META("page_url", "Page+URL", "")
                                                            META("user_agent", "User+Agent", "")
                                                                META("remote_ip", "Remote+IP", "")
                                                                    META("credit", "Powered+by",
                                                                         "elementor-sync"));
}

static void what_does_not_fit_is_not_written(void **state)
{
    static write_form *const forms[] = {form_write, form_write_advanced};
    struct form_options options = form();
    struct shape_values values;
    (void)state;
    assert_true(shape_values_read(slice_of(nested), &values));
    for (size_t i = 0; i < 2; i++)
        for (size_t limit = 0; limit < 400; limit++) {
            struct buf b;
            buf_init(&b, limit);
            bool written = forms[i](&options, &values, &b);
            assert_int_equal(written, b.len <= limit && buf_ok(&b));
            buf_done(&b);
        }
}

static void other_bytes_are_no_values(void **state)
{
    struct shape_values values;
    (void)state;
    for (size_t len = 0; len < sizeof nested - 1; len++)
        assert_false(shape_values_read((struct slice){nested, len}, &values));
    assert_false(shape_values_read(slice_of("{\"form_name\":\"x\",\"order_id\":\"1\"}"), &values));
}

static void content_types(void **state)
{
    static const char form_type[] = "Content-Type: application/x-www-form-urlencoded";
    (void)state;
    assert_string_equal(shape_content_type(PAYLOAD_NESTED), "Content-Type: application/json");
    assert_string_equal(shape_content_type(PAYLOAD_FLAT), "Content-Type: application/json");
    assert_string_equal(shape_content_type(PAYLOAD_ELEMENTOR), form_type);
    assert_string_equal(shape_content_type(PAYLOAD_ELEMENTOR_ADVANCED), form_type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elementor), cmocka_unit_test(elementor_advanced),
        cmocka_unit_test(what_does_not_fit_is_not_written),
        cmocka_unit_test(other_bytes_are_no_values), cmocka_unit_test(content_types)};
    return cmocka_run_group_tests_name("shape", tests, NULL, NULL);
}
