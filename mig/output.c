/*
 * SPDX-License-Identifier: MIT
 *
 * A rename within one directory cannot be half done, and what may fail (no
 * space, no permission) fails before the first of them.
 */

#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pool.h"

struct output_file {
    struct output_file *next;
    const char *path;
    const char *temporary;
    const struct text *text;
    bool written;
};

static struct output_file *output_files;

void
output_setup(void)
{
    output_files = NULL;
}

void
output_add(const char *path, const struct text *text)
{
    struct output_file *file;

    if (path == NULL || strcmp(path, "/dev/null") == 0) {
        return;
    }

    file = pool_alloc(sizeof(*file));
    file->path = path;
    file->temporary = pool_printf("%s.tmp%ld", path, (long)getpid());
    file->text = text;
    file->next = output_files;
    output_files = file;
}

static bool
output_write(struct output_file *file)
{
    FILE *stream;
    size_t length;
    bool good;

    stream = fopen(file->temporary, "w");

    if (stream == NULL) {
        return false;
    }

    file->written = true;
    length = file->text->length;
    good =
        (length == 0 || fwrite(file->text->data, 1, length, stream) == length);
    return (fclose(stream) == 0) && good;
}

static void
output_discard(void)
{
    struct output_file *file;

    for (file = output_files; file != NULL; file = file->next) {
        if (file->written) {
            unlink(file->temporary);
        }
    }
}

bool
output_commit(void)
{
    struct output_file *file;

    for (file = output_files; file != NULL; file = file->next) {
        if (!output_write(file)) {
            fprintf(stderr, "migcom: cannot write %s: %s\n", file->path,
                    strerror(errno));
            output_discard();
            return false;
        }
    }

    for (file = output_files; file != NULL; file = file->next) {
        if (rename(file->temporary, file->path) != 0) {
            fprintf(stderr, "migcom: cannot write %s: %s\n", file->path,
                    strerror(errno));
            output_discard();
            return false;
        }

        file->written = false;
    }

    return true;
}
