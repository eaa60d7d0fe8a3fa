/* SPDX-License-Identifier: MIT */
/* One make-believe processor that runs simulated threads. */

#ifndef MACHINE_CPU_H
#define MACHINE_CPU_H

#include <stdatomic.h>
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

static inline bool
cpu_increment_negative(_Atomic uint32_t *word)
{
    return (int32_t)(atomic_fetch_add(word, 1) + 1) < 0;
}

static inline bool
cpu_decrement_not_positive(_Atomic uint32_t *word)
{
    return (int32_t)(atomic_fetch_sub(word, 1) - 1) <= 0;
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
