/* http_trace: libcurl's own account of a request, in our log when it is at debug. */
#ifndef EDGE_HTTP_TRACE_H
#define EDGE_HTTP_TRACE_H

#include "edge/http_internal.h"

/* Once a handle. Headers, bodies and any line that holds a part of the URL behind its host, or of a
 * login, are left out. */
bool http_trace_set(struct http_request *request) must_check;

#endif
