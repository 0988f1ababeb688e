#include "dashboard/web/page.h"

#include "base/slice.h"

#include <string.h>

/* Takes "/v/VERSION" off the path; true when it is this version. */
static bool skip_version(const char **path)
{
    const char *version = after_prefix(*path, "/v/");
    if (version == NULL)
        return false;
    *path = version + strcspn(version, "/");
    return slice_is((struct slice){version, (size_t)(*path - version)}, page_version);
}

const struct page_file *page_find(const char *path, bool *ret_fixed)
{
    bool is_top = strcmp(path, "/") == 0;
    *ret_fixed = skip_version(&path);
    const char *name = is_top ? "index.html" : path + (*path == '/');
    for (size_t i = 0; i < page_file_count; i++)
        if (strcmp(page_files[i].name, name) == 0)
            return &page_files[i];
    return NULL;
}

const char *page_type(const struct page_file *file)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".woff2", "font/woff2"},
        {".webmanifest", "application/manifest+json"},
        {".yaml", "application/yaml; charset=utf-8"},
    };
    const char *ending = strrchr(file->name, '.');
    for (size_t i = 0; ending != NULL && i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i][0], ending) == 0)
            return types[i][1];
    return "application/octet-stream";
}
