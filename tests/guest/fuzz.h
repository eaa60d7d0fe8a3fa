/* SPDX-License-Identifier: MIT */
/*
 * The fuzzer. Its parts: fuzz.c starts tasks full of callers, round after
 * round, watches over them and looks for what they leave behind;
 * fuzz_values.c makes up arguments; fuzz_calls.c makes the calls, and leaves
 * messages to fuzz_messages.c; fuzz_rpc.c calls servers among the players, as
 * decent tasks do, and looks at the answers.
 *
 * Everything that is made up comes from the seed. Under instruction counting
 * threads are switched at the same places each time, so a run repeats itself.
 */

#ifndef TESTS_GUEST_FUZZ_H
#define TESTS_GUEST_FUZZ_H

#include "tap.h"

#define FUZZ_PLAYERS_MAX 3 /* tasks of one round */
#define FUZZ_CALLERS_MAX 4 /* threads of one task that make calls */
#define FUZZ_BUFFER_SIZE 8192

/* In each task: a range to do anything with. */
#define FUZZ_GROUND_START 0x200000000000ul
#define FUZZ_GROUND_SIZE 0x1000000ul

/* Names under which every task knows the ports of all players, and some the
 * tasks themselves. */
#define FUZZ_PLAYER_PORT(i) MACH_PORT_MAKE(200 + (i), 0)
#define FUZZ_PLAYER_TASK(i) MACH_PORT_MAKE(210 + (i), 0)

/* What the supervisor and the players share. */
struct fuzz_round {
    uint64_t number;
    uint64_t seed;
    uint64_t quota;        /* calls of the round */
    _Atomic uint64_t next; /* number of the next call */
    unsigned int player_count;
    unsigned int caller_count; /* of each player */
    bool trace;                /* say each call */
    _Atomic uint64_t wrong;    /* a call whose answer was wrong, and one */
};

/* One thread that makes calls. */
struct fuzz_caller {
    uint64_t random;
    unsigned int player;
    unsigned int number;
    uint64_t call; /* the number of the one being made */
    mach_port_t reply_port;
    union {
        mach_msg_header_t head;
        uint32_t words[FUZZ_BUFFER_SIZE / 4];
    } message, received;
    uint64_t scratch[64]; /* what trap arguments point to */
};

/* Where a value comes from. */
enum fuzz_source {
    FUZZ_NONE,
    FUZZ_WILD, /* anything */
    FUZZ_SMALL,
    FUZZ_BOOLEAN,
    FUZZ_NAME,
    FUZZ_TASK,
    FUZZ_RIGHT,
    FUZZ_DISPOSITION,
    FUZZ_DELTA,
    FUZZ_NOTIFICATION,
    FUZZ_ADDRESS,
    FUZZ_SIZE,
    FUZZ_PROTECTION,
    FUZZ_MASK,
    FUZZ_POINTER,          /* to somewhere */
    FUZZ_ADDRESS_POINTER,  /* to an address */
    FUZZ_VM_MAP_ARGUMENTS, /* to what the vm_map trap reads */
    FUZZ_WORD,             /* to what gsync waits on */
    FUZZ_SYNC_FLAGS,
    FUZZ_TIME,
    /* Only in messages. */
    FUZZ_PORT,
    FUZZ_MEMORY,
    FUZZ_PORT_ARRAY,
    FUZZ_ARRAY,
};

/* Where the exceptions of a player's threads go. */
extern mach_port_t fuzz_exception_port;

/* The next of the caller's random numbers. */
uint64_t fuzz_random(struct fuzz_caller *caller);

/* True once in `n` times. */
bool fuzz_once_in(struct fuzz_caller *caller, unsigned int n);

uint64_t fuzz_value(struct fuzz_caller *caller, enum fuzz_source source);

/* Names that were seen are used again. */
void fuzz_name_seen(struct fuzz_caller *caller, mach_port_name_t name);

/* A player's memory and names before its callers start. */
void fuzz_values_setup(const struct fuzz_round *round);

/* Make one call, of whatever kind. */
void fuzz_call(struct fuzz_caller *caller, struct fuzz_round *round);

/* Make one that sends or receives. */
void
fuzz_message_call(struct fuzz_caller *caller, const struct fuzz_round *round);

/* Call a player's server, and look at what it answers. */
void fuzz_rpc_call(struct fuzz_caller *caller, struct fuzz_round *round);

/* Be that server, until its port is gone. */
void fuzz_server_run(void *caller);

/* Take a trap of mach_msg with the caller's buffers. */
mach_msg_return_t
fuzz_trap_msg(struct fuzz_caller *caller, mach_msg_option_t option,
              mach_msg_size_t size, mach_msg_size_t room,
              mach_port_name_t receive_name, uint64_t buffer);

/* Give the caller another reply port. */
void fuzz_reply_port(struct fuzz_caller *caller);

/* Ask the kernel for the names of this task; destroy about half of them. */
void fuzz_tidy(struct fuzz_caller *caller);

#endif /* TESTS_GUEST_FUZZ_H */
