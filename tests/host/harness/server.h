/* SPDX-License-Identifier: MIT */
/*
 * A request on its way through the generated server. It lies in a block of
 * exactly its size, the reply in one of exactly the size that the subsystem's
 * table promises; the loop around the stub is libmach's own.
 */

#ifndef TESTS_HOST_HARNESS_SERVER_H
#define TESTS_HOST_HARNESS_SERVER_H

#include "engine.h"

/* How the server's function behaves. */
enum server_manner {
    SERVER_PROPER,
    SERVER_SILENT, /* sets no result */
    SERVER_GREEDY, /* claims more than there was room for */
};

enum server_reply_port {
    SERVER_USUAL, /* a right to reply for a routine, none for a one-way */
    SERVER_NO_REPLY_PORT,
    SERVER_GIVEN_REPLY_PORT,
};

/* What is done next, and what came of it. */
struct server {
    const struct harness_routine *routine;
    unsigned int number;
    enum server_manner manner;
    enum server_reply_port reply_port;
    bool payload;
    bool from_kernel;
    kern_return_t code;
    int pattern;
    uint32_t trailer_type, trailer_size;
    struct message request; /* as it was delivered */
    mach_port_t reply_name;

    mach_msg_type_number_t *subs[ENGINE_ARGS_MAX]; /* of a row of regions */

    bool failed; /* the request is an error reply */
    kern_return_t failure;

    unsigned int entered;
    unsigned int translated, destroyed;
    bool answered; /* a reply was sent */
    kern_return_t result;
    struct value out[ENGINE_ARGS_MAX];
    struct message answer;
};

extern struct server server;

/* The request, and the reply as it was sent. */
extern uint8_t server_request[ENGINE_BUFFER_SIZE];
extern uint8_t server_reply[ENGINE_BUFFER_SIZE];

static inline const struct harness_arg *
server_arg(unsigned int arg)
{
    return &server.routine->args[arg];
}

/* Make a request, with rights and memory of its own. */
void server_make(enum message_counts counts);

/* Deliver server.request. */
void server_run(void);

#endif /* TESTS_HOST_HARNESS_SERVER_H */
