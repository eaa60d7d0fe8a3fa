/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables and control registers of a processor. Intel SDM volume 3:
 * 3.4.5 (descriptors), 6.14 (IDT in 64-bit mode), 8.7 (TSS); volume 2:
 * SYSCALL.
 */

#include <debug/assert.h>
#include <kern/string.h>
#include <machine/cpu.h>
#include <machine/layout.h>
#include <machine/setup.h>
#include <machine/trap.h>

#define CR0_WP 0x10000ul
#define CR0_NE 0x20ul
#define CR0_TS 0x8ul
#define CR0_MP 0x2ul
#define CR0_EM 0x4ul
#define CR4_PGE 0x80ul
#define CR4_OSFXSR 0x200ul
#define CR4_OSXMMEXCPT 0x400ul
#define CR4_UMIP 0x800ul
#define CR4_SMEP 0x100000ul
#define CR4_SMAP 0x200000ul

#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_SFMASK 0xc0000084u
#define MSR_GS_BASE 0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define EFER_SCE 0x001u
#define EFER_NXE 0x800u

/* IF TF DF AC NT IOPL and RF, VIP, VIF, VM: nothing of the user's stays. */
#define SFMASK_FLAGS 0x1f7700u

#define GATE_INTERRUPT 0x8eu
#define GATE_INTERRUPT_USER 0xeeu /* int3, into */

#define IST_STACK_SIZE 4096
#define IST_NUMBER 4

struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

struct cpu cpus[CPU_MAX];
unsigned int cpu_count = 1;

static struct gate idt[256] __attribute__((aligned(16)));
/* The boot processor's; others allocate theirs. The word above the top is
 * where the paranoid entries find struct cpu. */
static struct {
    char stack[IST_STACK_SIZE];
    struct cpu *cpu;
    uint64_t pad;
} ist_stacks[IST_NUMBER] __attribute__((aligned(16)));

extern char trap_stubs[];

/* Where the entry code has a stac or clac. */
extern uint8_t *const __smap_start[], *const __smap_end[];
void entry_syscall(void);
void entry_debug(void);
void entry_nmi(void);
void entry_double_fault(void);
void entry_machine_check(void);

static void
idt_set(unsigned int vector, uint64_t address, uint8_t type, uint8_t ist)
{
    idt[vector] = (struct gate){
        .offset_low = (uint16_t)address,
        .selector = KERNEL_CODE_SELECTOR,
        .ist = ist,
        .type = type,
        .offset_middle = (uint16_t)(address >> 16),
        .offset_high = (uint32_t)(address >> 32),
    };
}

static uint64_t
address_of(void (*function)(void))
{
    return (uint64_t)(uintptr_t)function;
}

static void
idt_setup(void)
{
    for (unsigned int vector = 0; vector < 256; vector++) {
        idt_set(vector, (uint64_t)(uintptr_t)trap_stubs + vector * 16ul,
                vector == VECTOR_BREAKPOINT || vector == VECTOR_OVERFLOW
                    ? GATE_INTERRUPT_USER
                    : GATE_INTERRUPT,
                0);
    }

    idt_set(VECTOR_DEBUG, address_of(entry_debug), GATE_INTERRUPT, 1);
    idt_set(VECTOR_NMI, address_of(entry_nmi), GATE_INTERRUPT, 2);
    idt_set(VECTOR_DOUBLE_FAULT, address_of(entry_double_fault), GATE_INTERRUPT,
            3);
    idt_set(VECTOR_MACHINE_CHECK, address_of(entry_machine_check),
            GATE_INTERRUPT, 4);
}

static void
cpu_load_tables(struct cpu *cpu)
{
    uint64_t tss = (uint64_t)(uintptr_t)&cpu->tss;
    uint64_t limit = sizeof(cpu->tss) - 1;
    struct table_pointer pointer;

    cpu->gdt.entries[KERNEL_CODE_SELECTOR / 8] = 0x00af9b000000ffff;
    cpu->gdt.entries[KERNEL_DATA_SELECTOR / 8] = 0x00cf93000000ffff;
    cpu->gdt.entries[USER_DATA_SELECTOR / 8] = 0x00cff3000000ffff;
    cpu->gdt.entries[USER_CODE_SELECTOR / 8] = 0x00affb000000ffff;
    cpu->gdt.entries[TSS_SELECTOR / 8] =
        (limit & 0xffff) | (tss & 0xffffff) << 16 | 0x89ul << 40 |
        (limit >> 16 & 0xf) << 48 | (tss >> 24 & 0xff) << 56;
    cpu->gdt.entries[TSS_SELECTOR / 8 + 1] = tss >> 32;

    /* No I/O port is allowed: the map lies beyond the limit until a task
     * with permissions runs (task_io_load). */
    cpu->tss.iomap_base = sizeof(cpu->tss);
    memset(cpu->tss.iomap, 0xff, sizeof(cpu->tss.iomap));

    pointer = (struct table_pointer){ sizeof(cpu->gdt) - 1,
                                      (uint64_t)(uintptr_t)&cpu->gdt };
    __asm__ volatile("lgdt %0" ::"m"(pointer));
    pointer =
        (struct table_pointer){ sizeof(idt) - 1, (uint64_t)(uintptr_t)idt };
    __asm__ volatile("lidt %0" ::"m"(pointer));
    __asm__ volatile("ltr %w0" ::"r"(TSS_SELECTOR));
    __asm__ volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%ss" ::"r"(
        KERNEL_DATA_SELECTOR));
}

/*
 * stac and clac are undefined on a processor without SMAP: put a nop in the
 * place of each. The boot tables still let us write to the image.
 */
static void
cpu_drop_smap(void)
{
    static const uint8_t nop[3] = { 0x0f, 0x1f, 0x00 };

    for (uint8_t *const *site = __smap_start; site < __smap_end; site++) {
        memcpy(*site, nop, sizeof(nop));
    }
}

static void
cpu_set_controls(void)
{
    uint32_t eax = 7, ebx, ecx = 0, edx;
    uint64_t cr0, cr4;

    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    cr4 |= CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    cr4 |= (ebx & 1u << 7) != 0 ? CR4_SMEP : 0;
    cr4 |= (ebx & 1u << 20) != 0 ? CR4_SMAP : 0;
    cr4 |= (ecx & 1u << 2) != 0 ? CR4_UMIP : 0;
    __asm__ volatile("movq %0, %%cr4" ::"r"(cr4));

    if ((cr4 & CR4_SMAP) == 0) {
        cpu_drop_smap();
    }

    __asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
    cr0 = (cr0 & ~CR0_EM) | CR0_WP | CR0_NE | CR0_MP | CR0_TS;
    __asm__ volatile("movq %0, %%cr0" ::"r"(cr0));

    cpu_write_msr(MSR_EFER, cpu_read_msr(MSR_EFER) | EFER_SCE | EFER_NXE);
    /* sysret loads cs = base + 16, ss = base + 8, both with RPL 3. */
    cpu_write_msr(MSR_STAR, (uint64_t)(USER_DATA_SELECTOR - 8) << 48 |
                                (uint64_t)KERNEL_CODE_SELECTOR << 32);
    cpu_write_msr(MSR_LSTAR, address_of(entry_syscall));
    cpu_write_msr(MSR_SFMASK, SFMASK_FLAGS);
}

void
cpu_setup_gs(void)
{
    struct cpu *cpu = &cpus[0];

    cpu->self = cpu;
    cpu->number = 0;
    cpu_write_msr(MSR_GS_BASE, (uint64_t)(uintptr_t)cpu);
    cpu_write_msr(MSR_KERNEL_GS_BASE, 0);
    cpu->canary = cpu_tsc() * 0x9e3779b97f4a7c15ul & ~0xfful;
}

void
cpu_setup(void)
{
    struct cpu *cpu = cpu_self();

    idt_setup();

    for (unsigned int i = 0; i < IST_NUMBER; i++) {
        ist_stacks[i].cpu = cpu;
        cpu->tss.ist[i] = (uint64_t)(uintptr_t)&ist_stacks[i].cpu;
    }

    cpu_load_tables(cpu);
    cpu_set_controls();
}
