/* advice: advice for an operator on librdkafka's errors. Pure. */
#ifndef KAFKA_ADVICE_H
#define KAFKA_ADVICE_H

/* One sentence for librdkafka's words on a broken connection or a missing right; "" for words that
 * are not known. Lives for ever. The advice is for the librdkafka that runs. */
const char *kafka_advice(const char *reason);

/* The same for librdkafka of a version, as rd_kafka_version: 0x020601ff. */
const char *kafka_advice_of(const char *reason, int version);

/* The same, with something to do for words that are not known, too. */
const char *kafka_advice_always(const char *reason);

/* The feature that a librdkafka of this version (as rd_kafka_version: 0x020002ff) lacks and the
 * program would use; "" for none. */
const char *kafka_library_lacks(int version);

#endif
