/* order_link_test: dashboard.order_link: which addresses may become links. */
#include "dashboard/web/order_link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void addresses_of_a_shop_are_taken(void **state)
{
    static const char *const links[] = {
        "https://shop.example/wp-admin/post.php?post={order_id}&action=edit",
        "https://shop.example/orders/{order_number}",
        "https://shop.example/{order_id}?number={order_number}#/{order_id}",
        "HTTP://localhost:8080/orders/{order_id}",
        "http://[::1]:3000/?q={order_number}",
        "https://supabase.example/project/x/editor/1?filter=id:eq:{order_id}",
    };
    struct error err = {0};
    (void)state;
    assert_true(order_link_check(NULL, &err));
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (!order_link_check(links[i], &err))
            fail_msg("%s: %s", links[i], err.text);
}

static void others_are_refused_and_say_why(void **state)
{
    static const char *const links[][2] = {
        {"", "does not begin with https:// or http://"},
        {"shop.example/{order_id}", "does not begin with https:// or http://"},
        {"javascript:alert({order_id})", "does not begin with https:// or http://"},
        {" https://shop.example/{order_id}", "does not begin with https:// or http://"},
        {"data:text/html,{order_id}", "does not begin with https:// or http://"},
        {"https://shop.example/orders", "names no order"},
        {"https://shop.example/{id}", "a placeholder other than"},
        {"https://shop.example/{order_id", "a placeholder other than"},
        {"https://shop.example/{{order_id}}", "a placeholder other than"},
        {"https://{order_id}.shop.example/", "a placeholder in its host"},
        {"https://{order_id}/", "a placeholder in its host"},
        {"https:///{order_id}", "no plain host"},
        {"https://me:word@shop.example/{order_id}", "no plain host"},
        {"https://shop.example:port/{order_id}", "no plain host"},
        {"https://shop.example/a b/{order_id}", "write as %XX"},
        {"https://shop.example/\r\n{order_id}", "write as %XX"},
        {"https://shop.example/\"{order_id}", "write as %XX"},
        {"https://shop.example/é/{order_id}", "write as %XX"},
    };
    static char longest[2000] = "https://shop.example/{order_id}";
    struct error err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        err = (struct error){0};
        if (order_link_check(links[i][0], &err))
            fail_msg("taken: %s", links[i][0]);
        assert_int_equal(err.code, ERROR_CONFIG);
        if (strstr(err.text, links[i][1]) == NULL ||
            strstr(err.text, "dashboard.order_link") == NULL)
            fail_msg("%s: %s", links[i][0], err.text);
    }
    memset(longest + strlen(longest), 'x', 1000);
    assert_false(order_link_check(longest, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_a_shop_are_taken),
        cmocka_unit_test(others_are_refused_and_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
