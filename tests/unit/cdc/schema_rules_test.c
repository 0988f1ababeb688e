/* schema_rules_test: a mapped column that the registry's rules encrypt stops the partition. */
#include "cdc/plan.h"
#include "cdc/schema/schema_rules.h"
#include "registry/registry_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct plan_options options(void)
{
    return (struct plan_options){.columns = {"id", "order_number", "client_name", "client_phone",
                                             "client_address", "client_city", "product_name",
                                             "quantity", "unit_price", "total_amount",
                                             "confirmed_at"},
                                 .rule_column = "status",
                                 .rule_value = "confirmed",
                                 .prefix = "__",
                                 .op_assumed = true};
}

#define FIELD(name, type, more) "{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":" type more "}"
#define STRING "\\\"string\\\""
#define TAGS(tag) ",\\\"confluent:tags\\\":[\\\"" tag "\\\"]"
#define RECORD(fields)                                                               \
    "{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"Value\\\",\\\"namespace\\\":"     \
    "\\\"shop.public.orders\\\",\\\"fields\\\":[" FIELD("id", STRING, "") "," FIELD( \
        "status", STRING, "") "," fields "]}"
#define RULE(name, tags)                                                                         \
    "{\"name\":\"" name "\",\"kind\":\"TRANSFORM\",\"mode\":\"WRITEREAD\",\"type\":\"ENCRYPT\"," \
    "\"tags\":[" tags "]}"
#define DOMAIN_RULES(rules) "\"ruleSet\":{\"domainRules\":[" rules "]}"
#define PII RULE("encryptPII", "\"PII\"")

static const struct {
    const char *what, *schema, *answer;
    const char *column, *rule; /* column NULL: the schema is read */
} cases[] = {
    {"a mapped column", RECORD(FIELD("client_phone", STRING, TAGS("PII"))), DOMAIN_RULES(PII),
     "client_phone", "encryptPII"},
    {"a tag of the type",
     RECORD(FIELD("client_phone", "{\\\"type\\\":\\\"string\\\"" TAGS("PII") "}", "")),
     DOMAIN_RULES(PII), "client_phone", "encryptPII"},
    {"a tag of a branch",
     RECORD(
         FIELD("client_city", "[\\\"null\\\",{\\\"type\\\":\\\"string\\\"" TAGS("PII") "}]", "")),
     DOMAIN_RULES(PII), "client_city", "encryptPII"},
    {"a decimal's bytes",
     RECORD(FIELD("total_amount",
                  "{\\\"type\\\":\\\"bytes\\\",\\\"logicalType\\\":\\\"decimal\\\"}", TAGS("PII"))),
     DOMAIN_RULES(PII), "total_amount", "encryptPII"},
    {"a tag of the metadata", RECORD(FIELD("client_phone", STRING, "")),
     DOMAIN_RULES(PII) ",\"metadata\":{\"tags\":{\"shop.public.orders.Value.client_phone\":"
                       "[\"PII\"]}}",
     "client_phone", "encryptPII"},
    {"a pattern of the metadata", RECORD(FIELD("client_phone", STRING, "")),
     DOMAIN_RULES(PII) ",\"metadata\":{\"tags\":{\"**.client_*\":[\"PII\"]}}", "client_phone",
     "encryptPII"},
    {"a pattern within one name", RECORD(FIELD("client_phone", STRING, "")),
     DOMAIN_RULES(PII) ",\"metadata\":{\"tags\":{\"*.client_phone\":[\"PII\"]}}", NULL, NULL},
    {"the second rule", RECORD(FIELD("client_name", STRING, TAGS("NAME"))),
     DOMAIN_RULES(PII "," RULE("names", "\"OTHER\",\"NAME\"")), "client_name", "names"},
    {"a rule without tags", RECORD(FIELD("client_phone", STRING, "")),
     DOMAIN_RULES(RULE("all", "")), "status", "all"},
    {"beside annotations that no parser of JSON takes",
     RECORD(
         FIELD("client_phone", STRING, TAGS("PII") ",\\\"default\\\":\\\"\\\\ud800\\\"") "," FIELD(
             "n", "\\\"double\\\"", ",\\\"default\\\":1e999")),
     DOMAIN_RULES(PII), "client_phone", "encryptPII"},
    {"a column that is not mapped", RECORD(FIELD("iban", STRING, TAGS("PII"))), DOMAIN_RULES(PII),
     NULL, NULL},
    {"a tag that no rule has", RECORD(FIELD("client_phone", STRING, TAGS("PUBLIC"))),
     DOMAIN_RULES(PII), NULL, NULL},
    {"a number, which is never encrypted", RECORD(FIELD("quantity", "\\\"int\\\"", TAGS("PII"))),
     DOMAIN_RULES(PII), NULL, NULL},
    {"a disabled rule", RECORD(FIELD("client_phone", STRING, TAGS("PII"))),
     DOMAIN_RULES("{\"type\":\"ENCRYPT\",\"tags\":[\"PII\"],\"disabled\":true}"), NULL, NULL},
    {"a rule of another type", RECORD(FIELD("client_phone", STRING, TAGS("PII"))),
     DOMAIN_RULES("{\"type\":\"CEL\",\"tags\":[\"PII\"]}"), NULL, NULL},
    {"no rules", RECORD(FIELD("client_phone", STRING, TAGS("PII"))), "\"ruleSet\":null", NULL,
     NULL},
};

static void encrypted_columns_stop(void **state)
{
    (void)state;
    const struct plan_options wanted = options();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[2000];
        struct schema_reply reply = {0};
        struct error err = {0};
        snprintf(body, sizeof body, "{\"schema\":\"%s\",%s}", cases[i].schema, cases[i].answer);
        if (schema_reply_read(SCHEMA_REF_ID, 200, body, strlen(body), &reply, &err) !=
            SCHEMA_REPLY_SCHEMA)
            fail_msg("%s: %s", cases[i].what, err.text);
        struct plan *plan = plan_compile(reply.schema, strlen(reply.schema), &wanted, &err);
        if ((plan != NULL) != (cases[i].column == NULL))
            fail_msg("%s: %s", cases[i].what, plan != NULL ? "is read" : err.text);
        if (plan == NULL && (err.code != ERROR_CONFIG || !strstr(err.text, cases[i].column) ||
                             !strstr(err.text, cases[i].rule)))
            fail_msg("%s: %s", cases[i].what, err.text);
        plan_free(plan);
        schema_reply_done(&reply);
    }
}

static void encrypted_records_stop(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "{\"encodingRules\":[{\"name\":\"all\",\"type\":\"ENCRYPT_PAYLOAD\"}]}",
        "{\"domainRules\":[{\"name\":\"all\",\"type\":\"ENCRYPT_PAYLOAD\"}]}"};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        char body[300];
        struct schema_reply reply = {0};
        struct error err = {0};
        snprintf(body, sizeof body, "{\"schema\":\"\\\"int\\\"\",\"ruleSet\":%s}", rules[i]);
        assert_int_equal(schema_reply_read(SCHEMA_REF_ID, 200, body, strlen(body), &reply, &err),
                         SCHEMA_REPLY_FOREIGN);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_non_null(strstr(err.text, "\"all\""));
    }
}

/* A pattern that would take for ever to compare counts as one that fits. */
static void a_hostile_pattern_ends(void **state)
{
    (void)state;
    struct schema_reply reply = {0};
    struct error err = {0};
    const char body[] = "{\"schema\":\"" RECORD(
        FIELD("client_phone_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", STRING,
              "")) "\"," DOMAIN_RULES(PII) ",\"metadata\":{\"tags\":{\"**a**a**a**a**a**a**a**a**a*"
                                           "*a**b\":"
                                           "[\"PII\"]}}}";
    assert_int_equal(schema_reply_read(SCHEMA_REF_ID, 200, body, strlen(body), &reply, &err),
                     SCHEMA_REPLY_SCHEMA);
    assert_non_null(strstr(reply.schema, SCHEMA_ENCRYPTED_BY));
    schema_reply_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encrypted_columns_stop),
        cmocka_unit_test(encrypted_records_stop),
        cmocka_unit_test(a_hostile_pattern_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
