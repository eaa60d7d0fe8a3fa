/* SPDX-License-Identifier: MIT */
/* One good call of each routine, for tests that go through all of them. */

#ifndef TESTS_HOST_MIG_RPC_CALLS_H
#define TESTS_HOST_MIG_RPC_CALLS_H

#include <stdbool.h>

#include <mach/message.h>

struct rpc_call {
    const char *name;
    kern_return_t (*call)(void);
    bool oneway;
    bool from_kernel;   /* served only then */
    bool trailer;       /* looks into the request's trailer */
    unsigned int moved; /* descriptors that carry something */
    bool frees;         /* the stub frees what is out of line */
};

extern const struct rpc_call rpc_calls[];
extern const unsigned int rpc_call_count;

/* True if the results of the last good call were right. */
extern bool rpc_call_right;

#endif /* TESTS_HOST_MIG_RPC_CALLS_H */
