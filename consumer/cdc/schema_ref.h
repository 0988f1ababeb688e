/* schema_ref: the schema that a record names, in one of a registry's numberings. */
#ifndef CDC_SCHEMA_REF_H
#define CDC_SCHEMA_REF_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum schema_ref_kind {
    SCHEMA_REF_NONE,
    SCHEMA_REF_ID,     /* of Confluent's API: its own ids, Apicurio's content ids */
    SCHEMA_REF_GLOBAL, /* Apicurio's global id, of a version of an artifact */
    SCHEMA_REF_GUID    /* Confluent's, of a schema's content in whatever context */
};

enum { SCHEMA_GUID_LEN = 16, SCHEMA_REF_TEXT_MAX = 40 };

struct schema_ref { /* no padding: hashed and compared as bytes, what is not used is 0 */
    int64_t kind;   /* enum schema_ref_kind */
    int64_t number; /* of ID and GLOBAL; > 0 */
    uint8_t guid[SCHEMA_GUID_LEN];
};

static inline struct schema_ref schema_ref_id(int64_t id)
{
    return (struct schema_ref){.kind = SCHEMA_REF_ID, .number = id};
}

static inline bool schema_ref_equal(const struct schema_ref *a, const struct schema_ref *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* "7", "globalId 7", "89791762-2336-4186-9674-299b90a802e2"; "" of NONE. Returns ret_text. */
const char *schema_ref_text(const struct schema_ref *ref, char ret_text[SCHEMA_REF_TEXT_MAX]);

#endif
