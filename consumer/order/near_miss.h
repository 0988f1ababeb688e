/* case mismatch: a status that is not the rule's value but was most likely meant as it. Pure. */
#ifndef ORDER_NEAR_MISS_H
#define ORDER_NEAR_MISS_H

#include <stdbool.h>
#include <stddef.h>

/* True when two texts, len bytes of UTF-8 and value, differ only in letter case, white space (of
 * any width, none included), accents, punctuation, or letters of another script that look the same
 * ("Confirmed ", "CONFIRMED", "сonfirmed" with a Cyrillic с); or, with six letters and more, in one
 * letter besides ("Confirmée"). Equal texts are not a case mismatch, nor is text that is not UTF-8.
 * Cheap for texts that begin with another letter. */
bool case_mismatch(const char *text, size_t len, const char *value);

#endif
