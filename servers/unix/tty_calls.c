/* SPDX-License-Identifier: MIT */
/* The routines of unix_tty.defs. */

#include <string.h>

#include <mach/mach.h>

#include <unix/unix_tty_server.h>

#include "call.h"
#include "descriptor.h"
#include "process.h"
#include "tty.h"

#define TTY_VERSION 1

kern_return_t
do_unix_tty_version(process_t process, uint32_t *version)
{
    (void)process;
    *version = TTY_VERSION;
    return KERN_SUCCESS;
}

/* The terminal behind a descriptor; null with *errorp: EBADF, ENOTTY. */
static struct tty *
tty_named(process_t process, int fd, int *errorp)
{
    struct file *file = descriptor_file(process, fd);

    *errorp = file == NULL ? EBADF : ENOTTY;
    return file == NULL ? NULL : file->tty;
}

kern_return_t
do_unix_tty_getattr(process_t process, int32_t fd, unix_termios_t *termios)
{
    int error;
    struct tty *tty = tty_named(process, fd, &error);

    if (tty == NULL) {
        return unix_result(error);
    }

    *termios = tty->line.termios;
    return KERN_SUCCESS;
}

/* -- Waiting for the output ------------------------------------------------ */

struct drain_call {
    struct call call;
    struct file *file; /* reference */
    bool configure;    /* then set these */
    bool flush;
    struct unix_termios termios;
};

static void
drain_finish(struct tty *tty, bool flush, const struct unix_termios *termios)
{
    if (flush) {
        tty_flush_input(tty);
    }

    tty_configure(tty, termios);
}

static bool
drain_attempt(struct call *call)
{
    struct drain_call *drain = list_entry(call, struct drain_call, call);
    struct tty *tty = drain->file->tty;

    if (!serial_idle(&tty->serial)) {
        return false;
    }

    if (drain->configure) {
        drain_finish(tty, drain->flush, &drain->termios);
    }

    call_answer(call, 0);
    return true;
}

static void
drain_release(struct call *call)
{
    file_unref(list_entry(call, struct drain_call, call)->file);
}

static const struct call_ops drain_ops = {
    .attempt = drain_attempt,
    .release = drain_release,
};

/* Wait until the output is sent, then set attributes if there are any. */
static kern_return_t
drain_park(process_t process, const struct reply *reply, int fd,
           const struct unix_termios *termios, bool flush)
{
    struct file *file = descriptor_file(process, fd);
    struct drain_call *drain;
    int error;

    error = call_check_signals(process, UNIX_ERESTART);

    if (error != 0) {
        return unix_result(error);
    }

    drain = call_create(sizeof(*drain), &drain_ops, process, reply);

    if (drain == NULL) {
        return unix_result(ENOMEM);
    }

    drain->call.interrupted = UNIX_ERESTART;
    drain->file = file_ref(file);
    drain->configure = termios != NULL;
    drain->flush = flush;

    if (termios != NULL) {
        drain->termios = *termios;
    }

    call_wait(&drain->call, &drain->call.wait, &file->tty->serial.writable);
    return MIG_NO_REPLY;
}

kern_return_t
do_unix_tty_setattr(process_t process, mach_port_t reply,
                    mach_msg_type_name_t replyPoly, int32_t fd, int32_t when,
                    unix_termios_t termios)
{
    struct reply where = reply_make(reply, replyPoly);
    int error;
    struct tty *tty = tty_named(process, fd, &error);

    if (tty == NULL) {
        return unix_result(error);
    }

    if (when != UNIX_TCSANOW && when != UNIX_TCSADRAIN &&
        when != UNIX_TCSAFLUSH) {
        return unix_result(EINVAL);
    }

    error = tty_check_background(tty, process, UNIX_SIGTTOU);

    if (error != 0) {
        return unix_result(error);
    }

    if (when == UNIX_TCSANOW || serial_idle(&tty->serial)) {
        drain_finish(tty, when == UNIX_TCSAFLUSH, &termios);
        return KERN_SUCCESS;
    }

    return drain_park(process, &where, fd, &termios, when == UNIX_TCSAFLUSH);
}

kern_return_t
do_unix_tty_drain(process_t process, mach_port_t reply,
                  mach_msg_type_name_t replyPoly, int32_t fd)
{
    struct reply where = reply_make(reply, replyPoly);
    int error;
    struct tty *tty = tty_named(process, fd, &error);

    if (tty == NULL) {
        return unix_result(error);
    }

    error = tty_check_background(tty, process, UNIX_SIGTTOU);

    if (error != 0 || serial_idle(&tty->serial)) {
        return unix_result(error);
    }

    return drain_park(process, &where, fd, NULL, false);
}

kern_return_t
do_unix_tty_flush(process_t process, int32_t fd, int32_t queue)
{
    int error;
    struct tty *tty = tty_named(process, fd, &error);

    if (tty == NULL) {
        return unix_result(error);
    }

    if (queue < UNIX_TCIFLUSH || queue > UNIX_TCIOFLUSH) {
        return unix_result(EINVAL);
    }

    error = tty_check_background(tty, process, UNIX_SIGTTOU);

    if (error != 0) {
        return unix_result(error);
    }

    if (queue != UNIX_TCOFLUSH) {
        tty_flush_input(tty);
    }

    if (queue != UNIX_TCIFLUSH) {
        serial_flush_output(&tty->serial);
    }

    return KERN_SUCCESS;
}

kern_return_t
do_unix_tty_flow(process_t process, int32_t fd, int32_t action)
{
    int error;
    struct tty *tty = tty_named(process, fd, &error);
    uint8_t byte;

    if (tty == NULL) {
        return unix_result(error);
    }

    error = tty_check_background(tty, process, UNIX_SIGTTOU);

    if (error != 0) {
        return unix_result(error);
    }

    switch (action) {
    case UNIX_TCOOFF:
    case UNIX_TCOON:
        tty_suspend_output(tty, action == UNIX_TCOOFF);
        return KERN_SUCCESS;
    case UNIX_TCIOFF:
    case UNIX_TCION:
        byte = tty->line.termios
                   .cc[action == UNIX_TCIOFF ? UNIX_VSTOP : UNIX_VSTART];
        serial_send(&tty->serial, &byte, byte != 0);
        return KERN_SUCCESS;
    default:
        return unix_result(EINVAL);
    }
}

/* -- Job control ----------------------------------------------------------- */

/* The terminal, if it is the caller's controlling one. */
static struct tty *
tty_controlling(process_t process, int fd, int *errorp)
{
    struct tty *tty = tty_named(process, fd, errorp);

    if (tty != NULL && tty->session != process->group->session) {
        *errorp = ENOTTY;
        return NULL;
    }

    return tty;
}

kern_return_t
do_unix_tty_getpgrp(process_t process, int32_t fd, int32_t *pgid)
{
    int error;
    struct tty *tty = tty_controlling(process, fd, &error);

    if (tty == NULL) {
        return unix_result(error);
    }

    /* No group may have this number, as POSIX asks. */
    *pgid = tty->foreground != 0 ? tty->foreground : UNIX_PID_MAX + 1;
    return KERN_SUCCESS;
}

kern_return_t
do_unix_tty_setpgrp(process_t process, int32_t fd, int32_t pgid)
{
    int error;
    struct tty *tty = tty_controlling(process, fd, &error);

    return unix_result(tty == NULL ? error
                                   : tty_set_foreground(tty, process, pgid));
}

kern_return_t
do_unix_tty_getsid(process_t process, int32_t fd, int32_t *sid)
{
    int error;
    struct tty *tty = tty_controlling(process, fd, &error);

    if (tty == NULL) {
        return unix_result(error);
    }

    *sid = tty->session->sid;
    return KERN_SUCCESS;
}

kern_return_t
do_unix_tty_control(process_t process, int32_t fd, boolean_t acquire)
{
    int error;
    struct tty *tty = tty_named(process, fd, &error);
    struct session *session = process->group->session;

    if (tty == NULL) {
        return unix_result(error);
    }

    if (acquire) {
        return unix_result(tty_acquire(tty, process));
    }

    if (session->tty != tty || session->sid != process->pid) {
        return unix_result(ENOTTY);
    }

    tty_release_session(tty);
    return KERN_SUCCESS;
}

/* -- Size and name --------------------------------------------------------- */

kern_return_t
do_unix_tty_getsize(process_t process, int32_t fd, unix_winsize_t *size)
{
    int error;
    struct tty *tty = tty_named(process, fd, &error);

    if (tty == NULL) {
        return unix_result(error);
    }

    *size = tty->size;
    return KERN_SUCCESS;
}

kern_return_t
do_unix_tty_setsize(process_t process, int32_t fd, unix_winsize_t size)
{
    int error;
    struct tty *tty = tty_named(process, fd, &error);
    struct group *group;

    if (tty == NULL) {
        return unix_result(error);
    }

    if (memcmp(&tty->size, &size, sizeof(size)) != 0) {
        tty->size = size;
        group = group_lookup(tty->foreground);

        if (group != NULL) {
            group_signal(group, UNIX_SIGWINCH);
        }
    }

    return KERN_SUCCESS;
}

kern_return_t
do_unix_tty_name(process_t process, int32_t fd, unix_name_t name)
{
    int error;
    struct tty *tty = tty_named(process, fd, &error);

    if (tty == NULL) {
        return unix_result(error);
    }

    strcpy(name, tty->path);
    return KERN_SUCCESS;
}
