/* SPDX-License-Identifier: MIT */
/*
 * A test for each class of fault that Mach systems are known for, by the
 * number of its row in the list of hazards. tests/mutants takes the guards
 * against them out, one by one, and sees these tests fail.
 */

#ifndef TESTS_GUEST_HAZARDS_H
#define TESTS_GUEST_HAZARDS_H

#include "tap.h"

#define SELF mach_task_self()

struct hazard {
    unsigned int row;
    const char *name;
    void (*test)(void);
};

extern const struct hazard hazards_messages[], hazards_rights[],
    hazards_memory[];

/* A message with room for descriptors and words of any kind. */
struct hazard_message {
    mach_msg_header_t head;
    mach_msg_body_t body;
    union {
        uint32_t words[512];
        mach_msg_port_descriptor_t port;
        mach_msg_ool_descriptor_t memory;
        mach_msg_ool_ports_descriptor_t ports;
    };
};

extern struct hazard_message m;

#define PORT_SIZE 40u   /* of a message with one descriptor */
#define MEMORY_SIZE 44u /* of the others */

/* Fill m in: a header-only message, or with one descriptor. */
void prepare(mach_port_t to, mach_msg_type_name_t disposition);
void prepare_port(mach_port_t to, mach_port_t port,
                  mach_msg_type_name_t disposition);
void prepare_memory(mach_port_t to, vm_address_t address, mach_msg_size_t size);

/* Send m, never waiting; receive into m, never waiting. */
mach_msg_return_t hazard_send(mach_msg_size_t size);
mach_msg_return_t hazard_receive(mach_port_t port);

/* Send m as a request and receive the answer into it. */
mach_msg_return_t hazard_call(mach_msg_size_t size);

/* The same in the shortest way, for those that are surely answered. */
mach_msg_return_t hazard_call_plain(mach_msg_size_t size);

/* What the answer to a request says, whatever it was. */
kern_return_t hazard_result(void);

mach_port_urefs_t hazard_refs(mach_port_t name, mach_port_right_t right);

void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);
int memcmp(const void *a, const void *b, size_t size);

#endif /* TESTS_GUEST_HAZARDS_H */
