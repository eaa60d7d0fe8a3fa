/* SPDX-License-Identifier: MIT */
/*
 * How libunix calls the Unix server: one MIG stub, one look at the pending
 * flag of the thread's slot, and errno only when the call failed.
 *
 *     return unix_result(UNIX_CALL(unix_fchdir(unix_port, fd)));
 *
 * The server does not make a thread enter a handler while its in_call word is
 * set (docs/abi.md): it raises the flag and answers early, and unix_leave()
 * runs the handlers here, as ordinary calls on the thread's own stack.
 */

#ifndef LIBUNIX_CALL_H
#define LIBUNIX_CALL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include <mach/kern_return.h>
#include <mach/mach_init.h>

#include <unix/unix_types.h>

/* fs:0 of a thread. The first two words after libmach's are ABI. */
struct unix_tcb {
    struct mach_tcb mach;
    uint32_t in_call;
    uint32_t slot_index;
    const struct unix_thread_slot *slot; /* fs:0x48 */
    stack_t altstack;                    /* as the server knows it */
};

_Static_assert(offsetof(struct unix_tcb, in_call) == UNIX_TCB_IN_CALL, "ABI");
_Static_assert(offsetof(struct unix_tcb, slot_index) == UNIX_TCB_SLOT, "ABI");
_Static_assert(offsetof(struct unix_tcb, slot) == 0x48, "used below");

extern mach_port_t unix_port;
extern const struct unix_process_page *unix_page;
extern const struct mach_clock_page *unix_clock;
extern const unsigned char *unix_random; /* 16 bytes, or null */
extern bool unix_secure;

static inline struct unix_tcb *
unix_tcb_self(void)
{
    return (struct unix_tcb *)mach_tcb_self();
}

static inline void
unix_enter(void)
{
    __asm__ volatile("movl $1, %%fs:0x40" : : : "memory");
}

/* The end of a call that looks for no signal. */
static inline void
unix_leave_quietly(void)
{
    __asm__ volatile("movl $0, %%fs:0x40" : : : "memory");
}

/*
 * Run the handlers of the signals that wait. Returns whether the call that
 * ended with `kr` is to be made again.
 */
bool unix_signals_run(kern_return_t kr);

static inline bool
unix_leave(kern_return_t kr)
{
    const struct unix_thread_slot *slot;

    __asm__ volatile("movl $0, %%fs:0x40\n\t"
                     "movq %%fs:0x48, %0"
                     : "=r"(slot)
                     :
                     : "memory");

    if (__builtin_expect(slot->pending == 0 && kr != UNIX_ERROR(UNIX_ERESTART),
                         1)) {
        return false;
    }

    return unix_signals_run(kr);
}

#define UNIX_CALL(stub)                                                        \
    ({                                                                         \
        kern_return_t kr_;                                                     \
        do {                                                                   \
            unix_enter();                                                      \
            kr_ = (stub);                                                      \
        } while (unix_leave(kr_));                                             \
        kr_;                                                                   \
    })

/* The errno that a result stands for. */
int unix_errno(kern_return_t kr);

/* Set errno from a failed call; returns -1. */
long unix_fail(kern_return_t kr);

static inline int
unix_result(kern_return_t kr)
{
    return __builtin_expect(kr == KERN_SUCCESS, 1) ? 0 : (int)unix_fail(kr);
}

/* The result of a call that gives a number. */
static inline long
unix_value(kern_return_t kr, long value)
{
    return __builtin_expect(kr == KERN_SUCCESS, 1) ? value : unix_fail(kr);
}

/* A path as the stubs' argument; they do not write to it. */
static inline char *
unix_path(const char *path)
{
    return (char *)(uintptr_t)path;
}

#endif /* LIBUNIX_CALL_H */
