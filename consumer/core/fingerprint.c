#include "core/fingerprint.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

enum { GUESSABLE_MAX = 31 };

void fingerprint(const char *secret, char ret_text[FINGERPRINT_TEXT])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)secret, strlen(secret), digest);
    snprintf(ret_text, FINGERPRINT_TEXT, "%02x%02x%02x%02x", digest[0], digest[1], digest[2],
             digest[3]);
}

const char *fingerprint_show(const char *option, const char *secret, char *text)
{
    char mark[FINGERPRINT_TEXT];
    if (strstr(option, "password") != NULL || strlen(secret) <= GUESSABLE_MAX)
        return "(set)";
    fingerprint(secret, mark);
    snprintf(text, FINGERPRINT_SHOWN, "(set) #%s", mark);
    return text;
}
