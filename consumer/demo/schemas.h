/* schemas: the demo's schema registry: answers /schemas/ids/N as a Confluent registry does. */
#ifndef DEMO_SCHEMAS_H
#define DEMO_SCHEMAS_H

#include "demo/listener.h"

struct listener *schemas_new(struct loop *loop, struct error *err);

#endif
