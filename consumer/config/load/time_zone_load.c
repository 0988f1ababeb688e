#include "config/load/time_zone_load.h"

#include "base/time_zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BEGIN_S INT64_C(631065600) /* 1989-12-31 */
#define END_S INT64_C(4102531200)  /* 2100-01-02 */
#define DAY_S INT64_C(86400)

enum { NAME_MAX_LEN = 64 };

static struct time_zone loaded;
static char loaded_name[NAME_MAX_LEN];

static int32_t offset_at(int64_t at_s)
{
    time_t at = (time_t)at_s;
    struct tm local = {0};
    return localtime_r(&at, &local) != NULL ? (int32_t)local.tm_gmtoff : 0;
}

/* The first second after `from_s`, and at most `to_s`, that has the offset of `to_s`. */
static int64_t find_change(int64_t from_s, int64_t to_s)
{
    int32_t after = offset_at(to_s);
    while (to_s - from_s > 1) {
        int64_t middle = from_s + (to_s - from_s) / 2;
        *(offset_at(middle) == after ? &to_s : &from_s) = middle;
    }
    return to_s;
}

static void read_spans(struct time_zone *zone)
{
    zone->spans[0] = (struct time_zone_span){BEGIN_S, offset_at(BEGIN_S)};
    zone->count = 1;
    for (int64_t at_s = BEGIN_S + DAY_S; at_s < END_S; at_s += DAY_S) {
        int32_t offset = offset_at(at_s);
        if (offset == zone->spans[zone->count - 1].offset_s || zone->count == TIME_ZONE_SPANS_MAX)
            continue;
        zone->spans[zone->count++] =
            (struct time_zone_span){find_change(at_s - DAY_S, at_s), offset};
    }
}

static void read_zone(const char *name)
{
    const char *set = getenv("TZ"); /* before any thread starts */
    char *before = set != NULL ? strdup(set) : NULL;
    if (setenv("TZ", name, 1) == 0) {
        tzset();
        read_spans(&loaded);
        snprintf(loaded_name, sizeof loaded_name, "%s", name);
    }
    if (before != NULL)
        (void)setenv("TZ", before, 1);
    else
        (void)unsetenv("TZ");
    tzset();
    free(before);
}

/* The C library silently takes an unknown name for UTC, so the database is searched for it. */
static bool is_known(const char *name)
{
    static const char *const folders[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo",
                                          "/etc/zoneinfo"};
    char path[256], magic[4] = "";
    bool known = false;
    for (size_t i = 0; !known && i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", folders[i], name);
        FILE *file = fopen(path, "rb");
        if (file == NULL)
            continue;
        known = fread(magic, 1, sizeof magic, file) == sizeof magic &&
                memcmp(magic, "TZif", sizeof magic) == 0;
        fclose(file);
    }
    return known;
}

bool time_zone_load(struct config *config, struct error *err)
{
    const char *name = config->payload_time_zone;
    config->zone = NULL;
    if (strcmp(name, "UTC") == 0)
        return true;
    bool well_formed = name[0] != '/' && strstr(name, "..") == NULL &&
                       name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789_+-/")] == '\0';
    if (!well_formed || strlen(name) >= NAME_MAX_LEN || !is_known(name))
        return error_set(err, ERROR_CONFIG,
                         "%s: payload.time_zone: \"%.60s\" is not in the system's time zone "
                         "database; write an IANA name such as Africa/Algiers (package tzdata)",
                         config->time_zone_origin, name);
    if (loaded_name[0] == '\0')
        read_zone(name);
    if (loaded.count == 0)
        return error_no_memory(err);
    config->zone = &loaded;
    return true;
}
