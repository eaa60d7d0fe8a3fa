/* SPDX-License-Identifier: MIT */
/*
 * Per-processor data, reached through gs, and the processor instructions that
 * C cannot say. In kernel mode gs always points at this processor's struct
 * cpu; assembly uses the offsets that the build generates from it.
 */

#ifndef MACHINE_CPU_H
#define MACHINE_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include <kern/macros.h>
#include <machine/io_perms.h>

struct thread;
struct pmap;
struct run_queue;

#define CPU_MAX 32

#define MSR_FS_BASE 0xc0000100u

struct gdt_table {
    uint64_t entries[7];
};

/* Intel SDM volume 3, 8.7. */
struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap_base;
    uint8_t iomap[65536 / 8 + 1];
} __attribute__((packed));

/* What few threads have, in the `special` of a thread that has it and of a
 * processor on which it is loaded. */
#define CONTEXT_FPU 1u /* the FPU's registers are the current thread's */
#define CONTEXT_IO 2u  /* I/O ports */
#define CONTEXT_GS 4u  /* a gs base other than 0 */

/* Asynchronous work that waits for the way out of the kernel. */
#define CPU_AST_PREEMPT 1u   /* a thread of higher priority, or the quantum */
#define CPU_AST_INTERRUPT 2u /* interrupt messages to post */
#define CPU_AST_THREAD 4u    /* current thread: terminate, suspend */

/* Only the owner writes, except where another key is given. */
struct cpu {
    struct cpu *self;
    struct thread *thread; /* the current one */
    uint64_t stack_top;    /* of the kernel stack in use */
    uint64_t user_rsp;     /* scratch of the system call entry */
    _Atomic uint32_t ast;  /* CPU_AST_*: (a) */
    uint32_t number;
    uint64_t canary;    /* gs:40: where the compiler looks for it */
    struct pmap *pmap;  /* loaded in CR3 */
    struct thread *fpu; /* whose FPU state is in the registers */
    struct run_queue *run_queue;
    struct thread *idle;
    uint64_t quantum_end;    /* TSC, 0 while no quantum runs */
    struct thread *previous; /* being switched from */
    uint64_t stack_dead;     /* top of a stack to free after the switch */
    uint32_t interrupt_depth;
    uint32_t lapic_id;
    bool iomap_open;        /* the TSS grants some I/O ports now */
    struct io_perms iomap;  /* whose bits are clear in the TSS's map */
    uint32_t special;       /* CONTEXT_*: what is loaded beside the usual */
    uint8_t lock_ranks[16]; /* debug kernels: ranks held, in order */
    uint32_t locks_held;
    struct gdt_table gdt;
    struct tss tss;
} CACHE_ALIGNED;

extern struct cpu cpus[CPU_MAX];
extern unsigned int cpu_count;

static inline struct cpu *
cpu_self(void)
{
    struct cpu *cpu;

    __asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

/* Constant for the code that asks, whatever processor it is on. */
static inline struct thread *
current_thread(void)
{
    struct thread *thread;

    __asm__("movq %%gs:8, %0" : "=r"(thread));
    return thread;
}

static inline void
cpu_pause(void)
{
    __asm__ volatile("pause");
}

static inline void
cpu_interrupts_disable(void)
{
    __asm__ volatile("cli" ::: "memory");
}

static inline void
cpu_interrupts_enable(void)
{
    __asm__ volatile("sti" ::: "memory");
}

/* Disable interrupts; the result tells restore() what they were. */
static inline unsigned long
cpu_interrupts_save(void)
{
    unsigned long flags;

    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
    return flags;
}

static inline void
cpu_interrupts_restore(unsigned long flags)
{
    if (flags & 0x200) {
        cpu_interrupts_enable();
    }
}

static inline bool
cpu_interrupts_enabled(void)
{
    unsigned long flags;

    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    return (flags & 0x200) != 0;
}

static inline uint64_t
cpu_tsc(void)
{
    uint64_t low, high; /* the upper halves of both become 0 */

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return high << 32 | low;
}

static inline uint64_t
cpu_read_msr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void
cpu_write_msr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value),
                     "d"((uint32_t)(value >> 32))
                     : "memory");
}

/* A base that only user code uses: no memory of the kernel's is meant. */
static inline void
cpu_write_user_base(uint32_t msr, uint64_t base)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)base), "d"(base >> 32));
}

static inline uint64_t
cpu_read_cr2(void)
{
    uint64_t value;

    __asm__ volatile("movq %%cr2, %0" : "=r"(value));
    return value;
}

static inline uint64_t
cpu_read_cr3(void)
{
    uint64_t value;

    __asm__ volatile("movq %%cr3, %0" : "=r"(value));
    return value;
}

static inline void
cpu_write_cr3(uint64_t value)
{
    __asm__ volatile("movq %0, %%cr3" ::"r"(value) : "memory");
}

/* One bit of a word that several processors change. */
static inline void
cpu_bit_set(_Atomic uint32_t *word, uint32_t bit)
{
    __asm__ volatile("lock btsl %1, %0"
                     : "+m"(*word)
                     : "r"(bit)
                     : "memory", "cc");
}

static inline void
cpu_bit_clear(_Atomic uint32_t *word, uint32_t bit)
{
    __asm__ volatile("lock btrl %1, %0"
                     : "+m"(*word)
                     : "r"(bit)
                     : "memory", "cc");
}

/* The low byte goes round, the others stay. */
static inline uint32_t
cpu_increment_low_byte(uint32_t value)
{
    __asm__("incb %b0" : "+q"(value)::"cc");
    return value;
}

/* Count up or down; true if the result is negative, or (down) also if 0. */
static inline bool
cpu_increment_negative(_Atomic uint32_t *word)
{
    bool negative;

    __asm__ volatile("lock incl %0" : "+m"(*word), "=@ccs"(negative)::"memory");
    return negative;
}

static inline bool
cpu_decrement_not_positive(_Atomic uint32_t *word)
{
    bool less;

    __asm__ volatile("lock decl %0" : "+m"(*word), "=@ccle"(less)::"memory");
    return less;
}

static inline void
cpu_invalidate_page(uint64_t address)
{
    __asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}

static inline void
cpu_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint8_t
cpu_in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void
cpu_out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}

#endif /* MACHINE_CPU_H */
