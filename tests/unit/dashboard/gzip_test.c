/* gzip_test: what an answer becomes on its way, and for whom. */
#include "dashboard/web/gzip.h"

#include "dashboard/web/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { ROOM = 256 * 1024 };

/* As a reader would have it by now; how many bytes. */
static size_t inflated(const void *bytes, size_t len, char *ret)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK); /* gzip, nothing else */
    z.next_out = (Bytef *)ret;
    z.avail_out = ROOM;
    int code = inflate(&z, Z_SYNC_FLUSH);
    assert_true(code == Z_OK || code == Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    inflateEnd(&z);
    return ROOM - z.avail_out;
}

static void it_goes_to_those_who_take_it(void **state)
{
    static const struct {
        const char *header;
        bool accepted;
    } cases[] = {{NULL, false},
                 {"", false},
                 {"gzip", true},
                 {"gzip, deflate, br", true},
                 {"br, GZIP", true},
                 {" deflate ,\tgzip ;q=0.5", true},
                 {"gzip;q=1.0", true},
                 {"gzip;q=0.001", true},
                 {"gzip;q=0", false},
                 {"gzip; q=0.000", false},
                 {"gzip;q=0, br", false},
                 {"gzippy", false},
                 {"x-gzip", false},
                 {"identity", false},
                 {"br;q=1.0, gzip;q=0", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (gzip_is_accepted(cases[i].header) != cases[i].accepted)
            fail_msg("%s", cases[i].header);
}

/* An event must not wait for the next one. */
static void each_piece_can_be_read_at_once(void **state)
{
    static const char event[] = "event: order\ndata: {\"key\":\"o1\",\"state\":\"delivered\"}\n\n";
    static char text[ROOM];
    struct buf b;
    struct gzip *gzip = gzip_new();
    size_t first = 0;
    (void)state;
    assert_non_null(gzip);
    buf_init(&b, ROOM);
    for (size_t i = 1; i <= 100; i++) {
        gzip_add(gzip, slice_of(event), false, &b);
        assert_true(buf_ok(&b));
        first = first > 0 ? first : b.len;
        assert_int_equal(inflated(b.data, b.len, text), i * (sizeof event - 1));
    }
    assert_memory_equal(text + 99 * (sizeof event - 1), event, sizeof event - 1);
    assert_true(b.len < first * 100 / 4); /* the same again costs little */
    gzip_free(gzip);
    buf_done(&b);
}

static void a_whole_answer_has_its_end(void **state)
{
    static char body[100000], text[ROOM];
    struct buf b;
    (void)state;
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)(i * i >> 7);
    buf_init(&b, ROOM);
    struct gzip *gzip = gzip_new();
    gzip_add(gzip, (struct slice){body, sizeof body}, true, &b);
    gzip_free(gzip);
    assert_true(buf_ok(&b));
    assert_int_equal(inflated(b.data, b.len, text), sizeof body);
    assert_memory_equal(text, body, sizeof body);
    buf_done(&b);
}

/* In bytes that are the same at every build: RFC 1952 has a time in its header. */
static void every_file_is_the_same_compressed(void **state)
{
    static const char no_time[4];
    static char text[ROOM];
    (void)state;
    assert_true(page_file_count > 20);
    for (size_t i = 0; i < page_file_count; i++) {
        const struct page_file *f = &page_files[i];
        assert_int_equal(inflated(f->gzip, f->gzip_len, text), f->len);
        assert_memory_equal(text, f->bytes, f->len);
        assert_memory_equal(f->gzip + 4, no_time, sizeof no_time);
        assert_string_not_equal(f->etag, f->gzip_etag);
    }
}

static void a_file_is_found_below_every_version(void **state)
{
    char path[128];
    bool fixed;
    (void)state;
    snprintf(path, sizeof path, "/v/%s/page.css", page_version);
    assert_string_equal(page_find(path, &fixed)->name, "page.css");
    assert_true(fixed);
    assert_string_equal(page_find("/v/0123456789abcdef/page.css", &fixed)->name, "page.css");
    assert_false(fixed); /* another release's: it may not be kept */
    assert_string_equal(page_find("/page.css", &fixed)->name, "page.css");
    assert_false(fixed);
    assert_string_equal(page_find("/", &fixed)->name, "index.html");
    assert_null(page_find("/v/", &fixed));
    assert_null(page_find("/v/page.css", &fixed));
    assert_null(page_find("/v/x/y/page.css", &fixed));
    assert_null(page_find("/v/x/", &fixed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_goes_to_those_who_take_it),
                                       cmocka_unit_test(each_piece_can_be_read_at_once),
                                       cmocka_unit_test(a_whole_answer_has_its_end),
                                       cmocka_unit_test(every_file_is_the_same_compressed),
                                       cmocka_unit_test(a_file_is_found_below_every_version)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
