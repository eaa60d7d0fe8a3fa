/* SPDX-License-Identifier: MIT */
/*
 * One-shot timers of the processors: a pairing heap each, O(log n) amortised.
 * The function runs in interrupt context: it may take only locks of
 * LOCK_RANK_TIMER and above, and wake threads.
 */

#ifndef KERN_TIMER_H
#define KERN_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct timer;

typedef void (*timer_fn_t)(struct timer *timer);

/* All members but `function` belong to the heap, under its lock. */
struct timer {
    struct timer *child;
    struct timer *sibling;
    struct timer *back; /* the elder sibling, or the parent of the eldest */
    uint64_t deadline;  /* uptime in ns */
    timer_fn_t function;
    bool active;
    uint32_t cpu;
};

void timer_init(struct timer *timer, timer_fn_t function);

/* Call function at uptime `deadline`. The timer is not active. */
void timer_start(struct timer *timer, uint64_t deadline);

/* Afterwards the function does not run, and is not running elsewhere. */
void timer_stop(struct timer *timer);

/* Interrupt: run what is due on this processor; the next deadline, or
 * UINT64_MAX. */
uint64_t timer_expire(uint64_t now);

void timer_setup(void);

#endif /* KERN_TIMER_H */
