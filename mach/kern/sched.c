/* SPDX-License-Identifier: MIT */
/*
 * Scheduling. A waiting thread is woken by exactly one claimer (a compare and
 * exchange on wait_state, or on the run_word of which that is a part, see
 * ipc/ipc_fast_i.h), so a message, a time-out and an abort that race
 * need no common lock.
 *
 * A thread that is about to wait sets THREAD_WAITING before it can be found
 * by a waker. A waker may therefore queue it while it still runs; whoever
 * takes it from the queue waits until on_cpu says its registers are out.
 */

#include <debug/assert.h>
#include <device/interrupt.h>
#include <kern/clock.h>
#include <kern/sched.h>
#include <kern/sched_direct.h>
#include <kern/stack.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <machine/context.h>
#include <machine/cpu.h>
#include <machine/trap.h>

static struct run_queue run_queues[CPU_MAX];

static void sched_tick_timer(struct timer *timer);

void
sched_setup_cpu(struct cpu *cpu)
{
    struct run_queue *queue = &run_queues[cpu->number];

    spin_init(&queue->lock, LOCK_RANK_RUN_QUEUE);
    timer_init(&queue->tick, sched_tick_timer);
    queue->cpu = cpu;

    for (unsigned int i = 0; i < SCHED_PRIORITIES; i++) {
        list_init(&queue->ready[i]);
    }

    cpu->run_queue = queue;
}

static void
run_queue_insert(struct run_queue *queue, struct thread *thread, bool tail)
{
    unsigned int priority = thread->sched_priority;

    assert(thread->state != THREAD_READY);
    thread->state = THREAD_READY;

    if (tail) {
        list_insert_tail(&queue->ready[priority], &thread->ready_link);
    } else {
        list_insert_head(&queue->ready[priority], &thread->ready_link);
    }

    queue->bitmap |= 1ul << priority;
    queue->count++;
}

static void
run_queue_remove(struct run_queue *queue, struct thread *thread)
{
    unsigned int priority = thread->sched_priority;

    list_remove(&thread->ready_link);
    queue->count--;

    if (list_empty(&queue->ready[priority])) {
        queue->bitmap &= ~(1ul << priority);
    }
}

/* Highest priority that is ready, or -1. */
static int
run_queue_top(const struct run_queue *queue)
{
    return queue->bitmap == 0 ? -1 : 63 - __builtin_clzl(queue->bitmap);
}

/* The next to run, taken off; the idle thread if there is none. */
static struct thread *
run_queue_pick(struct run_queue *queue)
{
    int top = run_queue_top(queue);
    struct thread *thread;

    if (top < 0) {
        return queue->cpu->idle;
    }

    thread =
        list_entry(list_first(&queue->ready[top]), struct thread, ready_link);
    run_queue_remove(queue, thread);
    return thread;
}

/* The tick runs while somebody waits for the processor. */
static void
run_queue_arm(struct run_queue *queue)
{
    if (!queue->tick.active && queue->count != 0) {
        timer_start(&queue->tick, clock_uptime() + SCHED_QUANTUM_NS);
    }
}

/*
 * Change to `next`. Interrupts off, no locks. Returns, on this stack, only
 * without a continuation.
 */
static void
sched_switch(struct thread *self, struct thread *next,
             continuation_t continuation)
{
    struct cpu *cpu = cpu_self();

    sched_charge(self, next);
    next->state = THREAD_RUNNING;
    next->cpu = cpu;
    self->continuation = continuation;

    if (next == self) {
        if (continuation != NULL) {
            context_continue(self);
        }

        sched_switched();
        return;
    }

    while (atomic_load_explicit(&next->on_cpu, memory_order_acquire)) {
        cpu_pause();
    }

    atomic_store_explicit(&next->on_cpu, true, memory_order_relaxed);
    cpu->previous = self;

    if (atomic_load_explicit(&next->ast, memory_order_relaxed) != 0) {
        atomic_fetch_or(&cpu->ast, CPU_AST_THREAD);
    } else if ((cpu->ast & CPU_AST_THREAD) != 0) {
        atomic_fetch_and(&cpu->ast, ~CPU_AST_THREAD);
    }

    context_switch(self, next, continuation == NULL);
}

void
sched_switched(void)
{
    struct cpu *cpu = cpu_self();
    struct thread *previous = cpu->previous;
    struct thread *self = cpu->thread;
    unsigned int state;

    if (previous != NULL) {
        cpu->previous = NULL;

        if (previous->state == THREAD_HALTED) {
            atomic_store_explicit(&previous->on_cpu, false,
                                  memory_order_release);
            thread_unref(previous);
        } else {
            atomic_store_explicit(&previous->on_cpu, false,
                                  memory_order_release);
        }
    }

    if (cpu->stack_dead != 0) {
        stack_free(cpu->stack_dead);
        cpu->stack_dead = 0;
    }

    state = atomic_load_explicit(&self->wait_state, memory_order_acquire);

    if (state >= WAIT_STATE_DONE) {
        self->wait_result = (enum wait_result)(state - WAIT_STATE_DONE);
        atomic_store_explicit(&self->wait_state, WAIT_STATE_NONE,
                              memory_order_relaxed);
    }

    if (self->wait_timer.active) {
        timer_stop(&self->wait_timer);
    }

    if (self->wait_event != NULL) {
        wait_finish(self);
    }
}

static void
sched_wait_timeout(struct timer *timer)
{
    struct thread *thread = list_entry(timer, struct thread, wait_timer);

    if (sched_claim(thread, false)) {
        sched_wake(thread, WAIT_TIMED_OUT);
    }
}

bool
sched_wait_begin(struct thread *self, bool interruptible, uint64_t timeout_ns)
{
    /* Who gave it a message may have left the link as it was. */
    list_init(&self->wait_link);

    if (interruptible && (atomic_load(&self->ast) &
                          (THREAD_AST_ABORT | THREAD_AST_TERMINATE)) != 0) {
        return false;
    }

    atomic_store_explicit(&self->wait_state,
                          interruptible ? WAIT_STATE_INTERRUPTIBLE
                                        : WAIT_STATE_UNINTERRUPTIBLE,
                          memory_order_release);

    if (timeout_ns != 0) {
        timer_init(&self->wait_timer, sched_wait_timeout);
        timer_start(&self->wait_timer, clock_uptime() + timeout_ns);
    }

    return true;
}

bool
sched_claim(struct thread *thread, bool interrupt)
{
    uint16_t state = atomic_load(&thread->wait_state);

    do {
        if (state != WAIT_STATE_INTERRUPTIBLE &&
            (interrupt || state != WAIT_STATE_UNINTERRUPTIBLE)) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&thread->wait_state, &state,
                                           WAIT_STATE_CLAIMED));

    return true;
}

/* Queue a thread that is neither queued nor running; preempt if it is more
 * important. The queue is locked. */
static void
sched_make_ready(struct run_queue *queue, struct thread *thread, bool tail)
{
    struct thread *current = queue->cpu->thread;

    run_queue_insert(queue, thread, tail);

    if (thread->sched_priority > current->sched_priority ||
        current == queue->cpu->idle) {
        atomic_fetch_or(&queue->cpu->ast, CPU_AST_PREEMPT);
    }
}

void
sched_wake(struct thread *thread, enum wait_result result)
{
    struct run_queue *queue = thread->cpu->run_queue;
    unsigned long flags = spin_lock_irqsave(&queue->lock);

    thread->sched_priority = thread->priority;
    atomic_store_explicit(&thread->wait_state,
                          WAIT_STATE_DONE + (unsigned int)result,
                          memory_order_release);

    if (thread->state == THREAD_WAITING) {
        sched_make_ready(queue, thread, true);
    }

    spin_unlock(&queue->lock);
    run_queue_arm(queue);
    cpu_interrupts_restore(flags);
}

void
sched_start(struct thread *thread)
{
    struct run_queue *queue;
    unsigned long flags = cpu_interrupts_save();

    queue = cpu_self()->run_queue;
    spin_lock(&queue->lock);
    thread->cpu = queue->cpu;
    sched_make_ready(queue, thread, true);
    spin_unlock(&queue->lock);
    run_queue_arm(queue);
    cpu_interrupts_restore(flags);
}

enum wait_result
thread_block(continuation_t continuation)
{
    struct thread *self = current_thread();
    struct run_queue *queue;
    struct thread *next;

    if (continuation == NULL) {
        stack_reserve();
    }

    cpu_interrupts_disable();
    queue = cpu_self()->run_queue;
    spin_lock(&queue->lock);

    if (atomic_load(&self->wait_state) >= WAIT_STATE_DONE ||
        atomic_load(&self->wait_state) == WAIT_STATE_NONE) {
        /* Woken meanwhile. */
        if (self->state == THREAD_READY) {
            run_queue_remove(queue, self);
        }

        next = self;
    } else {
        self->state = THREAD_WAITING;
        atomic_fetch_and(&queue->cpu->ast, ~CPU_AST_PREEMPT);
        next = run_queue_pick(queue);
    }

    spin_unlock(&queue->lock);
    sched_switch(self, next, continuation);
    cpu_interrupts_enable();
    return self->wait_result;
}

/*
 * To a thread that waits without a stack, timer or event: all of the switch
 * is the change of context, and its continuation runs upon this stack.
 */
NORETURN static void
sched_pass(struct thread *self, continuation_t continuation,
           struct thread *next, enum wait_result result)
{
    continuation_t goes_on = next->continuation;

    self->continuation = continuation;
    next->continuation = NULL;
    next->wait_result = result;
    atomic_store_explicit(
        &next->run_low,
        (uint32_t)THREAD_RUN_WORD(THREAD_RUNNING, WAIT_STATE_NONE, 1),
        memory_order_relaxed);

    if (atomic_load_explicit(&next->ast, memory_order_relaxed) != 0) {
        atomic_fetch_or(&cpu_self()->ast, CPU_AST_THREAD);
    }

    sched_direct(self, next);
    context_enter(next, goes_on);
}

void
sched_handoff(struct thread *self, continuation_t continuation,
              struct thread *next, enum wait_result result)
{
    if (atomic_load_explicit(&next->on_cpu, memory_order_acquire)) {
        sched_wake(next, result);
        thread_block(continuation);
    }

    cpu_interrupts_disable();

    if (likely(next->stack_top == 0 && next->wait_event == NULL &&
               !next->wait_timer.active && next->task != kernel_task)) {
        sched_pass(self, continuation, next, result);
    }

    atomic_store_explicit(&next->wait_state,
                          WAIT_STATE_DONE + (unsigned int)result,
                          memory_order_relaxed);
    sched_switch(self, next, continuation);
    __builtin_unreachable();
}

void
sched_yield(continuation_t continuation)
{
    struct thread *self = current_thread();
    struct run_queue *queue;
    struct thread *next = self;

    if (continuation == NULL) {
        stack_reserve();
    }

    cpu_interrupts_disable();
    queue = cpu_self()->run_queue;
    spin_lock(&queue->lock);
    atomic_fetch_and(&queue->cpu->ast, ~CPU_AST_PREEMPT);

    if (run_queue_top(queue) >= self->sched_priority) {
        run_queue_insert(queue, self, true);
        next = run_queue_pick(queue);
    }

    spin_unlock(&queue->lock);
    sched_switch(self, next, continuation);
    cpu_interrupts_enable();
}

void
thread_preempt_point(void)
{
    unsigned int ast =
        atomic_load_explicit(&cpu_self()->ast, memory_order_relaxed);

    if ((ast & CPU_AST_PREEMPT) != 0) {
        sched_yield(NULL);
    }
}

/* Somebody else is ready: take turns among equals, and let the one that
 * computed sink by a step so that those that wait more come first. */
static void
sched_tick_timer(struct timer *timer)
{
    struct run_queue *queue = list_entry(timer, struct run_queue, tick);
    struct thread *current;

    spin_lock(&queue->lock);
    current = queue->cpu->thread;

    if (current->priority <= THREAD_PRIORITY_USER && current->priority > 0 &&
        current->priority - current->sched_priority < (int)SCHED_DECAY_MAX &&
        current->sched_priority > 1) {
        current->sched_priority--;
    }

    if (run_queue_top(queue) >= current->sched_priority) {
        atomic_fetch_or(&queue->cpu->ast, CPU_AST_PREEMPT);
    }

    spin_unlock(&queue->lock);
    run_queue_arm(queue);
}

void
sched_tick(bool user)
{
    struct thread *self = current_thread();

    if (user) {
        self->user_samples++;
    } else {
        self->system_samples++;
    }
}

void
sched_set_priority(struct thread *thread, unsigned int priority)
{
    struct run_queue *queue = thread->cpu->run_queue;
    unsigned long flags = spin_lock_irqsave(&queue->lock);

    thread->priority = (uint8_t)priority;

    if (thread->state == THREAD_READY) {
        run_queue_remove(queue, thread);
        thread->state = THREAD_RUNNING;
        thread->sched_priority = (uint8_t)priority;
        sched_make_ready(queue, thread, true);
    } else {
        thread->sched_priority = (uint8_t)priority;

        if (run_queue_top(queue) > (int)priority) {
            atomic_fetch_or(&queue->cpu->ast, CPU_AST_PREEMPT);
        }
    }

    spin_unlock_irqrestore(&queue->lock, flags);
}

void
sched_halt(struct thread *self)
{
    struct run_queue *queue;
    struct thread *next;

    cpu_interrupts_disable();
    queue = cpu_self()->run_queue;
    spin_lock(&queue->lock);
    self->state = THREAD_HALTED;
    next = run_queue_pick(queue);
    spin_unlock(&queue->lock);
    sched_switch(self, next, sched_halt);
    __builtin_unreachable();
}

/* hlt with interrupts on; what came in may have made somebody ready. */
void
sched_idle_loop(struct thread *self)
{
    struct run_queue *queue = cpu_self()->run_queue;

    for (;;) {
        cpu_interrupts_disable();

        if (atomic_load(&cpu_self()->ast) & CPU_AST_INTERRUPT) {
            interrupt_post_pending();
        }

        if (queue->bitmap != 0) {
            struct thread *next;

            spin_lock(&queue->lock);
            atomic_fetch_and(&cpu_self()->ast, ~CPU_AST_PREEMPT);
            self->state = THREAD_WAITING;
            next = run_queue_pick(queue);
            spin_unlock(&queue->lock);
            sched_switch(self, next, sched_idle_loop);
        }

        __asm__ volatile("sti; hlt" ::: "memory");
    }
}
