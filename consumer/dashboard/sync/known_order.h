/* known_order: the order that a caller means, as far as the caller may see it.
 *
 * Callers name an order by its id as the shop's code has it: a uuid in upper case, with blanks
 * around it, or by the number that people know (CMD-000123). */
#ifndef DASHBOARD_SYNC_KNOWN_ORDER_H
#define DASHBOARD_SYNC_KNOWN_ORDER_H

#include "dashboard/auth/token.h"
#include "dashboard/view/view.h"

struct api;

/* False: the view does not have it, or the caller may not see it: such an order is answered as one
 * that was never seen. */
bool known_order_facts(const struct api *api, const struct caller *caller, const char *key,
                       struct order_facts *ret);

/* The key that the name stands for: the name itself where an order that the caller may see has it;
 * else without blanks around it, a uuid in lower case, as PostgreSQL writes it. free() it; NULL
 * without memory. */
char *known_order_key(const struct api *api, const struct caller *caller, const char *name);

/* Numbers can be guessed: customers have them looked up only where auth.owner_column keeps them to
 * orders of their own. */
bool known_order_has_numbers(const struct api *api, const struct caller *caller);

enum known_number { NUMBER_NONE, NUMBER_ONE, NUMBER_SEVERAL };

/* The order with this number that the caller may see. *ret_key, of NUMBER_ONE: free() it. */
enum known_number known_order_number(const struct api *api, const struct caller *caller,
                                     const char *number, char **ret_key);

#endif
