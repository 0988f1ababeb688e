/* offer_test: which addresses and keys of Supabase Auth the page may offer. */
#include "dashboard/auth/offer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define URL "https://project.supabase.co"
#define KEY "sb_publishable_0123456789"

static void expect(const char *url, const char *key, const char *expected)
{
    struct offer offer;
    struct error err = {0};
    if (!offer_read(&offer, url, key, &err))
        fail_msg("%s", err.text);
    json_t *made = offer_json(&offer);
    char *text = json_dumps(made, JSON_COMPACT);
    assert_string_equal(text, expected);
    json_decref(made);
    free(text);
}

static void refuse(const char *url, const char *key, const char *wanted)
{
    struct offer offer;
    struct error err = {0};
    assert_false(offer_read(&offer, url, key, &err));
    assert_int_equal(err.code, ERROR_CONFIG);
    if (strstr(err.text, wanted) == NULL)
        fail_msg("no %s in: %s", wanted, err.text);
    if (key != NULL && strlen(key) > 3 && strstr(err.text, key) != NULL)
        fail_msg("the key is in: %s", err.text);
}

static void an_offer_is_an_origin_and_a_publishable_key(void **state)
{
    (void)state;
    expect(NULL, NULL, "{\"supabase\":null}");
    expect(URL, KEY, "{\"supabase\":{\"url\":\"" URL "\",\"key\":\"" KEY "\"}}");
    expect("HTTPS://Project.supabase.co//", KEY,
           "{\"supabase\":{\"url\":\"" URL "\",\"key\":\"" KEY "\"}}");
    expect("http://127.0.0.1:54321", "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.x",
           "{\"supabase\":{\"url\":\"http://127.0.0.1:54321\",\"key\":"
           "\"eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.x\"}}");
}

/* It becomes a part of the page's policy. */
static void another_address_is_refused(void **state)
{
    (void)state;
    refuse(URL, NULL, "go together");
    refuse(NULL, KEY, "go together");
    refuse("", KEY, "does not begin with https://");
    refuse("project.supabase.co", KEY, "does not begin with https://");
    refuse("https://", KEY, "no host");
    refuse("http://project.supabase.co", KEY, "unencrypted");
    refuse("http://localhost.example.com", KEY, "unencrypted");
    refuse("http://127.0.0.1.example.com:54321", KEY, "unencrypted");
    refuse(URL "/auth/v1", KEY, "more than a scheme");
    refuse("https://a; script-src *", KEY, "more than a scheme");
    refuse("https://me:secret@a", KEY, "more than a scheme");
    refuse("https://*.supabase.co", KEY, "more than a scheme");
}

static void a_secret_key_is_given_to_nobody(void **state)
{
    (void)state;
    refuse(URL, "sb_secret_0123456789", "secret key");
    /* {"role":"service_role"} */
    refuse(URL, "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.x", "secret key");
    refuse(URL, "sb_publishable_ x", "character");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_is_an_origin_and_a_publishable_key),
        cmocka_unit_test(another_address_is_refused),
        cmocka_unit_test(a_secret_key_is_given_to_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
