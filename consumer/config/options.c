/* options: the table of options, and their names. */
#include "config/config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum option_type { IS_TEXT, IS_SECRET, IS_SWITCH, IS_COUNT, IS_DURATION, IS_SIZE, IS_CHOICE };

const struct config_option config_options[] = {
#define X(member, option_name, option_type, default_text, least, most, words, help_text) \
    {.name = option_name,                                                                \
     .type = #option_type,                                                               \
     .fallback = default_text,                                                           \
     .allowed = words,                                                                   \
     .help = help_text,                                                                  \
     .min = least,                                                                       \
     .max = most,                                                                        \
     .secret = IS_##option_type == IS_SECRET},
    CONFIG_OPTIONS(X)
#undef X
};

const size_t config_option_count = sizeof config_options / sizeof *config_options;

bool config_name_is_plain(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return len > 0 && len < CONFIG_NAME_MAX && name[len] == '\0';
}

const char *config_environment_name(const char *name, char *text, size_t size)
{
    snprintf(text, size, "%s", name);
    for (char *c = text; *c != '\0'; c++)
        *c = (char)(*c == '.' ? '_' : toupper((unsigned char)*c));
    return text;
}
