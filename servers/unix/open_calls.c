/* SPDX-License-Identifier: MIT */
/*
 * open. It waits for the other side of a FIFO, and for a device of which it is
 * not known yet whether it is there.
 */

#include <mach/mach.h>

#include <unix/unix_directory_server.h>
#include <unix/unix_reply.h>

#include "call.h"
#include "descriptor.h"
#include "device.h"
#include "directory_calls.h"
#include "pipe.h"

struct open_call {
    struct call call;
    struct vnode *vnode; /* reference: a device that is not known yet */
    struct file *file;   /* reference: a FIFO that waits for its other side */
    uint32_t flags;
};

static int
open_install(struct process *process, struct file *file, uint32_t flags,
             int *fdp)
{
    return descriptor_install(process, file, 0, (flags & UNIX_O_CLOEXEC) != 0,
                              fdp);
}

static bool
open_attempt(struct call *call)
{
    struct open_call *open = list_entry(call, struct open_call, call);
    int error = 0;
    int fd;

    if (open->file == NULL) {
        error = file_open(call->process, open->vnode, open->flags, &open->file);
    } else if (!pipe_open_complete(open->file)) {
        error = EAGAIN;
    }

    if (error == EAGAIN) {
        return false;
    }

    if (error == 0) {
        error = open_install(call->process, open->file, open->flags, &fd);
    }

    if (error != 0) {
        call_answer(call, error);
        return true;
    }

    open->file = NULL;
    (void)unix_open_reply(call->reply.port, call->reply.type, KERN_SUCCESS, fd);
    call_answered(call);
    return true;
}

static void
open_release(struct call *call)
{
    struct open_call *open = list_entry(call, struct open_call, call);

    if (open->file != NULL) {
        file_unref(open->file);
    }

    vnode_unref(open->vnode);
}

static const struct call_ops open_call_ops = {
    .attempt = open_attempt,
    .release = open_release,
};

/* Takes the file's reference when it succeeds. */
static int
open_park(process_t process, const struct reply *reply, struct vnode *vnode,
          struct file *file, uint32_t flags)
{
    struct open_call *open;
    struct wait_queue *queue;
    int error;

    error = call_check_signals(process, UNIX_ERESTART);

    if (error != 0) {
        return error;
    }

    queue = file != NULL ? file->ops->queue(file, file_writable(file))
                         : device_wait_queue(vnode);
    open = call_create(sizeof(*open), &open_call_ops, process, reply);

    if (open == NULL) {
        return ENOMEM;
    }

    open->call.interrupted = UNIX_ERESTART;
    open->vnode = vnode_ref(vnode);
    open->file = file;
    open->flags = flags;
    call_wait(&open->call, &open->call.wait, queue);
    return 0;
}

/* What the flags want of an existing file. */
static int
open_check(process_t process, struct vnode *vnode, uint32_t flags)
{
    static const uint32_t masks[] = {
        [UNIX_O_RDONLY] = UNIX_R_OK,
        [UNIX_O_WRONLY] = UNIX_W_OK,
        [UNIX_O_RDWR] = UNIX_R_OK | UNIX_W_OK,
        [UNIX_O_ACCMODE] = UNIX_R_OK | UNIX_W_OK,
    };
    uint32_t mask = masks[flags & UNIX_O_ACCMODE];

    if ((flags & UNIX_O_SEARCH) != 0) {
        mask = UNIX_X_OK;
    }

    if ((flags & UNIX_O_TRUNC) != 0) {
        mask |= UNIX_W_OK;
    }

    if ((flags & UNIX_O_DIRECTORY) != 0 && !vnode_is_directory(vnode)) {
        return ENOTDIR;
    }

    if (vnode_is_directory(vnode) && (mask & UNIX_W_OK) != 0) {
        return EISDIR;
    }

    return vnode_access(vnode, &process->cred, mask);
}

/* The vnode to open, made if the flags say so; with a reference. */
static int
open_vnode(process_t process, int directory, const char *path, uint32_t flags,
           uint32_t mode, struct vnode **vnodep)
{
    struct vnode_attributes attributes = {
        .mode = UNIX_S_IFREG | (mode & 07777 & ~process->umask),
    };
    unsigned int how = WALK_FOLLOW;
    struct walk walk;
    int error;

    if ((flags & UNIX_O_NOFOLLOW) != 0 ||
        (flags & (UNIX_O_CREAT | UNIX_O_EXCL)) ==
            (UNIX_O_CREAT | UNIX_O_EXCL)) {
        how = 0;
    }

    if ((flags & UNIX_O_CREAT) != 0) {
        how |= WALK_PARENT;
    }

    error = directory_walk(process, directory, path, how, &walk);

    if (error != 0) {
        return error;
    }

    if (walk.vnode == NULL) {
        error = walk.slash
                    ? EISDIR
                    : directory_create(process, &walk, &attributes, vnodep);
    } else if ((flags & UNIX_O_CREAT) != 0 && (flags & UNIX_O_EXCL) != 0) {
        error = EEXIST;
    } else {
        error = open_check(process, walk.vnode, flags);

        if (error == 0) {
            *vnodep = vnode_ref(walk.vnode);
        }
    }

    walk_end(&walk);
    return error;
}

/* Open a vnode at a descriptor: EAGAIN: it was parked. */
static int
open_finish(process_t process, struct vnode *vnode, uint32_t flags,
            const struct reply *reply, int *fdp)
{
    struct file *file = NULL;
    int error;

    error = file_open(process, vnode, flags, &file);

    if (error == EAGAIN || (error == 0 && !pipe_open_complete(file))) {
        error = open_park(process, reply, vnode, file, flags);

        if (error != 0 && file != NULL) {
            file_unref(file);
        }

        return error == 0 ? EAGAIN : error;
    }

    if (error != 0) {
        return error;
    }

    if ((flags & UNIX_O_TRUNC) != 0 && vnode_type(vnode) == UNIX_S_IFREG &&
        vnode->size != 0) {
        error = vnode_truncate(vnode, 0);
    }

    if (error == 0) {
        error = open_install(process, file, flags, fdp);
    }

    if (error != 0) {
        file_unref(file);
    }

    return error;
}

kern_return_t
do_unix_open(process_t process, mach_port_t reply,
             mach_msg_type_name_t replyPoly, int32_t directory, int32_t flags,
             uint32_t mode, unix_path_t path, int32_t *fd)
{
    struct reply where = reply_make(reply, replyPoly);
    struct vnode *vnode;
    int error;

    if ((flags & UNIX_O_ACCMODE) == UNIX_O_ACCMODE) {
        return unix_result(EINVAL);
    }

    error = open_vnode(process, directory, path, (uint32_t)flags, mode, &vnode);

    if (error != 0) {
        return unix_result(error);
    }

    error = open_finish(process, vnode, (uint32_t)flags, &where, fd);
    vnode_unref(vnode);
    return error == EAGAIN ? MIG_NO_REPLY : unix_result(error);
}
