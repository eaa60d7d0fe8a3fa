/* SPDX-License-Identifier: MIT */
/* The routines of unix_file.defs that neither read, write nor poll. */

#include <string.h>

#include <mach/mach.h>

#include <unix/unix_file_server.h>
#include <unix/unix_reply.h>

#include "call.h"
#include "descriptor.h"
#include "lock.h"
#include "pipe.h"
#include "vnode.h"

#define FILE_VERSION 1
#define FILE_FLAGS_SETTABLE (UNIX_O_APPEND | UNIX_O_NONBLOCK | UNIX_O_SYNC)

kern_return_t
do_unix_file_version(process_t process, uint32_t *version)
{
    (void)process;
    *version = FILE_VERSION;
    return KERN_SUCCESS;
}

/* The vnode behind a descriptor; null with *errorp: EBADF, EINVAL (a pipe). */
static struct vnode *
file_vnode(process_t process, int fd, int *errorp)
{
    struct file *file = descriptor_file(process, fd);

    *errorp = file == NULL ? EBADF : EINVAL;
    return file == NULL ? NULL : file->vnode;
}

/* -- Offsets and descriptors ----------------------------------------------- */

kern_return_t
do_unix_seek(process_t process, int32_t fd, int32_t whence, int64_t offset,
             int64_t *position)
{
    struct file *file = descriptor_file(process, fd);
    int64_t base;

    if (file == NULL) {
        return unix_result(EBADF);
    }

    if (!file->ops->seekable) {
        return unix_result(ESPIPE);
    }

    switch (whence) {
    case UNIX_SEEK_SET:
        base = 0;
        break;
    case UNIX_SEEK_CUR:
        base = file->offset;
        break;
    case UNIX_SEEK_END:
        base = (int64_t)file->vnode->size;
        break;
    default:
        return unix_result(EINVAL);
    }

    if (__builtin_add_overflow(base, offset, &base)) {
        return unix_result(EOVERFLOW);
    }

    if (base < 0) {
        return unix_result(EINVAL);
    }

    file->offset = base;
    *position = base;
    return KERN_SUCCESS;
}

kern_return_t
do_unix_close(process_t process, int32_t fd)
{
    return unix_result(descriptor_close(process, fd));
}

kern_return_t
do_unix_dup2(process_t process, int32_t fd, int32_t to, int32_t flags,
             int32_t *result)
{
    struct file *file = descriptor_file(process, fd);
    int error;

    if (file == NULL) {
        return unix_result(EBADF);
    }

    *result = to;

    if (fd == to) {
        return KERN_SUCCESS;
    }

    file_ref(file);
    error =
        descriptor_install_at(process, file, to, (flags & UNIX_O_CLOEXEC) != 0);

    if (error != 0) {
        file_unref(file);
    }

    return unix_result(error);
}

static int
file_duplicate(process_t process, struct file *file, int least, bool cloexec,
               int *resultp)
{
    int error;

    error = descriptor_install(process, file, least, cloexec, resultp);

    if (error == 0) {
        file_ref(file);
    }

    return error;
}

kern_return_t
do_unix_fcntl(process_t process, int32_t fd, int32_t command, int32_t argument,
              int32_t *result)
{
    struct file *file = descriptor_file(process, fd);
    bool *flag = descriptor_flag(process, fd);

    if (file == NULL) {
        return unix_result(EBADF);
    }

    *result = 0;

    switch (command) {
    case UNIX_F_DUPFD:
    case UNIX_F_DUPFD_CLOEXEC:
        return unix_result(file_duplicate(
            process, file, argument, command == UNIX_F_DUPFD_CLOEXEC, result));
    case UNIX_F_GETFD:
        *result = *flag ? UNIX_FD_CLOEXEC : 0;
        return KERN_SUCCESS;
    case UNIX_F_SETFD:
        *flag = (argument & UNIX_FD_CLOEXEC) != 0;
        return KERN_SUCCESS;
    case UNIX_F_GETFL:
        *result = (int32_t)file->flags;
        return KERN_SUCCESS;
    case UNIX_F_SETFL:
        file->flags = (file->flags & ~(uint32_t)FILE_FLAGS_SETTABLE) |
                      ((uint32_t)argument & FILE_FLAGS_SETTABLE);
        return KERN_SUCCESS;
    case UNIX_F_GETOWN:
        *result = file->owner;
        return KERN_SUCCESS;
    case UNIX_F_SETOWN:
        file->owner = argument;
        return KERN_SUCCESS;
    default:
        return unix_result(EINVAL);
    }
}

kern_return_t
do_unix_pipe(process_t process, int32_t flags, int32_t *read_fd,
             int32_t *write_fd)
{
    bool cloexec = (flags & UNIX_O_CLOEXEC) != 0;
    struct file *read;
    struct file *write;
    int error;

    error = pipe_create((uint32_t)flags & UNIX_O_NONBLOCK, &read, &write);

    if (error != 0) {
        return unix_result(error);
    }

    error = descriptor_install(process, read, 0, cloexec, read_fd);

    if (error != 0) {
        file_unref(read);
        file_unref(write);
        return unix_result(error);
    }

    error = descriptor_install(process, write, 0, cloexec, write_fd);

    if (error != 0) {
        (void)descriptor_close(process, *read_fd);
        file_unref(write);
    }

    return unix_result(error);
}

/* -- Record locks ---------------------------------------------------------- */

struct lock_call {
    struct call call;
    struct file *file; /* reference */
    struct lock_range range;
    struct unix_flock lock;
};

static bool
lock_attempt(struct call *call)
{
    struct lock_call *lock = list_entry(call, struct lock_call, call);
    int error;

    error = lock_set(lock->file->vnode, call->process, &lock->range);

    if (error == EAGAIN) {
        return false;
    }

    if (error != 0) {
        call_answer(call, error);
        return true;
    }

    (void)unix_lock_reply(call->reply.port, call->reply.type, KERN_SUCCESS,
                          lock->lock);
    call_answered(call);
    return true;
}

static void
lock_call_release(struct call *call)
{
    file_unref(list_entry(call, struct lock_call, call)->file);
}

static const struct call_ops lock_call_ops = {
    .attempt = lock_attempt,
    .release = lock_call_release,
};

static int
lock_park(process_t process, const struct reply *reply, struct file *file,
          const struct lock_range *range, const struct unix_flock *flock)
{
    struct lock_call *lock;
    int error;

    error = call_check_signals(process, UNIX_ERESTART);

    if (error != 0) {
        return error;
    }

    lock = call_create(sizeof(*lock), &lock_call_ops, process, reply);

    if (lock == NULL) {
        return ENOLCK;
    }

    lock->call.interrupted = UNIX_ERESTART;
    lock->file = file_ref(file);
    lock->range = *range;
    lock->lock = *flock;
    call_wait(&lock->call, &lock->call.wait, lock_queue());
    return 0;
}

/* The range that a struct flock names. */
static int
lock_decode(const struct file *file, const struct unix_flock *flock,
            struct lock_range *range)
{
    int64_t base = 0;
    int64_t end;

    if (flock->whence == UNIX_SEEK_CUR) {
        base = file->offset;
    } else if (flock->whence == UNIX_SEEK_END) {
        base = (int64_t)file->vnode->size;
    } else if (flock->whence != UNIX_SEEK_SET) {
        return EINVAL;
    }

    if (flock->type < UNIX_F_RDLCK || flock->type > UNIX_F_UNLCK ||
        __builtin_add_overflow(base, flock->start, &base)) {
        return EINVAL;
    }

    if (flock->length == 0) {
        end = INT64_MAX;
    } else if (__builtin_add_overflow(base, flock->length, &end)) {
        return EOVERFLOW;
    }

    range->type = flock->type;
    range->start = base < end ? base : end;
    range->end = base < end ? end : base;
    return range->start < 0 ? EINVAL : 0;
}

static void
lock_get(struct file *file, process_t process, struct lock_range *range,
         unix_flock_t *result)
{
    result->pid = lock_test(file->vnode, process, range);

    if (result->pid == 0) {
        result->type = UNIX_F_UNLCK;
        return;
    }

    result->type = (int16_t)range->type;
    result->whence = UNIX_SEEK_SET;
    result->start = range->start;
    result->length = range->end == INT64_MAX ? 0 : range->end - range->start;
}

/* A lock to read needs a file that is open to read; so for writing. */
static int
lock_check(const struct file *file, const struct lock_range *range)
{
    if ((range->type == UNIX_F_RDLCK && !file_readable(file)) ||
        (range->type == UNIX_F_WRLCK && !file_writable(file))) {
        return EBADF;
    }

    return 0;
}

kern_return_t
do_unix_lock(process_t process, mach_port_t reply,
             mach_msg_type_name_t replyPoly, int32_t fd, int32_t command,
             unix_flock_t lock, unix_flock_t *old_lock)
{
    struct reply where = reply_make(reply, replyPoly);
    struct file *file = descriptor_file(process, fd);
    struct lock_range range;
    int error;

    if (file == NULL) {
        return unix_result(EBADF);
    }

    if (file->vnode == NULL) {
        return unix_result(EINVAL);
    }

    error = lock_decode(file, &lock, &range);

    if (error != 0) {
        return unix_result(error);
    }

    *old_lock = lock;

    if (command == UNIX_F_GETLK) {
        lock_get(file, process, &range, old_lock);
        return KERN_SUCCESS;
    }

    error = lock_check(file, &range);

    if (error == 0) {
        error = lock_set(file->vnode, process, &range);
    }

    if (error == EAGAIN && command == UNIX_F_SETLKW) {
        error = lock_park(process, &where, file, &range, &lock);

        if (error == 0) {
            return MIG_NO_REPLY;
        }
    }

    return unix_result(error);
}

/* -- Attributes ------------------------------------------------------------ */

/* What fstat says of a pipe. */
static void
file_stat_pipe(process_t process, unix_stat_t *status)
{
    memset(status, 0, sizeof(*status));
    status->mode = UNIX_S_IFIFO | 0600;
    status->nlink = 1;
    status->uid = process->cred.euid;
    status->gid = process->cred.egid;
    status->blksize = UNIX_PIPE_BUF;
}

kern_return_t
do_unix_fstat(process_t process, int32_t fd, unix_stat_t *status)
{
    struct file *file = descriptor_file(process, fd);

    if (file == NULL) {
        return unix_result(EBADF);
    }

    if (file->vnode == NULL) {
        file_stat_pipe(process, status);
    } else {
        vnode_stat(file->vnode, status);
    }

    return KERN_SUCCESS;
}

kern_return_t
do_unix_fstatvfs(process_t process, int32_t fd, unix_statvfs_t *status)
{
    struct vnode *vnode;
    int error;

    vnode = file_vnode(process, fd, &error);

    if (vnode == NULL) {
        return unix_result(error);
    }

    vnode->fs->statvfs(vnode->fs, status);
    return KERN_SUCCESS;
}

kern_return_t
do_unix_ftruncate(process_t process, int32_t fd, int64_t size)
{
    struct file *file = descriptor_file(process, fd);

    if (file == NULL) {
        return unix_result(EBADF);
    }

    if (!file_writable(file) || file->vnode == NULL) {
        return unix_result(EINVAL);
    }

    return unix_result(vnode_truncate(file->vnode, size));
}

kern_return_t
do_unix_fsync(process_t process, int32_t fd)
{
    struct vnode *vnode;
    int error;

    /* Memory is all that there is behind a file. */
    vnode = file_vnode(process, fd, &error);
    return vnode == NULL ? unix_result(error) : KERN_SUCCESS;
}

kern_return_t
do_unix_fchmod(process_t process, int32_t fd, uint32_t mode)
{
    struct vnode *vnode;
    int error;

    vnode = file_vnode(process, fd, &error);
    return unix_result(
        vnode == NULL ? error : vnode_chmod(vnode, &process->cred, mode));
}

kern_return_t
do_unix_fchown(process_t process, int32_t fd, uint32_t uid, uint32_t gid)
{
    struct vnode *vnode;
    int error;

    vnode = file_vnode(process, fd, &error);
    return unix_result(
        vnode == NULL ? error : vnode_chown(vnode, &process->cred, uid, gid));
}

kern_return_t
do_unix_futimens(process_t process, int32_t fd, unix_timespec_t atime,
                 unix_timespec_t mtime)
{
    struct vnode *vnode;
    int error;

    vnode = file_vnode(process, fd, &error);
    return unix_result(
        vnode == NULL ? error
                      : vnode_utimens(vnode, &process->cred, &atime, &mtime));
}

kern_return_t
do_unix_fchdir(process_t process, int32_t fd)
{
    struct vnode *vnode;
    int error;

    vnode = file_vnode(process, fd, &error);

    if (vnode == NULL) {
        return unix_result(error == EINVAL ? ENOTDIR : error);
    }

    if (!vnode_is_directory(vnode)) {
        return unix_result(ENOTDIR);
    }

    error = vnode_access(vnode, &process->cred, UNIX_X_OK);

    if (error == 0) {
        vnode_ref(vnode);
        vnode_unref(process->cwd);
        process->cwd = vnode;
    }

    return unix_result(error);
}

kern_return_t
do_unix_available(process_t process, int32_t fd, int64_t *size)
{
    struct file *file = descriptor_file(process, fd);

    if (file == NULL) {
        return unix_result(EBADF);
    }

    *size = file->ops->available != NULL ? file->ops->available(file) : 0;
    return KERN_SUCCESS;
}

/* -- Directories ----------------------------------------------------------- */

/* Cookies of "." and "..", which no file system keeps; those of the others
 * are two more than the file system's. */
#define COOKIE_DOT 1
#define COOKIE_DOT_DOT 2

static bool
getdents_next(struct vnode *directory, int64_t cookie,
              struct directory_entry *entry)
{
    entry->type = UNIX_DIRENT_TYPE(UNIX_S_IFDIR);
    entry->ino = directory->ino;
    entry->name = "..";

    if (cookie < COOKIE_DOT) {
        entry->length = 1;
        entry->next = COOKIE_DOT;
        return true;
    }

    if (cookie < COOKIE_DOT_DOT) {
        struct vnode *parent;

        if (directory->ops->parent(directory, &parent) == 0) {
            entry->ino = parent->ino;
            vnode_unref(parent);
        }

        entry->length = 2;
        entry->next = COOKIE_DOT_DOT;
        return true;
    }

    if (!directory->ops->readdir(directory, cookie - COOKIE_DOT_DOT, entry)) {
        return false;
    }

    entry->next += COOKIE_DOT_DOT;
    return true;
}

/* Write one entry; 0: it does not fit. */
static size_t
getdents_put(char *data, size_t room, const struct directory_entry *entry)
{
    size_t length = (UNIX_DIRENT_NAME + entry->length + 1 + 7) & ~(size_t)7;
    struct unix_dirent head;

    if (length > room) {
        return 0;
    }

    memset(data, 0, length);
    head.ino = entry->ino;
    head.next = entry->next;
    head.reclen = (uint16_t)length;
    head.type = entry->type;
    memcpy(data, &head, UNIX_DIRENT_NAME);
    memcpy(data + UNIX_DIRENT_NAME, entry->name, entry->length);
    return length;
}

kern_return_t
do_unix_getdents(process_t process, int32_t fd, uint32_t size, unix_data_t data,
                 mach_msg_type_number_t *dataCnt)
{
    struct file *file = descriptor_file(process, fd);
    struct directory_entry entry;
    size_t done = 0;

    if (file == NULL || !file_readable(file)) {
        return unix_result(EBADF);
    }

    if (file->vnode == NULL || !vnode_is_directory(file->vnode)) {
        return unix_result(ENOTDIR);
    }

    if (size > UNIX_INLINE_MAX) {
        size = UNIX_INLINE_MAX;
    }

    while (getdents_next(file->vnode, file->offset, &entry)) {
        size_t put = getdents_put(data + done, size - done, &entry);

        if (put == 0) {
            if (done == 0) {
                return unix_result(EINVAL);
            }

            break;
        }

        done += put;
        file->offset = entry.next;
    }

    vnode_touch(file->vnode, VNODE_ATIME);
    *dataCnt = (mach_msg_type_number_t)done;
    return KERN_SUCCESS;
}
