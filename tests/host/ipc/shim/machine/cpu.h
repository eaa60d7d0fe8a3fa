/* SPDX-License-Identifier: MIT */
/* One make-believe processor that runs simulated threads. */

#ifndef MACHINE_CPU_H
#define MACHINE_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include <kern/macros.h>

struct thread;

#define CPU_MAX 1

extern struct thread *env_current;

static inline struct thread *
current_thread(void)
{
    return env_current;
}

static inline void
cpu_pause(void)
{
}

static inline void
cpu_interrupts_enable(void)
{
}

static inline void
cpu_interrupts_disable(void)
{
}

#endif /* MACHINE_CPU_H */
