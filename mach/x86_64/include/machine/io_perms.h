/* SPDX-License-Identifier: MIT */
/* Which I/O ports a task may use. */

#ifndef MACHINE_IO_PERMS_H
#define MACHINE_IO_PERMS_H

#include <stdint.h>

/* I/O ports from `from` to `to`, both included. */
struct io_range {
    uint16_t from;
    uint16_t to;
};

#define TASK_IO_RANGES 8

struct io_perms {
    unsigned int count;
    struct io_range ranges[TASK_IO_RANGES];
};

#endif /* MACHINE_IO_PERMS_H */
