/* fingerprint: tells one secret from another without showing either.
 *
 * Only for what nobody can guess: of each word of a dictionary a password's fingerprint would say,
 * offline, whether it is the one. */
#ifndef CORE_FINGERPRINT_H
#define CORE_FINGERPRINT_H

enum { FINGERPRINT_TEXT = 9, FINGERPRINT_SHOWN = 16 };

/* The first 8 hex digits of the secret's SHA-256, and a NUL. */
void fingerprint(const char *secret, char ret_text[FINGERPRINT_TEXT]);

/* What may be shown of an option's value that is a secret: "(set) #1a2b3c4d", or "(set)" alone when
 * it is a password by its name, or as short as one. text: FINGERPRINT_SHOWN bytes. */
const char *fingerprint_show(const char *option, const char *secret, char *text);

#endif
