/* SPDX-License-Identifier: MIT */
/*
 * Traps and interrupts in C. From user mode a fault becomes a page-in or an
 * exception message; from kernel mode only page faults inside copyin and
 * copyout, and interrupts, are lawful.
 */

#include <debug/assert.h>
#include <debug/backtrace.h>
#include <debug/printf.h>
#include <device/interrupt.h>
#include <kern/clock.h>
#include <kern/exception.h>
#include <kern/sched.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <kern/timer.h>
#include <machine/context.h>
#include <machine/copy.h>
#include <machine/cpu.h>
#include <machine/lapic.h>
#include <machine/layout.h>
#include <machine/trap.h>
#include <vm/vm_fault.h>

#define PAGE_FAULT_PRESENT 0x01u
#define PAGE_FAULT_WRITE 0x02u
#define PAGE_FAULT_USER 0x04u
#define PAGE_FAULT_FETCH 0x10u

#define RFLAGS_IF 0x200u
#define RFLAGS_TF 0x100u

/* An instruction that touches user memory, where to go on if it can't, and
 * whether it may wait for the page. */
struct fixup {
    uint64_t fault;
    uint64_t resume;
    uint64_t waits;
};

extern const struct fixup __fixup_start[], __fixup_end[];

bool copy_user(void *to, const void *from, size_t size);
bool copy_user_quick(void *to, const void *from, size_t size);

/* Which exception a fault of user code is. */
static const struct {
    exception_type_t type;
    int code;
} trap_exceptions[] = {
    [VECTOR_DIVIDE] = { EXC_ARITHMETIC, EXC_X86_DIV },
    [VECTOR_DEBUG] = { EXC_BREAKPOINT, EXC_X86_SGL },
    [VECTOR_BREAKPOINT] = { EXC_BREAKPOINT, EXC_X86_BPT },
    [VECTOR_OVERFLOW] = { EXC_ARITHMETIC, EXC_X86_INTO },
    [VECTOR_BOUND] = { EXC_ARITHMETIC, EXC_X86_BOUND },
    [VECTOR_INVALID_OPCODE] = { EXC_BAD_INSTRUCTION, EXC_X86_INVOP },
    [VECTOR_STACK_FAULT] = { EXC_BAD_ACCESS, EXC_X86_STKFLT },
    [VECTOR_GENERAL_PROTECTION] = { EXC_BAD_ACCESS, EXC_X86_GP },
    [VECTOR_FPU_ERROR] = { EXC_ARITHMETIC, EXC_X86_FPE },
    [VECTOR_ALIGNMENT] = { EXC_BAD_ACCESS, EXC_X86_ALIGN },
    [VECTOR_SIMD_ERROR] = { EXC_ARITHMETIC, EXC_X86_SSE },
};

NORETURN static void
trap_panic(const struct trap_frame *frame, const char *what)
{
    printf("%s: vector %lu error %lx rip %lx rsp %lx rflags %lx\n", what,
           frame->vector, frame->error, frame->rip, frame->rsp, frame->rflags);
    printf("  rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx\n",
           frame->rax, frame->rbx, frame->rcx, frame->rdx, frame->rsi,
           frame->rdi, frame->rbp);
    printf("  r8 %lx r9 %lx r10 %lx r11 %lx r12 %lx r13 %lx r14 %lx r15 %lx\n",
           frame->r8, frame->r9, frame->r10, frame->r11, frame->r12, frame->r13,
           frame->r14, frame->r15);
    backtrace_from(frame->rip, frame->rbp);
    panic("trap: %s at %lx, address %lx", what, frame->rip, cpu_read_cr2());
}

/* Interrupts off, on whatever stack; only counts and marks. */
static void
trap_interrupt(const struct trap_frame *frame)
{
    uint64_t next;

    if (frame->vector == VECTOR_SPURIOUS) {
        return;
    }

    if (frame->vector == VECTOR_TIMER) {
        lapic_eoi();
        sched_tick((frame->cs & 3) != 0);
        next = timer_expire(clock_uptime());

        if (next != UINT64_MAX) {
            lapic_timer_arm(next);
        }

        return;
    }

    interrupt_occurred((uint8_t)frame->vector);
    lapic_eoi();
}

static vm_prot_t
page_fault_access(uint64_t error)
{
    if ((error & PAGE_FAULT_WRITE) != 0) {
        return VM_PROT_READ | VM_PROT_WRITE;
    }

    if ((error & PAGE_FAULT_FETCH) != 0) {
        return VM_PROT_READ | VM_PROT_EXECUTE;
    }

    return VM_PROT_READ;
}

/* Execute the faulting instruction again. */
static void
trap_retry(struct thread *self)
{
    (void)self;
    thread_return();
}

static void
trap_page_fault_user(struct thread *self, uint64_t address)
{
    kern_return_t kr = KERN_PROTECTION_FAILURE;

    /* An access that the processor made for itself (descriptor tables) says
     * that it was no user's; trying it again would only fail again. */
    if ((self->frame.error & PAGE_FAULT_USER) != 0) {
        kr = vm_fault(self->task->map, address & ~PAGE_MASK,
                      page_fault_access(self->frame.error), trap_retry);
    }

    if (kr == KERN_SUCCESS || kr == KERN_ABORTED) {
        return;
    }

    self->exception.address = address;
    exception_raise_user(
        self, kr == KERN_RESOURCE_SHORTAGE ? EXC_RESOURCE : EXC_BAD_ACCESS, kr,
        (int64_t)address);
}

void
trap_user(struct trap_frame *frame)
{
    struct thread *self = current_thread();
    uint64_t vector = frame->vector;
    uint64_t address;

    if (vector >= VECTOR_IRQ_BASE) {
        trap_interrupt(frame);
        return;
    }

    address = cpu_read_cr2();
    cpu_interrupts_enable();

    if (vector == VECTOR_PAGE_FAULT) {
        self->exception.vector = vector;
        self->exception.error = frame->error;
        trap_page_fault_user(self, address);
        return;
    }

    if (vector == VECTOR_NO_FPU) {
        context_fpu_trap(self);
        return;
    }

    self->exception.vector = vector;
    self->exception.error = frame->error;
    self->exception.address = 0;

    if (vector < ARRAY_SIZE(trap_exceptions) &&
        trap_exceptions[vector].type != 0) {
        exception_raise_user(self, trap_exceptions[vector].type,
                             trap_exceptions[vector].code,
                             (int64_t)frame->error);
        return;
    }

    exception_raise_user(self, EXC_BAD_INSTRUCTION, (int64_t)vector + 1,
                         (int64_t)frame->error);
}

/* The fault came from a copy: go on there with an error. NULL if not. */
static const struct fixup *
trap_fixup(struct trap_frame *frame)
{
    for (const struct fixup *f = __fixup_start; f < __fixup_end; f++) {
        if (f->fault == frame->rip) {
            frame->rip = f->resume;
            return f;
        }
    }

    return NULL;
}

static void
trap_page_fault_kernel(struct trap_frame *frame)
{
    struct thread *self = current_thread();
    uint64_t address = cpu_read_cr2();
    uint64_t rip = frame->rip;
    const struct fixup *fixup = trap_fixup(frame);

    if (fixup == NULL) {
        trap_panic(frame, "page fault in the kernel");
    }

    /* Only the user's half is ever brought in. */
    if (address >= VM_MAX_ADDRESS || fixup->waits == 0) {
        return;
    }

    if ((frame->rflags & RFLAGS_IF) != 0) {
        cpu_interrupts_enable();
    }

    if (vm_fault(self->task->map, address & ~PAGE_MASK,
                 page_fault_access(frame->error), NULL) == KERN_SUCCESS) {
        frame->rip = rip;
    }

    cpu_interrupts_disable();
}

void
trap_kernel(struct trap_frame *frame)
{
    if (frame->vector >= VECTOR_IRQ_BASE) {
        trap_interrupt(frame);
        return;
    }

    if (frame->vector == VECTOR_PAGE_FAULT) {
        trap_page_fault_kernel(frame);
        return;
    }

    /* A non-canonical user address in a copy, perhaps through rsp or rbp. */
    if ((frame->vector == VECTOR_GENERAL_PROTECTION ||
         frame->vector == VECTOR_STACK_FAULT) &&
        trap_fixup(frame) != NULL) {
        return;
    }

    trap_panic(frame, "trap in the kernel");
}

/* A debug trap of user code is an exception like another, but must leave the
 * IST stack first: its frame is copied to the thread's. */
void
trap_paranoid(struct trap_frame *frame)
{
    if (frame->vector == VECTOR_DEBUG) {
        if ((frame->cs & 3) == 0) {
            /* A single step that slipped in by `syscall` or an interrupt:
             * the flag goes, user code keeps its own copy. */
            frame->rflags &= ~(uint64_t)RFLAGS_TF;
            return;
        }

        current_thread()->frame = *frame;
        trap_debug_user(current_thread());
    }

    if (frame->vector == VECTOR_NMI) {
        return;
    }

    trap_panic(frame, frame->vector == VECTOR_DOUBLE_FAULT ? "double fault"
                                                           : "machine check");
}

static void
trap_debug_continue(struct thread *self)
{
    trap_user(&self->frame);
    thread_return();
}

/* Go on with the exception on the processor's kernel stack. gs base and its
 * twin: the entry code found the user's gs in place and loaded ours; swapping
 * once more happens at thread_return, so the user's must be in the twin. */
void
trap_debug_user(struct thread *self)
{
    cpu_write_msr(0xc0000102u, self->gs_base);
    self->continuation = trap_debug_continue;
    context_continue(self);
}

bool
copyin(vm_offset_t from, void *to, size_t size)
{
    return user_range_valid(from, size) &&
           copy_user(to, (const void *)(uintptr_t)from, size);
}

bool
copyout(const void *from, vm_offset_t to, size_t size)
{
    return user_range_valid(to, size) &&
           copy_user((void *)(uintptr_t)to, from, size);
}

bool
copyin_quick(vm_offset_t from, void *to, size_t size)
{
    return user_range_valid(from, size) &&
           copy_user_quick(to, (const void *)(uintptr_t)from, size);
}

bool
copyout_quick(const void *from, vm_offset_t to, size_t size)
{
    return user_range_valid(to, size) &&
           copy_user_quick((void *)(uintptr_t)to, from, size);
}

/* The continuation of a thread that only wants to go on in user mode. */
static void
ast_continue(struct thread *self)
{
    (void)self;
    thread_return();
}

void
ast_taken(void)
{
    struct cpu *cpu = cpu_self();
    struct thread *self = current_thread();
    uint32_t ast = atomic_load(&cpu->ast);

    if ((ast & CPU_AST_INTERRUPT) != 0) {
        atomic_fetch_and(&cpu->ast, ~CPU_AST_INTERRUPT);
        cpu_interrupts_enable();
        interrupt_post_pending();
        cpu_interrupts_disable();
        return;
    }

    if ((ast & CPU_AST_THREAD) != 0) {
        atomic_fetch_and(&cpu->ast, ~CPU_AST_THREAD);
        cpu_interrupts_enable();
        thread_ast_taken(self);
        cpu_interrupts_disable();
        return;
    }

    sched_yield(ast_continue);
    cpu_interrupts_disable();
}
