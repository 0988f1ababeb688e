#include "dashboard/web/site.h"

#include "base/slice.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fail(struct error *err, const char *why)
{
    return error_set(err, ERROR_CONFIG,
                     "dashboard.url %s: write the address in the browser, such as "
                     "https://ops.example.com or https://example.com/orders",
                     why);
}

/* ---- the origin ---- */

static bool is_host(const char *host, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (isalnum((unsigned char)host[i]) == 0 && strchr(".-_[]:", host[i]) == NULL)
            return false;
    return len > 0 && isalnum((unsigned char)host[0]) + (host[0] == '[') > 0;
}

/* Bytes of host and port without a port that the scheme has by itself: browsers leave it out. */
static size_t without_port(const char *host, size_t len, const char *port)
{
    size_t size = strlen(port);
    return len > size && strncmp(host + len - size, port, size) == 0 ? len - size : len;
}

static bool read_origin(struct site *site, const char *url, const char **ret_path,
                        struct error *err)
{
    const char *secure = after_prefix_any_case(url, "https://");
    const char *host = secure != NULL ? secure : after_prefix_any_case(url, "http://");
    if (host == NULL)
        return fail(err, "does not begin with https:// or http://");
    size_t len = strcspn(host, "/?#");
    *ret_path = host + len;
    if (!is_host(host, len))
        return fail(err, "has no plain host behind its scheme");
    len = without_port(host, len, secure != NULL ? ":443" : ":80");
    if (len > SITE_ORIGIN_MAX - 16)
        return fail(err, "has too long a host");
    snprintf(site->origin, sizeof site->origin, "%s://%.*s", secure != NULL ? "https" : "http",
             (int)len, host);
    for (char *c = site->origin; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return true;
}

/* ---- the prefix ---- */

/* The dashboard's own paths: a prefix that looks like one would be taken off it. */
static bool is_taken(const char *prefix)
{
    static const char *const own[] = {"/api", "/functions", "/metrics", "/livez", "/readyz"};
    size_t len = strcspn(prefix + 1, "/") + 1;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strlen(own[i]) == len && strncmp(prefix, own[i], len) == 0)
            return true;
    return false;
}

static bool read_prefix(struct site *site, const char *path, struct error *err)
{
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] == '/')
        len--;
    if (len >= sizeof site->prefix)
        return fail(err, "has too long a path");
    for (size_t i = 0; i < len; i++) {
        bool is_plain = isalnum((unsigned char)path[i]) != 0 || strchr("/-_~.", path[i]) != NULL;
        if (!is_plain || (path[i] == '/' && strchr("/.", path[i + 1]) != NULL))
            return fail(err, "has a path that is not plain (letters, digits, \"-\", \"_\")");
    }
    memcpy(site->prefix, path, len);
    site->prefix[len] = '\0';
    return len == 0 || !is_taken(site->prefix) ||
           fail(err, "has a path that begins like one of the dashboard's own");
}

bool site_read(struct site *site, const char *url, struct error *err)
{
    const char *path = "";
    *site = (struct site){.prefix = ""};
    return url == NULL || (read_origin(site, url, &path, err) && read_prefix(site, path, err));
}

enum site_path site_path(const struct site *site, const char *path)
{
    const char *rest = *site->prefix != '\0' ? after_prefix(path, site->prefix) : NULL;
    if (rest == NULL)
        return SITE_OTHER;
    if (*rest == '\0')
        return SITE_BARE;
    return *rest == '/' ? SITE_INSIDE : SITE_OTHER;
}
