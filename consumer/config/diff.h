/* diff: the options that differ between two configurations. Pure. */
#ifndef CONFIG_DIFF_H
#define CONFIG_DIFF_H

#include "base/buf.h"
#include "config/config.h"

/* Appends the names of the options that differ, with ", " between them; never their values. except:
 * names that are left out, ended by NULL; one that ends in "." means all that begin with it. */
void config_changes(const struct config *a, const struct config *b, const char *const *except,
                    struct buf *ret_names);

#endif
