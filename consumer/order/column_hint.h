/* column_hint: guesses the column for a field of the payload, by its name. Pure. */
#ifndef ORDER_COLUMN_HINT_H
#define ORDER_COLUMN_HINT_H

#include "cdc/plan.h"
#include "order/column_type.h"

struct column_hint {
    char near[COLUMN_NAME_MAX]; /* a column of another name for the same thing; "": none */
    char key[COLUMN_NAME_MAX];  /* the key of another table's row that holds it; "": none */
};

/* field: a payload field's name ("client_name"), or "status" for the rule's column. Names are
 * compared word by word ("customer_name", "productTitle", "numero_commande"), in English, French
 * and German, whose compounds count as two words ("kundenname", "unitprice"). */
struct column_hint column_hint_of(const struct schema *schema, const json_t *row,
                                  const char *field);

/* True when a column may hold this field, by its name. */
bool column_hint_fits(const char *column, const char *field);

/* True when a column is a key by its name ("client_id", "productId", "kundennummer"), other than
 * its own table's ("id"). */
bool column_names_key(const char *column);

/* True when a column counts cents by its name ("einzelpreis_cent", "amountCents"). */
bool column_names_cents(const char *column);

/* Options with which rows can be read in which a column is missing that plan_compile insists on:
 * rule.column and the order's id, where the row has none of that name, are replaced by what comes
 * nearest. The names are written to the two buffers. False when there is nothing near. */
bool column_hint_readable(const struct schema *schema, const json_t *row,
                          const struct plan_options *options, struct plan_options *ret_options,
                          char ret_rule[COLUMN_NAME_MAX], char ret_id[COLUMN_NAME_MAX]);

#endif
