/* SPDX-License-Identifier: MIT */
/* Tables of descriptors: an array that grows by doubling. */

#include <stdlib.h>
#include <string.h>

#include "descriptor.h"
#include "lock.h"

#define DESCRIPTORS_MIN 16u

static uint32_t
descriptor_limit(const struct process *process)
{
    uint64_t limit = process->limits[UNIX_RLIMIT_NOFILE].cur;

    return limit < UNIX_OPEN_MAX ? (uint32_t)limit : UNIX_OPEN_MAX;
}

struct file *
descriptor_file(struct process *process, int fd)
{
    if (fd < 0 || (uint32_t)fd >= process->descriptor_count) {
        return NULL;
    }

    return process->descriptors[fd].file;
}

bool *
descriptor_flag(struct process *process, int fd)
{
    if (descriptor_file(process, fd) == NULL) {
        return NULL;
    }

    return &process->descriptors[fd].close_on_exec;
}

static bool
descriptor_grow(struct process *process, uint32_t least)
{
    uint32_t count = DESCRIPTORS_MIN;
    struct descriptor *table;

    while (count < least) {
        count *= 2;
    }

    table = realloc(process->descriptors, count * sizeof(*table));

    if (table == NULL) {
        return false;
    }

    memset(table + process->descriptor_count, 0,
           (count - process->descriptor_count) * sizeof(*table));
    process->descriptors = table;
    process->descriptor_count = count;
    return true;
}

static int
descriptor_set(struct process *process, struct file *file, uint32_t fd,
               bool close_on_exec)
{
    if (fd >= process->descriptor_count && !descriptor_grow(process, fd + 1)) {
        return ENOMEM;
    }

    process->descriptors[fd].file = file;
    process->descriptors[fd].close_on_exec = close_on_exec;
    return 0;
}

int
descriptor_install(struct process *process, struct file *file, int least,
                   bool close_on_exec, int *fdp)
{
    uint32_t limit = descriptor_limit(process);
    uint32_t fd = (uint32_t)least;
    int error;

    if (least < 0 || fd >= limit) {
        return EINVAL;
    }

    while (fd < process->descriptor_count &&
           process->descriptors[fd].file != NULL) {
        fd++;
    }

    if (fd >= limit) {
        return EMFILE;
    }

    error = descriptor_set(process, file, fd, close_on_exec);

    if (error == 0) {
        *fdp = (int)fd;
    }

    return error;
}

/* Empty a slot. POSIX: closing any descriptor of a file drops the process's
 * locks on it. */
static void
descriptor_clear(struct process *process, uint32_t fd)
{
    struct file *file = process->descriptors[fd].file;

    process->descriptors[fd].file = NULL;
    process->descriptors[fd].close_on_exec = false;

    if (file != NULL) {
        lock_release_process(file->vnode, process);
        file_unref(file);
    }
}

int
descriptor_install_at(struct process *process, struct file *file, int fd,
                      bool close_on_exec)
{
    if (fd < 0 || (uint32_t)fd >= descriptor_limit(process)) {
        return EBADF;
    }

    if ((uint32_t)fd < process->descriptor_count) {
        descriptor_clear(process, (uint32_t)fd);
    }

    return descriptor_set(process, file, (uint32_t)fd, close_on_exec);
}

int
descriptor_close(struct process *process, int fd)
{
    if (descriptor_file(process, fd) == NULL) {
        return EBADF;
    }

    descriptor_clear(process, (uint32_t)fd);
    return 0;
}

void
descriptor_close_all(struct process *process)
{
    uint32_t fd;

    for (fd = 0; fd < process->descriptor_count; fd++) {
        descriptor_clear(process, fd);
    }

    free(process->descriptors);
    process->descriptors = NULL;
    process->descriptor_count = 0;
}

void
descriptor_close_on_exec(struct process *process)
{
    uint32_t fd;

    for (fd = 0; fd < process->descriptor_count; fd++) {
        if (process->descriptors[fd].close_on_exec) {
            descriptor_clear(process, fd);
        }
    }
}

int
descriptor_copy_all(struct process *to, const struct process *from)
{
    uint32_t fd;

    if (from->descriptor_count == 0) {
        return 0;
    }

    to->descriptors = calloc(from->descriptor_count, sizeof(*to->descriptors));

    if (to->descriptors == NULL) {
        return ENOMEM;
    }

    to->descriptor_count = from->descriptor_count;

    for (fd = 0; fd < from->descriptor_count; fd++) {
        if (from->descriptors[fd].file != NULL) {
            to->descriptors[fd] = from->descriptors[fd];
            file_ref(to->descriptors[fd].file);
        }
    }

    return 0;
}
