/* order_link: the address of an order in the shop's own admin (dashboard.order_link). The page
 * fills it in; here it is checked, since it becomes a link that operators follow. Pure. */
#ifndef DASHBOARD_WEB_ORDER_LINK_H
#define DASHBOARD_WEB_ORDER_LINK_H

#include "base/error.h"

#include <stdbool.h>

/* text NULL: not set. False with what is wrong: an address that is not http(s), one whose host is
 * not written out, or a placeholder other than {order_id} and {order_number}. */
bool order_link_check(const char *text, struct error *err) must_check;

#endif
