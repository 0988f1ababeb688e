#include "check/topic_family.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_small(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_word(const char *text, size_t len)
{
    static const char *const words[] = {"default", "other",   "others", "rest",
                                        "current", "archive", "old",    "history"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
            return true;
    return false;
}

/* Digits, each run of them with at most four letters in front: 2025, p3, part12, y2026m02. */
static bool is_numbered(const char *text, size_t len)
{
    static const char *const leads[] = {"", "p", "part", "y", "m", "q", "w", "d", "h", "s", "t"};
    size_t at = 0;
    while (at < len) {
        size_t letters = 0, digits = 0;
        while (at + letters < len && is_small(text[at + letters]))
            letters++;
        while (at + letters + digits < len && is_digit(text[at + letters + digits]))
            digits++;
        bool known = false;
        for (size_t i = 0; i < sizeof leads / sizeof *leads; i++)
            known |= strlen(leads[i]) == letters && memcmp(leads[i], text + at, letters) == 0;
        if (!known || digits == 0)
            return false;
        at += letters + digits;
    }
    return len > 0;
}

static bool names_partition(const char *text, size_t len)
{
    bool is_region = len == 2 && is_small(text[0]) && is_small(text[1]);
    return is_region || is_numbered(text, len) || is_word(text, len);
}

size_t topic_family_root(const char *topic)
{
    size_t root = strlen(topic);
    for (;;) {
        size_t at = root;
        while (at > 0 && topic[at - 1] != '_' && topic[at - 1] != '-' && topic[at - 1] != '.')
            at--;
        /* "orders" of "shop.orders" is a table, "2025" of "orders_2025" is not */
        if (at < 2 || topic[at - 1] == '.' || topic[at - 2] == '.' ||
            !names_partition(topic + at, root - at))
            return root;
        root = at - 1;
    }
}

/* "orders" of "orders_part_3", whose root is "orders_part". */
static size_t without_part(const char *topic, size_t root)
{
    static const char *const words[] = {"_part", "_partition", "-part", "-partition"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i]);
        if (root > len && memcmp(topic + root - len, words[i], len) == 0)
            return root - len;
    }
    return root;
}

bool topic_family_same(const char *topic, const char *other)
{
    size_t root = topic_family_root(topic), others = topic_family_root(other);
    bool is_table = topic[root] == '\0', is_partition = other[others] != '\0';
    if (strcmp(topic, other) == 0 || (is_table && !is_partition))
        return false;
    if (root == others && memcmp(topic, other, root) == 0)
        return true;
    return is_table && root == without_part(other, others) && memcmp(topic, other, root) == 0;
}
