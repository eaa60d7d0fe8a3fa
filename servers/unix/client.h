/* SPDX-License-Identifier: MIT */
/*
 * The memory of a process, as its calls name it. Whatever the address and
 * size, the kernel checks them: an error is EFAULT, never a fault of ours.
 */

#ifndef UNIX_CLIENT_H
#define UNIX_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "server.h"

struct process;

MUST_CHECK int
client_read(struct process *process, uint64_t address, void *data, size_t size);
MUST_CHECK int client_write(struct process *process, uint64_t address,
                            const void *data, size_t size);

#endif /* UNIX_CLIENT_H */
