/* bare_sender: libcurl handles that post the same bytes as elementor-sync, headers included. */
#ifndef BENCH_BARE_SENDER_H
#define BENCH_BARE_SENDER_H

#include "tools/tool.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BARE_CONCURRENCY_MAX = 1024, BARE_BODY_MAX = 64 * 1024 };

/* The file's text, for as long as the program runs. */
static inline const char *bare_body(const char *path)
{
    static char body[BARE_BODY_MAX];
    FILE *file = fopen(path, "r");
    need(file != NULL && fread(body, 1, sizeof body - 1, file) > 0, path, "cannot be read");
    fclose(file);
    return body;
}

static inline size_t bare_ignore(char *data, size_t size, size_t count, void *userdata)
{
    (void)data, (void)userdata;
    return size * count;
}

/* As webhook.c sends them; an id of its own for each is made by neither side of the comparison. */
static inline struct curl_slist *bare_headers(void)
{
    static const char *const lines[] = {"Expect:",
                                        "Content-Type: application/json",
                                        "webhook-id: msg_67bd955f107a337e0ea0c8a529404e0d",
                                        "Idempotency-Key: msg_67bd955f107a337e0ea0c8a529404e0d",
                                        "webhook-timestamp: 1795562641",
                                        "webhook-attempt: 1"};
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        list = curl_slist_append(list, lines[i]);
    return list;
}

static inline CURL *bare_easy(const char *url, struct curl_slist *headers, const char *body)
{
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "elementor-sync/" ELEMENTOR_SYNC_VERSION);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, bare_ignore);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (getenv("BENCH_CA_FILE") != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("BENCH_CA_FILE"));
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    return easy;
}

static inline void bare_begin(CURLM *multi, CURL *easy)
{
    need(curl_multi_add_handle(multi, easy) == CURLM_OK, "curl", "add_handle");
}

/* One that ended well, taken out of multi; NULL: none. */
static inline CURL *bare_ended(CURLM *multi)
{
    int left;
    CURLMsg *m = curl_multi_info_read(multi, &left);
    if (m == NULL)
        return NULL;
    CURL *easy = m->easy_handle;
    need(m->msg == CURLMSG_DONE && m->data.result == CURLE_OK, "request", "failed");
    curl_multi_remove_handle(multi, easy);
    return easy;
}

#endif
