/* SPDX-License-Identifier: MIT */
/*
 * The absolute path of a file, without symbolic links, "." and "..".
 */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* `done` is resolved, an absolute path without a slash at its end (the root
 * is empty); `rest` is still to come. */
struct resolve {
    char done[PATH_MAX];
    char rest[PATH_MAX];
    size_t length; /* of done */
    int links;
};

static int
resolve_init(struct resolve *resolve, const char *path)
{
    if (strlcpy(resolve->rest, path, sizeof(resolve->rest)) >=
        sizeof(resolve->rest)) {
        return ENAMETOOLONG;
    }

    resolve->done[0] = '\0';
    resolve->links = 0;

    if (path[0] != '/' && getcwd(resolve->done, PATH_MAX) == NULL) {
        return errno;
    }

    if (strcmp(resolve->done, "/") == 0) {
        resolve->done[0] = '\0';
    }

    resolve->length = strlen(resolve->done);
    return 0;
}

/* Put a link's target in front of what is still to come. */
static int
resolve_link(struct resolve *resolve, char *target, size_t length)
{
    size_t rest = strlen(resolve->rest);

    resolve->links++;

    if (resolve->links > SYMLOOP_MAX) {
        return ELOOP;
    }

    if (length + 1 + rest >= PATH_MAX) {
        return ENAMETOOLONG;
    }

    memmove(resolve->rest + length + 1, resolve->rest, rest + 1);
    memcpy(resolve->rest, target, length);
    resolve->rest[length] = '/';

    if (target[0] == '/') {
        resolve->length = 0;
        resolve->done[0] = '\0';
    }

    return 0;
}

/* Take one name from the rest. */
static int
resolve_step(struct resolve *resolve, const char *name, size_t length)
{
    size_t old = resolve->length;
    char target[PATH_MAX];
    ssize_t size;
    char *slash;

    if (length == 2 && name[0] == '.' && name[1] == '.') {
        slash = strrchr(resolve->done, '/');
        resolve->length = (slash != NULL) ? (size_t)(slash - resolve->done) : 0;
        resolve->done[resolve->length] = '\0';
        return 0;
    }

    if (old + 1 + length >= PATH_MAX) {
        return ENAMETOOLONG;
    }

    resolve->done[old] = '/';
    memcpy(resolve->done + old + 1, name, length);
    resolve->length = old + 1 + length;
    resolve->done[resolve->length] = '\0';
    size = readlink(resolve->done, target, sizeof(target) - 1);

    if (size < 0) {
        return (errno == EINVAL) ? 0 : errno;
    }

    resolve->length = old;
    resolve->done[old] = '\0';
    return resolve_link(resolve, target, (size_t)size);
}

static int
resolve_all(struct resolve *resolve)
{
    char name[PATH_MAX];
    size_t skip, length;
    int error;

    for (;;) {
        skip = strspn(resolve->rest, "/");
        length = strcspn(resolve->rest + skip, "/");

        if (length == 0) {
            return 0;
        }

        memcpy(name, resolve->rest + skip, length);
        memmove(resolve->rest, resolve->rest + skip + length,
                strlen(resolve->rest + skip + length) + 1);

        if (length == 1 && name[0] == '.') {
            continue;
        }

        error = resolve_step(resolve, name, length);

        if (error != 0) {
            return error;
        }
    }
}

char *
realpath(const char *restrict path, char *restrict result)
{
    struct resolve resolve;
    int error;

    if (path == NULL || path[0] == '\0') {
        errno = (path == NULL) ? EINVAL : ENOENT;
        return NULL;
    }

    error = resolve_init(&resolve, path);

    if (error == 0) {
        error = resolve_all(&resolve);
    }

    if (error != 0) {
        errno = error;
        return NULL;
    }

    if (resolve.length == 0) {
        strcpy(resolve.done, "/");
    }

    if (result == NULL) {
        return strdup(resolve.done);
    }

    return strcpy(result, resolve.done);
}
