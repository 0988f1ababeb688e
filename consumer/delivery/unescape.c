#include "delivery/unescape.h"

#include "base/hex.h"
#include "base/utf8.h"

#include <ctype.h>
#include <string.h>

/* Three encoders around each other; no real server nests more. */
enum { PASSES_MAX = 5, CHAR_BYTES = 4, ENTITY_MAX = 10 };

/* One character or byte that several bytes are written for. */
struct unit {
    size_t used; /* bytes read; 0: nothing is escaped here */
    char bytes[CHAR_BYTES];
    size_t len;
};

static void encode(uint32_t code, struct unit *ret)
{
    static const uint8_t firsts[] = {0, 0, 0xc0, 0xe0, 0xf0};
    ret->len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = ret->len - 1; i > 0; i--, code >>= 6)
        ret->bytes[i] = (char)(0x80 | (code & 0x3f));
    ret->bytes[0] = (char)(firsts[ret->len] | code);
}

/* Of exactly so many hexadecimal digits; -1: they are not there. */
static int hex(const char *at, size_t left, size_t digits)
{
    int value = 0;
    if (left < digits)
        return -1;
    for (size_t i = 0; i < digits; i++) {
        if (hex_digit(at[i]) < 0)
            return -1;
        value = value * 16 + hex_digit(at[i]);
    }
    return value;
}

/* ---- percent, backslash ---- */

static void read_percent(const char *at, size_t left, struct unit *ret)
{
    int byte = hex(at + 1, left - 1, 2);
    if (byte >= 0)
        *ret = (struct unit){3, {(char)byte}, 1};
}

static int utf16_unit(const char *at, size_t left)
{
    return left >= 6 && at[0] == '\\' && at[1] == 'u' ? hex(at + 2, left - 2, 4) : -1;
}

static void read_utf16(const char *at, size_t left, struct unit *ret)
{
    int first = utf16_unit(at, left);
    if (first < 0)
        return;
    int second = first >= 0xd800 && first <= 0xdbff ? utf16_unit(at + 6, left - 6) : -1;
    bool pair = second >= 0xdc00 && second <= 0xdfff;
    ret->used = pair ? 12 : 6;
    encode(pair ? 0x10000 + ((uint32_t)(first - 0xd800) << 10) + (uint32_t)(second - 0xdc00)
                : (uint32_t)first,
           ret);
}

static void read_backslash(const char *at, size_t left, struct unit *ret)
{
    if (left < 2)
        return;
    int byte = at[1] == 'x' ? hex(at + 2, left - 2, 2) : -1;
    if (at[1] == 'u')
        read_utf16(at, left, ret);
    else if (byte >= 0)
        *ret = (struct unit){4, {(char)byte}, 1};
    else if (strchr("/\"\\'", at[1]) != NULL)
        *ret = (struct unit){2, {at[1]}, 1};
    else if (strchr("nrtbf", at[1]) != NULL)
        *ret = (struct unit){2, {' '}, 1};
}

/* ---- HTML's entities ---- */

/* Those of Latin-1 from U+00A0 on, as HTML 2.0 named them. */
static const char *const latin[] = {
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",
    "copy",   "ordf",   "laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn",
    "sup2",   "sup3",   "acute",  "micro",  "para",   "middot", "cedil",  "sup1",   "ordm",
    "raquo",  "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",  "Atilde",
    "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",  "Euml",   "Igrave",
    "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde",
    "Ouml",   "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",
    "szlig",  "agrave", "aacute", "acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil",
    "egrave", "eacute", "ecirc",  "euml",   "igrave", "iacute", "icirc",  "iuml",   "eth",
    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide", "oslash", "ugrave",
    "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml"};

static const struct {
    const char *name;
    uint32_t code;
} others[] = {
    {"amp", '&'},      {"quot", '"'},     {"apos", '\''},    {"lt", '<'},        {"gt", '>'},
    {"sol", '/'},      {"bsol", '\\'},    {"percnt", '%'},   {"plus", '+'},      {"equals", '='},
    {"colon", ':'},    {"period", '.'},   {"comma", ','},    {"lpar", '('},      {"rpar", ')'},
    {"num", '#'},      {"quest", '?'},    {"commat", '@'},   {"lowbar", '_'},    {"Tab", ' '},
    {"NewLine", ' '},  {"ensp", ' '},     {"emsp", ' '},     {"thinsp", ' '},    {"rsquo", 0x2019},
    {"lsquo", 0x2018}, {"ndash", 0x2013}, {"mdash", 0x2014}, {"hyphen", 0x2010}, {"OElig", 0x152},
    {"oelig", 0x153},  {"Scaron", 0x160}, {"scaron", 0x161}, {"Yuml", 0x178},    {"zwnj", 0x200c},
    {"zwj", 0x200d},   {"lrm", 0x200e},   {"rlm", 0x200f},   {"AMP", '&'},       {"QUOT", '"'}};

static bool is_name(const char *name, const char *at, size_t len)
{
    return strncmp(name, at, len) == 0 && name[len] == '\0';
}

static uint32_t named(const char *at, size_t len)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is_name(others[i].name, at, len))
            return others[i].code;
    for (size_t i = 0; i < sizeof latin / sizeof *latin; i++)
        if (is_name(latin[i], at, len))
            return (uint32_t)(0xa0 + i);
    return 0;
}

/* "&#233;", "&#xE9;", with any number of zeros, and without the semicolon as browsers read it. */
static void read_number(const char *at, size_t left, struct unit *ret)
{
    size_t len = 2;
    bool is_hex = left > 2 && (at[2] | 0x20) == 'x';
    uint32_t code = 0;
    size_t first = len += is_hex;
    for (; len < left && code <= 0x10ffff; len++) {
        int value = hex_digit(at[len]);
        if (value < 0 || (!is_hex && value > 9))
            break;
        code = code * (is_hex ? 16 : 10) + (uint32_t)value;
    }
    if (len == first || code == 0 || code > 0x10ffff)
        return;
    encode(code, ret);
    ret->used = len + (len < left && at[len] == ';');
}

static void read_entity(const char *at, size_t left, struct unit *ret)
{
    size_t len = 0;
    if (left >= 3 && at[1] == '#') {
        read_number(at, left, ret);
        return;
    }
    while (len < left - 1 && len < ENTITY_MAX && isalnum((unsigned char)at[1 + len]))
        len++;
    bool ended = len + 1 < left && at[1 + len] == ';';
    uint32_t code = len > 0 && ended ? named(at + 1, len) : 0;
    if (code == 0)
        return;
    encode(code, ret);
    ret->used = len + 2;
}

static struct unit read_unit(const char *at, size_t left)
{
    struct unit unit = {0};
    if (*at == '%')
        read_percent(at, left, &unit);
    else if (*at == '\\')
        read_backslash(at, left, &unit);
    else if (*at == '&')
        read_entity(at, left, &unit);
    return unit;
}

/* ---- passes over the whole, in place: writing is never ahead of reading ---- */

static void put(struct unescaped *u, size_t to, const struct unit *unit, size_t from)
{
    uint16_t begin = u->begin[from], end = u->end[from + unit->used - 1];
    for (size_t i = 0; i < unit->len; i++) {
        u->bytes[to + i] = unit->bytes[i];
        u->begin[to + i] = begin;
        u->end[to + i] = end;
    }
}

/* True when anything was escaped. */
static bool undo_once(struct unescaped *u)
{
    bool changed = false;
    size_t to = 0;
    for (size_t from = 0; from < u->len;) {
        struct unit unit = read_unit(u->bytes + from, u->len - from);
        changed |= unit.used > 0;
        if (unit.used == 0)
            unit = (struct unit){1, {u->bytes[from]}, 1};
        put(u, to, &unit, from);
        to += unit.len;
        from += unit.used;
    }
    u->len = to;
    return changed;
}

static bool is_within(uint32_t code, uint32_t first, uint32_t last)
{
    return code >= first && code <= last;
}

static bool is_blank(uint32_t code)
{
    return code <= ' ' || code == '+' || is_within(code, 0x7f, 0xa0) || code == 0x1680 ||
           is_within(code, 0x2000, 0x200a) || code == 0x2028 || code == 0x2029 || code == 0x202f ||
           code == 0x205f || code == 0x3000;
}

static bool has_no_width(uint32_t code)
{
    return code == 0xad || is_within(code, 0x200b, 0x200f) || is_within(code, 0x202a, 0x202e) ||
           is_within(code, 0x2060, 0x206f) || code == 0x61c || code == 0xfeff;
}

/* The small letter of Latin, Greek and Cyrillic. */
static uint32_t small(uint32_t code)
{
    if (is_within(code, 'A', 'Z') || (is_within(code, 0xc0, 0xde) && code != 0xd7) ||
        is_within(code, 0x391, 0x3a9) || is_within(code, 0x410, 0x42f))
        return code + 0x20;
    if (is_within(code, 0x400, 0x40f))
        return code + 0x50;
    if (is_within(code, 0x139, 0x148) || is_within(code, 0x179, 0x17e))
        return code + (code & 1);
    return is_within(code, 0x100, 0x177) ? code | 1 : code;
}

static uint32_t fold(uint32_t code)
{
    static const uint32_t zeros[] = {0x660, 0x6f0, 0x966,
                                     0xff10}; /* Arabic, Persian, Hindi, wide */
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
        if (is_within(code, zeros[i], zeros[i] + 9))
            return '0' + code - zeros[i];
    if (is_within(code, 0xff01, 0xff5e))
        code -= 0xfee0;
    if (is_within(code, 0x2010, 0x2015) || code == 0x2212)
        return '-';
    if (code == 0x2018 || code == 0x2019)
        return '\'';
    return is_blank(code) ? ' ' : small(code);
}

/* ---- accents ---- */

/* The letter below the accents of a small letter of Latin; the code itself where it has none. */
static uint32_t without_accent(uint32_t code)
{
    static const char latin_1[] = "aaaaaaaceeeeiiiidnooooo\xf7ouuuuyty"; /* from U+00E0 on */
    static const struct {
        uint16_t last;
        char letter;
    } extended[] = {{0x105, 'a'}, {0x10d, 'c'}, {0x111, 'd'}, {0x11b, 'e'}, {0x123, 'g'},
                    {0x127, 'h'}, {0x133, 'i'}, {0x135, 'j'}, {0x138, 'k'}, {0x142, 'l'},
                    {0x14b, 'n'}, {0x153, 'o'}, {0x159, 'r'}, {0x161, 's'}, {0x167, 't'},
                    {0x173, 'u'}, {0x175, 'w'}, {0x178, 'y'}, {0x17e, 'z'}, {0x17f, 's'}};
    if (code == 0xdf)
        return 's';
    if (is_within(code, 0xe0, 0xff))
        return (unsigned char)latin_1[code - 0xe0];
    for (size_t i = 0; is_within(code, 0x100, 0x17f); i++)
        if (code <= extended[i].last)
            return (unsigned char)extended[i].letter;
    return code;
}

/* An accent by itself: one of Unicode's, or a vowel sign or the stretching of Arabic. */
static bool is_mark(uint32_t code)
{
    return is_within(code, 0x300, 0x36f) || is_within(code, 0x64b, 0x65f) || code == 0x640 ||
           code == 0x670;
}

bool unescape_strip(struct unescaped *u)
{
    enum { LATIN_1_LETTERS = 0xc0 };
    size_t to = 0, len = u->len;
    bool changed = false;
    for (size_t from = 0; from < len;) {
        size_t size = utf8_char_size(u->bytes + from, len - from);
        struct unit unit = {size > 0 ? size : 1, {u->bytes[from]}, 1};
        uint32_t code =
            size > 0 ? utf8_code_point(u->bytes + from, size) : (unsigned char)u->bytes[from];
        uint32_t letter = without_accent(size > 0 ? code : small(code));
        bool is_letter = letter < 0x80 && (size > 0 || code >= LATIN_1_LETTERS);
        changed |= is_mark(code) || (is_letter && letter != code);
        if (is_letter || size > 0)
            encode(is_letter ? letter : code, &unit);
        if (!is_mark(code)) {
            put(u, to, &unit, from);
            to += unit.len;
        } else if (to > 0) { /* it belongs to the letter before it */
            u->end[to - 1] = u->end[from + unit.used - 1];
        }
        from += unit.used;
    }
    u->len = to;
    return changed;
}

static void fold_all(struct unescaped *u)
{
    size_t to = 0;
    for (size_t from = 0; from < u->len;) {
        size_t size = utf8_char_size(u->bytes + from, u->len - from);
        struct unit unit = {size > 0 ? size : 1, {u->bytes[from]}, 1};
        uint32_t code = size > 0 ? utf8_code_point(u->bytes + from, size) : 0;
        if (size > 0 && has_no_width(code)) {
            from += size;
            continue;
        }
        if (size > 0)
            encode(fold(code), &unit);
        put(u, to, &unit, from);
        to += unit.len;
        from += unit.used;
    }
    u->len = to;
}

void unescape(struct slice text, struct unescaped *ret)
{
    ret->len = text.len < UNESCAPE_MAX ? text.len : UNESCAPE_MAX;
    if (ret->len > 0)
        memcpy(ret->bytes, text.data, ret->len);
    for (size_t i = 0; i < ret->len; i++) {
        ret->begin[i] = (uint16_t)i;
        ret->end[i] = (uint16_t)(i + 1);
    }
    for (int pass = 0; pass < PASSES_MAX && undo_once(ret); pass++)
        continue;
    fold_all(ret);
}
