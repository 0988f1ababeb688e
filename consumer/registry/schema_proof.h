/* schema_proof: the records of one schema id that are read to their end.
 *
 * A record whose status does not trigger needs no reading past its status. But bytes that were
 * written with another schema can show a status that does not trigger, too: only the end of the
 * record proves that they fit. So the first records of each schema id are read to their end, then a
 * sample for ever, and every record while none of this id was ever read to its end. Pure. */
#ifndef REGISTRY_SCHEMA_PROOF_H
#define REGISTRY_SCHEMA_PROOF_H

#include <stdbool.h>
#include <stdint.h>

enum { SCHEMA_PROOF_FIRST = 64, SCHEMA_PROOF_SAMPLE = 256 };

struct schema_proof {
    uint64_t taken; /* records of this schema id */
    uint64_t whole; /* of these, read to their last byte, and no byte left over */
};

/* The next record is to be read to its end. */
static inline bool schema_proof_wants_whole(const struct schema_proof *proof)
{
    return proof->whole == 0 || proof->taken < SCHEMA_PROOF_FIRST ||
           proof->taken % SCHEMA_PROOF_SAMPLE == 0;
}

static inline void schema_proof_note(struct schema_proof *proof, bool whole)
{
    proof->taken++;
    proof->whole += whole;
}

#endif
