/* schemas: the demo's schema registry: answers /schemas/ids/N as a Confluent registry does, on a
 * free loopback port. */
#ifndef DEMO_PARTS_SCHEMAS_H
#define DEMO_PARTS_SCHEMAS_H

#include "http/web_server.h"

struct web *schemas_new(struct loop *loop, struct error *err);

#endif
