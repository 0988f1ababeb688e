/* trace: libcurl's own account of a request, in our log when it is at debug. */
#ifndef HTTP_TRACE_H
#define HTTP_TRACE_H

#include "http/http_client_internal.h"

/* Once a handle. Headers, bodies and any line that holds a part of the URL behind its host, or of a
 * login, are left out. */
bool http_trace_set(struct http_request *request) must_check;

#endif
