/* schema_fuzz: compilation of whatever a registry might answer. What compiles is then run, on a few
 * bytes that lead into every first branch, and must keep its bounds. */
#include "fuzz/fuzz.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plan_options options = fuzz_plan_options();
    struct error err = {0};
    struct plan *plan = plan_compile((const char *)data, size, &options, &err);
    PROMISE((plan == NULL) == (err.code != ERROR_NONE));
    PROMISE(strlen(err.text) < sizeof err.text && strchr(err.text, '\n') == NULL);
    if (plan != NULL && plan_shape(plan) != PLAN_STRAY)
        for (unsigned filler = 0; filler < 6; filler++)
            run(plan, (uint8_t)filler);
    plan_free(plan);
    return 0;
}
