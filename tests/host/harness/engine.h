/* SPDX-License-Identifier: MIT */
/*
 * The parts of the harness, apart from what generated code calls.
 *
 * ledger:  every right and region that a test made, and what became of it
 * message: a model of messages, which makes them and says what is wrong
 * spoil:   changes to messages
 * server:  requests for the generated server
 * client:  calls of the generated client, and replies
 */

#ifndef TESTS_HOST_HARNESS_ENGINE_H
#define TESTS_HOST_HARNESS_ENGINE_H

#include "harness.h"

#define ENGINE_ARGS_MAX 48
#define ENGINE_FIELDS_MAX 96
#define ENGINE_BUFFER_SIZE 131072
#define ENGINE_REPLY_PORT 0x1103u
#define ENGINE_SERVER_PORT 0x2207u
#define ENGINE_PAYLOAD 0x1122334455667788u
#define ENGINE_SEQNO 77u
#define ENGINE_SENDER 0x5566u
#define ENGINE_AUDIT 0x778899u

/* Something is not as it should be: the test that runs has failed. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One line of TAP: whether there was a complaint since the last one. */
void engine_result(const char *side, const char *routine, const char *what);

/* The same numbers again for the same seed. */
uint32_t engine_random(void);
uint32_t engine_below(uint32_t limit);
void engine_fill(void *to, size_t size);
uint64_t engine_mark(void);
void engine_return(uint64_t mark);

/* Leave a pattern where the stack of a stub is going to be. */
void engine_scribble(int byte);

extern unsigned int engine_rounds; /* random cases of each kind */

/* Ledger. A right's kind is what a receiver sees: MACH_MSG_TYPE_PORT_*. */

struct ledger_right {
    unsigned int kind;
    bool moved; /* a result that is given away */
    unsigned int taken, released, sent;
};

struct ledger_region {
    uint64_t address;
    uint32_t size;
    bool moved;
    bool automatic; /* the stub frees it */
    unsigned int taken, released, sent;
};

/* Forget everything. Lenient: what happens to unknown things is no matter.
 * Keep: memory that is freed stays readable, so that it can be revived. */
void ledger_reset(void);
void ledger_set_lenient(bool lenient);
void ledger_set_keep(bool keep);
void ledger_begin_message(void);
void ledger_begin_results(void);
void ledger_revive(void);

mach_port_t ledger_new_right(unsigned int kind);
uint64_t ledger_new_region(uint32_t size); /* 0 bytes: null */

/* Null if there is no such thing; only a complaint if not lenient. */
struct ledger_right *ledger_right(mach_port_t name);
struct ledger_region *ledger_region(uint64_t address);

/* What the message brought, but for the right to reply, was taken by who got
 * it, or else destroyed; what it was answered with was sent, or destroyed. */
void ledger_expect_request(bool taken, mach_port_t reply);
void ledger_expect_results(bool delivered);
void ledger_expect_reply_right(mach_port_t reply, bool sent);
void ledger_expect_taken(mach_port_t reply);

/* Of mach_msg_destroy. The second would follow wild addresses: only count. */
extern unsigned int ledger_destroyed;
extern bool ledger_undeliverable;

/* A message was sent: what it moves is gone. */
void ledger_send(const mach_msg_header_t *msg);

/* Message. */

enum message_form {
    MESSAGE_RECEIVED,
    MESSAGE_SENT,   /* as a client sends it */
    MESSAGE_ANSWER, /* as a server sends it */
};

enum {
    FAULT_ARGUMENTS = 1 << 0,
    FAULT_TYPE = 1 << 1,
};

#define PLACE_NONE 0xffffffffu

struct places {
    uint32_t at[ENGINE_FIELDS_MAX];
};

/* What C code passes or wants for one argument. */
struct value {
    uint8_t *bytes; /* a block of exactly that size */
    uint32_t size;
    mach_msg_type_name_t poly;
    mach_msg_type_number_t count;
    boolean_t dealloc;
    mach_msg_type_number_t *subs; /* of a row: a block of its own */
};

struct message {
    const struct harness_side *side;
    const struct harness_routine *routine;
    const struct harness_layout *layout;
    bool reply;
    uint8_t *bytes; /* ENGINE_BUFFER_SIZE */
    uint32_t size;
    struct places places;
};

enum message_counts {
    MESSAGE_COUNTS_NONE,
    MESSAGE_COUNTS_MOST,
    MESSAGE_COUNTS_ANY,
};

uint32_t message_error_size(const struct harness_side *side);
kern_return_t message_code(const struct harness_side *side, const void *bytes);
uint32_t message_count_max(const struct harness_routine *routine, int counter);

/* Some number of elements that the argument may have. */
uint32_t message_any_count(uint32_t max, enum message_counts counts);

/* Make a well-formed message as it is received; its rights are new. */
void message_build(struct message *message, enum message_counts counts);

/* What is wrong with a message, and where its fields are. */
unsigned int message_check(struct message *message, enum message_form form);

/* Complain if the message does not hold the values. */
void message_compare(const struct message *message, const struct value *values,
                     enum message_form form);

/* Complain if a value is not what the message holds. more: its count and so
 * on; room: elements that there was room for; NULL: enough. */
void message_gives(const struct message *message, unsigned int arg,
                   const void *place, size_t size, const struct value *more,
                   const uint32_t *room);

/* Complain if it is not 0, as where an error reply came instead. */
void
message_gives_zero(const struct message *message, unsigned int arg,
                   const void *place, size_t size, const struct value *more);

/* Visit the rights and regions of an argument of the message. */
void message_take(const struct message *message, unsigned int arg);

/* Replace addresses by their sizes, to compare two runs. */
void message_hide_addresses(mach_msg_header_t *msg);

/* Spoil. */

/* Change a message in one way after another, as long as visit is called;
 * intact: its descriptors are as they were. */
typedef void (*spoil_fn_t)(struct message *message, bool intact);
void spoil_all(const struct message *good, uint32_t size_max, spoil_fn_t visit);

/* Server and client. */

void server_test(void);
void server_sent(const mach_msg_header_t *msg);
extern mach_msg_return_t server_send_result;

void client_test(void);
mach_msg_return_t
client_exchange(mach_msg_header_t *msg, mach_msg_option_t option,
                mach_msg_size_t send_size, mach_msg_size_t rcv_size,
                mach_port_name_t rcv_name);
extern bool client_is_calling;

#endif /* TESTS_HOST_HARNESS_ENGINE_H */
