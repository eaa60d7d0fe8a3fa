/* SPDX-License-Identifier: MIT */
/* Reading and writing, at once or when there is something. */

#include <stdlib.h>
#include <string.h>

#include <mach/mach.h>

#include <unix/unix_file_server.h>
#include <unix/unix_reply.h>

#include "call.h"
#include "descriptor.h"
#include "tty.h"

#define VTIME_NS 100000000L

enum io_kind {
    IO_READ,
    IO_READ_LONG,
    IO_WRITE,
    IO_WRITE_LONG,
};

struct io_call {
    struct call call;
    struct file *file; /* reference */
    enum io_kind kind;
    struct io io;
    uint8_t data[]; /* of an IO_READ or IO_WRITE */
};

static bool
io_writes(enum io_kind kind)
{
    return kind == IO_WRITE || kind == IO_WRITE_LONG;
}

static int
io_try(struct file *file, enum io_kind kind, struct io *io)
{
    return io_writes(kind) ? file_write(file, io) : file_read(file, io);
}

static void
io_answer(struct io_call *io_call, int error)
{
    struct reply *reply = &io_call->call.reply;
    struct io *io = &io_call->io;

    if (error != 0 && io->done == 0) {
        call_answer(&io_call->call, error);
        return;
    }

    switch (io_call->kind) {
    case IO_READ:
        (void)unix_read_reply(reply->port, reply->type, KERN_SUCCESS,
                              (unix_data_t)io_call->data,
                              (mach_msg_type_number_t)io->done);
        break;
    case IO_READ_LONG:
        (void)unix_read_long_reply(reply->port, reply->type, KERN_SUCCESS,
                                   io->done);
        break;
    case IO_WRITE:
        (void)unix_write_reply(reply->port, reply->type, KERN_SUCCESS,
                               io->done);
        break;
    case IO_WRITE_LONG:
        (void)unix_write_long_reply(reply->port, reply->type, KERN_SUCCESS,
                                    io->done);
        break;
    }

    call_answered(&io_call->call);
}

static bool
io_attempt(struct call *call)
{
    struct io_call *io_call = list_entry(call, struct io_call, call);
    int error;

    error = io_try(io_call->file, io_call->kind, &io_call->io);

    if (error == EAGAIN) {
        return false;
    }

    io_answer(io_call, error);
    return true;
}

static void
io_end(struct call *call, int error)
{
    io_answer(list_entry(call, struct io_call, call), error);
}

static void
io_release(struct call *call)
{
    file_unref(list_entry(call, struct io_call, call)->file);
}

static const struct call_ops io_call_ops = {
    .attempt = io_attempt,
    .end = io_end,
    .release = io_release,
};

/* A terminal's read may have a time limit. */
static void
io_limit_time(struct io_call *io_call)
{
    const struct tty *tty = io_call->file->tty;
    uint64_t tenths;

    if (tty == NULL || io_writes(io_call->kind) ||
        (tty->line.termios.lflag & UNIX_ICANON) != 0 ||
        tty->line.termios.cc[UNIX_VMIN] != 0) {
        return;
    }

    tenths = tty->line.termios.cc[UNIX_VTIME];

    if (tenths != 0) {
        call_timeout(&io_call->call, clock_uptime() + tenths * VTIME_NS);
    }
}

/* The attempt said EAGAIN: keep the call. */
static int
io_park(struct file *file, enum io_kind kind, const struct io *io,
        const struct reply *reply)
{
    size_t inlined = io->buffer != NULL ? io->size : 0;
    struct io_call *io_call;
    int error;

    error = call_check_signals(io->process, UNIX_ERESTART);

    if (error != 0) {
        return error;
    }

    io_call = call_create(sizeof(*io_call) + inlined, &io_call_ops, io->process,
                          reply);

    if (io_call == NULL) {
        return ENOMEM;
    }

    io_call->call.interrupted = UNIX_ERESTART;
    io_call->file = file_ref(file);
    io_call->kind = kind;
    io_call->io = *io;

    if (io->buffer != NULL) {
        io_call->io.buffer = io_call->data;

        if (kind == IO_WRITE) {
            memcpy(io_call->data, io->buffer, inlined);
        }
    }

    io_limit_time(io_call);
    call_wait(&io_call->call, &io_call->call.wait,
              file->ops->queue(file, io_writes(kind)));
    return 0;
}

/* One read or write. MIG_NO_REPLY: it waits. */
static kern_return_t
io_perform(int fd, enum io_kind kind, struct io *io, const struct reply *reply)
{
    struct file *file = descriptor_file(io->process, fd);
    int error;

    if (file == NULL) {
        return unix_result(EBADF);
    }

    error = io_try(file, kind, io);

    if (error == EAGAIN && (file->flags & UNIX_O_NONBLOCK) == 0) {
        error = io_park(file, kind, io, reply);

        if (error == 0) {
            return MIG_NO_REPLY;
        }
    }

    return unix_result(io->done != 0 ? 0 : error);
}

kern_return_t
do_unix_read(process_t process, mach_port_t reply,
             mach_msg_type_name_t replyPoly, int32_t fd, uint32_t size,
             int64_t offset, unix_data_t data, mach_msg_type_number_t *dataCnt)
{
    struct reply where = reply_make(reply, replyPoly);
    struct io io = {
        .process = process,
        .buffer = (uint8_t *)data,
        .size = size < UNIX_INLINE_MAX ? size : UNIX_INLINE_MAX,
        .offset = offset,
    };
    kern_return_t kr;

    kr = io_perform(fd, IO_READ, &io, &where);
    *dataCnt = (mach_msg_type_number_t)io.done;
    return kr;
}

kern_return_t
do_unix_read_long(process_t process, mach_port_t reply,
                  mach_msg_type_name_t replyPoly, int32_t fd, int64_t offset,
                  uint64_t address, uint64_t size, uint64_t *done)
{
    struct reply where = reply_make(reply, replyPoly);
    struct io io = {
        .process = process,
        .address = address,
        .size = size,
        .offset = offset,
    };
    kern_return_t kr;

    if (size > INT64_MAX) {
        return unix_result(EINVAL);
    }

    kr = io_perform(fd, IO_READ_LONG, &io, &where);
    *done = io.done;
    return kr;
}

kern_return_t
do_unix_write(process_t process, mach_port_t reply,
              mach_msg_type_name_t replyPoly, int32_t fd, int64_t offset,
              unix_data_t data, mach_msg_type_number_t dataCnt, uint64_t *done)
{
    struct reply where = reply_make(reply, replyPoly);
    struct io io = {
        .process = process,
        .buffer = (uint8_t *)data,
        .size = dataCnt,
        .offset = offset,
    };
    kern_return_t kr;

    kr = io_perform(fd, IO_WRITE, &io, &where);
    *done = io.done;
    return kr;
}

kern_return_t
do_unix_write_long(process_t process, mach_port_t reply,
                   mach_msg_type_name_t replyPoly, int32_t fd, int64_t offset,
                   uint64_t address, uint64_t size, uint64_t *done)
{
    struct reply where = reply_make(reply, replyPoly);
    struct io io = {
        .process = process,
        .address = address,
        .size = size,
        .offset = offset,
    };
    kern_return_t kr;

    if (size > INT64_MAX) {
        return unix_result(EINVAL);
    }

    kr = io_perform(fd, IO_WRITE_LONG, &io, &where);
    *done = io.done;
    return kr;
}
