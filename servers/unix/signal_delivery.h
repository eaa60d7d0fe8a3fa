/* SPDX-License-Identifier: MIT */
/*
 * Signals on their way to processes: docs/abi.md tells how a handler is
 * reached. No function here ends a process at once: that happens when the
 * server's lock is released (process_doom), so callers may go on using what
 * they were using.
 */

#ifndef UNIX_SIGNAL_DELIVERY_H
#define UNIX_SIGNAL_DELIVERY_H

#include <mach/exception.h>
#include <mach/thread_status.h>

#include "process.h"

/* Send a signal: it is ignored, acted upon, or pending afterwards. */
void signal_post(struct process *process, const struct signal_info *info);
void signal_post_kernel(struct process *process, int signo);

/* The mask or an action has changed: act upon what is pending. */
void signal_deliver(struct process *process);

/* Write mask and pending flag into the process page. */
void signal_publish(struct process *process);

/* Are there caught signals for the process to take? */
bool signal_waits(const struct process *process);

/* The first of them; 0: none. */
int signal_next_caught(const struct process *process);

/* Effect of a signal, given that without trampoline nothing is caught. */
enum signal_effect signal_effect(const struct process *process, int signo);

/* The terminal of a session is gone with the session's leader. */
void signal_hang_up(struct session *session);

/* A delivery is tried again. */
void signal_retry(struct timer *timer);

/* A thread of the process had an exception: the registers with which it goes
 * on, or the process is to end (EFAULT). */
MUST_CHECK int
signal_exception(struct process *process, int exception, const int64_t *code,
                 x86_thread_state64_t *state);

/* The process whose request is being served, or null: its thread waits for
 * the answer. */
extern struct process *signal_caller;

#endif /* UNIX_SIGNAL_DELIVERY_H */
