/* schema_fuzz: compilation of anything a registry might answer.   input: schema [NUL referenced …]
 *
 * A plan that compiled is then run, on a few bytes that lead into the first branches, and must keep
 * its bounds. */
#include "fuzz/fuzz.h"

#include "base/buf.h"
#include "registry/references.h"

static void run(const struct plan *plan, uint8_t filler)
{
    uint8_t body[64];
    struct change change;
    const char *why = NULL;
    uint64_t steps;
    memset(body, filler, sizeof body);
    enum plan_result result = plan_run(plan, body, sizeof body, false, &change, &why, &steps);
    PROMISE(result != PLAN_MALFORMED || why != NULL);
    PROMISE(steps <= PLAN_STEPS_PER_BYTE * (sizeof body + 1));
}

/* Annotations in front of the first attribute of every object that has one. */
static char *annotate(const char *text, size_t len, size_t *ret_len)
{
    static const char *const annotations[] = {
        "\"doc\":\"\\u0000\\ud800\",", "\"connect.default\":1e999,",
        "\"aliases\":[{\"\\u0000\":\"}\"}],", "\"order\":-99999999999999999999,"};
    struct buf b;
    buf_init(&b, 64 * len + 64);
    bool inside = false; /* a string */
    for (size_t i = 0; i < len; i++) {
        buf_add_char(&b, text[i]);
        if (inside && text[i] == '\\' && i + 1 < len)
            buf_add_char(&b, text[++i]);
        else if (text[i] == '"')
            inside = !inside;
        else if (!inside && text[i] == '{' && i + 1 < len && text[i + 1] == '"')
            buf_add_text(&b, annotations[i % 4]);
    }
    return buf_take(&b, ret_len);
}

/* Annotations change nothing: a schema that compiles does so with any of them. */
static void compile_annotated(const char *text, size_t len)
{
    struct plan_options options = fuzz_plan_options();
    struct error err = {0};
    size_t annotated_len;
    char *annotated = annotate(text, len, &annotated_len);
    PROMISE(annotated != NULL);
    struct plan *plan = plan_compile(annotated, annotated_len, &options, &err);
    PROMISE(plan != NULL);
    plan_free(plan);
    free(annotated);
}

static void compile(const char *text, size_t len)
{
    struct plan_options options = fuzz_plan_options();
    struct error err = {0};
    struct plan *plan = plan_compile(text, len, &options, &err);
    PROMISE((plan == NULL) == (err.code != ERROR_NONE));
    PROMISE(strlen(err.text) < sizeof err.text && strchr(err.text, '\n') == NULL);
    if (plan != NULL && plan_shape(plan) != PLAN_FOREIGN)
        for (unsigned filler = 0; filler < 6; filler++)
            run(plan, (uint8_t)filler);
    if (plan != NULL)
        compile_annotated(text, len);
    plan_free(plan);
}

/* A schema with those that it refers to. */
static void compile_references(const char *schema, const char *const *referenced, size_t count)
{
    struct error err = {0};
    char *whole = schema_refs_inline(schema, referenced, count, &err);
    PROMISE((whole == NULL) == (err.code != ERROR_NONE));
    if (whole != NULL)
        compile(whole, strlen(whole));
    free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { REFERENCED_MAX = 4 };
    const char *referenced[REFERENCED_MAX];
    size_t count = 0;
    char *text = malloc(size + 1), *end = text + size;
    PROMISE(text != NULL);
    memcpy(text, data, size);
    *end = '\0';
    for (char *at = text + strlen(text); at < end && count < REFERENCED_MAX; at += strlen(at))
        referenced[count++] = ++at;
    if (count > 0)
        compile_references(text, referenced, count);
    else
        compile(text, size);
    free(text);
    return 0;
}
