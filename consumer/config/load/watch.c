#include "config/load/watch.h"

#include "config/load/load.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Identifies a file's content without reading it; all zero: no such file. */
struct look {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct reload {
    const struct config *config;
    size_t count;
    struct watched {
        struct look taken, last; /* as of the last report, and of the last look */
    } files[];
};

static struct look look_at(const char *path)
{
    struct look look;
    struct stat s;
    memset(&look, 0, sizeof look);
    if (stat(path, &s) == 0)
        look = (struct look){.device = s.st_dev, .inode = s.st_ino, .size = s.st_size, s.st_ctim};
    return look;
}

static bool same(const struct look *a, const struct look *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

struct reload *reload_new(const struct config *config)
{
    size_t count = config->secret_file_count;
    struct reload *r = calloc(1, sizeof *r + count * sizeof *r->files);
    if (r == NULL)
        return NULL;
    r->config = config;
    r->count = count;
    for (size_t i = 0; i < count; i++)
        r->files[i].taken = r->files[i].last = look_at(config->secret_files[i]);
    return r;
}

void reload_free(struct reload *r)
{
    free(r);
}

bool reload_look(struct reload *r)
{
    bool changed = false, moving = false;
    for (size_t i = 0; i < r->count; i++) {
        struct watched *file = &r->files[i];
        struct look now = look_at(r->config->secret_files[i]);
        moving |= !same(&now, &file->last);
        changed |= !same(&now, &file->taken);
        file->last = now;
    }
    if (!changed || moving)
        return false;
    for (size_t i = 0; i < r->count; i++)
        r->files[i].taken = r->files[i].last;
    return true;
}

void reload_note(struct reload *r)
{
    for (size_t i = 0; i < r->count; i++)
        r->files[i].taken = r->files[i].last = look_at(r->config->secret_files[i]);
}

struct config *reload_read(const struct config *from, unsigned needs, struct error *err)
{
    const struct config_origin *origin = &from->origin;
    struct config *config = config_new();
    if (config == NULL) {
        error_no_memory(err);
        return NULL;
    }
    if (config_load(config, origin->path, origin->environment, origin->sets, origin->set_count,
                    err) &&
        config_finish(config, needs, err))
        return config;
    config_free(config);
    return NULL;
}
