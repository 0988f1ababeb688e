/* redact_test: nothing secret and nothing of the customer's in what is kept of an answer. */
#include "delivery/redact.h"

#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define URL "https://shop.example.com/wp-json/elementor/v1/s3cr3t-hook-0123?token=abcdefgh12345&x=1"
#define BODY                                                                                         \
    "{\"form_name\":\"order_confirmation\",\"fields\":{\"client_name\":\"Benoît O'Neil "            \
    "العلوي\",\"client_phone\":\"+212 612-345678\",\"client_address\":\"12/4 rue Zola & Co\"," \
    "\"client_city\":\"Fès\",\"product_name\":\"Watch\"},\"columns\":[\"benoit@example.com\","      \
    "\"x\",7]}"

static const struct {
    const char *answer, *kept;
} answers[] = {
    {"", ""},
    {"plain words stay", "plain words stay"},
    {"line\r\nbreaks\tand\x01 bells\x07", "line  breaks and  bells "},
    {"bad \xff\xc3 bytes", "bad ?? bytes"},
    /* the URL: whole, its path, a segment, its query, in capitals, escaped */
    {"at " URL "!", "at [redacted]!"},
    {"No route /wp-json/elementor/v1/s3cr3t-hook-0123?token=abcdefgh12345&x=1",
     "No route [redacted]"},
    {"No route \\/wp-json\\/elementor\\/v1\\/s3cr3t-hook-0123",
     "No route \\/wp-json\\/[redacted]\\/v1\\/[redacted]"},
    {"hook s3cr3t-hook-0123 is off", "hook [redacted] is off"},
    {"HOOK S3CR3T-HOOK-0123 IS OFF", "HOOK [redacted] IS OFF"},
    {"token abcdefgh12345 expired", "token [redacted] expired"},
    {"path=%2Fs3cr3t%2Dhook%2d0123", "path=%2F[redacted]"},
    /* a header's token, with and without what stands before it */
    {"Authorization: Bearer t0ken-t0ken", "Authorization: [redacted]"},
    {"bad credentials t0ken-t0ken", "bad credentials [redacted]"},
    /* the customer, as JSON, PHP, HTML and a form write it */
    {"name Benoît O'Neil العلوي", "name [redacted]"},
    {"{\"name\":\"Beno\\u00eet O'Neil \\u0627\\u0644\\u0639\\u0644\\u0648\\u064a\"}",
     "{\"name\":\"[redacted]\"}"},
    {"<b>Benoît O&#039;Neil</b>", "<b>[redacted] [redacted]</b>"},
    {"name=Beno%C3%AEt+O%27Neil", "name=[redacted]+[redacted]"},
    {"hello benoît", "hello [redacted]"},
    {"12\\/4 rue Zola &amp; Co", "[redacted]"},
    /* an encoding in an encoding, and entities by number or name */
    {"path=%252Fs3cr3t%252Dhook%252d0123", "path=%252F[redacted]"},
    {"path=%25252Fs3cr3t%25252Dhook%25252d0123", "path=%25252F[redacted]"},
    {"s3cr3t&#45;hook&#x2d;0123", "[redacted]"},
    {"s3cr3t&#0000045hook&#X2D;0123", "[redacted]"},
    {"s3cr3t&amp;#45;hook&amp;#45;0123", "[redacted]"},
    {"&#115;3cr3t-hook-0123", "[redacted]"},
    {"\\u0073\\u0033cr3t-hook-0123", "[redacted]"},
    {"\\\\u0073\\\\u0033cr3t-hook-0123", "[redacted]"},
    {"\\x73\\x33cr3t\\x2dhook-0123", "[redacted]"},
    {"%5Cu00733cr3t-hook-0123", "[redacted]"},
    {"Beno&icirc;t&nbsp;O&apos;Neil", "[redacted]&nbsp;[redacted]"},
    {"BENO\xc3\x8eT", "[redacted]"},
    /* in Latin-1, with its accents beside the letters (Unicode's NFD), and without them */
    {"name Beno\xeet O'Neil", "name [redacted] [redacted]"},
    {"name BENO\xceT", "name [redacted]"},
    {"name=Beno%EEt", "name=[redacted]"},
    {"name Benoi\xcc\x82t O'Neil", "name [redacted] [redacted]"},
    {"no account benoit-o'neil", "no account [redacted]-[redacted]"},
    {"name \xd8\xa7\xd9\x84\xd9\x8e\xd8\xb9\xd9\x84\xd9\x88\xd9\x8a\xd9\x8f", "name [redacted]"},
    {"F\xc3\xa9s and Fes are not F\xc3\xa8s", "F\xc3\xa9s and Fes are not [redacted]"},
    {"Bearer&nbsp;t0ken-t0ken", "[redacted]"},
    {"Bearer\xc2\xa0t0ken-t0ken", "[redacted]"},
    {"t0ken\xc2\xad-t0\xe2\x80\x8bken", "[redacted]"},
    {"12/4&nbsp;rue&#160;Zola&#32;&amp;amp;&#x20;Co", "[redacted]"},
    {"call 06&nbsp;12&nbsp;34&nbsp;56&nbsp;78", "call 06&nbsp;[redacted]"},
    {"call &#49;&#50;%33%34&#x35;&#x36;78", "call [redacted]"},
    {"call \xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4\xd9\xa5\xd9\xa6\xd9\xa7\xd9\xa8", "call [redacted]"},
    {"100% &unknown; &; &# &#; &#x; \\ % %2", "100% &unknown; &; &# &#; &#x; \\ % %2"},
    /* a template's columns */
    {"benoit@example.com is taken", "[redacted] is taken"},
    {"user benoit%40example.com", "user [redacted]"},
    /* the telephone, however it is grouped */
    {"+212 612-345678", "[redacted]"},
    {"call 0612345678 now", "call 06[redacted] now"},
    {"call 06 12 34 56 78 now", "call 06 [redacted] now"},
    {"call +212(6)12.34.56.78", "call [redacted](6)[redacted]"},
    {"call 87654321", "call 87654321"},
};

/* Expects the answer to be kept like that; r is filled already, but for the order's body. */
static void order_becomes(struct redact *r, const char *body, const char *answer, const char *kept)
{
    struct redact_payload held = {0};
    struct buf b;
    buf_init(&b, 4096);
    redact_add_payload(r, slice_of(body), &held);
    redact_apply(r, slice_of(answer), &b);
    if (strcmp(buf_text(&b), kept) != 0)
        fail_msg("\"%s\" became \"%s\" instead of \"%s\"", answer, buf_text(&b), kept);
    redact_done(&held);
    buf_done(&b);
}

static void each_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct redact r = {0};
        redact_add_url(&r, URL);
        redact_add_words(&r, slice_of("Bearer t0ken-t0ken"));
        order_becomes(&r, BODY, answers[i].answer, answers[i].kept);
    }
}

/* A needle longer than what is compared of it. */
static void a_huge_secret_is_found_by_its_beginning(void **state)
{
    static char url[20000] = "https://hook.example.com/", answer[20000];
    struct redact r = {0};
    struct buf b;
    (void)state;
    memset(url + strlen(url), 's', 15000);
    snprintf(answer, sizeof answer, "no %s", url + strlen("https://hook.example.com/"));
    buf_init(&b, 4096);
    redact_add_url(&r, url);
    redact_apply(&r, slice_of(answer), &b);
    assert_string_equal(buf_text(&b), "no [redacted]");
    buf_done(&b);
}

/* At most a KiB, and never half a character. */
static void it_is_short(void **state)
{
    static char text[100000];
    struct redact r = {0};
    struct buf b;
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        buf_init(&b, 1 << 20);
        memset(text, 'x', shift);
        for (size_t i = shift; i + 4 < sizeof text; i += 4)
            memcpy(text + i, "\xf0\x9f\x98\x80", 4);
        redact_apply(&r, (struct slice){text, sizeof text - 8}, &b);
        assert_true(b.len <= REDACT_OUT_MAX && b.len > REDACT_OUT_MAX - 4);
        assert_true(utf8_is_valid(b.data, b.len));
        buf_done(&b);
    }
}

/* Expects this answer of this URL to be kept like that. */
static void url_becomes(const char *url, bool cut, const char *answer, const char *kept)
{
    struct redact r = {.cut = cut};
    struct buf b;
    buf_init(&b, 4096);
    redact_add_url(&r, url);
    redact_apply(&r, slice_of(answer), &b);
    assert_string_equal(buf_text(&b), kept);
    buf_done(&b);
}

static void a_url_without_a_path_has_secrets_too(void **state)
{
    (void)state;
    url_becomes("https://hook.example.com?token=abcdefgh12345", false, "bad token abcdefgh12345",
                "bad token [redacted]");
}

/* A server decodes what the URL holds, and says that. */
static void a_decoded_secret_is_one_too(void **state)
{
    (void)state;
    url_becomes("https://hook.example.com/h?token=c2VjcmV0%2BdG9r%3D", false,
                "bad token c2VjcmV0+dG9r=", "bad token [redacted]");
    url_becomes("https://hook.example.com/h?token=c2VjcmV0%2BdG9r%3D", false,
                "bad token c2VjcmV0%2BdG9r%3d", "bad token [redacted]");
}

/* An answer is read up to webhook.response_max: its last word may be half a secret. */
static void half_a_secret_at_the_end_is_one_too(void **state)
{
    (void)state;
    url_becomes("https://hook.example.com/h/s3cr3t-hook-0123", true, "hook s3cr3t-hook-01",
                "hook [redacted]");
    url_becomes("https://hook.example.com/h/s3cr3t-hook-0123", false, "use https", "use https");
}

/* However long the address is, the city is not repeated. */
static void many_words_leave_room_for_the_others(void **state)
{
    static char body[8192];
    struct redact r = {0};
    size_t at = (size_t)snprintf(body, sizeof body, "{\"client_address\":\"");
    (void)state;
    for (int i = 0; i < 200; i++)
        at += (size_t)snprintf(body + at, sizeof body - at, "word%03d ", i);
    snprintf(body + at, sizeof body - at, "\",\"client_city\":\"Marrakech\"}");
    order_becomes(&r, body, "no courier in Marrakech", "no courier in [redacted]");
}

/* One of its values does not make all others readable. */
static void a_nul_hides_nothing(void **state)
{
    static const char body[] =
        "{\"fields\":{\"client_name\":\"Amina\\u0000Berrada\",\"client_phone\":"
        "\"06\\u000012345678\",\"product_name\":\"\\u0000\"}}";
    struct redact r = {0};
    (void)state;
    order_becomes(&r, body, "Amina Berrada, 06 12 34 56 78", "[redacted], 06 [redacted]");
}

/* Payloads of every form, and of none. */
static void strange_payloads(void **state)
{
    static const char *const bodies[] = {"",
                                         "null",
                                         "[]",
                                         "{",
                                         "{\"fields\":1}",
                                         "{\"fields\":{\"client_name\":5}}",
                                         "{\"client_phone\":\"0612345678\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct redact r = {0};
        order_becomes(&r, bodies[i], "0612345678 \\u12 % & \\",
                      i == 6 ? "[redacted] \\u12 % & \\" : "0612345678 \\u12 % & \\");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_answer),
                                       cmocka_unit_test(a_huge_secret_is_found_by_its_beginning),
                                       cmocka_unit_test(it_is_short),
                                       cmocka_unit_test(a_url_without_a_path_has_secrets_too),
                                       cmocka_unit_test(a_decoded_secret_is_one_too),
                                       cmocka_unit_test(half_a_secret_at_the_end_is_one_too),
                                       cmocka_unit_test(many_words_leave_room_for_the_others),
                                       cmocka_unit_test(a_nul_hides_nothing),
                                       cmocka_unit_test(strange_payloads)};
    return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
