#include "demo/parts/shop_life.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COUNT(list) ((uint32_t)(sizeof(list) / sizeof *(list)))

static const char *const first_names[] = {"Amina", "Yacine", "Léïla", "Karim", "Ḥassiba",
                                          "Zoé",   "Mourad", "Inès",  "Salim", "Nadia",
                                          "Čabḥa", "René",   "Fatma", "Idir",  "Thiziri"};
static const char *const last_names[] = {"Benali",   "Aït Ouarab", "Haddad", "Mansouri", "Lefèvre",
                                         "Bouzid",   "Ould Kadi",  "Cherif", "Meziane",  "Saïdi",
                                         "Belkacem", "O’Brien",    "Ferhat"};
static const char *const streets[] = {
    "rue Didouche Mourad",  "boulevard de l’Indépendance", "cité des 500 logements, bât. C",
    "rue Larbi Ben M’hidi", "chemin des Oliviers",         "avenue de l’ALN"};
static const char *const cities[] = {"Alger",      "Oran",   "Béjaïa", "Constantine",
                                     "Tizi Ouzou", "Annaba", "Sétif"};
static const struct {
    const char *name;
    int64_t price; /* in hundredths */
} products[] = {{"Robe kabyle", 1250050},
                {"Théière « Zellige »", 480000},
                {"Huile d’olive 5 L", 520000},
                {"Tapis berbère 2×3 m", 3890000},
                {"Montre", 299990},
                {"Couscoussier 30 cm", 615075},
                {"Miel de jujubier 1 kg", 740000}};

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t life_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)((next_random(state) >> 32) * bound >> 32);
}

static bool chance(uint64_t *state, uint32_t percent)
{
    return life_below(state, 100) < percent;
}

static void draw_id(uint64_t *state, char id[37])
{
    uint64_t a = next_random(state), b = next_random(state);
    snprintf(id, 37, "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
             a >> 32, a >> 16 & 0xffff, a & 0xfff, (b >> 48 & 0x3fff) | 0x8000, b & 0xffffffffffff);
}

static void set_amounts(struct shop_row *row, int32_t quantity, int64_t unit_price)
{
    row->quantity = quantity;
    row->unit_price = unit_price;
    row->total = unit_price * quantity;
}

static void draw_address(uint64_t *state, struct shop_row *row)
{
    uint32_t number = 1 + life_below(state, 140);
    snprintf(row->address, sizeof row->address, "%u %s", number,
             streets[life_below(state, COUNT(streets))]);
}

static void draw_row(uint64_t *state, uint64_t index, struct shop_row *row)
{
    memset(row, 0, sizeof *row);
    draw_id(state, row->id);
    snprintf(row->number, sizeof row->number, "CMD-%06" PRIu64, index);
    const char *first_name = first_names[life_below(state, COUNT(first_names))];
    snprintf(row->name, sizeof row->name, "%s %s", first_name,
             last_names[life_below(state, COUNT(last_names))]);
    uint32_t digits = life_below(state, 100000000);
    snprintf(row->phone, sizeof row->phone, "+213 5%02u %02u %02u %02u", digits / 1000000,
             digits / 10000 % 100, digits / 100 % 100, digits % 100);
    if (!chance(state, 8))
        draw_address(state, row);
    if (!chance(state, 8))
        snprintf(row->city, sizeof row->city, "%s", cities[life_below(state, COUNT(cities))]);
    uint32_t product = life_below(state, COUNT(products));
    snprintf(row->product, sizeof row->product, "%s", products[product].name);
    set_amounts(row, (int32_t)(1 + life_below(state, 4)), products[product].price);
    row->status = "pending";
}

/* Real shops' mistakes: records that can never be sent, or that the form refuses. */
static enum shop_fate spoil(uint64_t *state, uint64_t index, struct shop_row *row)
{
    static const uint64_t invalid_every = 25, invalid_at = 7, refused_every = 60, refused_at = 31;
    if (index % refused_every == refused_at) { /* a wholesale order in a form for customers */
        set_amounts(row, SHOP_QUANTITY_MAX + 1 + (int32_t)life_below(state, 100), row->unit_price);
        return SHOP_REFUSED;
    }
    if (index % invalid_every != invalid_at)
        return SHOP_VALID;
    switch (life_below(state, 4)) {
    case 0: row->phone[0] = '\0'; break;
    case 1: row->quantity = -1294967296; break; /* an overflow, as a real ALTER TABLE made it */
    case 2: set_amounts(row, row->quantity, -row->unit_price); break;
    default: snprintf(row->product, sizeof row->product, "  "); break;
    }
    return SHOP_INVALID;
}

static void add(uint64_t *state, struct life *life, enum shop_kind step)
{
    life->waits_ms[life->count] = 250 + life_below(state, 1500);
    life->steps[life->count++] = step;
}

static void draw_way_after_confirmation(uint64_t *state, struct life *life)
{
    if (chance(state, 25))
        add(state, life, SHOP_EDITED);
    bool ships = true;
    if (chance(state, 14)) {
        add(state, life, SHOP_CANCELLED);
        ships = chance(state, 60);
        if (ships)
            add(state, life, SHOP_CONFIRMED_AGAIN);
    }
    if (ships)
        add(state, life, SHOP_SHIPPED);
    if (!ships || chance(state, 6))
        add(state, life, SHOP_DELETED);
}

static void draw_way(uint64_t *state, struct life *life)
{
    life->born_confirmed = chance(state, 4);
    if (!life->born_confirmed) {
        if (chance(state, 25))
            add(state, life, SHOP_EDITED);
        if (life->fate == SHOP_VALID && chance(state, 12)) {
            add(state, life, SHOP_CANCELLED);
            if (chance(state, 50))
                add(state, life, SHOP_DELETED);
            return;
        }
        if (chance(state, 85))
            add(state, life, SHOP_PROCESSING);
        add(state, life, SHOP_CONFIRMED);
    }
    draw_way_after_confirmation(state, life);
}

void life_draw(uint64_t seed, uint64_t index, struct life *ret_life, struct shop_row *ret_row)
{
    uint64_t state = seed ^ index * 0xd1342543de82ef95u;
    *ret_life = (struct life){0};
    draw_row(&state, index, ret_row);
    ret_life->fate = spoil(&state, index, ret_row);
    draw_way(&state, ret_life);
    if (ret_life->born_confirmed)
        ret_row->status = "confirmed";
}

void life_edit(uint64_t *state, struct shop_row *row)
{
    if (chance(state, 60) || row->quantity < 1 || row->quantity >= SHOP_QUANTITY_MAX)
        draw_address(state, row);
    else
        set_amounts(row, row->quantity + 1, row->unit_price);
}
