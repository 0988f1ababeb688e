/* decode: the compiled plan against avro-c's generic reader, on the captured records of a case.
 *
 *   bench_decode CASE_FOLDER      prints nanoseconds a record and the ratios, medians of
 * interleaved rounds */
#include "cdc/change.h"
#include "cdc/plan.h"
#include "tools/tool.h"

#include <avro.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 11, RECORDS_MAX = 64, REPEATS = 20000 };

struct sample {
    unsigned char *body;
    size_t len;
};

static struct sample skipped[RECORDS_MAX], wanted[RECORDS_MAX];
static size_t skipped_count, wanted_count;

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static char *read_schema(const char *folder)
{
    char path[512];
    const char *id;
    json_t *entry;
    snprintf(path, sizeof path, "%s/schemas.json", folder);
    json_t *schemas = json_load_file(path, 0, NULL);
    json_object_foreach (schemas, id, entry) {
        const char *schema = json_string_value(json_object_get(entry, "schema"));
        if (strstr(schema, "\"name\":\"Envelope\"") != NULL)
            return strdup(schema);
    }
    die("envelope", "no schema");
    return NULL;
}

static struct sample decode64(const char *text)
{
    struct sample s = {malloc(strlen(text)), 0};
    int len = EVP_DecodeBlock(s.body, (const unsigned char *)text, (int)strlen(text));
    for (size_t i = strlen(text); text[i - 1] == '='; i--)
        len--;
    s.len = (size_t)len - 5;
    memmove(s.body, s.body + 5, s.len);
    return s;
}

/* Updates and inserts of the case, by whether their status triggers. */
static void read_records(const char *folder, const struct plan *plan)
{
    char path[512];
    snprintf(path, sizeof path, "%s/records.ndjson", folder);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        die("records", "none");
    json_t *record;
    while ((record = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL)) != NULL) {
        const char *value = json_string_value(json_object_get(record, "value"));
        struct change change;
        const char *why;
        if (value == NULL)
            continue;
        struct sample s = decode64(value);
        enum plan_result result = plan_run(plan, s.body, s.len, true, &change, &why, NULL);
        if (result == PLAN_STOPPED && skipped_count < RECORDS_MAX)
            skipped[skipped_count++] = s;
        else if (result == PLAN_DONE && change.has_row && wanted_count < RECORDS_MAX)
            wanted[wanted_count++] = s;
        json_decref(record);
    }
    fclose(file);
}

static double time_plan(const struct plan *plan, const struct sample *samples, size_t count,
                        bool gate)
{
    struct change change;
    const char *why;
    double began = now_ns();
    for (size_t i = 0; i < REPEATS; i++) {
        const struct sample *s = &samples[i % count];
        if (plan_run(plan, s->body, s->len, gate, &change, &why, NULL) == PLAN_MALFORMED)
            die("record", why);
        __asm__ volatile("" : : "g"(&change) : "memory");
    }
    return (now_ns() - began) / REPEATS;
}

static double time_generic(avro_value_t *value, const struct sample *samples, size_t count)
{
    double began = now_ns();
    for (size_t i = 0; i < REPEATS; i++) {
        const struct sample *s = &samples[i % count];
        avro_reader_t reader = avro_reader_memory((const char *)s->body, (int64_t)s->len);
        if (avro_value_read(reader, value) != 0)
            die("avro", avro_strerror());
        avro_reader_free(reader);
        avro_value_reset(value);
    }
    return (now_ns() - began) / REPEATS;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, by_size);
    return values[ROUNDS / 2];
}

static void compare(const char *what, const struct plan *plan, avro_value_t *value,
                    const struct sample *samples, size_t count, bool gate)
{
    double ours[ROUNDS], generic[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = time_plan(plan, samples, count, gate);
        generic[i] = time_generic(value, samples, count);
    }
    double a = median(ours), b = median(generic);
    printf("%-28s plan %7.1f ns   avro-c generic %8.1f ns   ratio %.1f\n", what, a, b, b / a);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        die("usage", "bench_decode CASE_FOLDER");
    struct plan_options options = {
        .rule_column = "status", .rule_value = "confirmed", .prefix = "__"};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        options.columns[f] = payload_field_columns[f];
    struct error err = {0};
    char *text = read_schema(argv[1]);
    struct plan *plan = plan_compile(text, strlen(text), &options, &err);
    if (plan == NULL)
        die("schema", err.text);
    read_records(argv[1], plan);
    avro_schema_t schema;
    avro_value_t value;
    if (avro_schema_from_json_length(text, strlen(text), &schema) != 0)
        die("avro", avro_strerror());
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    avro_generic_value_new(iface, &value);
    compare("skipping a record", plan, &value, skipped, skipped_count, true);
    compare("capturing all twelve fields", plan, &value, wanted, wanted_count, false);
    return 0;
}
