/* span_test: a request of spans, read by jansson. */
#include "tracing/span.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define OWN "00f067aa0ba902b7"
#define PARENT "53995c3f42cd8ad8"

static const struct span_resource resource = {"0.1.0", "shop-1"};

static json_t *read_request(struct buf *b)
{
    json_error_t why;
    json_t *request = json_loads(buf_text(b), JSON_REJECT_DUPLICATES, &why);
    if (request == NULL)
        fail_msg("%s in %s", why.text, buf_text(b));
    buf_done(b);
    return request;
}

static json_t *scope_of(const json_t *request)
{
    json_t *resources = json_object_get(request, "resourceSpans");
    assert_int_equal(json_array_size(resources), 1);
    json_t *scopes = json_object_get(json_array_get(resources, 0), "scopeSpans");
    assert_int_equal(json_array_size(scopes), 1);
    return json_array_get(scopes, 0);
}

static json_t *value_of(const json_t *attributes, const char *name)
{
    size_t i;
    const json_t *attribute;
    json_array_foreach (attributes, i, attribute)
        if (strcmp(json_string_value(json_object_get(attribute, "key")), name) == 0)
            return json_object_get(attribute, "value");
    fail_msg("%s is missing", name);
    return NULL;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (text == NULL)
        fail_msg("%s is no text", name);
    return text;
}

static void a_request_says_who_and_what(void **state)
{
    const struct trace_context context = {TRACE, OWN, 1};
    const struct span_attribute attributes[] = {SPAN_TEXT("messaging.system", "kafka"),
                                                SPAN_NUMBER("messaging.kafka.offset", 1LL << 60)};
    const struct span span = {.context = &context,
                              .parent_id = PARENT,
                              .parent_is_remote = true,
                              .name = {"deliver", "shop\"s"},
                              .kind = SPAN_CONSUMER,
                              .start_ms = 1764442800123,
                              .end_ms = 1764442801000,
                              .attributes = attributes,
                              .attribute_count = 2};
    struct buf b;
    (void)state;
    buf_init(&b, 4096);
    span_request_begin(&b, &resource);
    span_write(&span, &b);
    span_request_end(&b);
    json_t *request = read_request(&b), *scope = scope_of(request);
    const json_t *who = json_object_get(
        json_object_get(json_array_get(json_object_get(request, "resourceSpans"), 0), "resource"),
        "attributes");
    assert_string_equal(text_of(value_of(who, "service.name"), "stringValue"), "elementor-sync");
    assert_string_equal(text_of(value_of(who, "service.version"), "stringValue"), "0.1.0");
    assert_string_equal(text_of(value_of(who, "service.instance.id"), "stringValue"), "shop-1");
    const json_t *read = json_array_get(json_object_get(scope, "spans"), 0);
    assert_string_equal(text_of(read, "traceId"), TRACE);
    assert_string_equal(text_of(read, "spanId"), OWN);
    assert_string_equal(text_of(read, "parentSpanId"), PARENT);
    assert_int_equal(json_integer_value(json_object_get(read, "flags")), 0x301);
    assert_string_equal(text_of(read, "name"), "deliver shop\"s");
    assert_int_equal(json_integer_value(json_object_get(read, "kind")), 5);
    assert_string_equal(text_of(read, "startTimeUnixNano"), "1764442800123000000");
    assert_string_equal(text_of(read, "endTimeUnixNano"), "1764442801000000000");
    assert_int_equal(json_object_size(json_object_get(read, "status")), 0);
    const json_t *its = json_object_get(read, "attributes");
    assert_string_equal(text_of(value_of(its, "messaging.system"), "stringValue"), "kafka");
    assert_string_equal(text_of(value_of(its, "messaging.kafka.offset"), "intValue"),
                        "1152921504606846976");
    json_decref(request);
}

static void a_failure_has_a_status_and_a_first_span_no_parent(void **state)
{
    const struct trace_context context = {TRACE, OWN, 1};
    const struct span span = {.context = &context,
                              .parent_id = "",
                              .name = {"POST"},
                              .kind = SPAN_CLIENT,
                              .failure = "http:503"};
    struct buf b;
    (void)state;
    buf_init(&b, 4096);
    span_request_begin(&b, &resource);
    span_write(&span, &b);
    span_request_next(&b);
    span_write(&span, &b);
    span_request_end(&b);
    json_t *request = read_request(&b);
    const json_t *spans = json_object_get(scope_of(request), "spans");
    assert_int_equal(json_array_size(spans), 2);
    const json_t *read = json_array_get(spans, 1), *status = json_object_get(read, "status");
    assert_null(json_object_get(read, "parentSpanId"));
    assert_string_equal(text_of(read, "name"), "POST");
    assert_int_equal(json_integer_value(json_object_get(read, "flags")), 0x101);
    assert_int_equal(json_integer_value(json_object_get(status, "code")), 2);
    assert_string_equal(text_of(status, "message"), "http:503");
    json_decref(request);
}

static void a_long_name_is_cut(void **state)
{
    char topic[600];
    const struct trace_context context = {TRACE, OWN, 1};
    const struct span span = {.context = &context, .parent_id = "", .name = {"deliver", topic}};
    struct buf b;
    (void)state;
    memset(topic, 'x', sizeof topic - 1);
    topic[sizeof topic - 1] = '\0';
    buf_init(&b, 4096);
    span_write(&span, &b);
    json_t *read = read_request(&b);
    assert_int_equal(strlen(text_of(read, "name")), 511);
    json_decref(read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_says_who_and_what),
        cmocka_unit_test(a_failure_has_a_status_and_a_first_span_no_parent),
        cmocka_unit_test(a_long_name_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
