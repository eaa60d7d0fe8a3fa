/* SPDX-License-Identifier: MIT */
/*
 * Pairing heaps of timers, one per processor. A node's children form a list
 * through `sibling`; `back` leads to the elder sibling or the parent, so that
 * any node can be cut out in O(1) before its children are melded back.
 */

#include <stddef.h>

#include <debug/assert.h>
#include <kern/clock.h>
#include <kern/spinlock.h>
#include <kern/timer.h>
#include <machine/cpu.h>
#include <machine/lapic.h>

static struct {
    struct spinlock lock;  /* LOCK_RANK_TIMER, interrupts off */
    struct timer *root;    /* (l) */
    struct timer *running; /* (l) whose function runs now */
} CACHE_ALIGNED timer_cpus[CPU_MAX];

void
timer_setup(void)
{
    for (unsigned int i = 0; i < CPU_MAX; i++) {
        spin_init(&timer_cpus[i].lock, LOCK_RANK_TIMER);
    }
}

void
timer_init(struct timer *timer, timer_fn_t function)
{
    *timer = (struct timer){ .function = function };
}

/* Join two heaps; the later root becomes the eldest child of the earlier. */
static struct timer *
timer_meld(struct timer *a, struct timer *b)
{
    struct timer *swap;

    if (a == NULL) {
        return b;
    }

    if (b == NULL) {
        return a;
    }

    if (b->deadline < a->deadline) {
        swap = a;
        a = b;
        b = swap;
    }

    b->back = a;
    b->sibling = a->child;

    if (a->child != NULL) {
        a->child->back = b;
    }

    a->child = b;
    return a;
}

/* Meld a list of siblings in pairs, then the pairs: amortised O(log n). */
static struct timer *
timer_meld_siblings(struct timer *first)
{
    struct timer *pairs = NULL;
    struct timer *second, *rest, *root;

    while (first != NULL) {
        second = first->sibling;
        rest = second != NULL ? second->sibling : NULL;
        first->sibling = NULL;

        if (second != NULL) {
            second->sibling = NULL;
        }

        root = timer_meld(first, second);
        root->sibling = pairs;
        pairs = root;
        first = rest;
    }

    root = NULL;

    while (pairs != NULL) {
        rest = pairs->sibling;
        pairs->sibling = NULL;
        root = timer_meld(root, pairs);
        pairs = rest;
    }

    if (root != NULL) {
        root->back = NULL;
        root->sibling = NULL;
    }

    return root;
}

static void
timer_cut(struct timer **rootp, struct timer *timer)
{
    if (*rootp == timer) {
        *rootp = timer_meld_siblings(timer->child);
    } else {
        if (timer->back->child == timer) {
            timer->back->child = timer->sibling;
        } else {
            timer->back->sibling = timer->sibling;
        }

        if (timer->sibling != NULL) {
            timer->sibling->back = timer->back;
        }

        *rootp = timer_meld(*rootp, timer_meld_siblings(timer->child));
    }

    timer->child = NULL;
    timer->sibling = NULL;
    timer->back = NULL;
    timer->active = false;
}

void
timer_start(struct timer *timer, uint64_t deadline)
{
    unsigned long flags = cpu_interrupts_save();
    uint32_t cpu = cpu_self()->number;
    bool first;

    spin_lock(&timer_cpus[cpu].lock);
    assert(!timer->active);
    timer->cpu = cpu;
    timer->deadline = deadline;
    timer->active = true;
    timer_cpus[cpu].root = timer_meld(timer_cpus[cpu].root, timer);
    first = timer_cpus[cpu].root == timer;
    spin_unlock(&timer_cpus[cpu].lock);

    if (first) {
        lapic_timer_arm(deadline);
    }

    cpu_interrupts_restore(flags);
}

void
timer_stop(struct timer *timer)
{
    uint32_t cpu = timer->cpu;
    unsigned long flags = spin_lock_irqsave(&timer_cpus[cpu].lock);

    if (timer->active) {
        timer_cut(&timer_cpus[cpu].root, timer);
    }

    while (timer_cpus[cpu].running == timer && cpu != cpu_self()->number) {
        spin_unlock(&timer_cpus[cpu].lock);
        cpu_pause();
        spin_lock(&timer_cpus[cpu].lock);
    }

    spin_unlock_irqrestore(&timer_cpus[cpu].lock, flags);
}

uint64_t
timer_expire(uint64_t now)
{
    uint32_t cpu = cpu_self()->number;
    struct timer *timer;
    uint64_t next;

    spin_lock(&timer_cpus[cpu].lock);

    while ((timer = timer_cpus[cpu].root) != NULL && timer->deadline <= now) {
        timer_cut(&timer_cpus[cpu].root, timer);
        timer_cpus[cpu].running = timer;
        spin_unlock(&timer_cpus[cpu].lock);
        timer->function(timer);
        spin_lock(&timer_cpus[cpu].lock);
        timer_cpus[cpu].running = NULL;
    }

    next = timer != NULL ? timer->deadline : UINT64_MAX;
    spin_unlock(&timer_cpus[cpu].lock);
    return next;
}
