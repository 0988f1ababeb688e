#include "dashboard/web/order_link.h"

#include "base/slice.h"

#include <curl/curl.h>
#include <string.h>

enum { LINK_MAX = 1024 };

static const char *const placeholders[] = {"{order_id}", "{order_number}"};

static bool fail(struct error *err, const char *why)
{
    return error_set(err, ERROR_CONFIG,
                     "dashboard.order_link %s: write the address of an order in the shop's admin, "
                     "such as https://shop.example/wp-admin/post.php?post={order_id}&action=edit",
                     why);
}

/* Bytes of the placeholder that the text begins with; 0: none. */
static size_t placeholder_len(const char *text)
{
    for (size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++)
        if (has_prefix(text, placeholders[i]))
            return strlen(placeholders[i]);
    return 0;
}

/* Writes the text with "1" for each placeholder. */
static bool fill(const char *text, char filled[LINK_MAX + 1], struct error *err)
{
    size_t len = 0, count = 0;
    if (strlen(text) > LINK_MAX)
        return fail(err, "is longer than 1024 bytes");
    while (*text != '\0') {
        size_t skipped = placeholder_len(text);
        if (skipped == 0 && (*text == '{' || *text == '}'))
            return fail(err, "has a placeholder other than {order_id} and {order_number}");
        if (skipped == 0 && (*text <= ' ' || *text > '~' || strchr("\"'<>\\^`|", *text) != NULL))
            return fail(err, "has a character that addresses write as %XX");
        filled[len++] = '1';
        if (skipped == 0)
            filled[len - 1] = *text;
        text += skipped > 0 ? skipped : 1;
        count += skipped > 0;
    }
    filled[len] = '\0';
    return count > 0 || fail(err, "names no order: neither {order_id} nor {order_number}");
}

static bool is_address(const char *text)
{
    CURLU *parsed = curl_url();
    char *host = NULL;
    bool is = parsed != NULL &&
              curl_url_set(parsed, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK &&
              curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    curl_free(host);
    curl_url_cleanup(parsed);
    return is;
}

bool order_link_check(const char *text, struct error *err)
{
    char filled[LINK_MAX + 1];
    if (text == NULL)
        return true;
    const char *host = after_prefix_any_case(text, "https://");
    if (host == NULL)
        host = after_prefix_any_case(text, "http://");
    if (host == NULL)
        return fail(err, "does not begin with https:// or http://");
    size_t host_len = strcspn(host, "/?#");
    if (!fill(text, filled, err))
        return false;
    if (strcspn(host, "{") < host_len)
        return fail(err, "has a placeholder in its host");
    return (host_len > 0 && is_address(filled)) || fail(err, "has no plain host behind its scheme");
}
