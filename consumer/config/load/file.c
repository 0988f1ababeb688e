#include "base/slice.h"
#include "config/load/load_internal.h"
#include "config/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KIB = 1024, SECRET_MAX = 64 * KIB, SHOWN_MAX = 160 };

/* The stream's text with a NUL behind it; an error does not name the file. */
static char *read_stream(FILE *file, size_t limit, size_t *ret_len, struct error *err)
{
    char *text = malloc(limit + 1);
    if (text == NULL) {
        error_no_memory(err);
        return NULL;
    }
    size_t len = fread(text, 1, limit + 1, file);
    if (ferror(file) == 0 && len <= limit) {
        text[len] = '\0';
        *ret_len = len;
        return text;
    }
    if (ferror(file) != 0)
        error_set(err, ERROR_CONFIG, "cannot be read: %s", strerror(errno));
    else
        error_set(err, ERROR_CONFIG, "is larger than %zu KiB", limit / KIB);
    free(text);
    return NULL;
}

/* As read_stream; *ret_opened: the file exists and could be opened. */
static char *read_path(const char *path, size_t limit, size_t *ret_len, bool *ret_opened,
                       struct error *err)
{
    FILE *file = fopen(path, "re");
    *ret_opened = file != NULL;
    if (file == NULL && errno == EACCES) {
        error_set(err, ERROR_CONFIG,
                  "cannot be read: %s; this process runs as user %u, which must own the file or "
                  "share its group",
                  strerror(EACCES), (unsigned)geteuid());
        return NULL;
    }
    if (file == NULL) {
        error_set(err, ERROR_CONFIG, "cannot be read: %s", strerror(errno));
        return NULL;
    }
    char *text = read_stream(file, limit, ret_len, err);
    fclose(file);
    return text;
}

struct config_file_rights config_file_rights_of_others(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return (struct config_file_rights){false, false};
    return (struct config_file_rights){(status.st_mode & S_IROTH) != 0,
                                       (status.st_mode & S_IWOTH) != 0};
}

char *config_file_read(const char *path, size_t limit, size_t *ret_len, struct error *err)
{
    char shown[SHOWN_MAX];
    struct error why = {0};
    bool opened;
    char *text = read_path(path, limit, ret_len, &opened, &why);
    if (text == NULL)
        error_set(err, why.code, "%s: %s", config_show(path, shown, sizeof shown), why.text);
    return text;
}

/* Removes the bytes that editors add around a secret, and refuses bytes that no secret contains. */
static bool clean_secret(char *text, size_t len, struct error *err)
{
    static const char bom[] = "\xef\xbb\xbf";
    const size_t bom_len = sizeof bom - 1;
    size_t from = len >= bom_len && memcmp(text, bom, bom_len) == 0 ? bom_len : 0;
    if (len > from && text[len - 1] == '\n') {
        len--;
        if (len > from && text[len - 1] == '\r')
            len--;
    }
    if (len == from)
        return error_set(err, ERROR_CONFIG, "is empty");
    for (size_t i = from; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return error_set(err, ERROR_CONFIG, "contains a control character or a second line");
    memmove(text, text + from, len - from);
    text[len - from] = '\0';
    return true;
}

char *config_file_read_secret(const char *path, const char *variable, struct error *err)
{
    char shown[SHOWN_MAX];
    struct error why = {0};
    size_t len = 0;
    bool opened;
    char *text = read_path(path, SECRET_MAX, &len, &opened, &why);
    if (text != NULL && clean_secret(text, len, &why))
        return text;
    free(text);
    const char *file =
        opened || *path == '/' ? config_show(path, shown, sizeof shown) : "the file it names";
    error_set(err, why.code, "%s: %s %s", variable, file, why.text);
    return NULL;
}

/* A container's runtime makes secret files readable for all inside it, where there are no other
 * users.
 */
static bool is_mounted(const char *path)
{
    return has_prefix(path, "/run/secrets/");
}

void config_warn_of_public(struct config *config, const char *path, const char *name)
{
    char shown[160];
    struct config_file_rights others = config_file_rights_of_others(path);
    if (!others.write && (!others.read || is_mounted(path)))
        return;
    config_warn(config,
                "%s: %s can be %s by every user of this machine; chmod 600 it (640 with the "
                "group of the program's user)",
                name, config_show(path, shown, sizeof shown),
                !others.write  ? "read"
                : !others.read ? "changed"
                               : "read and changed");
}
