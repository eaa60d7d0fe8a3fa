/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: per processor a run queue of 64 priority lists and a bitmap;
 * the highest ready thread runs, equals take turns by quantum. Threads that
 * compute sink a little below their base priority and rise when they wait.
 */

#ifndef KERN_SCHED_H
#define KERN_SCHED_H

#include <kern/list.h>
#include <kern/spinlock.h>
#include <kern/timer.h>
#include <kern/wait.h>

struct thread;
struct cpu;

#define SCHED_PRIORITIES 64
#define SCHED_QUANTUM_NS 10000000ul
#define SCHED_DECAY_MAX 8u /* how far below its base a thread may sink */

struct run_queue {
    struct spinlock lock;                /* LOCK_RANK_RUN_QUEUE */
    uint64_t bitmap;                     /* (l) bit n: list n is not empty */
    struct list ready[SCHED_PRIORITIES]; /* (l) */
    uint32_t count;                      /* (l) */
    struct timer tick;                   /* runs while somebody else is ready */
    struct cpu *cpu;
};

void sched_setup_cpu(struct cpu *cpu);

/*
 * Claim the right to end the thread's wait. True for exactly one caller per
 * wait, who then calls sched_wake(). An uninterruptible wait is not claimed
 * when `interrupt` is given.
 */
bool sched_claim(struct thread *thread, bool interrupt);

/* Make the claimed thread ready, with this result of its wait. */
void sched_wake(struct thread *thread, enum wait_result result);

/* A new thread's first turn. */
void sched_start(struct thread *thread);

/* Mark the current thread as waiting: the part of thread_wait_on() that does
 * not queue. Fails (false) if an abort is pending and it is interruptible. */
bool
sched_wait_begin(struct thread *self, bool interruptible, uint64_t timeout_ns);

/*
 * Block, and hand the processor and the rest of the quantum straight to
 * `next`, which the caller has claimed: no run queue is touched.
 */
NORETURN void sched_handoff(struct thread *self, continuation_t continuation,
                            struct thread *next, enum wait_result result);

/* Let others of the same or a higher priority run. */
void sched_yield(continuation_t continuation);

/* In long loops, no spin lock held: post interrupts, let others run. */
void thread_preempt_point(void);

/* Change the base priority (0-63). */
void sched_set_priority(struct thread *thread, unsigned int priority);

/* Tick of this processor, from the clock interrupt: did it meet user code? */
void sched_tick(bool user);

/* First thing on the new stack after a switch. */
void sched_switched(void);

/* End the current thread: its last reference to itself is dropped when it is
 * off the processor. */
NORETURN void sched_halt(struct thread *self);

NORETURN void sched_idle_loop(struct thread *self);

#endif /* KERN_SCHED_H */
