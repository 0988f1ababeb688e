/* assets: serves the page's files, which are embedded in the program. */
#ifndef DASHBOARD_WEB_ASSETS_H
#define DASHBOARD_WEB_ASSETS_H

#include "http/web_server.h"

/* Answers the request with the file of its path, or with 405. origin: of another server that the
 * page may ask; "": none. False when no file has that path; the request is then untouched. */
bool assets_serve(struct web_request *x, const char *origin);

#endif
