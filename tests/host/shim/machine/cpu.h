/* SPDX-License-Identifier: MIT */
/* One make-believe processor, for kernel code in host tests. */

#ifndef MACHINE_CPU_H
#define MACHINE_CPU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <kern/macros.h>

struct thread;
struct pmap;

#define CPU_MAX 2

struct cpu {
    uint32_t number;
    uint32_t bit;
    struct pmap *pmap;
    struct thread *thread;
};

extern struct cpu shim_cpu;

static inline struct cpu *
cpu_self(void)
{
    return &shim_cpu;
}

static inline struct thread *
current_thread(void)
{
    return shim_cpu.thread;
}

static inline void
cpu_pause(void)
{
}

static inline void
cpu_bit_set(_Atomic uint32_t *word, uint32_t bit)
{
    atomic_fetch_or(word, 1u << bit);
}

static inline void
cpu_bit_clear(_Atomic uint32_t *word, uint32_t bit)
{
    atomic_fetch_and(word, ~(1u << bit));
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

/* The test's memory unit drops what it remembers. */
void cpu_invalidate_page(uint64_t address);
void cpu_write_cr3(uint64_t value);

static inline uint64_t
cpu_read_msr(uint32_t msr)
{
    return msr;
}

static inline void
cpu_write_msr(uint32_t msr, uint64_t value)
{
    (void)msr;
    (void)value;
}

#endif /* MACHINE_CPU_H */
