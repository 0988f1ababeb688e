/* schemas: the demo's schema registry: answers /schemas/ids/N as a Confluent registry does. */
#ifndef DEMO_PARTS_SCHEMAS_H
#define DEMO_PARTS_SCHEMAS_H

#include "demo/parts/listener.h"

struct listener *schemas_new(struct loop *loop, struct error *err);

#endif
