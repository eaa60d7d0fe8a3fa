/* SPDX-License-Identifier: MIT */
/*
 * Delivery of signals. A process has one thread, which is either inside a call
 * to this server (in_call in its control block is not 0), or elsewhere. In a
 * call it gets the pending flag, and its parked calls are ended; elsewhere it
 * is stopped and made to enter the trampoline.
 */

#include <string.h>

#include <mach/mach.h>

#include "client.h"
#include "process.h"
#include "signal_delivery.h"
#include "tty.h"

#define RED_ZONE 128
#define FRAME_ALIGN 16
#define RETRY_NS 5000000L
#define RFLAGS_CLEAR (0x100UL | 0x400UL | 0x40000UL) /* TF, DF, AC */

#define SIGNAL_TERMINAL_STOPS                                                  \
    (UNIX_SIGBIT(UNIX_SIGTSTP) | UNIX_SIGBIT(UNIX_SIGTTIN) |                   \
     UNIX_SIGBIT(UNIX_SIGTTOU))
#define SIGNAL_STOPS (SIGNAL_TERMINAL_STOPS | UNIX_SIGBIT(UNIX_SIGSTOP))

struct process *signal_caller;

enum signal_effect
signal_effect(const struct process *process, int signo)
{
    enum signal_effect effect = signal_state_effect(&process->signals, signo);

    if (effect == SIGNAL_CATCH && process->trampoline == 0) {
        return SIGNAL_TERMINATE;
    }

    return effect;
}

static unix_sigset_t
signal_caught_ready(const struct process *process)
{
    unix_sigset_t ready = signal_state_ready(&process->signals);
    unix_sigset_t caught = 0;

    while (ready != 0) {
        int signo = __builtin_ctzl(ready) + 1;

        ready &= ready - 1;

        if (signal_effect(process, signo) == SIGNAL_CATCH) {
            caught |= UNIX_SIGBIT(signo);
        }
    }

    return caught;
}

bool
signal_waits(const struct process *process)
{
    return signal_state_ready(&process->signals) != 0 &&
           signal_caught_ready(process) != 0;
}

int
signal_next_caught(const struct process *process)
{
    return signal_state_next(&process->signals, signal_caught_ready(process));
}

void
signal_publish(struct process *process)
{
    struct unix_thread_slot *slot = &process->shared->page->slot[0];

    slot->mask = process->signals.mask;
    slot->pending = signal_waits(process);
}

/* -- Frames ---------------------------------------------------------------- */

static void
frame_fill_registers(struct unix_ucontext *context,
                     const x86_thread_state64_t *state)
{
    uint64_t *gregs = context->gregs;

    gregs[UNIX_REG_R8] = state->r8;
    gregs[UNIX_REG_R9] = state->r9;
    gregs[UNIX_REG_R10] = state->r10;
    gregs[UNIX_REG_R11] = state->r11;
    gregs[UNIX_REG_R12] = state->r12;
    gregs[UNIX_REG_R13] = state->r13;
    gregs[UNIX_REG_R14] = state->r14;
    gregs[UNIX_REG_R15] = state->r15;
    gregs[UNIX_REG_RDI] = state->rdi;
    gregs[UNIX_REG_RSI] = state->rsi;
    gregs[UNIX_REG_RBP] = state->rbp;
    gregs[UNIX_REG_RBX] = state->rbx;
    gregs[UNIX_REG_RDX] = state->rdx;
    gregs[UNIX_REG_RAX] = state->rax;
    gregs[UNIX_REG_RCX] = state->rcx;
    gregs[UNIX_REG_RSP] = state->rsp;
    gregs[UNIX_REG_RIP] = state->rip;
    gregs[UNIX_REG_EFL] = state->rflags;
    context->fs_base = state->fs_base;
}

static void
frame_fill_info(struct unix_siginfo *to, const struct signal_info *from)
{
    to->signo = from->signo;
    to->code = from->code;
    to->status = from->status;
    to->pid = from->pid;
    to->uid = from->uid;
    to->addr = from->addr;
    to->value = from->value;
}

/* Where the frame goes: below the red zone, or on the alternate stack. */
static uint64_t
frame_address(const struct process *process, uint32_t flags, uint64_t sp)
{
    const struct signal_state *signals = &process->signals;

    if ((flags & UNIX_SA_ONSTACK) != 0 &&
        (signals->stack.flags & UNIX_SS_DISABLE) == 0 &&
        !signal_state_on_stack(signals, sp)) {
        sp = signals->stack.sp + signals->stack.size;
    } else {
        sp -= RED_ZONE;
    }

    sp -= sizeof(struct unix_sigframe);
    return sp & ~(uint64_t)(FRAME_ALIGN - 1);
}

/*
 * Make a thread with these registers enter the handler of a signal, which is
 * in `info`. EFAULT: the stack can't be written.
 */
static int
frame_push(struct process *process, const struct signal_info *info,
           uint32_t in_call, x86_thread_state64_t *state)
{
    struct unix_sigframe frame;
    struct unix_sigaction action;
    uint64_t address;
    int error;

    memset(&frame, 0, sizeof(frame));
    frame.context.mask = process->signals.mask;
    frame.context.stack = process->signals.stack;
    frame_fill_registers(&frame.context, state);
    frame_fill_info(&frame.info, info);
    signal_state_enter(&process->signals, info->signo, &action);
    frame.handler = action.handler;
    frame.signo = (uint32_t)info->signo;
    frame.flags = action.flags;
    frame.in_call = in_call;
    address = frame_address(process, action.flags, state->rsp);
    error = client_write(process, address, &frame, sizeof(frame));

    if (error != 0) {
        return error;
    }

    state->rip = process->trampoline;
    state->rsp = address;
    state->rdi = address;
    state->rflags &= ~RFLAGS_CLEAR;
    signal_publish(process);
    return 0;
}

/* -- Entering a handler ---------------------------------------------------- */

static uint32_t
signal_in_call(struct process *process, uint64_t fs_base)
{
    uint32_t in_call = 0;

    /* Without control block there is no libunix, hence no call. */
    if (fs_base == 0 || client_read(process, fs_base + UNIX_TCB_IN_CALL,
                                    &in_call, sizeof(in_call)) != 0) {
        return 0;
    }

    return in_call;
}

/* The thread is stopped: make it enter a handler unless it is in a call. */
static int
signal_redirect(struct process *process)
{
    x86_thread_state64_t state;
    mach_msg_type_number_t count = x86_THREAD_STATE64_COUNT;
    struct signal_info info;
    int signo;

    if (thread_get_state(process->thread, x86_THREAD_STATE64,
                         (thread_state_t)&state, &count) != KERN_SUCCESS) {
        return EAGAIN;
    }

    if (signal_in_call(process, state.fs_base) != 0) {
        return 0;
    }

    if (thread_abort_safely(process->thread) != KERN_SUCCESS) {
        return EAGAIN;
    }

    /* What it was doing in the kernel may have changed its registers. */
    count = x86_THREAD_STATE64_COUNT;

    if (thread_get_state(process->thread, x86_THREAD_STATE64,
                         (thread_state_t)&state, &count) != KERN_SUCCESS) {
        return EAGAIN;
    }

    signo = signal_next_caught(process);
    signal_state_take(&process->signals, signo, &info);

    if (frame_push(process, &info, 0, &state) != 0) {
        process_doom(process, UNIX_STATUS_SIGNALED(UNIX_SIGSEGV));
        return 0;
    }

    (void)thread_set_state(process->thread, x86_THREAD_STATE64,
                           (thread_state_t)&state, x86_THREAD_STATE64_COUNT);
    return 0;
}

/* There is a caught signal: see to it that the process takes it. */
static void
signal_notify(struct process *process)
{
    int error;

    signal_publish(process);

    if (process == signal_caller || process->state != PROCESS_RUNS) {
        return;
    }

    if (!list_empty(&process->calls)) {
        call_interrupt_all(process);
        return;
    }

    if (thread_suspend(process->thread) != KERN_SUCCESS) {
        return;
    }

    error = signal_redirect(process);
    (void)thread_resume(process->thread);

    if (error != 0) {
        (void)timer_set(&process->retry, clock_uptime() + RETRY_NS);
    }
}

void
signal_retry(struct timer *timer)
{
    struct process *process = list_entry(timer, struct process, retry);

    if (signal_waits(process)) {
        signal_notify(process);
    }
}

/* -- Acting upon signals --------------------------------------------------- */

static void
signal_stop(struct process *process, int signo)
{
    if ((UNIX_SIGBIT(signo) & SIGNAL_TERMINAL_STOPS) != 0 &&
        group_orphaned(process->group)) {
        return;
    }

    (void)task_suspend(process->task);
    process->state = PROCESS_STOPPED;
    process->status = signo;
    process->stop_report = true;
    process->continue_report = false;
    process_changed(process);
}

static void
signal_continue(struct process *process)
{
    if (process->state != PROCESS_STOPPED) {
        return;
    }

    process->state = PROCESS_RUNS;
    process->stop_report = false;
    process->continue_report = true;
    (void)task_resume(process->task);
    process_changed(process);
}

/* Do what needs no handler; what is left is caught. */
static void
signal_act(struct process *process)
{
    unix_sigset_t ready = signal_state_ready(&process->signals);

    while (ready != 0 && process->state == PROCESS_RUNS) {
        int signo = __builtin_ctzl(ready) + 1;
        enum signal_effect effect = signal_effect(process, signo);
        struct signal_info info;

        ready &= ready - 1;

        if (effect == SIGNAL_CATCH) {
            continue;
        }

        do {
            signal_state_take(&process->signals, signo, &info);
        } while ((process->signals.pending & UNIX_SIGBIT(signo)) != 0);

        if (effect == SIGNAL_TERMINATE) {
            process_doom(process, UNIX_STATUS_SIGNALED(signo));
            return;
        }

        if (effect == SIGNAL_STOP) {
            signal_stop(process, signo);
        }
    }
}

void
signal_deliver(struct process *process)
{
    if (process->state != PROCESS_RUNS || process->doomed) {
        return;
    }

    signal_act(process);

    if (process->state == PROCESS_RUNS && !process->doomed &&
        signal_waits(process)) {
        signal_notify(process);
    } else {
        signal_publish(process);
    }
}

/* Number 1 gets only the signals that it has asked for: without it there is
 * no system. */
static bool
signal_refused(const struct process *process, int signo)
{
    enum signal_effect effect = signal_effect(process, signo);

    return process == process_init &&
           (effect == SIGNAL_TERMINATE || effect == SIGNAL_STOP);
}

void
signal_post(struct process *process, const struct signal_info *info)
{
    struct signal_state *signals = &process->signals;
    int signo = info->signo;
    unix_sigset_t bit = UNIX_SIGBIT(signo);

    if (process->state == PROCESS_ZOMBIE || process->doomed ||
        signal_refused(process, signo)) {
        return;
    }

    if (signo == UNIX_SIGKILL) {
        process_doom(process, UNIX_STATUS_SIGNALED(signo));
        return;
    }

    if (signo == UNIX_SIGCONT) {
        signal_state_discard(signals, SIGNAL_STOPS);
        signal_continue(process);
    } else if ((bit & SIGNAL_STOPS) != 0) {
        signal_state_discard(signals, UNIX_SIGBIT(UNIX_SIGCONT));
    }

    switch (signal_effect(process, signo)) {
    case SIGNAL_IGNORE:
    case SIGNAL_CONTINUE:
        /* Kept only for who waits for it, or may when it is blocked. */
        if (((signals->waited | signals->mask) & bit) == 0) {
            signal_deliver(process);
            return;
        }

        break;
    default:
        break;
    }

    (void)signal_state_post(signals, info);
    wait_queue_wake(&process->signaled);
    signal_deliver(process);
}

void
signal_post_kernel(struct process *process, int signo)
{
    struct signal_info info;

    memset(&info, 0, sizeof(info));
    info.signo = signo;
    info.code = UNIX_SI_KERNEL;
    signal_post(process, &info);
}

void
signal_hang_up(struct session *session)
{
    struct tty *tty = session->tty;
    struct group *group;

    if (tty == NULL) {
        return;
    }

    group = group_lookup(tty->foreground);
    tty_release_session(tty);

    if (group != NULL && group->session == session) {
        group_signal(group, UNIX_SIGHUP);
        group_signal(group, UNIX_SIGCONT);
    }
}

/* -- Exceptions ------------------------------------------------------------ */

static void
exception_access(const int64_t *code, struct signal_info *info)
{
    info->addr = (uint64_t)code[1];

    switch (code[0]) {
    case KERN_PROTECTION_FAILURE:
        info->signo = UNIX_SIGSEGV;
        info->code = UNIX_SEGV_ACCERR;
        break;
    case KERN_INVALID_ADDRESS:
        info->signo = UNIX_SIGSEGV;
        info->code = UNIX_SEGV_MAPERR;
        break;
    case EXC_X86_GP:
        info->signo = UNIX_SIGSEGV;
        info->code = UNIX_SI_KERNEL;
        break;
    default:
        info->signo = UNIX_SIGBUS;
        info->code = UNIX_BUS_OBJERR;
        break;
    }
}

static void
exception_to_signal(int exception, const int64_t *code, uint64_t rip,
                    struct signal_info *info)
{
    memset(info, 0, sizeof(*info));
    info->addr = rip;

    switch (exception) {
    case EXC_BAD_ACCESS:
        exception_access(code, info);
        break;
    case EXC_BAD_INSTRUCTION:
        info->signo = UNIX_SIGILL;
        info->code = UNIX_ILL_ILLOPC;
        break;
    case EXC_ARITHMETIC:
        info->signo = UNIX_SIGFPE;
        info->code = code[0] == EXC_X86_DIV ? UNIX_FPE_INTDIV : UNIX_FPE_FLTINV;
        break;
    case EXC_BREAKPOINT:
        info->signo = UNIX_SIGTRAP;
        info->code = code[0] == EXC_X86_SGL ? UNIX_TRAP_TRACE : UNIX_TRAP_BRKPT;
        break;
    case EXC_SYSCALL:
    case EXC_MACH_SYSCALL:
        info->signo = UNIX_SIGSYS;
        break;
    default:
        info->signo = UNIX_SIGKILL;
        break;
    }
}

int
signal_exception(struct process *process, int exception, const int64_t *code,
                 x86_thread_state64_t *state)
{
    static const uint32_t zero;
    struct signal_info info;
    uint32_t in_call;

    if (process->doomed) {
        return EFAULT;
    }

    exception_to_signal(exception, code, state->rip, &info);

    if (exception == EXC_RESOURCE) {
        server_log("%s (%d): ended, there is no memory left", process->name,
                   process->pid);
    }

    if (info.signo == UNIX_SIGKILL ||
        (process->signals.mask & UNIX_SIGBIT(info.signo)) != 0 ||
        signal_effect(process, info.signo) != SIGNAL_CATCH) {
        process_doom(process, UNIX_STATUS_SIGNALED(info.signo));
        return EFAULT;
    }

    in_call = signal_in_call(process, state->fs_base);

    if (frame_push(process, &info, in_call, state) != 0 ||
        (in_call != 0 &&
         client_write(process, state->fs_base + UNIX_TCB_IN_CALL, &zero,
                      sizeof(zero)) != 0)) {
        process_doom(process, UNIX_STATUS_SIGNALED(UNIX_SIGSEGV));
        return EFAULT;
    }

    return 0;
}
