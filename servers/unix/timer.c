/* SPDX-License-Identifier: MIT */
/* Timers as a binary heap: set and cancel in O(log n). */

#include <stdlib.h>

#include "timer.h"

#define TIMER_HEAP_MIN 64

/* heap[1] is the first; heap[0] is not used. */
static struct timer **timer_heap;
static size_t timer_count;
static size_t timer_capacity;

void
timer_init(struct timer *timer, timer_fn_t expire)
{
    timer->deadline = 0;
    timer->index = 0;
    timer->expire = expire;
}

static void
timer_place(struct timer *timer, size_t index)
{
    timer_heap[index] = timer;
    timer->index = index;
}

static void
timer_sift_up(struct timer *timer, size_t index)
{
    while (index > 1 && timer_heap[index / 2]->deadline > timer->deadline) {
        timer_place(timer_heap[index / 2], index);
        index /= 2;
    }

    timer_place(timer, index);
}

static void
timer_sift_down(struct timer *timer, size_t index)
{
    for (;;) {
        size_t child = index * 2;

        if (child > timer_count) {
            break;
        }

        if (child < timer_count &&
            timer_heap[child + 1]->deadline < timer_heap[child]->deadline) {
            child++;
        }

        if (timer_heap[child]->deadline >= timer->deadline) {
            break;
        }

        timer_place(timer_heap[child], index);
        index = child;
    }

    timer_place(timer, index);
}

static bool
timer_grow(void)
{
    size_t capacity = timer_capacity == 0 ? TIMER_HEAP_MIN : timer_capacity * 2;
    struct timer **heap;

    heap = realloc(timer_heap, (capacity + 1) * sizeof(*heap));

    if (heap == NULL) {
        return false;
    }

    timer_heap = heap;
    timer_capacity = capacity;
    return true;
}

bool
timer_set(struct timer *timer, uint64_t deadline)
{
    timer_cancel(timer);

    if (timer_count == timer_capacity && !timer_grow()) {
        return false;
    }

    timer->deadline = deadline;
    timer_count++;
    timer_sift_up(timer, timer_count);
    return true;
}

void
timer_cancel(struct timer *timer)
{
    size_t index = timer->index;
    struct timer *last;

    if (index == 0) {
        return;
    }

    timer->index = 0;
    last = timer_heap[timer_count];
    timer_count--;

    if (last == timer) {
        return;
    }

    if (index > 1 && timer_heap[index / 2]->deadline > last->deadline) {
        timer_sift_up(last, index);
    } else {
        timer_sift_down(last, index);
    }
}

void
timer_run(uint64_t now)
{
    while (timer_count != 0 && timer_heap[1]->deadline <= now) {
        struct timer *timer = timer_heap[1];

        timer_cancel(timer);
        timer->expire(timer);
    }
}

uint64_t
timer_next(void)
{
    return timer_count == 0 ? UINT64_MAX : timer_heap[1]->deadline;
}
