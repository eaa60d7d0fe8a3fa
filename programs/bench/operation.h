/* SPDX-License-Identifier: MIT */
/* An operation that is measured, and how. */

#ifndef BENCH_OPERATION_H
#define BENCH_OPERATION_H

struct operation {
    const char *name;
    long count; /* operations in a batch */

    /* Each returns NULL, or why it can't be. */
    const char *(*setup)(void);
    const char *(*run)(long count);
    void (*finish)(void);
};

/* Measure it in BATCHES batches and print a line. */
void measure(const struct operation *operation);

extern const struct operation mach_operations[];
extern const struct operation posix_operations[];

#endif /* BENCH_OPERATION_H */
