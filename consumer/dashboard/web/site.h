/* site: the dashboard's address for people (dashboard.url) behind a proxy. Pure.
 *
 * The origin makes the page's own calls its own, whatever Host the proxy sends; the prefix is taken
 * off a path that still has it, so that the proxy may strip it or not. */
#ifndef DASHBOARD_WEB_SITE_H
#define DASHBOARD_WEB_SITE_H

#include "base/error.h"

#include <stdbool.h>

enum { SITE_ORIGIN_MAX = 280, SITE_PREFIX_MAX = 200 };

struct site {
    char origin[SITE_ORIGIN_MAX]; /* as browsers write it, "https://ops.example.com"; "": not set */
    char prefix[SITE_PREFIX_MAX]; /* "/orders", without a slash at its end; "": none */
};

/* url NULL: not set. False with what is wrong. */
bool site_read(struct site *site, const char *url, struct error *err) must_check;

enum site_path {
    SITE_OTHER,  /* no prefix, or the proxy has taken it off */
    SITE_INSIDE, /* the path goes on behind the prefix */
    SITE_BARE    /* the prefix without a slash behind it: relative links would lead past it */
};

enum site_path site_path(const struct site *site, const char *path);

#endif
