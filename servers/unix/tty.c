/* SPDX-License-Identifier: MIT */
/* Terminals. */

#include <string.h>

#include "process.h"
#include "signal_delivery.h"
#include "tty.h"

#define TTY_ROWS 24
#define TTY_COLUMNS 80
#define TTY_ECHO_ROOM 64 /* of the output, kept for what is typed */

static struct tty tty_console_data;
struct tty *tty_console = &tty_console_data;

static struct tty *
tty_of_line(struct line_discipline *line)
{
    return list_entry(line, struct tty, line);
}

static struct tty *
tty_of_serial(struct serial *serial)
{
    return list_entry(serial, struct tty, serial);
}

/* -- From and to the line -------------------------------------------------- */

static void
tty_emit(struct line_discipline *line, const uint8_t *data, size_t size)
{
    serial_send(&tty_of_line(line)->serial, data, size);
}

static void
tty_signal(struct line_discipline *line, int signo)
{
    struct tty *tty = tty_of_line(line);
    struct group *group = group_lookup(tty->foreground);

    if ((line->termios.lflag & UNIX_NOFLSH) == 0) {
        serial_flush_output(&tty->serial);
    }

    if (group != NULL && group->session == tty->session) {
        group_signal(group, signo);
    }
}

static const struct line_ops tty_line_ops = {
    .emit = tty_emit,
    .signal = tty_signal,
};

static void
tty_update_hold(struct tty *tty)
{
    serial_hold(&tty->serial, tty->suspended || tty->line.stopped);
}

static void
tty_receive(struct serial *serial, const uint8_t *data, size_t size)
{
    struct tty *tty = tty_of_serial(serial);
    bool stopped = tty->line.stopped;
    size_t i;

    for (i = 0; i < size; i++) {
        line_receive(&tty->line, data[i]);
    }

    if (tty->line.stopped != stopped) {
        tty_update_hold(tty);
    }

    wait_queue_wake(&tty->readable);
}

/* A terminal takes everything; what nobody reads is lost. */
static size_t
tty_room(struct serial *serial)
{
    (void)serial;
    return LINE_EDIT_SIZE;
}

/* -- Job control ----------------------------------------------------------- */

void
tty_release_session(struct tty *tty)
{
    if (tty->session != NULL) {
        tty->session->tty = NULL;
        tty->session = NULL;
    }

    tty->foreground = 0;
}

static bool
tty_signal_useless(const struct process *process, int signo)
{
    return (process->signals.mask & UNIX_SIGBIT(signo)) != 0 ||
           process->signals.actions[signo].handler == UNIX_SIG_IGN;
}

int
tty_check_background(struct tty *tty, struct process *process, int signo)
{
    struct group *group = process->group;

    if (tty->session == NULL || group->session != tty->session ||
        tty->foreground == group->pgid) {
        return 0;
    }

    if (tty_signal_useless(process, signo)) {
        /* Reading fails, writing and setting is done all the same. */
        return signo == UNIX_SIGTTIN ? EIO : 0;
    }

    if (group_orphaned(group)) {
        return EIO;
    }

    group_signal(group, signo);
    return UNIX_ERESTART;
}

int
tty_acquire(struct tty *tty, struct process *process)
{
    struct session *session = process->group->session;

    if (session->sid != process->pid) {
        return EPERM;
    }

    if (session->tty == tty) {
        return 0;
    }

    if (session->tty != NULL || tty->session != NULL) {
        return EPERM;
    }

    session->tty = tty;
    tty->session = session;
    tty->foreground = process->group->pgid;
    return 0;
}

int
tty_set_foreground(struct tty *tty, struct process *process, int pgid)
{
    struct group *group = group_lookup(pgid);
    int error;

    if (tty->session == NULL || process->group->session != tty->session) {
        return ENOTTY;
    }

    if (pgid <= 0) {
        return EINVAL;
    }

    if (group == NULL || group->session != tty->session) {
        return EPERM;
    }

    error = tty_check_background(tty, process, UNIX_SIGTTOU);

    if (error == 0) {
        tty->foreground = pgid;
    }

    return error;
}

/* -- The open file --------------------------------------------------------- */

static int
tty_read(struct file *file, struct io *io)
{
    struct tty *tty = file->tty;
    uint8_t data[LINE_EDIT_SIZE];
    int error = 0;

    error = tty_check_background(tty, io->process, UNIX_SIGTTIN);

    if (error != 0) {
        return error;
    }

    while (error == 0 && io_left(io) != 0) {
        size_t want = io_left(io) < sizeof(data) ? io_left(io) : sizeof(data);
        long ready = line_readable(&tty->line, want);

        if (ready < 0) {
            /* With something read already, nothing is waited for. */
            return io->done == 0 ? EAGAIN : 0;
        }

        /* The end of the file, too, is read once. */
        want = line_read(&tty->line, data, want);
        error = io_put(io, data, want);

        if (want == 0 || (tty->line.termios.lflag & UNIX_ICANON) != 0) {
            break;
        }
    }

    return error;
}

static int
tty_write(struct file *file, struct io *io)
{
    struct tty *tty = file->tty;
    uint8_t data[256];
    int error;

    if ((tty->line.termios.lflag & UNIX_TOSTOP) != 0) {
        error = tty_check_background(tty, io->process, UNIX_SIGTTOU);

        if (error != 0) {
            return error;
        }
    }

    while (io_left(io) != 0) {
        size_t room = serial_room(&tty->serial);
        size_t size;
        size_t i;

        if (room < TTY_ECHO_ROOM + LINE_EXPANSION) {
            return EAGAIN;
        }

        size = (room - TTY_ECHO_ROOM) / LINE_EXPANSION;
        size = size < sizeof(data) ? size : sizeof(data);
        size = size < io_left(io) ? size : io_left(io);
        error = io_get(io, data, size);

        if (error != 0) {
            return error;
        }

        for (i = 0; i < size; i++) {
            line_write(&tty->line, data[i]);
        }
    }

    return 0;
}

static int
tty_poll(struct file *file)
{
    struct tty *tty = file->tty;
    int events = 0;

    if (line_readable(&tty->line, 1) >= 0) {
        events |= UNIX_POLLIN | UNIX_POLLRDNORM;
    }

    if (serial_room(&tty->serial) >= TTY_ECHO_ROOM + LINE_EXPANSION) {
        events |= UNIX_POLLOUT | UNIX_POLLWRNORM;
    }

    return events;
}

static struct wait_queue *
tty_queue(struct file *file, bool write)
{
    return write ? &file->tty->serial.writable : &file->tty->readable;
}

static int64_t
tty_available(struct file *file)
{
    long ready = line_readable(&file->tty->line, LINE_INPUT_SIZE);

    return ready > 0 ? ready : 0;
}

static const struct file_ops tty_ops = {
    .read = tty_read,
    .write = tty_write,
    .poll = tty_poll,
    .queue = tty_queue,
    .available = tty_available,
};

int
tty_open(struct process *process, struct tty *tty, uint32_t flags,
         struct file **filep)
{
    struct session *session = process->group->session;
    struct file *file;

    if (tty == NULL) {
        return ENXIO;
    }

    file = file_create(&tty_ops, flags);

    if (file == NULL) {
        return ENFILE;
    }

    file->tty = tty;

    if ((flags & UNIX_O_NOCTTY) == 0 && session->sid == process->pid &&
        session->tty == NULL && tty->session == NULL) {
        (void)tty_acquire(tty, process);
    }

    *filep = file;
    return 0;
}

void
tty_configure(struct tty *tty, const struct unix_termios *termios)
{
    line_configure(&tty->line, termios);
    tty_update_hold(tty);
    wait_queue_wake(&tty->readable);
}

void
tty_flush_input(struct tty *tty)
{
    line_flush(&tty->line);
}

void
tty_suspend_output(struct tty *tty, bool suspend)
{
    tty->suspended = suspend;
    tty_update_hold(tty);
}

void
tty_setup(void)
{
    struct tty *tty = tty_console;

    tty->path = "/dev/console";
    tty->size.row = TTY_ROWS;
    tty->size.col = TTY_COLUMNS;
    line_init(&tty->line, &tty_line_ops);
    wait_queue_init(&tty->readable);
    tty->serial.receive = tty_receive;
    tty->serial.room = tty_room;
    serial_start(&tty->serial, "console", "console");
}
