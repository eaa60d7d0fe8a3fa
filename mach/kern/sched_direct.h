/* SPDX-License-Identifier: MIT */
/*
 * The change of threads of the message fast path, which goes on as the other
 * thread upon the same stack.
 */

#ifndef KERN_SCHED_DIRECT_H
#define KERN_SCHED_DIRECT_H

#include <kern/sched.h>
#include <kern/thread.h>
#include <machine/context_load.h>

/* Charge the time since the last switch. */
static inline void
sched_charge(struct cpu *cpu, struct thread *thread)
{
    uint64_t now = cpu_tsc();

    thread->cpu_time += now - cpu->switch_time;
    cpu->switch_time = now;
}

/*
 * From `self`, which waits already (state and wait_state say so) and goes on
 * in `continuation`, to `next`: a user thread, claimed (its wait_state is
 * WAIT_STATE_NONE), without a stack and off every processor. The rest of the
 * quantum goes along. Interrupts are off.
 */
static inline void
sched_direct(struct thread *self, continuation_t continuation,
             struct thread *next)
{
    struct cpu *cpu = cpu_self();

    sched_charge(cpu, self);
    self->continuation = continuation;
    next->state = THREAD_RUNNING;
    next->cpu = cpu;
    next->sched_priority = next->priority;
    atomic_store_explicit(&next->on_cpu, true, memory_order_relaxed);
    context_load_user(cpu, self, next);
    atomic_store_explicit(&self->on_cpu, false, memory_order_release);
}

#endif /* KERN_SCHED_DIRECT_H */
