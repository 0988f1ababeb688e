#include "dashboard/auth/offer.h"

#include "base/slice.h"
#include "dashboard/auth/base64url.h"
#include "sys/url_list.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool fail_url(struct error *err, const char *why)
{
    return error_set(err, ERROR_CONFIG,
                     "dashboard.supabase_url %s: write the project's address, such as "
                     "https://PROJECT.supabase.co",
                     why);
}

/* Passwords go there: plainly on this machine alone, as Supabase's own command serves it. It
 * becomes a part of the page's policy, where a blank or a semicolon would mean something else. */
static bool read_url(struct offer *offer, const char *url, struct error *err)
{
    bool is_tls = has_prefix_any_case(url, "https://");
    if (!is_tls && !has_prefix_any_case(url, "http://"))
        return fail_url(err, "does not begin with https://");
    size_t scheme = is_tls ? 8 : 7, len = strlen(url);
    while (len > scheme && url[len - 1] == '/')
        len--;
    if (len >= sizeof offer->url)
        return fail_url(err, "is too long");
    for (size_t i = 0; i < len; i++)
        offer->url[i] = (char)tolower((unsigned char)url[i]);
    for (const char *c = offer->url + scheme; *c != '\0'; c++)
        if (isalnum((unsigned char)*c) == 0 && strchr(".-_[]:", *c) == NULL)
            return fail_url(err, "is more than a scheme, a host and a port");
    if (len == scheme)
        return fail_url(err, "has no host");
    return is_tls || url_is_loopback(offer->url + scheme) ||
           fail_url(err, "is http://: passwords would cross the network unencrypted");
}

/* The role in a legacy key, which is a JSON Web Token; "": none. Nothing is verified. */
static void read_role(const char *key, char role[32])
{
    enum { PAYLOAD_MAX = 2048 };
    uint8_t bytes[PAYLOAD_MAX];
    const char *payload = strchr(key, '.');
    role[0] = '\0';
    if (payload == NULL)
        return;
    payload++;
    const struct slice text = {payload, strcspn(payload, ".")};
    size_t len = base64url_decode(text, bytes, sizeof bytes);
    json_t *claims = len > 0 ? json_loadb((const char *)bytes, len, 0, NULL) : NULL;
    const char *found = json_string_value(json_object_get(claims, "role"));
    snprintf(role, 32, "%s", found != NULL ? found : "");
    json_decref(claims);
}

static bool check_key(const char *key, struct error *err)
{
    char role[32];
    for (const char *c = key; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            return error_set(err, ERROR_CONFIG,
                             "dashboard.supabase_key has a character that no "
                             "key has: a blank, or one that is not ASCII");
    read_role(key, role);
    if (has_prefix(key, "sb_secret_") || strcmp(role, "service_role") == 0)
        return error_set(err, ERROR_CONFIG,
                         "dashboard.supabase_key is a secret key, and every browser would get it: "
                         "use the publishable one (sb_publishable_…, or the legacy anon key); as "
                         "this one may have been read here, make another one");
    return true;
}

bool offer_read(struct offer *offer, const char *url, const char *key, struct error *err)
{
    *offer = (struct offer){.key = key};
    if ((url != NULL) != (key != NULL))
        return error_set(err, ERROR_CONFIG,
                         "dashboard.supabase_url and dashboard.supabase_key go together");
    return url == NULL || (read_url(offer, url, err) && check_key(key, err));
}

json_t *offer_json(const struct offer *offer)
{
    json_t *made = *offer->url != '\0'
                       ? json_pack("{s:s, s:s}", "url", offer->url, "key", offer->key)
                       : json_null();
    return json_pack("{s:o}", "supabase", made);
}
