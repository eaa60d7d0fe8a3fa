/* SPDX-License-Identifier: MIT */
/*
 * Directories as streams of entries. The position of a stream is the cookie
 * of its next entry (d_off of the one before), so seekdir() needs no table.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <unix/unix_file.h>

#include "call.h"

struct __dirstream {
    int fd;
    off_t position; /* cookie of the next entry */
    size_t at;      /* where it stands in data */
    size_t end;
    char data[UNIX_INLINE_MAX] __attribute__((aligned(8)));
};

_Static_assert(offsetof(struct dirent, d_name) == UNIX_DIRENT_NAME, "ABI");

static DIR *
dir_create(int fd)
{
    DIR *dir = malloc(sizeof(*dir));

    if (dir != NULL) {
        dir->fd = fd;
        dir->position = 0;
        dir->at = 0;
        dir->end = 0;
    }

    return dir;
}

DIR *
opendir(const char *path)
{
    DIR *dir;
    int fd;

    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        return NULL;
    }

    dir = dir_create(fd);

    if (dir == NULL) {
        close(fd);
    }

    return dir;
}

DIR *
fdopendir(int fd)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return NULL;
    }

    if (!S_ISDIR(status.st_mode)) {
        errno = ENOTDIR;
        return NULL;
    }

    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return dir_create(fd);
}

int
closedir(DIR *dir)
{
    int fd = dir->fd;

    free(dir);
    return close(fd);
}

int
fdclosedir(DIR *dir)
{
    int fd = dir->fd;

    free(dir);
    return fd;
}

int
dirfd(DIR *dir)
{
    return dir->fd;
}

/* Returns 0 and no entry at the end. */
static int
dir_next(DIR *dir, struct dirent **entryp)
{
    mach_msg_type_number_t count = sizeof(dir->data);
    struct dirent *entry;
    kern_return_t kr;

    *entryp = NULL;

    if (dir->at >= dir->end) {
        kr = UNIX_CALL(unix_getdents(unix_port, dir->fd, sizeof(dir->data),
                                     dir->data, &count));

        if (kr != KERN_SUCCESS) {
            return unix_errno(kr);
        }

        dir->at = 0;
        dir->end = count;

        if (count == 0) {
            return 0;
        }
    }

    entry = (struct dirent *)(void *)(dir->data + dir->at);
    dir->at += entry->d_reclen;
    dir->position = entry->d_off;
    *entryp = entry;
    return 0;
}

struct dirent *
readdir(DIR *dir)
{
    struct dirent *entry;
    int error = dir_next(dir, &entry);

    if (error != 0) {
        errno = error;
    }

    return entry;
}

int
readdir_r(DIR *dir, struct dirent *result, struct dirent **resultp)
{
    struct dirent *entry;
    int error = dir_next(dir, &entry);

    *resultp = NULL;

    if (error == 0 && entry != NULL) {
        memcpy(result, entry, entry->d_reclen);
        *resultp = result;
    }

    return error;
}

long
telldir(DIR *dir)
{
    return dir->position;
}

void
seekdir(DIR *dir, long position)
{
    lseek(dir->fd, position, SEEK_SET);
    dir->position = position;
    dir->at = 0;
    dir->end = 0;
}

void
rewinddir(DIR *dir)
{
    seekdir(dir, 0);
}

int
alphasort(const struct dirent **a, const struct dirent **b)
{
    return strcoll((*a)->d_name, (*b)->d_name);
}

int
versionsort(const struct dirent **a, const struct dirent **b)
{
    return strverscmp((*a)->d_name, (*b)->d_name);
}

struct dir_list {
    struct dirent **entries;
    size_t count;
    size_t size;
};

static int
dir_list_add(struct dir_list *list, const struct dirent *entry)
{
    struct dirent **entries;
    struct dirent *copy;
    size_t size;

    if (list->count == list->size) {
        size = (list->size != 0) ? 2 * list->size : 32;
        entries = realloc(list->entries, size * sizeof(*entries));

        if (entries == NULL) {
            return ENOMEM;
        }

        list->entries = entries;
        list->size = size;
    }

    copy = malloc(entry->d_reclen);

    if (copy == NULL) {
        return ENOMEM;
    }

    list->entries[list->count] = memcpy(copy, entry, entry->d_reclen);
    list->count++;
    return 0;
}

static int
dir_list_fill(struct dir_list *list, DIR *dir,
              int (*filter)(const struct dirent *))
{
    struct dirent *entry;
    int error;

    for (;;) {
        error = dir_next(dir, &entry);

        if (error != 0 || entry == NULL) {
            return error;
        }

        if (filter != NULL && filter(entry) == 0) {
            continue;
        }

        error = dir_list_add(list, entry);

        if (error != 0) {
            return error;
        }
    }
}

int
scandir(const char *path, struct dirent ***entriesp,
        int (*filter)(const struct dirent *),
        int (*compare)(const struct dirent **, const struct dirent **))
{
    struct dir_list list = { NULL, 0, 0 };
    DIR *dir = opendir(path);
    int error;

    if (dir == NULL) {
        return -1;
    }

    error = dir_list_fill(&list, dir, filter);
    closedir(dir);

    if (error != 0) {
        while (list.count > 0) {
            list.count--;
            free(list.entries[list.count]);
        }

        free(list.entries);
        errno = error;
        return -1;
    }

    if (compare != NULL && list.count > 1) {
        qsort(list.entries, list.count, sizeof(*list.entries),
              (int (*)(const void *, const void *))(void (*)(void))compare);
    }

    *entriesp = list.entries;
    return (int)list.count;
}
