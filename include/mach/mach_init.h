/* SPDX-License-Identifier: MIT */
/*
 * The ports that every task has, and what a C start-up does before the first
 * call into libmach.
 */

#ifndef MACH_MACH_INIT_H
#define MACH_MACH_INIT_H

#include <mach/port.h>

/*
 * The start of a thread's control block. fs:0 points to it; thread-local
 * variables lie below it (variant II of the ELF rules). The first 64 bytes
 * are ABI: a compiler knows `self` and `canary`, libmach the rest. What a C
 * library adds follows it.
 */
struct mach_tcb {
    struct mach_tcb *self; /* fs:0x00 */
    void *dtv;             /* fs:0x08 for a dynamic linker */
    void *reserved;        /* fs:0x10 */
    void *library;         /* fs:0x18 the C library's own */
    uint64_t sysinfo;      /* fs:0x20 */
    uint64_t canary;       /* fs:0x28 of the compiler's stack protector */
    mach_port_t reply;     /* fs:0x30 this thread's cached reply port */
    mach_port_t thread;    /* fs:0x34 this thread, or null: not asked yet */
    void *user;            /* fs:0x38 struct mach_thread, or null */
};

_Static_assert(sizeof(struct mach_tcb) == 64, "ABI");
_Static_assert(offsetof(struct mach_tcb, canary) == 0x28, "ABI");

static inline struct mach_tcb *
mach_tcb_self(void)
{
    struct mach_tcb *tcb;

    __asm__("movq %%fs:0, %0" : "=r"(tcb));
    return tcb;
}

/* This task and host: cached, the caller owns no reference. */
extern mach_port_t mach_task_self_;
mach_port_t mach_host_self(void);

#define mach_task_self() mach_task_self_

/* The name service, TASK_BOOTSTRAP_PORT: asked for once, then cached. */
mach_port_t mach_bootstrap_port(void);

#define bootstrap_port mach_bootstrap_port()

/*
 * Called once, first of all, by crt0: makes the first thread's control block
 * and thread-local storage, and asks for the task's port. Needs neither stack
 * protector nor thread-local storage itself.
 *
 * A C library with a control block of its own, which begins with a struct
 * mach_tcb, calls the second form: every thread that libmach creates then
 * gets a zero-filled block of that size, and `setup` is called on it before
 * the thread runs.
 */
void mach_init(void);
void mach_init_library(size_t tcb_size, void (*setup)(struct mach_tcb *tcb));

/*
 * Called in a child made with inherited memory (fork): port rights are not
 * inherited, so the cached names are forgotten and the task's port is asked
 * for again. The calling thread is the child's only one.
 */
void mach_init_child(void);

#endif /* MACH_MACH_INIT_H */
