/* answer_test: what a 2xx says of the request, by its headers and its body. */
#include "http/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define U ANSWER_UNDERSTOOD
#define H ANSWER_HTML
#define F ANSWER_FAILURE
#define N ANSWER_UNCLEAR

/* By auto and by json; by status all are understood. */
static const struct {
    const char *body;
    enum answer_sense by_auto, by_json;
} answers[] = {
    {"", U, N},
    {"ok", U, N},
    {"1", U, N},
    {"OK <html>", U, N},
    {"<p>thank you</p>", U, N},
    {"<br />\n<b>Warning</b>: it works", U, N},
    {"<br />\n<b>Warning</b>:  x in <b>/a.php</b> on line <b>3</b><br />\n{\"success\":false}", F,
     F},
    {"<br />\n<b>Notice</b>:  x in <b>/a.php</b> on line <b>3</b><br />\n<br />\n<b>Warning</b>:  "
     "y in "
     "<b>/a.php</b> on line <b>4</b><br />\n{\"ok\":true}",
     U, U},
    {"<br />\n<b>Fatal error</b>:  Uncaught Error: x in /a.php:3\nStack trace:\n#0 {main}\n  "
     "thrown in "
     "<b>/a.php</b> on line <b>3</b><br />\n",
     F, F},
    {"{\"id\":7}<br />\n<b>Fatal error</b>:  Maximum execution time", F, F},
    {"{\"success\":true}<br />\n<b>Fatal error</b>:  Uncaught Error", U, U}, /* it had the order */
    {"<br />\n<b>Parse error</b>:  syntax error, unexpected", F, F},
    {"\nFatal error: Uncaught Error: x in /a.php:3\n", F, F},
    {"PHP Fatal error:  Uncaught Error: x\n\nFatal error: Uncaught", F, F},
    {"no Fatal error: fine", U, N},
    {"Warning: x in /a.php on line 3\nok", U, N},
    {"<head><title>Login</title></head>", H, H},
    {"<script>location='/login'</script>", H, H},
    {"<meta http-equiv=\"refresh\" content=\"0;url=/login\">", H, H},
    {"<body onload=\"go()\">", H, H},
    {"<scripted>", U, N},
    {"<!doctype html>", H, H},
    {"<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\">", H, H},
    {"<html>", H, H},
    {"<html", H, H},
    {"<HTML lang=en><body>", H, H},
    {"\n\t \r\n<html>", H, H},
    {"\xef\xbb\xbf<!doctype html>", H, H},
    {" \xef\xbb\xbf \n<html>", H, H},
    {"<!-- cached --> <!-- twice -->\n<!DOCTYPE html>", H, H},
    {"<?xml version=\"1.0\"?><!DOCTYPE html>", H, H},
    {"<!-- never ends <html>", U, N},
    {"<htmlx>", U, N},
    {"<html-part>", U, N},
    {"<!doctype htmlx>", U, N},
    {"<?xml version=\"1.0\"?><answer/>", U, N},
    {"{\"success\":true}", U, U},
    {"{\"ok\":true}", U, U},
    {"{\"success\":false}", F, F},
    {"{\"ok\":false}", F, F},
    {"\xef\xbb\xbf { \"success\" : false , \"data\":1}", F, F},
    {"{\"success\":true,\"ok\":false}", F, F},
    {"{\"ok\":true,\"success\":false}", F, F},
    {"{\"data\":{\"success\":false},\"success\":true}", U, U},
    {"{\"data\":{\"success\":false}}", U, N},
    {"{\"data\":[{\"success\":false}],\"more\":\"}\\\"\",\"ok\":false}", F, F},
    {"{\"text\":\"\\\",\\\"success\\\":false\"}", U, N},
    {"{\"success\":\"false\"}", U, N},
    {"{\"success\":0}", U, N},
    {"{\"success\":null}", U, N},
    {"{\"Success\":false}", U, N},
    {"{\"successful\":false}", U, N},
    {"{\"success\":falsehood}", U, N},
    {"[{\"success\":false}]", U, N},
    {"[{\"success\":true}]", U, N},
    {"\"success\":false", U, N},
    {"{}", U, N},
    {"{\"id\":7}", U, N},
    /* the beginning of a longer one */
    {"{\"success\":false", F, F},
    {"{\"success\":false,\"data\":{\"long\":\"and cu", F, F},
    {"{\"data\":{\"long\":\"and cu", U, N},
    {"{\"data\":\"ends in an escape\\", U, N},
    {"{\"success\":", U, N},
    {"{\"success\"", U, N},
    {"{", U, N},
};

static void each_body(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct slice body = slice_of(answers[i].body);
        if (answer_sense(ANSWER_AUTO, false, body) != answers[i].by_auto ||
            answer_sense(ANSWER_BY_JSON, false, body) != answers[i].by_json)
            fail_msg("not so: %s", answers[i].body);
        assert_int_equal(answer_sense(ANSWER_BY_STATUS, true, body), U);
        assert_int_equal(answer_sense(ANSWER_AUTO, true, body), ANSWER_CAPTCHA);
        assert_int_equal(answer_sense(ANSWER_BY_JSON, true, body), ANSWER_CAPTCHA);
    }
}

/* Copies of exact length: a sanitizer sees each byte read behind the end. */
static void nothing_is_read_behind_the_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        for (size_t len = 0; len <= strlen(answers[i].body); len++) {
            char *copy = malloc(len);
            assert_true(len == 0 || copy != NULL);
            if (len > 0)
                memcpy(copy, answers[i].body, len);
            (void)answer_sense(ANSWER_AUTO, false, (struct slice){copy, len});
            (void)answer_sense(ANSWER_BY_JSON, false, (struct slice){copy, len});
            free(copy);
        }
}

/* nginx 1.22's own, as tests/interop/network.py has them from nginx itself. */
#define NGINX(title, words)                                                       \
    "<html>\r\n<head><title>400 " title "</title></head>\r\n<body>\r\n"           \
    "<center><h1>400 Bad Request</h1></center>\r\n<center>" words "</center>\r\n" \
    "<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
#define NGINX_PORT                                         \
    NGINX("The plain HTTP request was sent to HTTPS port", \
          "The plain HTTP request was sent to HTTPS port")
#define NGINX_CERTIFICATE \
    NGINX("No required SSL certificate was sent", "No required SSL certificate was sent")

static void only_a_2xx_and_a_400_are_read(void **state)
{
    static const struct {
        int status, begun_status;
        const char *body;
        enum response_class class;
        enum answer_sense sense;
    } cases[] = {{200, 0, "<html>", RESPONSE_ENDPOINT, H},
                 {202, 0, "{\"ok\":false}", RESPONSE_TRANSIENT, F},
                 {0, 200, "<html>", RESPONSE_ENDPOINT, H},
                 {0, 200, "{\"success\":fal", RESPONSE_DELIVERED, U},
                 {409, 0, "{\"success\":false}", RESPONSE_DELIVERED, U},
                 {404, 0, "<html>", RESPONSE_ENDPOINT, U},
                 {503, 0, "<html>", RESPONSE_TRANSIENT, U},
                 {422, 0, "{\"success\":false}", RESPONSE_REFUSED, U},
                 {400, 0, "<html>", RESPONSE_REFUSED, U},
                 {400, 0, NGINX_PORT, RESPONSE_ENDPOINT, ANSWER_TLS_PORT},
                 {0, 400, NGINX_PORT, RESPONSE_ENDPOINT, ANSWER_TLS_PORT},
                 {400, 0, "Client sent an HTTP request to an HTTPS server.\n", RESPONSE_ENDPOINT,
                  ANSWER_TLS_PORT},
                 {400, 0, NGINX_CERTIFICATE, RESPONSE_ENDPOINT, ANSWER_CERTIFICATE},
                 {422, 0, NGINX_CERTIFICATE, RESPONSE_REFUSED, U}};
    struct response_rules rules;
    (void)state;
    response_rules_default(&rules);
    assert_true(response_rules_change(&rules, "409", RESPONSE_DELIVERED, NULL));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct http_result result = {.status = cases[i].status,
                                           .begun_status = cases[i].begun_status,
                                           .body = cases[i].body,
                                           .body_len = strlen(cases[i].body)};
        struct answer_verdict verdict = answer_judge(&rules, ANSWER_AUTO, &result);
        assert_int_equal(verdict.class, cases[i].class);
        assert_int_equal(verdict.sense, cases[i].sense);
        assert_int_equal(verdict.status, cases[i].status + cases[i].begun_status);
    }
}

#define SECRET "a-secret-path"
#define ASKED "https://shop.example/" SECRET
#define FOLLOWED ", which is never followed"

static void each_refusal_in_words(void **state)
{
    static const struct {
        int status;
        const char *redirect, *begins;
    } cases[] = {
        {301, "https://www.shop.example/" SECRET,
         "a redirect to https://www.shop.example" FOLLOWED},
        {308, ASKED "/", "a redirect to https://shop.example" FOLLOWED "; only a slash"},
        {302, "http://shop.example/" SECRET,
         "a redirect to http://shop.example" FOLLOWED "; only http"},
        {303, "https://shop.example?" SECRET,
         "a redirect to https://shop.example" FOLLOWED "; set"},
        {304, NULL, "a redirect" FOLLOWED},
        {307, "https://shop\x1b[31m.example/", "a redirect" FOLLOWED},
        {307, "/login?" SECRET, "a redirect" FOLLOWED},
        {403, NULL, "a login or a firewall"},
        {404, NULL, "copy webhook.url again"},
        {410, NULL, "copy webhook.url again"},
        {429, NULL, "the receiver failed"},
        {503, NULL, "the receiver failed"},
        {422, NULL, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[REFUSAL_WORDS_MAX];
        const struct refusal refusal = {
            .status = cases[i].status, .url = ASKED, .redirect = cases[i].redirect};
        const char *words = answer_refusal_words(&refusal, text);
        if (strncmp(words, cases[i].begins, strlen(cases[i].begins)) != 0 ||
            (*words == '\0') != (*cases[i].begins == '\0') || strstr(words, SECRET) != NULL ||
            strchr(words, '\x1b') != NULL)
            fail_msg("%d: %s", cases[i].status, words);
    }
}

static void a_server_that_says_it_is_the_wrong_port(void **state)
{
    char text[REFUSAL_WORDS_MAX];
    const struct refusal refusal = {
        .status = 400,
        .url = "http://127.0.0.1/",
        .body = slice_of("Client sent an HTTP request to an HTTPS server.\n")};
    (void)state;
    assert_non_null(strstr(answer_refusal_words(&refusal, text), "https://"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_body), cmocka_unit_test(nothing_is_read_behind_the_end),
        cmocka_unit_test(only_a_2xx_and_a_400_are_read), cmocka_unit_test(each_refusal_in_words),
        cmocka_unit_test(a_server_that_says_it_is_the_wrong_port)};
    return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
