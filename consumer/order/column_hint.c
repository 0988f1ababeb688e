#include "order/column_hint.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Words for one thing, separated by spaces: of what a field is about, and which property of it. */
enum { ENTITIES = 3 };
static const char client_words[] =
    " client customer buyer user contact account recipient shopper acheteur destinataire cust "
    "kunde kunden kaeufer käufer besteller empfaenger empfänger ";
static const char confirmed_words[] =
    " confirmed confirmation confirme validated valide bestaetigt bestätigt bestaetigung "
    "bestätigung tigt "; /* best__tigt_am: bestätigt_am as some converters write it */
static const char *const groups[] = {
    client_words,
    " product item article sku variant produit goods artikel produkt ",
    " order commande cmd purchase pedido bestellung bestell auftrag auftrags ",
    " name fullname nom label title designation libelle nombre nachname bezeichnung titel ",
    " phone tel telephone mobile gsm msisdn cell telefon handy mobil ",
    " address adresse addr street rue anschrift strasse straße ",
    " city ville town commune stadt ort wohnort ",
    " number no num nr ref reference code numero nummer ",
    " quantity qty qte quantite count pieces units menge anzahl ",
    " price prix tarif preis ",
    " unit unitaire each einzel stueck stück ",
    " total sum grand montant gesamt summe ",
    " amount value betrag wert ",
    " status statut state etat phase stage estado zustand ",
    confirmed_words,
    " at on date time timestamp ts le am datum zeit zeitpunkt ",
    " cent cents centime centimes minor pence ",
    " id uuid key fk guid ",
};
enum {
    GROUPS = sizeof groups / sizeof *groups,
    GROUP_NUMBER = 7,
    GROUP_CENTS = GROUPS - 2,
    GROUP_KEY = GROUPS - 1,
    WORD_MAX = 24
};

/* The next word of a name, in lower case; false at its end. Words end at _ - . and spaces, and
 * before a capital behind a small letter. */
static bool next_word(const char **name, char ret[WORD_MAX])
{
    size_t len = 0;
    const char *at = *name;
    while (*at != '\0' && strchr("_-. ", *at) != NULL)
        at++;
    while (*at != '\0' && strchr("_-. ", *at) == NULL) {
        if (len > 0 && isupper((unsigned char)*at) && islower((unsigned char)at[-1]))
            break;
        if (len + 1 < WORD_MAX)
            ret[len++] = (char)tolower((unsigned char)*at);
        at++;
    }
    ret[len] = '\0';
    *name = at;
    return len > 0;
}

/* The group's number; GROUPS: a word of none. */
static size_t group_of(const char *word)
{
    char sought[WORD_MAX + 2];
    snprintf(sought, sizeof sought, " %s ", word);
    for (size_t g = 0; g < GROUPS; g++)
        if (strstr(groups[g], sought) != NULL)
            return g;
    return GROUPS;
}

/* The groups of a word as bits; of a compound, those of both its words; 0: of none. */
static unsigned groups_of_word(const char *word)
{
    enum { SHORTEST = 3 };
    size_t len = strlen(word), whole = group_of(word);
    if (whole < GROUPS)
        return 1u << whole;
    for (size_t at = SHORTEST; at + SHORTEST <= len; at++) {
        char first[WORD_MAX];
        snprintf(first, sizeof first, "%.*s", (int)at, word);
        size_t a = group_of(first), b = group_of(word + at);
        if (a < GROUPS && b < GROUPS)
            return 1u << a | 1u << b;
    }
    return 0;
}

/* The groups of a name's words as bits, and how many words are of none. */
static unsigned groups_of(const char *name, int *ret_unknown)
{
    char word[WORD_MAX];
    unsigned found = 0;
    *ret_unknown = 0;
    while (next_word(&name, word)) {
        unsigned of_word = groups_of_word(word);
        found |= of_word;
        *ret_unknown += of_word == 0;
    }
    return found;
}

static int bits(unsigned set)
{
    int count = 0;
    for (; set != 0; set &= set - 1)
        count++;
    return count;
}

enum { ENTITY_BITS = (1 << ENTITIES) - 1, ORDER_BIT = 1 << (ENTITIES - 1) };

/* A score of a column's name: 0 is no match. The name may omit the field's subject, but must not
 * name another one, save the order, whose row it is, where the field has none ("order_status"); it
 * must contain the property. */
static int fit(unsigned wanted, const char *column)
{
    int unknown;
    unsigned found = groups_of(column, &unknown);
    unsigned about = wanted & ENTITY_BITS, property = wanted & ~(unsigned)ENTITY_BITS;
    unsigned allowed = about != 0 ? about : ORDER_BIT;
    bool is_about_else = (found & ENTITY_BITS & ~allowed) != 0;
    bool has_property = property != 0 ? (found & property) != 0 : (found & about) != 0;
    bool is_key = (found & (1u << GROUP_KEY)) != 0 && (wanted & (1u << GROUP_KEY)) == 0;
    if (is_about_else || !has_property || is_key || unknown > 1)
        return 0;
    return 4 * bits(found & wanted) - bits(found & ~wanted) - unknown + 1;
}

bool column_hint_fits(const char *column, const char *field)
{
    int unknown;
    return fit(groups_of(field, &unknown), column) > 0;
}

bool column_names_key(const char *column)
{
    int unknown;
    unsigned found = groups_of(column, &unknown);
    const unsigned key = 1u << GROUP_KEY, number = 1u << GROUP_NUMBER;
    bool is_numbered = unknown == 0 && (found & number) != 0 &&
                       (found & ~(number | ORDER_BIT)) != 0 &&
                       (found & ~(number | ENTITY_BITS)) == 0;
    return is_numbered || ((found & key) != 0 && (unknown > 0 || (found & ~key) != 0));
}

bool column_names_cents(const char *column)
{
    int unknown;
    return (groups_of(column, &unknown) & (1u << GROUP_CENTS)) != 0;
}

struct column_hint column_hint_of(const struct schema *schema, const json_t *row, const char *field)
{
    struct column_hint hint = {.near = "", .key = ""};
    struct column_type c;
    int unknown, best = 0;
    unsigned wanted = groups_of(field, &unknown), about = wanted & ENTITY_BITS;
    for (size_t i = 0; column_type_at(schema, row, i, &c); i++) {
        int fits = fit(wanted, c.column);
        if (fits > best) {
            best = fits;
            snprintf(hint.near, sizeof hint.near, "%s", c.column);
        }
        bool is_order = about == ORDER_BIT; /* the row itself is the order */
        if (about != 0 && !is_order && column_names_key(c.column) &&
            (groups_of(c.column, &unknown) & ENTITY_BITS) == about && *hint.key == '\0')
            snprintf(hint.key, sizeof hint.key, "%s", c.column);
    }
    return hint;
}

static bool holds(const struct column_type *c, bool numbers_too)
{
    for (size_t i = 0; i < c->branch_count; i++)
        if (c->branches[i].sort == SORT_TEXT || (numbers_too && c->branches[i].sort != SORT_OTHER))
            return true;
    return false;
}

bool column_hint_readable(const struct schema *schema, const json_t *row,
                          const struct plan_options *options, struct plan_options *ret_options,
                          char ret_rule[COLUMN_NAME_MAX], char ret_id[COLUMN_NAME_MAX])
{
    struct column_type c = column_type_of(schema, row, options->rule_column);
    *ret_options = *options;
    snprintf(ret_rule, COLUMN_NAME_MAX, "%s", options->rule_column);
    snprintf(ret_id, COLUMN_NAME_MAX, "%s", options->columns[FIELD_ORDER_ID]);
    if (!holds(&c, false)) {
        struct column_hint hint = column_hint_of(schema, row, "status");
        memcpy(ret_rule, hint.near, sizeof hint.near);
        c = column_type_of(schema, row, ret_rule);
    }
    bool has_rule = *ret_rule != '\0' && holds(&c, false);
    c = column_type_of(schema, row, ret_id);
    bool has_id = holds(&c, true);
    for (size_t i = 0; !has_id && column_type_at(schema, row, i, &c); i++)
        if (holds(&c, true)) {
            memcpy(ret_id, c.column, sizeof c.column);
            has_id = true;
        }
    ret_options->rule_column = ret_rule;
    ret_options->columns[FIELD_ORDER_ID] = ret_id;
    ret_options->op_assumed = true;
    return has_rule && has_id;
}
