/* SPDX-License-Identifier: MIT */
/* The state of a process's signals. */

#include <string.h>

#include "../../servers/unix/signal_state.h"
#include "tap.h"

static struct signal_state state;

static bool
post(int signo, int code, uint64_t value)
{
    struct signal_info info = { .signo = signo, .code = code, .value = value };

    return signal_state_post(&state, &info);
}

static void
catch_signal(int signo, uint32_t flags, unix_sigset_t mask)
{
    struct unix_sigaction action = {
        .handler = 0x1000,
        .mask = mask,
        .flags = flags,
    };

    ok(signal_state_set_action(&state, signo, &action), "catch %d", signo);
}

static void
effects(void)
{
    struct unix_sigaction ignore = { .handler = UNIX_SIG_IGN };

    signal_state_init(&state);
    is(signal_state_effect(&state, UNIX_SIGTERM), SIGNAL_TERMINATE, "TERM");
    is(signal_state_effect(&state, UNIX_SIGCHLD), SIGNAL_IGNORE, "CHLD");
    is(signal_state_effect(&state, UNIX_SIGTSTP), SIGNAL_STOP, "TSTP");
    is(signal_state_effect(&state, UNIX_SIGCONT), SIGNAL_CONTINUE, "CONT");
    is(signal_state_effect(&state, 64), SIGNAL_TERMINATE, "real-time");
    catch_signal(UNIX_SIGTERM, 0, 0);
    is(signal_state_effect(&state, UNIX_SIGTERM), SIGNAL_CATCH, "caught");
    ok(!signal_state_set_action(&state, UNIX_SIGKILL, &ignore), "not KILL");
    ok(!signal_state_set_action(&state, UNIX_SIGSTOP, &ignore), "not STOP");
    ok(!signal_state_set_action(&state, 65, &ignore), "not 65");
    ok(!signal_state_set_action(&state, 0, &ignore), "not 0");
    (void)post(UNIX_SIGTERM, 0, 0);
    (void)signal_state_set_action(&state, UNIX_SIGTERM, &ignore);
    is(state.pending, 0, "ignoring forgets what is pending");
    signal_state_fini(&state);
}

static void
pending(void)
{
    struct signal_info info;
    int i;

    signal_state_init(&state);
    ok(post(UNIX_SIGUSR1, UNIX_SI_USER, 1), "pending");
    ok(!post(UNIX_SIGUSR1, UNIX_SI_USER, 2), "once");
    signal_state_take(&state, UNIX_SIGUSR1, &info);
    is(info.value, 1, "the first is told of");
    is(state.pending, 0, "and then it is not pending");

    ok(post(40, UNIX_SI_QUEUE, 1) && post(40, UNIX_SI_QUEUE, 2) &&
           post(34, UNIX_SI_QUEUE, 3),
       "real-time signals queue");
    is(signal_state_next(&state, ~0UL), 34, "the lowest comes first");
    signal_state_take(&state, 40, &info);
    is(info.value, 1, "in order");
    is(signal_state_next(&state, UNIX_SIGBIT(40)), 40, "another is there");
    signal_state_take(&state, 40, &info);
    is(info.value, 2, "the second");
    is(signal_state_next(&state, UNIX_SIGBIT(40)), 0, "no more");
    signal_state_discard(&state, ~0UL);

    for (i = 0; i < SIGNAL_QUEUE_MAX; i++) {
        (void)post(50, UNIX_SI_QUEUE, (uint64_t)i);
    }

    ok(!post(51, UNIX_SI_QUEUE, 0), "the queue has a limit");
    ok(post(UNIX_SIGTERM, UNIX_SI_USER, 0), "which is not for kill()");
    signal_state_fini(&state);
    is(state.queued, 0, "nothing is left");
}

static void
handlers(void)
{
    struct unix_sigaction action;

    signal_state_init(&state);
    signal_state_set_mask(&state, ~0UL);
    is(~state.mask, UNIX_SIGBIT(UNIX_SIGKILL) | UNIX_SIGBIT(UNIX_SIGSTOP),
       "KILL and STOP can't be blocked");
    signal_state_set_mask(&state, 0);
    catch_signal(UNIX_SIGUSR1, 0, UNIX_SIGBIT(UNIX_SIGUSR2));
    signal_state_enter(&state, UNIX_SIGUSR1, &action);
    is(state.mask, UNIX_SIGBIT(UNIX_SIGUSR1) | UNIX_SIGBIT(UNIX_SIGUSR2),
       "a handler's mask");
    is(action.handler, 0x1000, "its address");
    signal_state_set_mask(&state, 0);
    catch_signal(UNIX_SIGUSR1, UNIX_SA_NODEFER | UNIX_SA_RESETHAND, 0);
    signal_state_enter(&state, UNIX_SIGUSR1, &action);
    is(state.mask, 0, "SA_NODEFER");
    is(signal_state_effect(&state, UNIX_SIGUSR1), SIGNAL_TERMINATE,
       "SA_RESETHAND");
    (void)post(UNIX_SIGTERM, 0, 0);
    signal_state_set_mask(&state, UNIX_SIGBIT(UNIX_SIGTERM));
    is(signal_state_ready(&state), 0, "blocked");
    signal_state_set_mask(&state, 0);
    is(signal_state_ready(&state), UNIX_SIGBIT(UNIX_SIGTERM), "unblocked");
    signal_state_fini(&state);
}

static void
generations(void)
{
    struct unix_sigaction ignore = { .handler = UNIX_SIG_IGN };
    struct signal_state child;

    signal_state_init(&state);
    catch_signal(UNIX_SIGUSR1, 0, 0);
    (void)signal_state_set_action(&state, UNIX_SIGINT, &ignore);
    signal_state_set_mask(&state, UNIX_SIGBIT(UNIX_SIGHUP));
    (void)post(UNIX_SIGHUP, 0, 0);
    signal_state_fork(&child, &state);
    is(child.pending, 0, "a child has nothing pending");
    is(child.mask, state.mask, "the mask");
    is(signal_state_effect(&child, UNIX_SIGUSR1), SIGNAL_CATCH, "actions");
    signal_state_exec(&child);
    is(signal_state_effect(&child, UNIX_SIGUSR1), SIGNAL_TERMINATE,
       "exec: what was caught is default");
    is(signal_state_effect(&child, UNIX_SIGINT), SIGNAL_IGNORE,
       "what was ignored stays so");
    is(child.mask, state.mask, "so does the mask");
    signal_state_fini(&child);
    signal_state_fini(&state);

    state.stack.flags = 0;
    state.stack.sp = 0x1000;
    state.stack.size = 0x1000;
    ok(signal_state_on_stack(&state, 0x1800), "on the alternate stack");
    ok(!signal_state_on_stack(&state, 0x2000), "not above it");
    ok(!signal_state_on_stack(&state, 0xfff), "not below");
}

int
main(void)
{
    effects();
    pending();
    handlers();
    generations();
    return tap_done();
}
