/* SPDX-License-Identifier: MIT */
/*
 * The signals of a process: actions, mask, what is pending. Pure: it decides
 * what a signal does, and leaves the doing to signal.c.
 */

#ifndef UNIX_SIGNAL_STATE_H
#define UNIX_SIGNAL_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <unix/signal.h>

#include "list.h"

#define SIGNAL_QUEUE_MAX 32 /* queued real-time signals of a process */

/* What the receiver is told, without the parts that are always 0. */
struct signal_info {
    int32_t signo;
    int32_t code;
    int32_t status;
    int32_t pid;
    uint32_t uid;
    uint64_t addr;
    uint64_t value;
};

struct signal_state {
    struct unix_sigaction actions[UNIX_NSIG]; /* [0] is not used */
    unix_sigset_t mask;
    unix_sigset_t pending;
    unix_sigset_t waited; /* unix_signal_wait takes these, though blocked */
    struct list queue;    /* struct signal_pending, in order of arrival */
    uint32_t queued;
    struct unix_sigstack stack;
};

enum signal_effect {
    SIGNAL_IGNORE,
    SIGNAL_TERMINATE,
    SIGNAL_STOP,
    SIGNAL_CONTINUE,
    SIGNAL_CATCH,
};

void signal_state_init(struct signal_state *state);
void signal_state_fini(struct signal_state *state);

/* A child's after fork; a program's after exec. */
void signal_state_fork(struct signal_state *child,
                       const struct signal_state *parent);
void signal_state_exec(struct signal_state *state);

/* What the action of a signal is at the moment. */
enum signal_effect
signal_state_effect(const struct signal_state *state, int signo);

/* Make it pending. False: it is, or need not be, or the queue is full. */
bool
signal_state_post(struct signal_state *state, const struct signal_info *info);

/* A signal of the set that is pending, the lowest; 0: none. */
int signal_state_next(const struct signal_state *state, unix_sigset_t set);

/* It is pending no longer: what is known of it. */
void signal_state_take(struct signal_state *state, int signo,
                       struct signal_info *info);

/* Forget the pending ones of a set. */
void signal_state_discard(struct signal_state *state, unix_sigset_t set);

/* Not blocked: those that can be delivered. */
static inline unix_sigset_t
signal_state_ready(const struct signal_state *state)
{
    return state->pending & ~state->mask;
}

/* The handler of a signal is entered: its action, and the new mask. */
void signal_state_enter(struct signal_state *state, int signo,
                        struct unix_sigaction *action);

/* KILL and STOP can't be blocked. */
void signal_state_set_mask(struct signal_state *state, unix_sigset_t mask);

/* Change an action: false if it can't be. */
bool signal_state_set_action(struct signal_state *state, int signo,
                             const struct unix_sigaction *action);

/* Is this stack pointer on the alternate stack? */
bool signal_state_on_stack(const struct signal_state *state, uint64_t sp);

#endif /* UNIX_SIGNAL_STATE_H */
