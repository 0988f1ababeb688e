/* url_list: "https://a:8081, https://b:8081/": several addresses of one service; and whether one is
 * this machine's. Pure. */
#ifndef SYS_URL_LIST_H
#define SYS_URL_LIST_H

#include "base/slice.h"

#include <stdbool.h>

enum { URL_LIST_MAX = 8 };

/* The parts between commas, borrowed from `list`, without the blanks around them and the slashes at
 * their end; empty ones are left out. Returns how many the list has, of which the first
 * URL_LIST_MAX are written. */
size_t url_list_split(const char *list, struct slice ret_urls[URL_LIST_MAX]);

/* authority: "host", "host:port" or "[::1]:port", up to its end, a slash, or the list's comma. True
 * only for 127.0.0.0/8,
 * ::1 and "localhost", which libcurl never resolves: no name server can redirect them. */
bool url_is_loopback(const char *authority);

#endif
