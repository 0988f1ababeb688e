#include "sys/url_list.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static struct slice trim(const char *text, size_t len)
{
    size_t blank = strspn(text, " \t");
    if (blank > len)
        blank = len;
    text += blank;
    len -= blank;
    while (len > 0 && strchr(" \t/", text[len - 1]) != NULL)
        len--;
    return (struct slice){text, len};
}

size_t url_list_split(const char *list, struct slice ret_urls[URL_LIST_MAX])
{
    size_t count = 0;
    for (const char *at = list; at != NULL;
         at = strchr(at, ',') != NULL ? strchr(at, ',') + 1 : NULL) {
        struct slice url = trim(at, strcspn(at, ","));
        if (url.len == 0)
            continue;
        if (count < URL_LIST_MAX)
            ret_urls[count] = url;
        count++;
    }
    return count;
}

#define ENDS ":/?#, \t"

bool url_is_loopback(const char *authority)
{
    char host[sizeof "255.255.255.255"];
    struct in_addr address;
    size_t len = *authority == '[' ? strcspn(authority, "]") + 1 : strcspn(authority, ENDS);
    if (len >= sizeof host || len > strlen(authority))
        return false;
    memcpy(host, authority, len);
    host[len] = '\0';
    if (strchr(ENDS, authority[len]) == NULL) /* finds the end, too */
        return false;
    if (inet_pton(AF_INET, host, &address) == 1)
        return ntohl(address.s_addr) >> 24 == 127;
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}
