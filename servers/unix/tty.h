/* SPDX-License-Identifier: MIT */
/*
 * Terminals: a line discipline over a serial line, and job control: which
 * session it belongs to, which group is in the foreground.
 */

#ifndef UNIX_TTY_INTERNAL_H
#define UNIX_TTY_INTERNAL_H

#include "file.h"
#include "line_discipline.h"
#include "serial.h"

struct session;

struct tty {
    const char *path;
    struct line_discipline line;
    struct serial serial;
    struct session *session; /* whose controlling terminal it is; no ref */
    int foreground;          /* a group's number, 0: none */
    struct wait_queue readable;
    struct unix_winsize size;
    bool suspended; /* by tcflow() */
};

extern struct tty *tty_console;

void tty_setup(void);

/* tty null: ENXIO. Becomes the controlling terminal as POSIX has it. */
MUST_CHECK int tty_open(struct process *process, struct tty *tty,
                        uint32_t flags, struct file **filep);

/* The session has ended, or given it up. */
void tty_release_session(struct tty *tty);

/* May the process change the terminal now? UNIX_ERESTART: it was sent a
 * SIGTTOU. EIO: nobody could continue it. */
MUST_CHECK int
tty_check_background(struct tty *tty, struct process *process, int signo);

/* ENOTTY, EPERM. */
int tty_acquire(struct tty *tty, struct process *process);
MUST_CHECK int
tty_set_foreground(struct tty *tty, struct process *process, int pgid);

void tty_configure(struct tty *tty, const struct unix_termios *termios);
void tty_flush_input(struct tty *tty);

/* A byte as if it were typed, for tcflow(). */
void tty_suspend_output(struct tty *tty, bool suspend);

#endif /* UNIX_TTY_INTERNAL_H */
