/* site_test: dashboard.url: its origin and prefix, and what is no such address. */
#include "dashboard/web/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void urls_are_read(void **state)
{
    static const char *const urls[][3] = {
        {"https://ops.example.com", "https://ops.example.com", ""},
        {"https://ops.example.com/", "https://ops.example.com", ""},
        {"https://ops.example.com/orders", "https://ops.example.com", "/orders"},
        {"https://ops.example.com/orders///", "https://ops.example.com", "/orders"},
        {"https://example.com/a/b-c_d/", "https://example.com", "/a/b-c_d"},
        {"HTTPS://Ops.Example.COM:443/Orders", "https://ops.example.com", "/Orders"},
        {"http://localhost:80/", "http://localhost", ""},
        {"http://localhost:8443/", "http://localhost:8443", ""},
        {"https://localhost:80/", "https://localhost:80", ""},
        {"http://[::1]:8080/x", "http://[::1]:8080", "/x"},
        {"https://example.com/apis", "https://example.com", "/apis"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct site site;
        struct error err = {0};
        if (!site_read(&site, urls[i][0], &err))
            fail_msg("%s: %s", urls[i][0], err.text);
        assert_string_equal(site.origin, urls[i][1]);
        assert_string_equal(site.prefix, urls[i][2]);
    }
}

static void other_texts_are_refused(void **state)
{
    static const char *const urls[] = {"ops.example.com",
                                       "ftp://ops.example.com",
                                       "https://",
                                       "https:///orders",
                                       "https://me:word@ops.example.com",
                                       "https://ops.example.com?x=1",
                                       "https://ops.example.com/orders?x=1",
                                       "https://ops.example.com/#/",
                                       "https://ops.example.com/a//b",
                                       "https://ops.example.com/../b",
                                       "https://ops.example.com/a/./b",
                                       "https://ops.example.com/a%20b",
                                       "https://ops.example.com/a b",
                                       "https://ops.example.com/\r\nX: y",
                                       "https://ops.example.com/api",
                                       "https://ops.example.com/functions/v2",
                                       "https://ops.example.com/readyz/",
                                       "https://-x",
                                       "https://*"};
    static char longest[700] = "https://ops.example.com/";
    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct site site;
        struct error err = {0};
        if (site_read(&site, urls[i], &err))
            fail_msg("taken: %s", urls[i]);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_non_null(strstr(err.text, "dashboard.url"));
    }
    memset(longest + strlen(longest), 'x', 600);
    struct site site;
    struct error err = {0};
    assert_false(site_read(&site, longest, &err));
    memset(longest + 8, 'x', 600);
    assert_false(site_read(&site, longest, &err));
}

static void a_path_is_inside_or_not(void **state)
{
    struct site site, none;
    struct error err = {0};
    (void)state;
    assert_true(site_read(&site, "https://x.example/orders", &err));
    assert_true(site_read(&none, NULL, &err));
    assert_int_equal(site_path(&site, "/orders/"), SITE_INSIDE);
    assert_int_equal(site_path(&site, "/orders/api/v1/orders"), SITE_INSIDE);
    assert_int_equal(site_path(&site, "/orders"), SITE_BARE);
    assert_int_equal(site_path(&site, "/"), SITE_OTHER);
    assert_int_equal(site_path(&site, "/ordersx"), SITE_OTHER);
    assert_int_equal(site_path(&site, "/api/v1/orders"), SITE_OTHER);
    assert_int_equal(site_path(&none, "/orders"), SITE_OTHER);
    assert_int_equal(site_path(&none, "/"), SITE_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_read),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(a_path_is_inside_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
