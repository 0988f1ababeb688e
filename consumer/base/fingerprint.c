#include "base/fingerprint.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { GUESSABLE_MAX = 31 };

void fingerprint(const char *secret, char ret_text[FINGERPRINT_TEXT])
{
    static const unsigned char salt[] = "elementor-sync fingerprint";
    enum { COST = 1 << 14, BLOCK = 8, LANES = 1, MEMORY_MAX = 32 << 20 };
    unsigned char digest[4];
    /* scrypt fails only without its 16 MiB. Then no fingerprint is shown, rather than a weaker
     * one. */
    if (EVP_PBE_scrypt(secret, strlen(secret), salt, sizeof salt - 1, COST, BLOCK, LANES,
                       MEMORY_MAX, digest, sizeof digest) != 1) {
        snprintf(ret_text, FINGERPRINT_TEXT, "--------");
        return;
    }
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
