/* sha256: SHA-256 of some bytes, for names that other processes make the same.
 *
 * OpenSSL's one-shot functions look the algorithm up anew at each call, which costs as much as the
 * digest of a short text; here it is looked up once a process. */
#ifndef BASE_DIGEST_SHA256_H
#define BASE_DIGEST_SHA256_H

#include <stddef.h>

enum { SHA256_BYTES = 32 };

/* Ends the process where there is no memory for it: a name that is not of its bytes could be
 * another's. From any thread. */
void sha256(const void *data, size_t len, unsigned char ret_digest[SHA256_BYTES]);

#endif
