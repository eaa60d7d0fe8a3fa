/* SPDX-License-Identifier: MIT */
/*
 * Thread contexts. User registers live in struct thread; kernel state lives
 * on a kernel stack only while a thread blocked without a continuation.
 *
 * The FPU is given lazily: CR0.TS is set after each switch, #NM loads the
 * thread's image, and the next switch away saves it. So nothing of one thread
 * is visible to another, and threads that never use it pay one comparison.
 */

#include <debug/assert.h>
#include <kern/sched.h>
#include <kern/slab.h>
#include <kern/stack.h>
#include <kern/string.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <machine/context.h>
#include <machine/context_load.h>
#include <machine/cpu.h>
#include <machine/layout.h>
#include <machine/pmap.h>
#include <machine/trap.h>
#include <vm/vm_map.h>

#define RFLAGS_IF 0x200u
#define RFLAGS_FIXED 0x002u
/* CF PF AF ZF SF TF DF OF AC ID: what a user may set. */
#define RFLAGS_USER 0x240dd5u

#define MXCSR_DEFAULT 0x1f80
#define FCW_DEFAULT 0x037f

#define MSR_KERNEL_GS_BASE 0xc0000102u

void context_switch_stacks(uint64_t *save_rsp, uint64_t new_rsp);
void context_save_call(uint64_t *save_rsp, uint64_t stack_top,
                       void (*function)(void));
NORETURN void context_resume(uint64_t new_rsp);
NORETURN void context_call(uint64_t stack_top, void (*function)(void));

static struct slab_cache fpu_cache;

void
context_setup(void)
{
    slab_cache_init(&fpu_cache, "fpu", sizeof(x86_float_state64_t), 16);
}

static inline void
fpu_allow(void)
{
    __asm__ volatile("clts");
}

static inline void
fpu_deny(void)
{
    uint64_t cr0;

    __asm__ volatile("movq %%cr0, %0; orq $8, %0; movq %0, %%cr0" : "=&r"(cr0));
}

static void
fpu_init_image(x86_float_state64_t *image)
{
    memset(image, 0, sizeof(*image));
    *(uint16_t *)(void *)&image->fxsave[0] = FCW_DEFAULT;
    *(uint32_t *)(void *)&image->fxsave[24] = MXCSR_DEFAULT;
}

/* Save the image of the thread that has the FPU and take it away. */
static void
fpu_release(struct cpu *cpu)
{
    __asm__ volatile("fxsave64 %0" : "=m"(*cpu->fpu->fpu));
    cpu->fpu = NULL;
    cpu->special &= ~CONTEXT_FPU;
    fpu_deny();
}

void
context_fpu_trap(struct thread *self)
{
    struct cpu *cpu;

    if (self->fpu == NULL) {
        self->fpu = slab_alloc(&fpu_cache);

        if (self->fpu == NULL) {
            thread_resource_exception(self);
            return;
        }

        fpu_init_image(self->fpu);
    }

    cpu_interrupts_disable();
    cpu = cpu_self();
    fpu_allow();
    __asm__ volatile("fxrstor64 %0" ::"m"(*self->fpu));
    cpu->fpu = self;
    cpu->special |= CONTEXT_FPU;
    cpu_interrupts_enable();
}

void
context_init(struct thread *thread)
{
    memset(&thread->frame, 0, sizeof(thread->frame));
    thread->frame.cs = USER_CODE_SELECTOR;
    thread->frame.ss = USER_DATA_SELECTOR;
    thread->frame.rflags = RFLAGS_IF | RFLAGS_FIXED;
    thread->fpu = NULL;
    thread->fs_base = 0;
    thread->gs_base = 0;
    thread->stack_top = 0;
}

/* The thread is off every processor. */
void
context_fini(struct thread *thread)
{
    if (thread->fpu != NULL) {
        slab_free(&fpu_cache, thread->fpu);
        thread->fpu = NULL;
    }
}

/* First code of a thread on an empty stack, and after context_continue. */
static void
context_run_continuation(void)
{
    struct thread *self = current_thread();
    continuation_t continuation = self->continuation;

    sched_switched();
    assert(continuation != NULL);
    self->continuation = NULL;
    cpu_interrupts_enable();
    continuation(self);
    panic("context: continuation %p returned", (void *)(uintptr_t)continuation);
}

void
context_continue(struct thread *self)
{
    (void)self;
    context_call(cpu_self()->stack_top, context_run_continuation);
}

void
context_load_special(struct cpu *cpu, struct thread *self, struct thread *next)
{
    if (cpu->fpu == self && self != NULL) {
        fpu_release(cpu);
    }

    if (((cpu->special | next->special) & CONTEXT_IO) != 0) {
        task_io_load(cpu, next->task);
    }

    cpu_write_msr(MSR_KERNEL_GS_BASE, next->gs_base);

    cpu->special = next->special;
}

/* Kernel threads use whatever address space is loaded. */
static void
context_load(struct cpu *cpu, struct thread *self, struct thread *next)
{
    if (next->task != kernel_task) {
        context_load_user(cpu, self, next);
        return;
    }

    if (cpu->fpu == self && self != NULL) {
        fpu_release(cpu);
    }

    cpu->thread = next;
}

void
context_switch(struct thread *self, struct thread *next, bool keep_stack)
{
    struct cpu *cpu = cpu_self();
    uint64_t stack_top = cpu->stack_top;

    context_load(cpu, self, next);

    if (keep_stack) {
        self->stack_top = stack_top;

        if (next->stack_top != 0) {
            cpu->stack_top = next->stack_top;
            next->stack_top = 0;
            context_switch_stacks(&self->saved_rsp, next->saved_rsp);
        } else {
            cpu->stack_top = stack_alloc();
            context_save_call(&self->saved_rsp, cpu->stack_top,
                              context_run_continuation);
        }

        sched_switched();
        return;
    }

    if (next->stack_top != 0) {
        cpu->stack_dead = stack_top; /* freed when we are off it */
        cpu->stack_top = next->stack_top;
        next->stack_top = 0;
        context_resume(next->saved_rsp);
    }

    context_call(stack_top, context_run_continuation);
}

void
context_set_result(struct thread *thread, uint64_t result)
{
    thread->frame.rax = result;
}

static bool
context_base_valid(uint64_t base)
{
    return base < VM_MAX_ADDRESS;
}

kern_return_t
context_set_tls(struct thread *self, uint64_t base)
{
    if (!context_base_valid(base)) {
        return KERN_INVALID_ARGUMENT;
    }

    cpu_interrupts_disable();
    self->fs_base = base;
    cpu_write_msr(MSR_FS_BASE, base);
    cpu_interrupts_enable();
    return KERN_SUCCESS;
}

static void
context_get_registers(struct thread *thread, x86_thread_state64_t *state)
{
    const struct trap_frame *frame = &thread->frame;

    *state = (x86_thread_state64_t){
        .rax = frame->rax,
        .rbx = frame->rbx,
        .rcx = frame->rcx,
        .rdx = frame->rdx,
        .rdi = frame->rdi,
        .rsi = frame->rsi,
        .rbp = frame->rbp,
        .rsp = frame->rsp,
        .r8 = frame->r8,
        .r9 = frame->r9,
        .r10 = frame->r10,
        .r11 = frame->r11,
        .r12 = frame->r12,
        .r13 = frame->r13,
        .r14 = frame->r14,
        .r15 = frame->r15,
        .rip = frame->rip,
        .rflags = frame->rflags,
        .fs_base = thread->fs_base,
        .gs_base = thread->gs_base,
    };
}

/* A return address outside the user half would fault in the kernel on sysret
 * (Intel SDM volume 2, SYSRET): refused. The way back is by iret. */
static kern_return_t
context_set_registers(struct thread *thread, const x86_thread_state64_t *state)
{
    struct trap_frame *frame = &thread->frame;

    if (state->rip >= VM_MAX_ADDRESS || !context_base_valid(state->fs_base) ||
        !context_base_valid(state->gs_base)) {
        return KERN_INVALID_ARGUMENT;
    }

    frame->rax = state->rax;
    frame->rbx = state->rbx;
    frame->rcx = state->rcx;
    frame->rdx = state->rdx;
    frame->rdi = state->rdi;
    frame->rsi = state->rsi;
    frame->rbp = state->rbp;
    frame->rsp = state->rsp;
    frame->r8 = state->r8;
    frame->r9 = state->r9;
    frame->r10 = state->r10;
    frame->r11 = state->r11;
    frame->r12 = state->r12;
    frame->r13 = state->r13;
    frame->r14 = state->r14;
    frame->r15 = state->r15;
    frame->rip = state->rip;
    frame->rflags = (state->rflags & RFLAGS_USER) | RFLAGS_IF | RFLAGS_FIXED;
    frame->cs = USER_CODE_SELECTOR;
    frame->ss = USER_DATA_SELECTOR;
    frame->vector = 0;
    thread->msg.room = -1; /* no message ends its system call */
    thread->fs_base = state->fs_base;
    thread->gs_base = state->gs_base;
    thread->special = (thread->special & ~CONTEXT_GS) |
                      (state->gs_base != 0 ? CONTEXT_GS : 0);
    return KERN_SUCCESS;
}

static void
context_get_float(struct thread *thread, x86_float_state64_t *state)
{
    cpu_interrupts_disable();

    if (cpu_self()->fpu == thread) {
        fpu_release(cpu_self());
    }

    cpu_interrupts_enable();

    if (thread->fpu != NULL) {
        *state = *thread->fpu;
    } else {
        fpu_init_image(state);
    }
}

static kern_return_t
context_set_float(struct thread *thread, const x86_float_state64_t *state)
{
    if (thread->fpu == NULL) {
        thread->fpu = slab_alloc(&fpu_cache);

        if (thread->fpu == NULL) {
            return KERN_RESOURCE_SHORTAGE;
        }
    }

    cpu_interrupts_disable();

    if (cpu_self()->fpu == thread) {
        cpu_self()->fpu = NULL;
        cpu_self()->special &= ~CONTEXT_FPU;
        fpu_deny();
    }

    cpu_interrupts_enable();
    *thread->fpu = *state;
    /* Reserved MXCSR bits make fxrstor fault: keep those that exist. */
    *(uint32_t *)(void *)&thread->fpu->fxsave[24] &= 0xffbf;
    return KERN_SUCCESS;
}

kern_return_t
context_get_state(struct thread *thread, int flavor, natural_t *state,
                  natural_t *countp)
{
    x86_exception_state64_t exception;
    natural_t count;

    switch (flavor) {
    case x86_THREAD_STATE64:
        count = x86_THREAD_STATE64_COUNT;
        break;
    case x86_FLOAT_STATE64:
        count = x86_FLOAT_STATE64_COUNT;
        break;
    case x86_EXCEPTION_STATE64:
        count = x86_EXCEPTION_STATE64_COUNT;
        break;
    default:
        return KERN_INVALID_ARGUMENT;
    }

    if (*countp < count) {
        return KERN_INVALID_ARGUMENT;
    }

    *countp = count;

    switch (flavor) {
    case x86_THREAD_STATE64:
        context_get_registers(thread, (void *)state);
        break;
    case x86_FLOAT_STATE64:
        context_get_float(thread, (void *)state);
        break;
    default:
        exception.trapno = thread->exception.vector;
        exception.err = thread->exception.error;
        exception.faultvaddr = thread->exception.address;
        memcpy(state, &exception, sizeof(exception));
        break;
    }

    return KERN_SUCCESS;
}

kern_return_t
context_set_state(struct thread *thread, int flavor, const natural_t *state,
                  natural_t count)
{
    if (flavor == x86_THREAD_STATE64 && count == x86_THREAD_STATE64_COUNT) {
        return context_set_registers(thread, (const void *)state);
    }

    if (flavor == x86_FLOAT_STATE64 && count == x86_FLOAT_STATE64_COUNT) {
        return context_set_float(thread, (const void *)state);
    }

    return KERN_INVALID_ARGUMENT;
}
