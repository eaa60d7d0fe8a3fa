/* SPDX-License-Identifier: MIT */
/* Types of ipc_bench.defs. */

#ifndef TESTS_GUEST_IPC_BENCH_TYPES_H
#define TESTS_GUEST_IPC_BENCH_TYPES_H

typedef char ipc_bench_kilobyte_t[1024];

#endif /* TESTS_GUEST_IPC_BENCH_TYPES_H */
