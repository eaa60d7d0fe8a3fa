/* SPDX-License-Identifier: MIT */
/* See kern/thread.h; the routines of <mach/thread_act.defs> are at the end. */

#include <debug/assert.h>
#include <ipc/ipc_kobject.h>
#include <ipc/ipc_port.h>
#include <ipc/ipc_reply.h>
#include <ipc/mach_msg.h>
#include <kern/clock.h>
#include <kern/exception.h>
#include <kern/host.h>
#include <kern/sched.h>
#include <kern/slab.h>
#include <kern/string.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <mach/task_server.h>
#include <mach/thread_act_server.h>
#include <machine/context.h>
#include <machine/cpu.h>
#include <machine/pmap.h>
#include <machine/trap.h>
#include <vm/vm_map.h>

#define THREAD_TASK_MAX 20000u /* threads of one task */

static struct slab_cache thread_cache;

void
thread_setup(void)
{
    slab_cache_init(&thread_cache, "thread", sizeof(struct thread), 64);
}

uint64_t
thread_count(void)
{
    return slab_count(&thread_cache);
}

void
thread_ref(struct thread *thread)
{
    refcount_ref(&thread->refs);
}

void
thread_unref(struct thread *thread)
{
    struct task *task = thread->task;

    if (refcount_unref(&thread->refs)) {
        context_fini(thread);
        slab_free(&thread_cache, thread);
        task_unref(task);
    }
}

/* A thread that belongs to nobody yet. References: the caller's, and one for
 * the thread itself until it halts. */
static struct thread *
thread_alloc(struct task *task)
{
    struct thread *thread = slab_alloc(&thread_cache);

    if (thread == NULL) {
        return NULL;
    }

    context_init(thread);
    spin_init(&thread->lock, LOCK_RANK_THREAD);
    refcount_init(&thread->refs, 2);
    task_ref(task); /* ref: thread->task */
    thread->task = task;
    thread->space = task->space;
    thread->pmap = task->map->pmap;
    thread->state = THREAD_NEW;
    thread->active = true;
    thread->priority = task->priority;
    thread->sched_priority = task->priority;
    thread->max_priority = task->max_priority;
    thread->cpu = cpu_self();
    thread->receive.port = &ipc_port_none;
    thread->destination.port = &ipc_port_none;
    atomic_init(&thread->reply, IPC_REPLY_NONE);
    list_init(&thread->ready_link);
    list_init(&thread->wait_link);
    list_init(&thread->task_link);
    return thread;
}

/* Where a new user thread begins: its frame is what set_state made it. */
static void
thread_begin(struct thread *self)
{
    (void)self;
    thread_return();
}

kern_return_t
thread_create(struct task *task, struct thread **threadp)
{
    struct thread *thread;
    struct ipc_port *port;

    if (task == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    thread = thread_alloc(task);

    if (thread == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    port = ipc_port_create_kernel(IKOT_THREAD, thread);
    thread->self_port = port;
    thread->suspend_count = 1;
    thread->parked = true;
    thread->continuation = thread_begin;
    spin_lock(&task->lock);

    if (port == NULL || !task->active ||
        task->thread_count >= THREAD_TASK_MAX) {
        kern_return_t kr = port == NULL || task->active ? KERN_RESOURCE_SHORTAGE
                                                        : KERN_TERMINATED;

        spin_unlock(&task->lock);
        ipc_port_destroy_kernel(port);
        thread_unref(thread);
        thread_unref(thread);
        return kr;
    }

    thread->special = task->io_perms != NULL ? CONTEXT_IO : 0;
    list_insert_tail(&task->threads, &thread->task_link);
    task->thread_count++;
    spin_unlock(&task->lock);
    *threadp = thread;
    return KERN_SUCCESS;
}

struct thread *
thread_create_kernel(continuation_t function, unsigned int priority)
{
    struct thread *thread = thread_alloc(kernel_task);

    if (thread == NULL) {
        panic("thread: no memory for a kernel thread");
    }

    thread->priority = (uint8_t)priority;
    thread->sched_priority = (uint8_t)priority;
    thread->continuation = function;
    thread->started = true;
    return thread;
}

static uint64_t
thread_cycles(const struct thread *thread)
{
    uint64_t cycles = thread->cpu_time;

    return (int64_t)cycles < 0 ? cycles + cpu_tsc() : cycles;
}

void
thread_times(struct thread *thread, uint64_t *userp, uint64_t *systemp)
{
    uint64_t total = clock_cycles_to_ns(thread_cycles(thread));
    uint64_t samples = (uint64_t)thread->user_samples + thread->system_samples;

    /* In this order no product overflows before 2^32 samples. */
    *userp = samples == 0
                 ? total
                 : total / samples * thread->user_samples +
                       total % samples * thread->user_samples / samples;
    *systemp = total - *userp;
}

/* -- Control ---------------------------------------------------------------- */

void
thread_ast(struct thread *thread, unsigned int ast)
{
    struct cpu *cpu = thread->cpu;

    atomic_fetch_or(&thread->ast, ast);

    if (cpu->thread == thread) {
        atomic_fetch_or(&cpu->ast, CPU_AST_THREAD);
    }
}

/* The current thread ends. Its task goes with the last one. */
NORETURN static void
thread_exit(struct thread *self)
{
    struct ipc_port *port;

    spin_lock(&self->lock);
    port = self->self_port;
    self->self_port = NULL;
    spin_unlock(&self->lock);
    ipc_port_destroy_kernel(port);
    ipc_port_destroy_kernel(self->exception.reply);
    self->exception.reply = NULL;
    exception_release_ports(self->exceptions);
    mach_msg_thread_end(self);
    /* The address space may go while we are still here. */
    pmap_activate(&kernel_pmap);
    task_thread_gone(self->task, self);
    thread_wakeup(&self->parked);
    sched_halt(self);
}

static void
thread_park_continue(struct thread *self)
{
    (void)self;
    thread_return();
}

/* Stop until the suspend counts of thread and task are 0. */
static void
thread_park(struct thread *self)
{
    spin_lock(&self->lock);

    if (self->suspend_count == 0 && self->task->suspend_count == 0) {
        atomic_fetch_and(&self->ast, ~THREAD_AST_SUSPEND);
        spin_unlock(&self->lock);
        return;
    }

    self->parked = true;
    thread_wait_on(&self->suspend_count, false, 0);
    thread_wakeup(&self->parked);
    spin_unlock(&self->lock);
    thread_block(thread_park_continue);
}

void
thread_ast_taken(struct thread *self)
{
    unsigned int ast = atomic_load(&self->ast);

    if ((ast & THREAD_AST_TERMINATE) != 0) {
        thread_exit(self);
    }

    atomic_fetch_and(&self->ast, ~THREAD_AST_ABORT);

    if ((ast & THREAD_AST_SUSPEND) != 0) {
        thread_park(self);
    }
}

void
thread_resource_exception(struct thread *self)
{
    exception_raise_user(self, EXC_RESOURCE, KERN_RESOURCE_SHORTAGE, 0);
}

/* Wake a parked thread so that it looks again. Its lock is held. */
static void
thread_unpark(struct thread *thread)
{
    thread->parked = false;

    if (!thread->started) {
        thread->started = true;
        sched_start(thread);
    } else {
        thread_wakeup(&thread->suspend_count);
    }
}

/*
 * Each suspended reason counts; the thread stops before its next user
 * instruction. On return it is stopped, or in a wait inside the kernel.
 */
static void
thread_hold(struct thread *thread)
{
    spin_lock(&thread->lock);
    thread->suspend_count++;
    thread_ast(thread, THREAD_AST_SUSPEND);
    spin_unlock(&thread->lock);
}

static kern_return_t
thread_release(struct thread *thread)
{
    kern_return_t kr = KERN_SUCCESS;

    spin_lock(&thread->lock);

    if (thread->suspend_count == 0) {
        kr = KERN_FAILURE;
    } else {
        thread->suspend_count--;

        if (thread->suspend_count == 0 && thread->task->suspend_count == 0 &&
            thread->parked) {
            thread_unpark(thread);
        }
    }

    spin_unlock(&thread->lock);
    return kr;
}

kern_return_t
thread_suspend(struct thread *thread)
{
    if (thread == NULL || !thread->active) {
        return thread == NULL ? KERN_INVALID_ARGUMENT : KERN_TERMINATED;
    }

    if (thread->suspend_count >= 0x7fffffff) {
        return KERN_FAILURE;
    }

    thread_hold(thread);
    return KERN_SUCCESS;
}

kern_return_t
thread_resume(struct thread *thread)
{
    if (thread == NULL || !thread->active) {
        return thread == NULL ? KERN_INVALID_ARGUMENT : KERN_TERMINATED;
    }

    return thread_release(thread);
}

void
thread_task_suspended(struct thread *thread)
{
    spin_lock(&thread->lock);
    thread_ast(thread, THREAD_AST_SUSPEND);
    spin_unlock(&thread->lock);
}

void
thread_task_resumed(struct thread *thread)
{
    spin_lock(&thread->lock);

    if (thread->suspend_count == 0 && thread->parked) {
        thread_unpark(thread);
    }

    spin_unlock(&thread->lock);
}

/* Ask it to end: it does so on its way to user mode, for which every wait
 * that can be interrupted ends, and a parked one too. */
kern_return_t
thread_terminate(struct thread *thread)
{
    if (thread == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    spin_lock(&thread->lock);

    if (!thread->active) {
        spin_unlock(&thread->lock);
        return KERN_TERMINATED;
    }

    thread->active = false;
    thread_ast(thread, THREAD_AST_TERMINATE);

    if (thread->parked) {
        thread_unpark(thread);
    }

    spin_unlock(&thread->lock);

    /* What it leaves is free before others of its kind ask for more. */
    if (thread->priority < THREAD_PRIORITY_SERVER) {
        sched_set_priority(thread, THREAD_PRIORITY_SERVER);
    }

    if (sched_claim(thread, true)) {
        sched_wake(thread, WAIT_INTERRUPTED);
    }

    return KERN_SUCCESS;
}

/* End the wait that the thread is in, as interrupted. */
static void
thread_interrupt(struct thread *thread)
{
    if (sched_claim(thread, true)) {
        sched_wake(thread, WAIT_INTERRUPTED);
    }
}

/* A suspended thread that was interrupted comes out of the kernel and stops:
 * then its registers may be read and written. */
static kern_return_t
thread_wait_parked(struct thread *thread)
{
    kern_return_t kr = KERN_SUCCESS;

    spin_lock(&thread->lock);

    while (thread->suspend_count != 0 && thread->active && !thread->parked &&
           kr == KERN_SUCCESS) {
        thread_wait_on(&thread->parked, true, 0);
        spin_unlock(&thread->lock);

        if ((atomic_load(&thread->ast) & THREAD_AST_ABORT) != 0) {
            thread_interrupt(thread);
        }

        if (thread_block(NULL) != WAIT_AWAKENED) {
            kr = KERN_ABORTED;
        }

        spin_lock(&thread->lock);
    }

    spin_unlock(&thread->lock);
    return kr;
}

/*
 * Whatever it is doing in the kernel ends as soon as it can: every further
 * wait that can be interrupted, too.
 */
kern_return_t
thread_abort(struct thread *thread)
{
    if (thread == NULL || !thread->active) {
        return thread == NULL ? KERN_INVALID_ARGUMENT : KERN_TERMINATED;
    }

    if (thread == current_thread() || thread->parked) {
        return KERN_SUCCESS;
    }

    thread_ast(thread, THREAD_AST_ABORT);
    thread_interrupt(thread);
    return thread_wait_parked(thread);
}

/* -- Routines --------------------------------------------------------------- */

/*
 * Can what the thread does in the kernel be begun anew? A thread that keeps a
 * stack is in the middle of something; one whose exception was not answered
 * yet has gone past what raised it.
 */
static bool
thread_restartable(struct thread *thread)
{
    return thread->parked || atomic_load(&thread->on_cpu) ||
           (thread->continuation != NULL && !exception_waits(thread));
}

kern_return_t
thread_abort_safely(thread_t target_act)
{
    if (target_act == NULL || !target_act->active) {
        return target_act == NULL ? KERN_INVALID_ARGUMENT : KERN_TERMINATED;
    }

    if (target_act == current_thread()) {
        return KERN_SUCCESS;
    }

    if (!thread_restartable(target_act)) {
        return KERN_FAILURE;
    }

    thread_interrupt(target_act);
    return thread_wait_parked(target_act);
}

kern_return_t
thread_get_state(thread_t target_act, thread_state_flavor_t flavor,
                 natural_t *old_state, mach_msg_type_number_t *old_stateCnt)
{
    if (target_act == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    if (!target_act->active) {
        return KERN_TERMINATED;
    }

    return context_get_state(target_act, flavor, old_state, old_stateCnt);
}

kern_return_t
thread_set_state(thread_t target_act, thread_state_flavor_t flavor,
                 natural_t *new_state, mach_msg_type_number_t new_stateCnt)
{
    kern_return_t kr;

    if (target_act == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    if (!target_act->active) {
        return KERN_TERMINATED;
    }

    if (target_act == current_thread()) {
        return KERN_INVALID_ARGUMENT;
    }

    /* Held, and off its processor, its registers are ours: it looks at them
     * again only on the way to user mode. */
    thread_hold(target_act);

    while (atomic_load_explicit(&target_act->on_cpu, memory_order_acquire)) {
        cpu_pause();
    }

    kr = context_set_state(target_act, flavor, new_state, new_stateCnt);
    (void)thread_release(target_act);
    return kr;
}

static time_value_t
time_value(uint64_t ns)
{
    return (time_value_t){ (int64_t)(ns / 1000000000),
                           (int64_t)(ns % 1000000000 / 1000) };
}

kern_return_t
thread_info(thread_t target_act, thread_flavor_t flavor,
            integer_t *thread_info_out,
            mach_msg_type_number_t *thread_info_outCnt)
{
    struct thread_basic_info info = { .flags = 0 };
    uint64_t user, system;

    if (target_act == NULL || flavor != THREAD_BASIC_INFO ||
        *thread_info_outCnt < THREAD_BASIC_INFO_COUNT) {
        return KERN_INVALID_ARGUMENT;
    }

    thread_times(target_act, &user, &system);
    info.user_time = time_value(user);
    info.system_time = time_value(system);
    info.priority = target_act->priority;
    info.suspend_count = (integer_t)target_act->suspend_count;

    switch (target_act->state) {
    case THREAD_RUNNING:
    case THREAD_READY:
        info.run_state = TH_STATE_RUNNING;
        break;
    case THREAD_HALTED:
        info.run_state = TH_STATE_HALTED;
        break;
    default:
        info.run_state =
            target_act->parked ? TH_STATE_STOPPED : TH_STATE_WAITING;
        break;
    }

    memcpy(thread_info_out, &info, sizeof(info));
    *thread_info_outCnt = THREAD_BASIC_INFO_COUNT;
    return KERN_SUCCESS;
}

kern_return_t
thread_set_exception_ports(thread_t thread, exception_mask_t exception_mask,
                           mach_port_t new_port, exception_behavior_t behavior,
                           thread_state_flavor_t new_flavor)
{
    if (thread == NULL || !thread->active) {
        return thread == NULL ? KERN_INVALID_ARGUMENT : KERN_TERMINATED;
    }

    return exception_set_ports(thread->exceptions, &thread->lock,
                               exception_mask, new_port, behavior, new_flavor);
}

kern_return_t
thread_priority(thread_t thread, integer_t priority)
{
    if (thread == NULL || priority < 1 || priority > THREAD_PRIORITY_MAX) {
        return KERN_INVALID_ARGUMENT;
    }

    if (priority > thread->max_priority) {
        return KERN_NO_ACCESS;
    }

    sched_set_priority(thread, (unsigned int)priority);
    return KERN_SUCCESS;
}
