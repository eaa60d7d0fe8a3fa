/* SPDX-License-Identifier: MIT */
/* The part of a switch that leaves the stack alone, for the two callers that
 * switch: machine/context.h and the message fast path. */

#ifndef MACHINE_CONTEXT_LOAD_H
#define MACHINE_CONTEXT_LOAD_H

#include <kern/task.h>
#include <kern/thread.h>
#include <machine/context.h>
#include <machine/cpu.h>
#include <machine/pmap.h>
#include <vm/vm_map.h>

/* Save the FPU image of the thread that has the FPU and take it away. */
void context_fpu_release(struct cpu *cpu);

/* Load the thread's segment bases where they differ from what is loaded. */
void context_load_bases(struct cpu *cpu, const struct thread *next);

/*
 * From `self`, which may be NULL, to the user thread `next`: FPU, address
 * space, I/O permissions, entry stack, segment bases. Interrupts are off.
 */
static inline void
context_load_user(struct cpu *cpu, struct thread *self, struct thread *next)
{
    struct task *task = next->task;

    if (unlikely(cpu->fpu == self) && self != NULL) {
        context_fpu_release(cpu);
    }

    pmap_activate_on(cpu, task->map->pmap);

    if (unlikely(task->io_perms != NULL || cpu->iomap_open)) {
        task_io_load(cpu, task);
    }

    cpu->tss.rsp[0] = (uint64_t)(uintptr_t)(&next->frame + 1);

    if (unlikely(next->fs_base != cpu->fs_base ||
                 next->gs_base != cpu->gs_base)) {
        context_load_bases(cpu, next);
    }

    cpu->thread = next;
}

#endif /* MACHINE_CONTEXT_LOAD_H */
