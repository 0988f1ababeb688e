/* decimal: numbers as JSON text, with exactly the digits that the event holds. */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Debezium writes the scale -2 of a numeric(8, -2) as 2046 (11 bits), and its value with as many
 * zeros: hence these limits. */
#define DECIMAL_BYTES_MAX 1280 /* of the unscaled value: some 3,000 digits */
#define DECIMAL_SCALE_MAX 2048 /* either way */

/* Appends unscaled * 10^-scale; unscaled is big-endian two's complement (Connect's Decimal; Avro
 * 1.11, "Decimal"), no bytes at all meaning 0. False beyond the limits above: no price is beyond
 * them, and rendering such a number would be expensive. */
bool decimal_add(struct buf *b, const uint8_t *unscaled, size_t len, int32_t scale);

/* Appends the shortest decimal text that reads back as the same double, or (single) the shortest
 * rounding of value that reads back as the same float; exponents from 1e-05 down and 1e+16 up,
 * -0.0 as "-0". False for NaN and the infinities. */
bool decimal_add_real(struct buf *b, double value, bool single);

/* The other way round: digits, perhaps with a point and a minus, as unscaled * 10^-scale; the
 * fewest bytes, into ret. False: it is no such text, or has more digits than the scale or room
 * bytes hold.
 */
bool decimal_read(const char *text, size_t len, int32_t scale, uint8_t *ret, size_t room,
                  size_t *ret_len);

/* True when text is a JSON number (RFC 8259 §6). */
bool decimal_is_json_number(const char *text, size_t len);

#endif
