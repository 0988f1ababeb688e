/* page: the embedded files: consumer/dashboard/page/ and the API's description. */
#ifndef DASHBOARD_WEB_PAGE_H
#define DASHBOARD_WEB_PAGE_H

#include <stdbool.h>
#include <stddef.h>

struct page_file {
    const char *name;             /* "page.css" */
    const char *etag, *gzip_etag; /* with their quotes */
    const unsigned char *bytes;
    size_t len;
    const unsigned char *gzip; /* the same, compressed */
    size_t gzip_len;
};

extern const struct page_file page_files[]; /* made by embed.cmake */
extern const size_t page_file_count;
extern const char page_version[]; /* of all files together */

/* "/" is index.html; "/v/VERSION/page.css" is page.css, whatever the version: a page of another
 * release is served too. *ret_fixed: the version is this one's, so what is at the path never
 * changes. NULL: not found. */
const struct page_file *page_find(const char *path, bool *ret_fixed);

/* The Content-Type by the name's ending, with its charset. */
const char *page_type(const struct page_file *file);

#endif
