/* bare: the best bare librdkafka loop we know: a queue for each partition, batches without waiting,
 * epoll between; no decoding, no commits. elementor-sync's reading is measured against it.
 *
 *   bench_bare BROKERS TOPIC GROUP RECORDS      reads so many; prints records and milliseconds
 *
 * It counts records instead of awaiting the partitions' ends: those come half a second late. */
#include "bench/bare_reader.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_for_more(int wake)
{
    struct pollfd fd = {wake, POLLIN, 0};
    uint64_t count;
    if (poll(&fd, 1, 1000) > 0)
        need(read(wake, &count, sizeof count) > 0, "eventfd", "none");
}

/* Everything that is there now. */
static long drain(struct bare_reader *reader)
{
    rd_kafka_message_t *batch[BARE_BATCH];
    long records = 0;
    for (size_t got; (got = bare_read(reader, batch)) > 0;)
        for (size_t i = 0; i < got; i++) {
            records += batch[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR;
            rd_kafka_message_destroy(batch[i]);
        }
    return records;
}

int main(int argc, char **argv)
{
    struct bare_reader reader;
    need(argc == 5, "usage", "bench_bare BROKERS TOPIC GROUP RECORDS");
    bare_subscribe(&reader, argv[1], argv[3], argv[2], NULL);
    long records = 0, wanted = atol(argv[4]);
    while (records < wanted) {
        bare_serve(&reader);
        long before = records;
        records += drain(&reader);
        if (records == before)
            wait_for_more(reader.wake);
    }
    printf("%ld %.3f\n", records, now_ms() - reader.began_ms);
    fflush(stdout);
    _exit(0); /* what leaving the group costs is not measured */
}
