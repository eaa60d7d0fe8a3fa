/* SPDX-License-Identifier: MIT */
/* How a test directs the server's functions. */

#ifndef TESTS_HOST_MIG_RPC_FUNCTIONS_H
#define TESTS_HOST_MIG_RPC_FUNCTIONS_H

#include <stdbool.h>

#include <mach/message.h>

struct rpc_server_wish {
    kern_return_t result;         /* what every function returns */
    mach_msg_type_number_t count; /* not 0: claimed for every out array */
    bool silent;                  /* set no result at all */
};

extern struct rpc_server_wish rpc_server_wish;

/* What some functions noticed. */
extern mach_msg_type_name_t rpc_seen_poly;
extern mach_port_t rpc_seen_reply;
extern natural_t rpc_seen_seqno;
extern uint64_t rpc_seen_object;
extern kern_return_t rpc_seen_code;
extern uint64_t rpc_seen_context;
extern int rpc_seen_number;

#endif /* TESTS_HOST_MIG_RPC_FUNCTIONS_H */
