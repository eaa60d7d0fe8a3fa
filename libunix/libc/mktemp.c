/* SPDX-License-Identifier: MIT */
/*
 * Temporary files and folders with names that can't be guessed.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MKTEMP_LETTERS 6 /* at the place of as many X */
#define MKTEMP_TRIES 100

typedef int (*mktemp_fn_t)(const char *path, int flags);

static int
mktemp_open(const char *path, int flags)
{
    return open(path, O_RDWR | O_CREAT | O_EXCL | flags, 0600);
}

static int
mktemp_mkdir(const char *path, int flags)
{
    (void)flags;
    return mkdir(path, 0700);
}

/* Only sees that nothing has the name yet. */
static int
mktemp_look(const char *path, int flags)
{
    struct stat status;

    (void)flags;

    if (lstat(path, &status) == 0) {
        errno = EEXIST;
        return -1;
    }

    return (errno == ENOENT) ? 0 : -1;
}

static int
mktemp_try(char *path, int suffix, int flags, mktemp_fn_t function)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t length = strlen(path);
    unsigned char random[MKTEMP_LETTERS];
    char *place;
    int result;

    if (suffix < 0 || length < (size_t)suffix + MKTEMP_LETTERS) {
        errno = EINVAL;
        return -1;
    }

    place = path + length - (size_t)suffix - MKTEMP_LETTERS;

    if (strspn(place, "X") < MKTEMP_LETTERS) {
        errno = EINVAL;
        return -1;
    }

    for (int i = 0; i < MKTEMP_TRIES; i++) {
        if (getentropy(random, sizeof(random)) != 0) {
            return -1;
        }

        for (int j = 0; j < MKTEMP_LETTERS; j++) {
            place[j] = letters[random[j] % 64];
        }

        result = function(path, flags);

        if (result >= 0 || errno != EEXIST) {
            return result;
        }
    }

    return -1;
}

int
mkostemps(char *path, int suffix, int flags)
{
    return mktemp_try(path, suffix, flags & ~O_ACCMODE, mktemp_open);
}

int
mkostemp(char *path, int flags)
{
    return mkostemps(path, 0, flags);
}

int
mkstemps(char *path, int suffix)
{
    return mkostemps(path, suffix, 0);
}

int
mkstemp(char *path)
{
    return mkostemps(path, 0, 0);
}

char *
mkdtemp(char *path)
{
    return (mktemp_try(path, 0, 0, mktemp_mkdir) < 0) ? NULL : path;
}

char *
mktemp(char *path)
{
    if (mktemp_try(path, 0, 0, mktemp_look) < 0) {
        path[0] = '\0';
    }

    return path;
}
