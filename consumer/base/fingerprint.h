/* fingerprint: distinguishes secrets without showing them.
 *
 * The processes of a deployment share no key that is not a secret itself, so the fingerprint is
 * unkeyed: the same secret shows the same in each of them. Each guess costs a derivation by scrypt
 * (RFC 7914, N=2^14, r=8: 16 MiB, about 50 ms), where a hash would take a hundred millionth of a
 * second. A secret that is short enough to be guessed all the same shows no fingerprint. */
#ifndef BASE_FINGERPRINT_H
#define BASE_FINGERPRINT_H

enum { FINGERPRINT_TEXT = 9, FINGERPRINT_SHOWN = 16 };

/* 8 hex digits and a NUL; "--------" without the memory for it. */
void fingerprint(const char *secret, char ret_text[FINGERPRINT_TEXT]);

/* The visible form of an option's secret value: "(set) #1a2b3c4d", or "(set)" alone for a password,
 * by its name or its length. text: FINGERPRINT_SHOWN bytes. */
const char *fingerprint_show(const char *option, const char *secret, char *text);

#endif
