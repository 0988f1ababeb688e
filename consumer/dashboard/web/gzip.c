#include "dashboard/web/gzip.h"

#include "base/slice.h"

#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST /* its input is const */
#include <zlib.h>

/* Of zlib: 32 KiB of what went before, a second of events and the one before it; 16 more say gzip.
 */
enum { LEVEL = 6, WINDOW_BITS = 15 + 16, MEMORY = 7, PIECE = 4096 };

struct gzip {
    z_stream z;
};

/* True when the quality at text, behind a ";", is not nought. */
static bool is_wanted(const char *text, size_t len)
{
    const char *q = memchr(text, '=', len);
    return q == NULL || strspn(q + 1, "0.") < (size_t)(text + len - q - 1);
}

bool gzip_is_accepted(const char *accept)
{
    while (accept != NULL && *accept != '\0') {
        size_t len = strcspn(accept, ","), blanks = strspn(accept, " \t");
        const char *name = accept + blanks;
        size_t name_len = strcspn(name, " \t;,");
        if (blanks < len && name_len == 4 && has_prefix_any_case(name, "gzip"))
            return is_wanted(name + name_len, len - blanks - name_len);
        accept += len + (accept[len] == ',');
    }
    return false;
}

struct gzip *gzip_new(void)
{
    struct gzip *g = calloc(1, sizeof *g);
    if (g == NULL ||
        deflateInit2(&g->z, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(g);
        return NULL;
    }
    return g;
}

void gzip_free(struct gzip *g)
{
    if (g != NULL)
        deflateEnd(&g->z);
    free(g);
}

void gzip_add(struct gzip *g, struct slice bytes, bool last, struct buf *b)
{
    unsigned char piece[PIECE];
    g->z.next_in = (const Bytef *)bytes.data;
    g->z.avail_in = (uInt)bytes.len;
    do {
        g->z.next_out = piece;
        g->z.avail_out = sizeof piece;
        (void)deflate(&g->z, last ? Z_FINISH : Z_SYNC_FLUSH);
        /* cppcheck-suppress uninitvar */
        buf_add(b, piece, sizeof piece - g->z.avail_out); /* what deflate wrote */
    } while (g->z.avail_out == 0);
}
