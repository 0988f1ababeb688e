/* row_place: keys and partitions as the connector's converter and Kafka's Java producer make them.
 */
#include "reconcile/row_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* From tests/cases/default: a topic with six partitions, captured from Debezium. */
static const struct {
    const char *order;
    int32_t partition;
} captured[] = {{"11111111-0000-4000-8000-000000000003", 3},
                {"11111111-0000-4000-8000-000000000001", 1}};

static struct slice key_of(const char *order, char ret[64])
{
    memcpy(ret, "\0\0\0\0\x1a", 5);
    ret[5] = (char)(2 * strlen(order));
    memcpy(ret + 6, order, strlen(order));
    return (struct slice){ret, 6 + strlen(order)};
}

static int32_t place_of(const struct row_place *place, const char *order, char *ret,
                        size_t *ret_len)
{
    struct buf key;
    buf_init(&key, 100);
    int32_t partition = row_place_of(place, slice_of(order), &key);
    *ret_len = key.len;
    if (key.len > 0)
        memcpy(ret, key.data, key.len);
    buf_done(&key);
    return partition;
}

static void a_text_is_keyed_as_the_connector_does(void **state)
{
    char bytes[64], made[100];
    size_t len;
    struct row_place place = {.partitions = 6};
    (void)state;
    row_place_learn(&place, key_of(captured[0].order, bytes), captured[0].partition);
    assert_int_equal(place.form, ROW_KEY_TEXT);
    assert_int_equal(place_of(&place, captured[1].order, made, &len), captured[1].partition);
    struct slice expected = key_of(captured[1].order, bytes);
    assert_int_equal(len, expected.len);
    assert_memory_equal(made, expected.data, len);
}

/* murmur2 of 0, 0 0 0 1, zigzag 7: the partition that Kafka's own code gives is not looked at here,
 * only that the form is recognised by it. */
static void a_number_is_keyed_as_one(void **state)
{
    char made[100];
    size_t len;
    static const char key[] = {0, 0, 0, 0, 1, 14};
    (void)state;
    for (int32_t partition = 0; partition < 6; partition++) {
        struct row_place place = {.partitions = 6};
        row_place_learn(&place, (struct slice){key, sizeof key}, partition);
        if (place.form != ROW_KEY_NUMBER)
            continue;
        assert_int_equal(place_of(&place, "7", made, &len), partition);
        assert_int_equal(len, sizeof key);
        assert_memory_equal(made, key, len);
        place_of(&place, "-300", made, &len);
        assert_int_equal(len, 7);
        assert_memory_equal(made + 5, "\xd7\x04", 2);
        return;
    }
    fail();
}

/* Another partitioner, another converter: the order still has one partition. */
static void what_is_not_known_keeps_an_order_together(void **state)
{
    char bytes[64], made[100];
    size_t len;
    struct row_place place = {.partitions = 6};
    (void)state;
    row_place_learn(&place, key_of(captured[0].order, bytes), captured[0].partition + 1);
    assert_int_equal(place.form, ROW_KEY_OTHER);
    row_place_learn(&place, key_of(captured[0].order, bytes), captured[0].partition);
    assert_int_equal(place.form, ROW_KEY_OTHER);
    int32_t partition = place_of(&place, "o1", made, &len);
    assert_int_equal(len, 0);
    assert_in_range(partition, 0, 5);
    assert_int_equal(place_of(&place, "o1", made, &len), partition);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_keyed_as_the_connector_does),
        cmocka_unit_test(a_number_is_keyed_as_one),
        cmocka_unit_test(what_is_not_known_keeps_an_order_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
