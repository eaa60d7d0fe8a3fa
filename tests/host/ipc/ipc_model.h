/* SPDX-License-Identifier: MIT */
/*
 * What ports, rights and messages are, said anew from their documentation
 * and as simply as can be: names are in arrays, counts are never kept but
 * counted, and a port that dies is dead everywhere at once. It knows nothing
 * of the kernel's code. The test does each operation here and there.
 *
 * Several messages that one operation causes (notifications, say) may arrive
 * in any order: they carry the operation's number.
 */

#ifndef TESTS_HOST_IPC_MODEL_H
#define TESTS_HOST_IPC_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include <mach/kern_return.h>
#include <mach/message.h>

#define TASKS 3
#define PORTS 64 /* that live at once, in transit too */
#define SETS 160
#define MAX_NAMES 128
#define MAX_RIGHTS 2 /* in the body of a message */

/* Ports by index, and in their place: */
#define NONE (-1)
#define DEAD (-2)

struct right {
    int port;
    mach_msg_type_name_t type; /* as received */
};

struct model_message {
    struct model_message *next;
    uint32_t operation;
    mach_msg_id_t id;
    bool kernel;
    uint32_t argument; /* of a notification */
    struct right dest, reply;
    unsigned int count;
    struct right rights[MAX_RIGHTS];
};

struct model_name {
    mach_port_name_t name; /* 0: none */
    mach_port_type_t type;
    int port; /* or set */
    uint32_t urefs;
    bool requested; /* dead-name notification ... */
    int notify;     /* ... to this send-once right */
};

struct model_port {
    bool alive;
    int receiver; /* task, or NONE in transit ... */
    int transit;  /* ... to this port, if not NONE */
    mach_port_name_t name;
    uint32_t mscount, seqno, qlimit, msgcount;
    struct model_message *queue;
    int set;
    int nsrequest, pdrequest;
};

struct model_set {
    bool alive;
    int ready[PORTS], ready_count; /* in turn */
};

/* A task, and what its one thread waits for. */
struct model_task {
    struct model_name names[MAX_NAMES];
    int wait_port, wait_set;         /* or NONE */
    struct model_message *delivered; /* to the thread that waited */
    mach_msg_return_t woken;         /* why, if not by a message */
    bool is_woken;
};

extern struct model_task model_tasks[TASKS];
extern struct model_port model_ports[PORTS];
extern struct model_set model_sets[SETS];
extern uint32_t model_operation;

struct model_name *model_find(int task, mach_port_name_t name);
/* The name of the task's receive or send right. */
struct model_name *model_find_port(int task, int port);
struct model_name *
model_add(int task, mach_port_name_t name, mach_port_type_t type, int port);
int model_new_port(int task, mach_port_name_t name);
int model_new_set(void);
int model_live_ports(void);

/* Rights of a port, counted. */
uint32_t model_srights(int port);
uint32_t model_sorights(int port);

/* Each does what the routine does and says what it returns. */
kern_return_t model_destroy(int task, mach_port_name_t name);
kern_return_t model_deallocate(int task, mach_port_name_t name);
kern_return_t model_mod_refs(int task, mach_port_name_t name,
                             mach_port_right_t right, mach_port_delta_t delta);
kern_return_t
model_move_member(int task, mach_port_name_t member, mach_port_name_t after);
kern_return_t
model_insert_member(int task, mach_port_name_t member, mach_port_name_t set);
kern_return_t
model_extract_member(int task, mach_port_name_t member, mach_port_name_t set);
kern_return_t
model_request(int task, mach_port_name_t name, mach_msg_id_t id, uint32_t sync,
              struct right notify, struct right *previous);

/* Take a right out of a task; put one in. The kernel may choose the name
 * only if the answer of copyout_name() is 0. */
kern_return_t
model_copyin(int task, mach_port_name_t name, mach_msg_type_name_t disposition,
             struct right *right);
mach_port_name_t model_copyout_name(int task, struct right right);
bool model_copyout(int task, struct right right, mach_port_name_t name);
kern_return_t model_insert(int task, mach_port_name_t name, struct right right);
void model_release(struct right right);

/* The message is consumed but by MACH_SEND_TIMED_OUT. */
mach_msg_return_t
model_send(int task, mach_port_name_t dest, mach_msg_type_name_t dest_type,
           mach_port_name_t reply, mach_msg_type_name_t reply_type,
           struct model_message *message, const mach_port_name_t *names,
           const mach_msg_type_name_t *types);

/* The first message there, taken off; or why not. */
mach_msg_return_t model_receive(int task, mach_port_name_t name, bool wait,
                                struct model_message **messagep);
void model_dest_spent(struct model_message *message);
/* Another message of the same operation that waits in the port's queue
 * instead of this one. */
void model_exchange(struct model_message *message, struct model_message *other);

void model_end_task(int task);

#endif /* TESTS_HOST_IPC_MODEL_H */
