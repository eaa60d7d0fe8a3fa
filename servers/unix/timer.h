/* SPDX-License-Identifier: MIT */
/*
 * Timers of the server: a heap ordered by deadline, and (main.c) one thread
 * that sleeps until the first is due. All under the server's lock.
 */

#ifndef UNIX_TIMER_H
#define UNIX_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer;
typedef void (*timer_fn_t)(struct timer *timer);

/* Set when index is not 0. */
struct timer {
    uint64_t deadline; /* ns of uptime */
    size_t index;      /* in the heap, from 1; 0: not set */
    timer_fn_t expire;
};

void timer_init(struct timer *timer, timer_fn_t expire);

/* Set it, or set it anew. False: no memory. */
bool timer_set(struct timer *timer, uint64_t deadline);

/* Harmless when it is not set. */
void timer_cancel(struct timer *timer);

/* Call expire() of all that are due; each is no longer set by then. */
void timer_run(uint64_t now);

/* The first deadline, or UINT64_MAX. */
uint64_t timer_next(void);

#endif /* UNIX_TIMER_H */
