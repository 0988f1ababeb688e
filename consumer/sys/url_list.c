#include "sys/url_list.h"

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
