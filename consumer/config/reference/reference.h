/* reference: the documentation of every option, written from the table. Pure. */
#ifndef CONFIG_REFERENCE_REFERENCE_H
#define CONFIG_REFERENCE_REFERENCE_H

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"

/* For a terminal: name, what it takes, default, help; a paragraph each group. */
void config_reference_text(struct buf *b);

/* consumer/OPTIONS.md. */
void config_reference_markdown(struct buf *b);

/* schemas/config.schema.json: the configuration file, for editors and validators. Nothing is added
 * without memory, and false returned. */
bool config_reference_schema(struct buf *b) must_check;

enum { REFERENCE_FORM_MAX = 128 };

/* The form of the option's value: "text", "secret", "true|false", "100ms to 5m". text: room for it,
 * REFERENCE_FORM_MAX bytes; the result may point elsewhere. */
const char *reference_form(const struct config_option *option, char *text, size_t size);

#endif
