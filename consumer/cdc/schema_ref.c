#include "cdc/schema_ref.h"

#include "base/hex.h"

#include <inttypes.h>
#include <stdio.h>

static void write_guid(const uint8_t guid[SCHEMA_GUID_LEN], char *text)
{
    static const size_t groups[] = {4, 2, 2, 2, 6};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; guid += groups[i++]) {
        if (i > 0)
            *text++ = '-';
        text = hex_write(text, guid, groups[i]);
    }
    *text = '\0';
}

const char *schema_ref_text(const struct schema_ref *ref, char ret_text[SCHEMA_REF_TEXT_MAX])
{
    switch ((enum schema_ref_kind)ref->kind) {
    case SCHEMA_REF_ID: snprintf(ret_text, SCHEMA_REF_TEXT_MAX, "%" PRId64, ref->number); break;
    case SCHEMA_REF_GLOBAL:
        snprintf(ret_text, SCHEMA_REF_TEXT_MAX, "globalId %" PRId64, ref->number);
        break;
    case SCHEMA_REF_GUID: write_guid(ref->guid, ret_text); break;
    default: *ret_text = '\0'; break;
    }
    return ret_text;
}
