/* page: the embedded files: consumer/dashboard/page/ and the API's description. */
#ifndef DASHBOARD_WEB_PAGE_H
#define DASHBOARD_WEB_PAGE_H

#include <stddef.h>

struct page_file {
    const char *name, *etag; /* "page.css"; the ETag with its quotes */
    const unsigned char *bytes;
    size_t len;
};

extern const struct page_file page_files[]; /* made by embed.cmake */
extern const size_t page_file_count;

/* "/" is index.html. NULL: not found. */
const struct page_file *page_find(const char *path);

/* The Content-Type by the name's ending, with its charset. */
const char *page_type(const struct page_file *file);

#endif
