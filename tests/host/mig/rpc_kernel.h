/* SPDX-License-Identifier: MIT */
/*
 * The edge of the RPC tests: mach_msg() hands the request straight to the
 * server's demultiplexer and the reply straight back, in the form that a
 * receiver sees, and lets a test spoil either on the way.
 */

#ifndef TESTS_HOST_MIG_RPC_KERNEL_H
#define TESTS_HOST_MIG_RPC_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include <mach/message.h>

#define RPC_BUFFER_SIZE 4096
#define RPC_REPLY_PORT 0x1103
#define RPC_SERVER_PORT 0x2203

/* What a test wants to happen. */
struct rpc_wish {
    mach_msg_return_t send_error; /* not 0: mach_msg fails with it */
    bool from_kernel;
    bool no_trailer;
    bool no_memory;     /* for messages that do not fit the stack */
    bool payload;       /* deliver a protected payload: 0x1122334455667788 */
    unsigned char fill; /* what the reply buffer holds beforehand */
    void (*spoil_request)(mach_msg_header_t *request);
    void (*spoil_reply)(mach_msg_header_t *reply);
};

/* What did happen. */
struct rpc_record {
    unsigned int calls;     /* of mach_msg */
    unsigned int served;    /* server functions called */
    unsigned int destroyed; /* messages given to mach_msg_destroy */
    unsigned int ports_put, ports_dealloc;
    unsigned int regions_freed;
    unsigned int released; /* references given to a destructor */
    mach_msg_option_t option;
    mach_msg_timeout_t timeout;
    mach_port_name_t rcv_name;
    boolean_t known;    /* what the demultiplexer returned */
    kern_return_t code; /* of the reply; KERN_SUCCESS if it is complex */
    unsigned int left;  /* descriptors left in a refused request */
    size_t sent_size;   /* as the client sent it */
    unsigned char sent[RPC_BUFFER_SIZE];
    size_t reply_size; /* as the server sent it */
    unsigned char reply[RPC_BUFFER_SIZE];
};

extern struct rpc_wish rpc_wish;
extern struct rpc_record rpc_record;

void rpc_reset(void);

#endif /* TESTS_HOST_MIG_RPC_KERNEL_H */
