/* SPDX-License-Identifier: MIT */
/* What the shim headers promise. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <debug/panic.h>
#include <kern/sched.h>
#include <kern/spinlock.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <kern/wait.h>

#include "vm_env.h"

#define HELD_MAX 16

struct task *kernel_task;
struct cpu shim_cpu = { .bit = 1 };
unsigned int spin_trylock_failures;

static struct spinlock *held[HELD_MAX];
static unsigned int held_count;

/* -- debug ----------------------------------------------------------------- */

void
panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("Bail out! panic: ");
    vprintf(format, args);
    printf("\n");
    fflush(stdout);
    abort();
}

void
assert_failed(const char *condition, const char *file, int line)
{
    panic("%s:%d: assert(%s)", file, line, condition);
}

/* -- kern/spinlock.h ------------------------------------------------------- */

void
spin_init(struct spinlock *lock, enum lock_rank rank)
{
    *lock = (struct spinlock){ .rank = rank, .ready = true };
}

static void
spin_take(struct spinlock *lock)
{
    if (!lock->ready || lock->held || held_count == HELD_MAX) {
        panic("spin: lock of rank %d taken twice or not ready", lock->rank);
    }

    lock->held = true;
    held[held_count] = lock;
    held_count++;
}

void
spin_lock(struct spinlock *lock)
{
    /* Objects of a chain have one rank; their order is the chain's. */
    for (unsigned int i = 0; i < held_count; i++) {
        if (held[i]->rank > lock->rank || (held[i]->rank == lock->rank &&
                                           lock->rank != LOCK_RANK_VM_OBJECT)) {
            panic("spin: rank %d taken with rank %d held", lock->rank,
                  held[i]->rank);
        }
    }

    spin_take(lock);
}

bool
spin_trylock(struct spinlock *lock)
{
    if (spin_trylock_failures != 0) {
        spin_trylock_failures--;
        return false;
    }

    if (lock->held) {
        return false;
    }

    spin_take(lock);
    return true;
}

void
spin_unlock(struct spinlock *lock)
{
    unsigned int i = held_count;

    do {
        if (i == 0) {
            panic("spin: lock of rank %d is not held", lock->rank);
        }

        i--;
    } while (held[i] != lock);

    held_count--;
    held[i] = held[held_count];
    lock->held = false;
}

unsigned int
spin_count(void)
{
    return held_count;
}

/* -- kern/sched.h, kern/wait.h --------------------------------------------- */

void (*shim_block_hook)(const void *event);
static const void *waiting_for;
static uint64_t waiting_time;

void
thread_preempt_point(void)
{
    if (held_count != 0) {
        panic("sched: preemption point with %u spin locks", held_count);
    }
}

void
thread_wait_on(const void *event, bool interruptible, uint64_t timeout_ns)
{
    (void)interruptible;
    waiting_for = event;
    waiting_time = timeout_ns;
}

void
thread_wait_cancel(void)
{
    waiting_for = NULL;
}

enum wait_result
thread_block(continuation_t continuation)
{
    const void *event = waiting_for;

    (void)continuation;

    if (held_count != 0 || event == NULL ||
        (shim_block_hook == NULL && waiting_time == 0)) {
        panic("wait: blocks with %u spin locks, or for ever", held_count);
    }

    waiting_for = NULL;

    if (shim_block_hook == NULL) {
        return WAIT_TIMED_OUT;
    }

    shim_block_hook(event);
    return WAIT_AWAKENED;
}

unsigned int
thread_wakeup(const void *event)
{
    (void)event;
    return 1;
}
