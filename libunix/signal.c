/* SPDX-License-Identifier: MIT */
/*
 * Signals: the calls, and how a handler is run.
 *
 * A thread that was in a call runs its handlers here, when the call is over
 * (unix_signals_run). A thread that was computing, or that faulted, is made to
 * enter unix_trampoline with a struct unix_sigframe on its stack, which comes
 * to unix_signal_frame. Either way the server has already blocked what is to
 * be blocked, and unix_signal_return() takes it back.
 */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <mach/mach_traps.h>
#include <mach/mig_support.h>
#include <unix/unix_signal.h>

#include "call.h"

_Static_assert(sizeof(siginfo_t) == sizeof(unix_siginfo_t), "ABI");
_Static_assert(sizeof(ucontext_t) == sizeof(struct unix_ucontext), "ABI");
_Static_assert(offsetof(ucontext_t, uc_mcontext.__fpregs) ==
                   offsetof(struct unix_ucontext, fpregs),
               "ABI");
_Static_assert(sizeof(stack_t) == sizeof(unix_sigstack_t), "ABI");

/* Known to trampoline.S. */
_Static_assert(offsetof(struct unix_sigframe, in_call) == 960, "ABI");

typedef void (*signal_action_fn_t)(int, siginfo_t *, void *);

/* A signal that is about to be handled in unix_signals_run. */
struct signal_taken {
    siginfo_t info;
    unix_sigaction_t action;
    ucontext_t context;
};

/* trampoline.S */
void unix_trampoline(void);
void unix_call_on_stack(void (*function)(struct signal_taken *),
                        struct signal_taken *argument, void *stack_top);

void unix_signal_frame(struct unix_sigframe *frame);

/* At most this long is the code of mach_msg_trap(). */
#define MACH_MSG_TRAP_SIZE 16

static bool signal_setup_done;

static void
signal_return(sigset_t mask)
{
    (void)UNIX_CALL(unix_signal_return(unix_port, mask));
}

static void
signal_handle(struct signal_taken *taken)
{
    signal_action_fn_t handler;

    handler = (signal_action_fn_t)taken->action.handler;
    handler(taken->info.si_signo, &taken->info, &taken->context);
}

static bool
signal_on_altstack(const stack_t *stack)
{
    char *sp = __builtin_frame_address(0);

    return (stack->ss_flags & SS_DISABLE) == 0 && sp >= (char *)stack->ss_sp &&
           sp < (char *)stack->ss_sp + stack->ss_size;
}

static void
signal_deliver(struct signal_taken *taken)
{
    stack_t *stack = &unix_tcb_self()->altstack;
    bool away = (taken->action.flags & SA_ONSTACK) != 0 &&
                (stack->ss_flags & SS_DISABLE) == 0 &&
                !signal_on_altstack(stack);
    sigset_t mask;

    taken->context.uc_stack = *stack;

    if (away) {
        unix_call_on_stack(signal_handle, taken,
                           (char *)stack->ss_sp + stack->ss_size);
    } else {
        signal_handle(taken);
    }

    /* The handler may have changed what it comes back to. */
    mask = taken->context.uc_sigmask;
    unix_enter();
    (void)unix_signal_return(unix_port, mask);
    unix_leave_quietly();
}

/* Out of line: siginfo and context are a kilobyte of stack. */
static __attribute__((noinline)) bool
signal_take_one(bool *restartp)
{
    struct signal_taken taken;
    uint64_t old_mask;
    kern_return_t kr;

    memset(&taken.context, 0, sizeof(taken.context));
    unix_enter();
    kr = unix_signal_take(unix_port, (unix_siginfo_t *)&taken.info,
                          &taken.action, &old_mask);
    unix_leave_quietly();

    if (kr != KERN_SUCCESS || taken.info.si_signo == 0) {
        return false;
    }

    if ((taken.action.flags & SA_RESTART) == 0) {
        *restartp = false;
    }

    taken.context.uc_sigmask = old_mask;
    signal_deliver(&taken);
    return true;
}

bool
unix_signals_run(kern_return_t kr)
{
    const struct unix_thread_slot *slot = unix_tcb_self()->slot;
    int saved_errno = errno;
    bool restart = true;

    while (slot->pending != 0 && signal_take_one(&restart)) {
        continue;
    }

    errno = saved_errno;
    return kr == UNIX_ERROR(UNIX_ERESTART) && restart;
}

/* Was the thread waiting for a message, or building one for the server? */
static bool
signal_reply_in_use(const struct unix_sigframe *frame)
{
    uint64_t rip = frame->context.gregs[UNIX_REG_RIP];

    return frame->in_call != 0 ||
           rip - (uint64_t)mach_msg_trap < MACH_MSG_TRAP_SIZE;
}

/*
 * Called by the trampoline. The thread may have been inside of a call: if it
 * faulted on a pointer that it was given, or if it calls others than the Unix
 * server. Its reply port must stay as it is then, so the handler gets another
 * one.
 */
void
unix_signal_frame(struct unix_sigframe *frame)
{
    struct unix_tcb *tcb = unix_tcb_self();
    signal_action_fn_t handler = (signal_action_fn_t)frame->handler;
    bool in_use = signal_reply_in_use(frame);
    mach_port_t reply = tcb->mach.reply;
    int saved_errno = errno;

    if (in_use) {
        tcb->mach.reply = MACH_PORT_NULL;
    }

    handler((int)frame->signo, (siginfo_t *)&frame->info, &frame->context);
    signal_return(frame->context.mask);

    if (in_use) {
        mig_dealloc_reply_port(tcb->mach.reply);
        tcb->mach.reply = reply;
    }

    errno = saved_errno;
}

static kern_return_t
signal_setup(void)
{
    kern_return_t kr;

    if (signal_setup_done) {
        return KERN_SUCCESS;
    }

    kr = UNIX_CALL(unix_signal_setup(unix_port, (uint64_t)unix_trampoline));
    signal_setup_done = kr == KERN_SUCCESS;
    return kr;
}

int
sigaction(int sig, const struct sigaction *action, struct sigaction *old)
{
    unix_sigaction_t request = { 0, 0, 0, 0 };
    unix_sigaction_t answer;
    kern_return_t kr;

    if (action != NULL) {
        request.handler = (uint64_t)action->sa_handler;
        request.mask = action->sa_mask;
        request.flags = (uint32_t)action->sa_flags;

        if (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN) {
            kr = signal_setup();

            if (kr != KERN_SUCCESS) {
                return (int)unix_fail(kr);
            }
        }
    }

    kr = UNIX_CALL(
        unix_signal_action(unix_port, sig, action != NULL, request, &answer));

    if (kr == KERN_SUCCESS && old != NULL) {
        old->sa_handler = (_sig_func_ptr)answer.handler;
        old->sa_mask = answer.mask;
        old->sa_flags = (int)answer.flags;
    }

    return unix_result(kr);
}

/* The semantics of BSD: the handler stays, calls go on. */
_sig_func_ptr
signal(int sig, _sig_func_ptr handler)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    struct sigaction old;

    if (sigaction(sig, &action, &old) != 0) {
        return SIG_ERR;
    }

    return old.sa_handler;
}

int
siginterrupt(int sig, int interrupt)
{
    struct sigaction action;

    if (sigaction(sig, NULL, &action) != 0) {
        return -1;
    }

    if (interrupt) {
        action.sa_flags &= ~SA_RESTART;
    } else {
        action.sa_flags |= SA_RESTART;
    }

    return sigaction(sig, &action, NULL);
}

int
sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    uint64_t old_mask;
    kern_return_t kr;

    if (set == NULL) {
        if (old != NULL) {
            *old = unix_tcb_self()->slot->mask;
        }

        return 0;
    }

    kr = UNIX_CALL(unix_signal_mask(unix_port, how, *set, &old_mask));

    if (kr == KERN_SUCCESS && old != NULL) {
        *old = old_mask;
    }

    return unix_result(kr);
}

int
pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    int saved_errno = errno;
    int error = 0;

    if (sigprocmask(how, set, old) != 0) {
        error = errno;
        errno = saved_errno;
    }

    return error;
}

int
sigpending(sigset_t *set)
{
    uint64_t pending;
    kern_return_t kr;

    kr = UNIX_CALL(unix_signal_pending(unix_port, &pending));

    if (kr == KERN_SUCCESS) {
        *set = pending;
    }

    return unix_result(kr);
}

/* The server leaves `mask` in force until the handlers have run. */
int
sigsuspend(const sigset_t *mask)
{
    sigset_t old = unix_tcb_self()->slot->mask;
    kern_return_t kr;

    kr = UNIX_CALL(unix_signal_suspend(unix_port, *mask));
    signal_return(old);
    return (int)unix_fail(kr);
}

int
pause(void)
{
    sigset_t mask = unix_tcb_self()->slot->mask;

    return sigsuspend(&mask);
}

int
sigtimedwait(const sigset_t *set, siginfo_t *info,
             const struct timespec *timeout)
{
    siginfo_t answer;
    int64_t ns = -1;
    kern_return_t kr;

    if (timeout != NULL) {
        if (timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000L) {
            errno = EINVAL;
            return -1;
        }

        ns = timeout->tv_sec * 1000000000L + timeout->tv_nsec;
    }

    kr = UNIX_CALL(
        unix_signal_wait(unix_port, *set, ns, (unix_siginfo_t *)&answer));

    if (kr != KERN_SUCCESS) {
        return (int)unix_fail(kr);
    }

    if (info != NULL) {
        *info = answer;
    }

    return answer.si_signo;
}

int
sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
    return sigtimedwait(set, info, NULL);
}

int
sigwait(const sigset_t *set, int *sigp)
{
    int saved_errno = errno;
    int sig;

    do {
        sig = sigwaitinfo(set, NULL);
    } while (sig < 0 && errno == EINTR);

    if (sig < 0) {
        sig = errno;
        errno = saved_errno;
        return sig;
    }

    *sigp = sig;
    return 0;
}

int
sigaltstack(const stack_t *stack, stack_t *old)
{
    stack_t *current = &unix_tcb_self()->altstack;
    unix_sigstack_t request = { 0, 0, 0, 0 };
    unix_sigstack_t answer;
    kern_return_t kr;

    if (stack != NULL) {
        request.sp = (uint64_t)stack->ss_sp;
        request.flags = stack->ss_flags;
        request.size = stack->ss_size;
    }

    kr = UNIX_CALL(unix_signal_altstack(unix_port,
                                        (uint64_t)__builtin_frame_address(0),
                                        stack != NULL, request, &answer));

    if (kr != KERN_SUCCESS) {
        return (int)unix_fail(kr);
    }

    if (stack != NULL) {
        *current = *stack;
    }

    if (old != NULL) {
        memcpy(old, &answer, sizeof(*old));
    }

    return 0;
}

int
kill(pid_t pid, int sig)
{
    return unix_result(UNIX_CALL(unix_signal_send(unix_port, pid, sig)));
}

int
killpg(pid_t pgid, int sig)
{
    if (pgid < 0) {
        errno = EINVAL;
        return -1;
    }

    return kill(-pgid, sig);
}

int
sigqueue(pid_t pid, int sig, const union sigval value)
{
    return unix_result(UNIX_CALL(
        unix_signal_queue(unix_port, pid, sig, (uint64_t)value.sival_ptr)));
}

int
raise(int sig)
{
    return kill(getpid(), sig);
}

/* Called by sigsetjmp(): the mask goes behind the registers. */
void unix_sigsetjmp_save(sigjmp_buf env);

void
unix_sigsetjmp_save(sigjmp_buf env)
{
    env[9] = (long long)unix_tcb_self()->slot->mask;
}

void
siglongjmp(sigjmp_buf env, int value)
{
    sigset_t mask = (sigset_t)env[9];

    if (env[8] != 0) {
        sigprocmask(SIG_SETMASK, &mask, NULL);
    }

    longjmp(env, value);
}
