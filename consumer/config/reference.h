/* reference: the documentation of every option, written from the table. Pure. */
#ifndef CONFIG_REFERENCE_H
#define CONFIG_REFERENCE_H

#include "base/buf.h"

/* For a terminal: name, what it takes, default, help; a paragraph each group. */
void config_reference_text(struct buf *b);

/* consumer/OPTIONS.md. */
void config_reference_markdown(struct buf *b);

#endif
