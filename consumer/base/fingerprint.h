/* fingerprint: tells one secret from another without showing either.
 *
 * The processes of a deployment share no key that is not a secret itself, so it has none: two of
 * them with the same secret show the same. What it costs to guess is the derivation: scrypt (RFC
 * 7914, N=2^14, r=8: 16 MiB, about 50 ms) for each guess, where a hash would take a hundred
 * millionth of a second. Of what can be guessed all the same nothing is shown. */
#ifndef BASE_FINGERPRINT_H
#define BASE_FINGERPRINT_H

enum { FINGERPRINT_TEXT = 9, FINGERPRINT_SHOWN = 16 };

/* 8 hex digits and a NUL; "--------" without the memory for it. */
void fingerprint(const char *secret, char ret_text[FINGERPRINT_TEXT]);

/* What may be shown of an option's value that is a secret: "(set) #1a2b3c4d", or "(set)" alone when
 * it is a password by its name, or as short as one. text: FINGERPRINT_SHOWN bytes. */
const char *fingerprint_show(const char *option, const char *secret, char *text);

#endif
