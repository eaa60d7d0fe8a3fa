/* SPDX-License-Identifier: MIT */
/*
 * bench [OPERATION...]: what the system's basic operations cost.
 *
 * Prints one line for each:
 *
 *     operation <TAB> counter <TAB> median ns <TAB> minimum ns
 *
 * of one operation; medians are those of batches.  The counter is the
 * processor's time-stamp counter, which under QEMU's `-icount shift=0` counts
 * instructions; the times come from the system's monotonic clock.  Counts are
 * fixed, so that a run under -icount does the same each time.  Nothing is
 * subtracted: the loop is part of each figure.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tools/bench/marks.h>

#include "operation.h"

#define BATCHES 11

static uint64_t
read_counter(void)
{
    uint32_t high;
    uint32_t low;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static uint64_t
read_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int
compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

static const char *
measure_batches(const struct operation *operation, uint64_t counters[BATCHES],
                uint64_t times[BATCHES])
{
    uint64_t counter;
    uint64_t time;
    const char *reason;
    int i;

    reason = operation->run(operation->count / 10 + 1);

    for (i = 0; reason == NULL && i < BATCHES; i++) {
        time = read_clock();
        counter = read_counter();
        reason = operation->run(operation->count);
        counters[i] = read_counter() - counter;
        times[i] = read_clock() - time;
    }

    /* For tools/bench/profile.py. */
    if (reason == NULL) {
        MARK(MARK_BEGIN);
        reason = operation->run(1);
        MARK(MARK_END);
    }

    return reason;
}

void
measure(const struct operation *operation)
{
    uint64_t counters[BATCHES];
    uint64_t times[BATCHES];
    const char *reason = NULL;
    double count = (double)operation->count;

    if (operation->setup != NULL) {
        reason = operation->setup();
    }

    if (reason == NULL) {
        reason = measure_batches(operation, counters, times);
    }

    if (operation->finish != NULL) {
        operation->finish();
    }

    if (reason != NULL) {
        printf("# %s: %s\n", operation->name, reason);
    } else {
        qsort(counters, BATCHES, sizeof(counters[0]), compare);
        qsort(times, BATCHES, sizeof(times[0]), compare);
        printf("%s\t%.1f\t%.1f\t%.1f\n", operation->name,
               (double)counters[BATCHES / 2] / count,
               (double)times[BATCHES / 2] / count, (double)times[0] / count);
    }

    fflush(stdout);
}

static int
wanted(const char *name, int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return 1;
        }
    }

    return argc < 2;
}

int
main(int argc, char **argv)
{
    const struct operation *operation;

    for (operation = mach_operations; operation->name != NULL; operation++) {
        if (wanted(operation->name, argc, argv)) {
            measure(operation);
        }
    }

    for (operation = posix_operations; operation->name != NULL; operation++) {
        if (wanted(operation->name, argc, argv)) {
            measure(operation);
        }
    }

    return 0;
}
