/* request_text: texts that libcurl was given and copied; one that has not changed is not set again.
 */
#include "http/http_client_internal.h"

#include <stdlib.h>
#include <string.h>

bool http_request_holds(const char *held, const char *text)
{
    return held == text || (held != NULL && text != NULL && strcmp(held, text) == 0);
}

bool http_request_hold(char **held, const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;
    if (text != NULL && copy == NULL)
        return false;
    free(*held);
    *held = copy;
    return true;
}

bool http_request_set_text(CURL *easy, CURLoption option, char **held, const char *text)
{
    return http_request_holds(*held, text) ||
           (curl_easy_setopt(easy, option, text) == CURLE_OK && http_request_hold(held, text));
}
