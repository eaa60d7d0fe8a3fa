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

/* From now on it is the other's time. */
static ALWAYS_INLINE void
sched_charge(struct thread *self, struct thread *next)
{
    uint64_t now = cpu_tsc();

    self->cpu_time += now;
    next->cpu_time -= now;
}

/*
 * From `self`, which waits already (state and wait_state say so) and goes on
 * in its continuation, to `next`: a user thread, claimed and without a stack,
 * its run_word as of one that runs. The rest of the quantum goes along,
 * and each keeps the priority to which it has sunk: only a wait in which the
 * processor went to others lets it rise.
 * Interrupts are off.
 */
static ALWAYS_INLINE void
sched_direct(struct thread *self, struct thread *next)
{
    struct cpu *cpu = cpu_self();

    sched_charge(self, next);
    next->cpu = cpu;
    context_load_user(cpu, self, next);
    atomic_store_explicit(&self->on_cpu, false, memory_order_release);
}

#endif /* KERN_SCHED_DIRECT_H */
