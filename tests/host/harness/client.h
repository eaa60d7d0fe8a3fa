/* SPDX-License-Identifier: MIT */
/*
 * A call of a client stub. Each argument is in a block of exactly its size;
 * the request that the stub sends is compared with them, and a reply is made.
 */

#ifndef TESTS_HOST_HARNESS_CLIENT_H
#define TESTS_HOST_HARNESS_CLIENT_H

#include "engine.h"

struct client {
    const struct harness_routine *routine;
    struct value values[ENGINE_ARGS_MAX];
    uint32_t room[ENGINE_ARGS_MAX];
    mach_port_t reply_name; /* of the routine's own argument */
    kern_return_t code;     /* of a request that may be an error reply */
    mach_msg_return_t send_result;
    bool with_trailer;     /* the reply's trailer is as it was asked for */
    struct message reply;  /* to be delivered */
    uint32_t rcv_size;     /* that the stub offered */
    uint32_t trailer_size; /* that it asked for */

    unsigned int sent; /* calls of mach_msg */
    unsigned int ports_got, ports_put, ports_dropped;
    struct message request;
    kern_return_t result;
};

extern struct client client;

/* The request as it was sent, and the reply to be delivered. */
extern uint8_t client_request[ENGINE_BUFFER_SIZE];
extern uint8_t client_reply[ENGINE_BUFFER_SIZE];

static inline const struct harness_arg *
client_arg(unsigned int arg)
{
    return &client.routine->args[arg];
}

/* The stub receives at its thread's own port. */
bool client_owns_port(void);

/* Make parameters; tight: with less room than the most there can be. */
void client_make(enum message_counts counts, bool tight);
void client_make_reply(enum message_counts counts);

/* Call the stub, over a stack full of the pattern. */
void client_run(int pattern);

#endif /* TESTS_HOST_HARNESS_CLIENT_H */
