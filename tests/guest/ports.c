/* SPDX-License-Identifier: MIT */
/* Each routine of mach_port.defs: its use and its documented errors. */

#include "tap.h"

#define SELF mach_task_self()
#define BAD_NAME 0x00ffee01u

static mach_port_t
receive_right(void)
{
    mach_port_t port = MACH_PORT_NULL;

    is(mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE, &port), KERN_SUCCESS,
       "a receive right");
    return port;
}

static mach_port_urefs_t
refs_of(mach_port_t name, mach_port_right_t right)
{
    mach_port_urefs_t refs = 9999;

    if (mach_port_get_refs(SELF, name, right, &refs) != KERN_SUCCESS) {
        return 9999;
    }

    return refs;
}

static mach_port_type_t
type_of(mach_port_t name)
{
    mach_port_type_t type = 0;

    return mach_port_type(SELF, name, &type) == KERN_SUCCESS ? type : 0;
}

static void
allocate(void)
{
    mach_port_t a, b, c, d;

    is(mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE, &a), KERN_SUCCESS,
       "allocate a receive right");
    is(mach_port_allocate(SELF, MACH_PORT_RIGHT_PORT_SET, &b), KERN_SUCCESS,
       "allocate a port set");
    is(mach_port_allocate(SELF, MACH_PORT_RIGHT_DEAD_NAME, &c), KERN_SUCCESS,
       "allocate a dead name");
    is(mach_port_allocate(SELF, MACH_PORT_RIGHT_SEND, &d), KERN_INVALID_VALUE,
       "a send right is not allocated");
    is(mach_port_allocate(SELF, 77, &d), KERN_INVALID_VALUE, "nor nonsense");
    is(type_of(a), MACH_PORT_TYPE_RECEIVE, "type of the receive right");
    is(type_of(b), MACH_PORT_TYPE_PORT_SET, "type of the port set");
    is(type_of(c), MACH_PORT_TYPE_DEAD_NAME, "type of the dead name");
    is(mach_port_destroy(SELF, a), KERN_SUCCESS, "destroy");
    is(mach_port_destroy(SELF, b), KERN_SUCCESS, "destroy");
    is(mach_port_destroy(SELF, c), KERN_SUCCESS, "destroy");
    is(mach_port_destroy(SELF, a), KERN_INVALID_NAME, "destroy it again");
    is(mach_port_destroy(SELF, MACH_PORT_NULL), KERN_SUCCESS,
       "the null name is nothing to destroy");
    is(mach_port_allocate(MACH_PORT_NULL, MACH_PORT_RIGHT_RECEIVE, &a),
       MACH_SEND_INVALID_DEST, "in no task");
    is(mach_port_allocate(guest_host_priv, MACH_PORT_RIGHT_RECEIVE, &a),
       KERN_INVALID_TASK, "in what is no task");
}

/* A name that is not in use. */
static mach_port_name_t
free_name(void)
{
    uint32_t index = 0x700;

    while (mach_port_allocate_name(SELF, MACH_PORT_RIGHT_DEAD_NAME,
                                   MACH_PORT_MAKE(index, 3)) != KERN_SUCCESS) {
        index++;
    }

    (void)mach_port_destroy(SELF, MACH_PORT_MAKE(index, 3));
    return MACH_PORT_MAKE(index, 5);
}

static void
allocate_name(void)
{
    mach_port_name_t name = free_name();

    is(mach_port_allocate_name(SELF, MACH_PORT_RIGHT_RECEIVE, name),
       KERN_SUCCESS, "a receive right under a chosen name");
    is(type_of(name), MACH_PORT_TYPE_RECEIVE, "is there");
    is(mach_port_allocate_name(SELF, MACH_PORT_RIGHT_RECEIVE, name),
       KERN_NAME_EXISTS, "the name is taken");
    is(mach_port_destroy(SELF, name), KERN_SUCCESS, "destroy");
    is(mach_port_allocate_name(SELF, MACH_PORT_RIGHT_RECEIVE, MACH_PORT_NULL),
       KERN_INVALID_VALUE, "not under the null name");
    is(mach_port_allocate_name(SELF, MACH_PORT_RIGHT_RECEIVE, MACH_PORT_DEAD),
       KERN_INVALID_VALUE, "not under the dead name");
    is(mach_port_allocate_name(SELF, 99, name), KERN_INVALID_VALUE,
       "no such right");
}

static void
names_are_not_reused(void)
{
    mach_port_t first = receive_right(), next;
    bool stale = false;

    is(mach_port_destroy(SELF, first), KERN_SUCCESS, "destroy");

    for (int i = 0; i < 100; i++) {
        (void)mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE, &next);
        stale = stale || next == first;
        (void)mach_port_destroy(SELF, next);
    }

    ok(!stale, "a name does not come back soon");
    is(mach_port_deallocate(SELF, first), KERN_INVALID_NAME,
       "a stale name is an error");
}

static void
names(void)
{
    mach_port_t port = receive_right();
    mach_port_name_array_t all;
    mach_port_type_array_t types;
    mach_msg_type_number_t count, type_count;
    bool found = false;

    is(mach_port_names(SELF, &all, &count, &types, &type_count), KERN_SUCCESS,
       "all names");
    is(count, type_count, "as many types");

    for (natural_t i = 0; i < count; i++) {
        found = found || (all[i] == port && types[i] == MACH_PORT_TYPE_RECEIVE);
    }

    ok(found, "the port is among them");
    mig_deallocate((vm_address_t)all, count * sizeof(*all));
    mig_deallocate((vm_address_t)types, type_count * sizeof(*types));
    (void)mach_port_destroy(SELF, port);
}

static void
rename_right(void)
{
    mach_port_t port = receive_right(), other = receive_right();
    mach_port_name_t name = free_name();

    is(mach_port_rename(SELF, port, name), KERN_SUCCESS, "rename");
    is(type_of(name), MACH_PORT_TYPE_RECEIVE, "has the new name");
    is(type_of(port), 0, "and no more the old one");
    is(mach_port_rename(SELF, name, other), KERN_NAME_EXISTS, "name taken");
    is(mach_port_rename(SELF, BAD_NAME, MACH_PORT_MAKE(0x702, 1)),
       KERN_INVALID_NAME, "no such name");
    is(mach_port_rename(SELF, name, MACH_PORT_NULL), KERN_INVALID_VALUE,
       "not to the null name");
    is(mach_port_destroy(SELF, name), KERN_SUCCESS, "destroy");
    is(mach_port_destroy(SELF, other), KERN_SUCCESS, "destroy");
}

static void
references(void)
{
    mach_port_t port = receive_right();

    is(refs_of(port, MACH_PORT_RIGHT_RECEIVE), 1, "one receive right");
    is(refs_of(port, MACH_PORT_RIGHT_SEND), 0, "no send right");
    is(mach_port_insert_right(SELF, port, port, MACH_MSG_TYPE_MAKE_SEND),
       KERN_SUCCESS, "make a send right");
    is(type_of(port), MACH_PORT_TYPE_SEND_RECEIVE, "under the same name");
    is(refs_of(port, MACH_PORT_RIGHT_SEND), 1, "one reference");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, 3), KERN_SUCCESS,
       "three more");
    is(refs_of(port, MACH_PORT_RIGHT_SEND), 4, "four references");
    is(mach_port_deallocate(SELF, port), KERN_SUCCESS, "deallocate one");
    is(refs_of(port, MACH_PORT_RIGHT_SEND), 3, "three references");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, -4),
       KERN_INVALID_VALUE, "not below 0");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, -3), KERN_SUCCESS,
       "the last three");
    is(type_of(port), MACH_PORT_TYPE_RECEIVE, "the send right is gone");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, 1),
       KERN_INVALID_RIGHT, "nothing to add to");
    is(mach_port_mod_refs(SELF, port, 99, 1), KERN_INVALID_VALUE,
       "no such right");
    is(mach_port_mod_refs(SELF, BAD_NAME, MACH_PORT_RIGHT_SEND, 1),
       KERN_INVALID_NAME, "no such name");
    is(mach_port_get_refs(SELF, BAD_NAME, MACH_PORT_RIGHT_SEND,
                          &(mach_port_urefs_t){ 0 }),
       KERN_INVALID_NAME, "no such name");
    is(mach_port_get_refs(SELF, port, 99, &(mach_port_urefs_t){ 0 }),
       KERN_INVALID_VALUE, "no such right");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_RECEIVE, 1),
       KERN_INVALID_VALUE, "there is only one receive right");
    is(mach_port_deallocate(SELF, port), KERN_INVALID_RIGHT,
       "a receive right is not deallocated");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_RECEIVE, -1),
       KERN_SUCCESS, "but by its count");
    is(type_of(port), 0, "it is gone");
}

/* Row 3 of the hazards: references do not overflow. */
static void
reference_limit(void)
{
    mach_port_t port = guest_port();

    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND,
                          (mach_port_delta_t)(MACH_PORT_UREFS_MAX - 1)),
       KERN_SUCCESS, "as many references as there may be");
    is(refs_of(port, MACH_PORT_RIGHT_SEND), MACH_PORT_UREFS_MAX, "the limit");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, 1),
       KERN_UREFS_OVERFLOW, "one more is refused");
    is(mach_port_insert_right(SELF, port, port, MACH_MSG_TYPE_MAKE_SEND),
       KERN_UREFS_OVERFLOW, "in any way");
    is(refs_of(port, MACH_PORT_RIGHT_SEND), MACH_PORT_UREFS_MAX, "still");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "destroy");
}

static void
insert_extract(void)
{
    mach_port_t port = receive_right(), other = 0, task = 0;
    mach_msg_type_name_t type;
    mach_port_t name = MACH_PORT_MAKE(0x703, 1);

    is(mach_port_insert_right(SELF, port, port, 99), MACH_SEND_INVALID_TYPE,
       "no such disposition");
    is(mach_port_insert_right(SELF, MACH_PORT_NULL, port,
                              MACH_MSG_TYPE_MAKE_SEND),
       KERN_INVALID_VALUE, "no name");
    is(mach_port_extract_right(SELF, port, MACH_MSG_TYPE_MAKE_SEND, &other,
                               &type),
       KERN_SUCCESS, "extract a send right");
    is(other, port, "rights of a port share a name");
    is(mach_port_extract_right(SELF, port, 99, &other, &type),
       KERN_INVALID_VALUE, "no such disposition");
    is(mach_port_extract_right(SELF, BAD_NAME, MACH_MSG_TYPE_COPY_SEND, &other,
                               &type),
       KERN_INVALID_NAME, "no such name");
    is(mach_port_insert_right(SELF, name, port, MACH_MSG_TYPE_COPY_SEND),
       KERN_RIGHT_EXISTS, "the port has another name here");

    is(task_create(SELF, FALSE, &task), KERN_SUCCESS, "an empty task");
    is(mach_port_insert_right(task, name, port, MACH_MSG_TYPE_COPY_SEND),
       KERN_SUCCESS, "insert a right there");
    is(mach_port_insert_right(task, name, port, MACH_MSG_TYPE_COPY_SEND),
       KERN_SUCCESS, "once more: a second reference");
    is(mach_port_insert_right(task, name, task, MACH_MSG_TYPE_COPY_SEND),
       KERN_NAME_EXISTS, "the name denotes another port");
    is(mach_port_extract_right(task, name, MACH_MSG_TYPE_MOVE_SEND, &other,
                               &type),
       KERN_SUCCESS, "take it back");
    is(other, port, "it is the same port");
    is(task_terminate(task), KERN_SUCCESS, "end the task");
    is(mach_port_deallocate(SELF, task), KERN_SUCCESS, "and forget it");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "destroy");
}

static void
receive_status(void)
{
    mach_port_t port = guest_port();
    mach_port_status_t status;

    is(mach_port_get_receive_status(SELF, port, &status), KERN_SUCCESS,
       "status of a port");
    is(status.mps_mscount, 1, "a send right was made once");
    is(status.mps_qlimit, MACH_PORT_QLIMIT_DEFAULT, "its limit");
    is(status.mps_msgcount, 0, "no messages");
    is(status.mps_srights, TRUE, "there are send rights");
    is(status.mps_sorights, 0, "but no send-once rights");
    is(status.mps_nsrequest, FALSE, "nobody asks about senders");
    is(mach_port_set_qlimit(SELF, port, 17), KERN_SUCCESS, "another limit");
    is(mach_port_set_qlimit(SELF, port, MACH_PORT_QLIMIT_MAX + 1),
       KERN_INVALID_VALUE, "too high a limit");
    is(mach_port_set_qlimit(SELF, BAD_NAME, 1), KERN_INVALID_NAME, "no name");
    is(mach_port_set_mscount(SELF, port, 5), KERN_SUCCESS, "another count");
    is(mach_port_set_mscount(SELF, BAD_NAME, 5), KERN_INVALID_NAME, "no name");
    is(mach_port_set_seqno(SELF, port, 9), KERN_SUCCESS, "another number");
    is(mach_port_set_seqno(SELF, BAD_NAME, 9), KERN_INVALID_NAME, "no name");
    is(mach_port_get_receive_status(SELF, port, &status), KERN_SUCCESS,
       "status");
    is(status.mps_qlimit, 17, "limit");
    is(status.mps_mscount, 5, "make-send count");
    is(status.mps_seqno, 9, "sequence number");
    is(mach_port_get_receive_status(SELF, SELF, &status), KERN_INVALID_RIGHT,
       "only a receive right has one");
    is(mach_port_get_receive_status(SELF, BAD_NAME, &status), KERN_INVALID_NAME,
       "no such name");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "destroy");
}

static void
port_sets(void)
{
    mach_port_t a = receive_right(), b = receive_right(), set, other;
    mach_port_name_array_t members;
    mach_msg_type_number_t count;
    mach_port_status_t status;

    is(mach_port_allocate(SELF, MACH_PORT_RIGHT_PORT_SET, &set), KERN_SUCCESS,
       "a set");
    is(mach_port_allocate(SELF, MACH_PORT_RIGHT_PORT_SET, &other), KERN_SUCCESS,
       "another");
    is(mach_port_move_member(SELF, a, set), KERN_SUCCESS, "a member");
    is(mach_port_move_member(SELF, b, set), KERN_SUCCESS, "a second member");
    is(mach_port_get_set_status(SELF, set, &members, &count), KERN_SUCCESS,
       "who is in it");
    is(count, 2, "two ports");
    mig_deallocate((vm_address_t)members, count * sizeof(*members));
    is(mach_port_get_receive_status(SELF, a, &status), KERN_SUCCESS, "status");
    is(status.mps_pset, set, "names its set");
    is(mach_port_move_member(SELF, a, other), KERN_SUCCESS, "to the other");
    is(mach_port_move_member(SELF, a, MACH_PORT_NULL), KERN_SUCCESS, "out");
    is(mach_port_move_member(SELF, a, MACH_PORT_NULL), KERN_NOT_IN_SET,
       "it is in none");
    is(mach_port_move_member(SELF, set, other), KERN_INVALID_RIGHT,
       "a set is no member");
    is(mach_port_move_member(SELF, a, b), KERN_INVALID_RIGHT,
       "a port is no set");
    is(mach_port_move_member(SELF, BAD_NAME, set), KERN_INVALID_NAME,
       "no such member");
    is(mach_port_get_set_status(SELF, a, &members, &count), KERN_INVALID_RIGHT,
       "a port is no set");
    is(mach_port_destroy(SELF, set), KERN_SUCCESS, "the set goes");
    is(mach_port_get_receive_status(SELF, b, &status), KERN_SUCCESS, "status");
    is(status.mps_pset, MACH_PORT_NULL, "its member is in none");
    is(mach_port_destroy(SELF, other), KERN_SUCCESS, "destroy");
    is(mach_port_destroy(SELF, a), KERN_SUCCESS, "destroy");
    is(mach_port_destroy(SELF, b), KERN_SUCCESS, "destroy");
}

static void
dead_names(void)
{
    mach_port_t port = guest_port();

    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, 1), KERN_SUCCESS,
       "two send references");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_RECEIVE, -1),
       KERN_SUCCESS, "the port dies");
    is(type_of(port), MACH_PORT_TYPE_DEAD_NAME, "the send right is dead");
    is(refs_of(port, MACH_PORT_RIGHT_DEAD_NAME), 2, "with its references");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_DEAD_NAME, -1),
       KERN_SUCCESS, "one less");
    is(mach_port_deallocate(SELF, port), KERN_SUCCESS, "the last");
    is(type_of(port), 0, "the name is free");
}

static void
payloads(void)
{
    mach_port_t port = receive_right();

    is(mach_port_set_protected_payload(SELF, port, 1), KERN_SUCCESS,
       "a payload");
    is(mach_port_clear_protected_payload(SELF, port), KERN_SUCCESS, "no more");
    is(mach_port_set_protected_payload(SELF, SELF, 1), KERN_INVALID_RIGHT,
       "only on a receive right");
    is(mach_port_set_protected_payload(SELF, BAD_NAME, 1), KERN_INVALID_NAME,
       "of a name");
    is(mach_port_clear_protected_payload(SELF, BAD_NAME), KERN_INVALID_NAME,
       "of a name");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "destroy");
}

static void
registered(void)
{
    mach_port_t ports[4], *back;
    mach_msg_type_number_t count;

    for (int i = 0; i < 4; i++) {
        ports[i] = SELF;
    }

    is(mach_ports_register(SELF, ports, 4), KERN_INVALID_ARGUMENT,
       "more ports than can be registered");
    ports[0] = guest_host_priv;
    ports[1] = guest_device_master;
    is(mach_ports_register(SELF, ports, 2), KERN_SUCCESS, "two ports");
    is(mach_ports_lookup(SELF, &back, &count), KERN_SUCCESS, "look them up");
    ok(count >= 2 && back[0] == guest_host_priv &&
           back[1] == guest_device_master,
       "they are the same");

    for (natural_t i = 0; i < count; i++) {
        if (back[i] != MACH_PORT_NULL) {
            (void)mach_port_deallocate(SELF, back[i]);
        }
    }

    mig_deallocate((vm_address_t)back, count * sizeof(*back));
}

static void
many_ports(void)
{
    static mach_port_t ports[2000];
    bool good = true;

    for (int i = 0; i < 2000; i++) {
        good = good && mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE,
                                          &ports[i]) == KERN_SUCCESS;
    }

    for (int i = 0; i < 2000; i++) {
        good = good && mach_port_destroy(SELF, ports[i]) == KERN_SUCCESS;
    }

    ok(good, "two thousand ports");
}

static void
all(void)
{
    allocate();
    allocate_name();
    names_are_not_reused();
    names();
    rename_right();
    references();
    reference_limit();
    insert_extract();
    receive_status();
    port_sets();
    dead_names();
    payloads();
    registered();
    many_ports();
}

void
guest_main(void)
{
    struct guest_counts before;

    all();
    guest_counts_get(&before);
    all();
    guest_counts_check(&before, "mach_port.defs");
}
