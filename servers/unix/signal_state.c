/* SPDX-License-Identifier: MIT */
/* The state machine of a process's signals. */

#include <stdlib.h>
#include <string.h>

#include "signal_state.h"

#define SIGNAL_UNBLOCKABLE                                                     \
    (UNIX_SIGBIT(UNIX_SIGKILL) | UNIX_SIGBIT(UNIX_SIGSTOP))

#define SIGNAL_STOPS                                                           \
    (UNIX_SIGBIT(UNIX_SIGSTOP) | UNIX_SIGBIT(UNIX_SIGTSTP) |                   \
     UNIX_SIGBIT(UNIX_SIGTTIN) | UNIX_SIGBIT(UNIX_SIGTTOU))

#define SIGNAL_IGNORED                                                         \
    (UNIX_SIGBIT(UNIX_SIGCHLD) | UNIX_SIGBIT(UNIX_SIGURG) |                    \
     UNIX_SIGBIT(UNIX_SIGWINCH))

struct signal_pending {
    struct list link;
    struct signal_info info;
};

void
signal_state_init(struct signal_state *state)
{
    memset(state, 0, sizeof(*state));
    list_init(&state->queue);
    state->stack.flags = UNIX_SS_DISABLE;
}

void
signal_state_fini(struct signal_state *state)
{
    signal_state_discard(state, ~0UL);
}

void
signal_state_fork(struct signal_state *child, const struct signal_state *parent)
{
    signal_state_init(child);
    memcpy(child->actions, parent->actions, sizeof(child->actions));
    child->mask = parent->mask;
    child->stack = parent->stack;
}

void
signal_state_exec(struct signal_state *state)
{
    int signo;

    for (signo = 1; signo < UNIX_NSIG; signo++) {
        bool ignored = state->actions[signo].handler == UNIX_SIG_IGN;

        memset(&state->actions[signo], 0, sizeof(state->actions[signo]));

        if (ignored) {
            state->actions[signo].handler = UNIX_SIG_IGN;
        }
    }

    memset(&state->stack, 0, sizeof(state->stack));
    state->stack.flags = UNIX_SS_DISABLE;
    state->waited = 0;
}

enum signal_effect
signal_state_effect(const struct signal_state *state, int signo)
{
    uint64_t handler = state->actions[signo].handler;
    unix_sigset_t bit = UNIX_SIGBIT(signo);

    if (handler == UNIX_SIG_IGN) {
        return SIGNAL_IGNORE;
    }

    if (handler != UNIX_SIG_DFL) {
        return SIGNAL_CATCH;
    }

    if ((bit & SIGNAL_STOPS) != 0) {
        return SIGNAL_STOP;
    }

    if (signo == UNIX_SIGCONT) {
        return SIGNAL_CONTINUE;
    }

    return (bit & SIGNAL_IGNORED) != 0 ? SIGNAL_IGNORE : SIGNAL_TERMINATE;
}

bool
signal_state_post(struct signal_state *state, const struct signal_info *info)
{
    unix_sigset_t bit = UNIX_SIGBIT(info->signo);
    struct signal_pending *pending;

    if ((state->pending & bit) != 0 && info->signo < UNIX_SIGRTMIN) {
        return false;
    }

    if (state->queued == SIGNAL_QUEUE_MAX && info->code == UNIX_SI_QUEUE) {
        return false;
    }

    state->pending |= bit;

    /* An ordinary signal that finds no memory is delivered all the same; only
     * what is known of it is lost. */
    if (state->queued < SIGNAL_QUEUE_MAX + UNIX_NSIG) {
        pending = malloc(sizeof(*pending));

        if (pending != NULL) {
            pending->info = *info;
            list_insert_tail(&state->queue, &pending->link);
            state->queued++;
        }
    }

    return true;
}

int
signal_state_next(const struct signal_state *state, unix_sigset_t set)
{
    set &= state->pending;
    return set == 0 ? 0 : __builtin_ctzl(set) + 1;
}

static void
signal_state_drop(struct signal_state *state, struct signal_pending *pending)
{
    list_remove(&pending->link);
    state->queued--;
    free(pending);
}

void
signal_state_take(struct signal_state *state, int signo,
                  struct signal_info *info)
{
    struct list *link;
    struct list *next;
    bool found = false;
    bool more = false;

    memset(info, 0, sizeof(*info));
    info->signo = signo;

    list_for_each_safe(&state->queue, link, next)
    {
        struct signal_pending *pending =
            list_entry(link, struct signal_pending, link);

        if (pending->info.signo != signo) {
            continue;
        }

        if (found) {
            more = true;
            break;
        }

        *info = pending->info;
        found = true;
        signal_state_drop(state, pending);
    }

    if (!more) {
        state->pending &= ~UNIX_SIGBIT(signo);
    }
}

void
signal_state_discard(struct signal_state *state, unix_sigset_t set)
{
    struct list *link;
    struct list *next;

    list_for_each_safe(&state->queue, link, next)
    {
        struct signal_pending *pending =
            list_entry(link, struct signal_pending, link);

        if ((set & UNIX_SIGBIT(pending->info.signo)) != 0) {
            signal_state_drop(state, pending);
        }
    }

    state->pending &= ~set;
}

void
signal_state_enter(struct signal_state *state, int signo,
                   struct unix_sigaction *action)
{
    unix_sigset_t mask = state->mask;

    *action = state->actions[signo];
    mask |= action->mask;

    if ((action->flags & UNIX_SA_NODEFER) == 0) {
        mask |= UNIX_SIGBIT(signo);
    }

    if ((action->flags & UNIX_SA_RESETHAND) != 0) {
        state->actions[signo].handler = UNIX_SIG_DFL;
        state->actions[signo].flags &= ~UNIX_SA_SIGINFO;
    }

    signal_state_set_mask(state, mask);
}

void
signal_state_set_mask(struct signal_state *state, unix_sigset_t mask)
{
    state->mask = mask & ~SIGNAL_UNBLOCKABLE;
}

bool
signal_state_set_action(struct signal_state *state, int signo,
                        const struct unix_sigaction *action)
{
    if (signo <= 0 || signo >= UNIX_NSIG ||
        (UNIX_SIGBIT(signo) & SIGNAL_UNBLOCKABLE) != 0) {
        return false;
    }

    state->actions[signo] = *action;

    if (signal_state_effect(state, signo) == SIGNAL_IGNORE) {
        signal_state_discard(state, UNIX_SIGBIT(signo));
    }

    return true;
}

bool
signal_state_on_stack(const struct signal_state *state, uint64_t sp)
{
    return (state->stack.flags & UNIX_SS_DISABLE) == 0 &&
           sp - state->stack.sp < state->stack.size;
}
