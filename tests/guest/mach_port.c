/* SPDX-License-Identifier: MIT */
/*
 * The routines of mach_port.defs that ports.c leaves: each function is named
 * after a routine, and shows its use and each documented error.
 */

#include "tap.h"

#define SELF mach_task_self()
#define BAD_NAME 0x00ffee01u

static mach_port_t
receive_right(void)
{
    mach_port_t port = MACH_PORT_NULL;

    if (mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE, &port) !=
        KERN_SUCCESS) {
        tap_bail("no receive right");
    }

    return port;
}

static mach_port_t
port_set(void)
{
    mach_port_t set = MACH_PORT_NULL;

    if (mach_port_allocate(SELF, MACH_PORT_RIGHT_PORT_SET, &set) !=
        KERN_SUCCESS) {
        tap_bail("no port set");
    }

    return set;
}

static void
drop(mach_port_t name)
{
    is(mach_port_destroy(SELF, name), KERN_SUCCESS, "destroy");
}

static mach_port_type_t
type_of(mach_port_t name)
{
    mach_port_type_t type = 0;

    return mach_port_type(SELF, name, &type) == KERN_SUCCESS ? type : 0;
}

static mach_port_status_t
status_of(mach_port_t name)
{
    mach_port_status_t status = { 0 };

    is(mach_port_get_receive_status(SELF, name, &status), KERN_SUCCESS,
       "its status");
    return status;
}

/* The three errors that every routine about a receive right has. */
#define receive_errors(call_bad_task, call_bad_name, call_bad_right)           \
    do {                                                                       \
        is(call_bad_task, KERN_INVALID_TASK, "in what is no task");            \
        is(call_bad_name, KERN_INVALID_NAME, "no such name");                  \
        is(call_bad_right, KERN_INVALID_RIGHT, "another kind of right");       \
    } while (0)

static void
allocate_full(void)
{
    mach_port_qos_t qos = { 0 };
    mach_port_name_t name = 0, chosen = MACH_PORT_MAKE(0x750, 9);

    is(mach_port_allocate_full(SELF, MACH_PORT_RIGHT_RECEIVE, MACH_PORT_NULL,
                               &qos, &name),
       KERN_SUCCESS, "a receive right");
    is(type_of(name), MACH_PORT_TYPE_RECEIVE, "is one");
    drop(name);
    is(mach_port_allocate_full(SELF, MACH_PORT_RIGHT_DEAD_NAME, MACH_PORT_NULL,
                               &qos, &name),
       KERN_SUCCESS, "a dead name");
    drop(name);
    qos.name = 1;
    name = chosen;
    is(mach_port_allocate_full(SELF, MACH_PORT_RIGHT_PORT_SET, MACH_PORT_NULL,
                               &qos, &name),
       KERN_SUCCESS, "a port set under a chosen name");
    is(name, chosen, "the name stays");
    is(type_of(chosen), MACH_PORT_TYPE_PORT_SET, "is one");
    is(mach_port_allocate_full(SELF, MACH_PORT_RIGHT_RECEIVE, MACH_PORT_NULL,
                               &qos, &name),
       KERN_NAME_EXISTS, "the name is taken");
    drop(chosen);
    name = MACH_PORT_NULL;
    is(mach_port_allocate_full(SELF, MACH_PORT_RIGHT_RECEIVE, MACH_PORT_NULL,
                               &qos, &name),
       KERN_INVALID_VALUE, "not under the null name");
    qos.name = 0;
    is(mach_port_allocate_full(SELF, 77, MACH_PORT_NULL, &qos, &name),
       KERN_INVALID_VALUE, "no such right");
    is(mach_port_allocate_full(SELF, MACH_PORT_RIGHT_RECEIVE, SELF, &qos,
                               &name),
       KERN_INVALID_VALUE, "there are no subsystem ports");
    qos.len = 100;
    is(mach_port_allocate_full(SELF, MACH_PORT_RIGHT_RECEIVE, MACH_PORT_NULL,
                               &qos, &name),
       KERN_INVALID_VALUE, "a length of nothing");
    qos.prealloc = 1;
    is(mach_port_allocate_full(SELF, MACH_PORT_RIGHT_RECEIVE, MACH_PORT_NULL,
                               &qos, &name),
       KERN_NOT_SUPPORTED, "nothing is preallocated");
    qos = (mach_port_qos_t){ 0 };
    is(mach_port_allocate_full(guest_host_priv, MACH_PORT_RIGHT_RECEIVE,
                               MACH_PORT_NULL, &qos, &name),
       KERN_INVALID_TASK, "in what is no task");
}

static void
allocate_qos(void)
{
    mach_port_qos_t qos = { 0 };
    mach_port_name_t name = 0;

    is(mach_port_allocate_qos(SELF, MACH_PORT_RIGHT_RECEIVE, &qos, &name),
       KERN_SUCCESS, "a receive right");
    is(type_of(name), MACH_PORT_TYPE_RECEIVE, "is one");
    drop(name);
    is(mach_port_allocate_qos(SELF, 77, &qos, &name), KERN_INVALID_VALUE,
       "no such right");
    qos.name = 1;
    is(mach_port_allocate_qos(SELF, MACH_PORT_RIGHT_RECEIVE, &qos, &name),
       KERN_INVALID_VALUE, "there is no name to give");
    qos = (mach_port_qos_t){ .prealloc = 1, .len = 64 };
    is(mach_port_allocate_qos(SELF, MACH_PORT_RIGHT_RECEIVE, &qos, &name),
       KERN_NOT_SUPPORTED, "nothing is preallocated");
    is(mach_port_allocate_qos(guest_host_priv, MACH_PORT_RIGHT_RECEIVE, &qos,
                              &name),
       KERN_INVALID_TASK, "in what is no task");
}

static void
get_attributes(void)
{
    mach_port_t port = guest_port();
    integer_t info[16] = { 0 };
    mach_port_status_t *status = (void *)info;
    mach_msg_type_number_t count = 16;

    is(mach_port_get_attributes(SELF, port, MACH_PORT_LIMITS_INFO, info,
                                &count),
       KERN_SUCCESS, "limits");
    is(count, MACH_PORT_LIMITS_INFO_COUNT, "their number");
    is(info[0], MACH_PORT_QLIMIT_DEFAULT, "the limit of the queue");
    count = 16;
    is(mach_port_get_attributes(SELF, port, MACH_PORT_RECEIVE_STATUS, info,
                                &count),
       KERN_SUCCESS, "status");
    is(count, MACH_PORT_RECEIVE_STATUS_COUNT, "its size");
    is(status->mps_srights, TRUE, "there is a send right");
    count = 16;
    is(mach_port_get_attributes(SELF, port, MACH_PORT_DNREQUESTS_SIZE, info,
                                &count),
       KERN_SUCCESS, "requests");
    is(count, 1, "one number");
    is(info[0], 0, "there are none");
    is(mach_port_get_attributes(SELF, port, 77, info, &count),
       KERN_INVALID_ARGUMENT, "no such flavor");
    count = 3;
    is(mach_port_get_attributes(SELF, port, MACH_PORT_RECEIVE_STATUS, info,
                                &count),
       KERN_FAILURE, "no room for it");
    count = 16;
    receive_errors(
        mach_port_get_attributes(guest_host_priv, port, MACH_PORT_LIMITS_INFO,
                                 info, &count),
        mach_port_get_attributes(SELF, BAD_NAME, MACH_PORT_LIMITS_INFO, info,
                                 &count),
        mach_port_get_attributes(SELF, SELF, MACH_PORT_LIMITS_INFO, info,
                                 &count));
    drop(port);
}

static void
set_attributes(void)
{
    mach_port_t port = receive_right();
    integer_t info[2] = { 9, 0 };

    is(mach_port_set_attributes(SELF, port, MACH_PORT_LIMITS_INFO, info, 1),
       KERN_SUCCESS, "another limit");
    is(status_of(port).mps_qlimit, 9, "it is set");
    is(mach_port_set_attributes(SELF, port, MACH_PORT_DNREQUESTS_SIZE, info, 1),
       KERN_SUCCESS, "a hint");
    is(mach_port_set_attributes(SELF, port, MACH_PORT_LIMITS_INFO, info, 0),
       KERN_FAILURE, "nothing to set it to");
    is(mach_port_set_attributes(SELF, port, MACH_PORT_DNREQUESTS_SIZE, info, 0),
       KERN_FAILURE, "no hint");
    is(mach_port_set_attributes(SELF, port, MACH_PORT_RECEIVE_STATUS, info, 1),
       KERN_INVALID_ARGUMENT, "a status is not set");
    info[0] = 0;
    is(mach_port_set_attributes(SELF, port, MACH_PORT_LIMITS_INFO, info, 1),
       KERN_INVALID_VALUE, "a limit of 0");
    info[0] = MACH_PORT_QLIMIT_MAX + 1;
    is(mach_port_set_attributes(SELF, port, MACH_PORT_LIMITS_INFO, info, 1),
       KERN_INVALID_VALUE, "too high a limit");
    info[0] = 9;
    receive_errors(
        mach_port_set_attributes(guest_host_priv, port, MACH_PORT_LIMITS_INFO,
                                 info, 1),
        mach_port_set_attributes(SELF, BAD_NAME, MACH_PORT_LIMITS_INFO, info,
                                 1),
        mach_port_set_attributes(SELF, SELF, MACH_PORT_LIMITS_INFO, info, 1));
    drop(port);
}

static void
get_srights(void)
{
    mach_port_t port = receive_right(), task = 0;
    mach_port_rights_t count = 9;

    is(mach_port_get_srights(SELF, port, &count), KERN_SUCCESS, "how many");
    is(count, 0, "none");
    is(task_create(SELF, FALSE, &task), KERN_SUCCESS, "a task");
    is(mach_port_insert_right(task, MACH_PORT_MAKE(0x200, 1), port,
                              MACH_MSG_TYPE_MAKE_SEND),
       KERN_SUCCESS, "gets one");
    is(mach_port_insert_right(SELF, port, port, MACH_MSG_TYPE_MAKE_SEND),
       KERN_SUCCESS, "and this one");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, 4), KERN_SUCCESS,
       "with five references");
    is(mach_port_get_srights(SELF, port, &count), KERN_SUCCESS, "how many");
    is(count, 2, "two rights");
    receive_errors(mach_port_get_srights(guest_host_priv, port, &count),
                   mach_port_get_srights(SELF, BAD_NAME, &count),
                   mach_port_get_srights(SELF, SELF, &count));
    is(task_terminate(task), KERN_SUCCESS, "the task ends");
    drop(task);
    drop(port);
}

static void
space_info(void)
{
    mach_port_t port = guest_port();
    ipc_info_space_t space = { 0 };
    ipc_info_name_array_t table = NULL;
    ipc_info_tree_name_array_t tree = NULL;
    mach_msg_type_number_t count = 0, tree_count = 9;
    bool found = false, clean = true;

    is(mach_port_space_info(SELF, &space, &table, &count, &tree, &tree_count),
       KERN_SUCCESS, "a space");
    is(space.iis_genno_mask, 0xff, "bits of the generation");
    ok(space.iis_table_size >= count, "a table of %u", space.iis_table_size);
    ok(space.iis_table_next > space.iis_table_size, "which can grow");
    is(tree_count, 0, "there is no tree");

    for (natural_t i = 0; i < count; i++) {
        clean = clean && table[i].iin_object == 0;
        found = found || (table[i].iin_name == port &&
                          table[i].iin_type == MACH_PORT_TYPE_SEND_RECEIVE &&
                          table[i].iin_urefs == 1);
    }

    ok(found, "the port is in it");
    ok(clean, "no addresses of the kernel");
    mig_deallocate((vm_address_t)table, count * sizeof(*table));
    is(mach_port_space_info(guest_host_priv, &space, &table, &count, &tree,
                            &tree_count),
       KERN_INVALID_TASK, "of what is no task");
    drop(port);
}

static void
dnrequest_info(void)
{
    mach_port_t port = guest_port(), notify = receive_right(), previous = 0;
    natural_t total = 9, used = 9;

    is(mach_port_dnrequest_info(SELF, port, &total, &used), KERN_SUCCESS,
       "requests");
    is(used, 0, "none");
    is(mach_port_request_notification(SELF, port, MACH_NOTIFY_DEAD_NAME, 0,
                                      notify, MACH_MSG_TYPE_MAKE_SEND_ONCE,
                                      &previous),
       KERN_SUCCESS, "make one");
    is(mach_port_dnrequest_info(SELF, port, &total, &used), KERN_SUCCESS,
       "requests");
    is(used, 1, "one");
    ok(total >= used, "there is room for it");
    receive_errors(
        mach_port_dnrequest_info(guest_host_priv, port, &total, &used),
        mach_port_dnrequest_info(SELF, BAD_NAME, &total, &used),
        mach_port_dnrequest_info(SELF, SELF, &total, &used));
    drop(port);
    drop(notify);
}

static void
insert_member(void)
{
    mach_port_t port = receive_right(), set = port_set(), other = port_set();

    is(mach_port_insert_member(SELF, port, set), KERN_SUCCESS, "insert");
    is(status_of(port).mps_pset, set, "it is in the set");
    is(mach_port_insert_member(SELF, port, set), KERN_ALREADY_IN_SET,
       "it is in it");
    is(mach_port_insert_member(SELF, port, other), KERN_ALREADY_IN_SET,
       "it is in another");
    is(mach_port_insert_member(SELF, port, MACH_PORT_NULL), KERN_INVALID_NAME,
       "into nothing");
    is(mach_port_insert_member(SELF, port, BAD_NAME), KERN_INVALID_NAME,
       "into no such set");
    is(mach_port_insert_member(SELF, port, SELF), KERN_INVALID_RIGHT,
       "into what is no set");
    receive_errors(mach_port_insert_member(guest_host_priv, port, set),
                   mach_port_insert_member(SELF, BAD_NAME, set),
                   mach_port_insert_member(SELF, SELF, set));
    drop(port);
    drop(set);
    drop(other);
}

static void
extract_member(void)
{
    mach_port_t port = receive_right(), set = port_set(), other = port_set();

    is(mach_port_extract_member(SELF, port, set), KERN_NOT_IN_SET,
       "it is in none");
    is(mach_port_insert_member(SELF, port, set), KERN_SUCCESS, "insert");
    is(mach_port_extract_member(SELF, port, other), KERN_NOT_IN_SET,
       "it is in another");
    is(mach_port_extract_member(SELF, port, set), KERN_SUCCESS, "extract");
    is(status_of(port).mps_pset, MACH_PORT_NULL, "it is in none");
    is(mach_port_extract_member(SELF, port, MACH_PORT_NULL), KERN_INVALID_NAME,
       "from nothing");
    is(mach_port_extract_member(SELF, port, port), KERN_INVALID_RIGHT,
       "from what is no set");
    receive_errors(mach_port_extract_member(guest_host_priv, port, set),
                   mach_port_extract_member(SELF, BAD_NAME, set),
                   mach_port_extract_member(SELF, set, set));
    drop(port);
    drop(set);
    drop(other);
}

static void
context(void)
{
    mach_port_t port = receive_right();
    mach_port_context_t word = 1;

    is(mach_port_get_context(SELF, port, &word), KERN_SUCCESS, "its context");
    is(word, 0, "none");
    is(mach_port_set_context(SELF, port, 0xfedcba9876543210), KERN_SUCCESS,
       "set it");
    is(mach_port_get_context(SELF, port, &word), KERN_SUCCESS, "get it");
    is(word, 0xfedcba9876543210, "all of it");
    receive_errors(mach_port_get_context(guest_host_priv, port, &word),
                   mach_port_get_context(SELF, BAD_NAME, &word),
                   mach_port_get_context(SELF, SELF, &word));
    receive_errors(mach_port_set_context(guest_host_priv, port, 1),
                   mach_port_set_context(SELF, BAD_NAME, 1),
                   mach_port_set_context(SELF, SELF, 1));
    is(mach_port_guard(SELF, port, 7, FALSE), KERN_INVALID_ARGUMENT,
       "a port with a context can't be guarded");
    is(mach_port_set_context(SELF, port, 0), KERN_SUCCESS, "clear it");
    is(mach_port_guard(SELF, port, 7, FALSE), KERN_SUCCESS, "now it can");
    is(mach_port_set_context(SELF, port, 9), KERN_INVALID_ARGUMENT,
       "a guarded port's context stays");
    is(mach_port_get_context(SELF, port, &word), KERN_SUCCESS, "get it");
    is(word, 7, "it is the guard");
    is(mach_port_unguard(SELF, port, 7), KERN_SUCCESS, "unguard");
    is(mach_port_guard(SELF, port, 7, TRUE), KERN_SUCCESS, "guard strictly");
    is(mach_port_get_context(SELF, port, &word), KERN_SUCCESS, "get it");
    is(word, 0, "a strict guard is not told");
    is(mach_port_unguard(SELF, port, 7), KERN_SUCCESS, "unguard");
    drop(port);
}

static void
kobject(void)
{
    mach_port_t port = guest_port(), set = port_set(), dead = guest_port();
    natural_t type = 77;
    vm_address_t address = 1;

    is(mach_port_kobject(SELF, SELF, &type, &address), KERN_SUCCESS,
       "of the task's port");
    is(type, IKOT_TASK, "is a task");
    is(address, 0, "nowhere");
    is(mach_port_kobject(SELF, guest_host_priv, &type, &address), KERN_SUCCESS,
       "of the host's");
    is(type, IKOT_HOST_PRIV, "is the host");
    is(mach_port_kobject(SELF, port, &type, &address), KERN_SUCCESS,
       "of a port");
    is(type, IKOT_NONE, "is none");
    is(mach_port_mod_refs(SELF, dead, MACH_PORT_RIGHT_RECEIVE, -1),
       KERN_SUCCESS, "a port dies");
    is(mach_port_kobject(SELF, dead, &type, &address), KERN_INVALID_RIGHT,
       "a dead name has none");
    receive_errors(mach_port_kobject(guest_host_priv, port, &type, &address),
                   mach_port_kobject(SELF, BAD_NAME, &type, &address),
                   mach_port_kobject(SELF, set, &type, &address));
    drop(port);
    drop(set);
    drop(dead);
}

static void
construct(void)
{
    mach_port_options_t options = { 0 };
    mach_port_status_t status;
    mach_port_context_t word = 0;
    mach_port_t port = 0;

    is(mach_port_construct(SELF, options, 0, &port), KERN_SUCCESS,
       "a port without anything");
    is(type_of(port), MACH_PORT_TYPE_RECEIVE, "a receive right");
    is(mach_port_destruct(SELF, port, 0, 0), KERN_SUCCESS, "destruct");
    options = (mach_port_options_t){
        .flags = MPO_QLIMIT | MPO_INSERT_SEND_RIGHT,
        .mpl = { .mpl_qlimit = 33 },
    };
    is(mach_port_construct(SELF, options, 5, &port), KERN_SUCCESS,
       "a port with a limit, a send right and a context");
    is(type_of(port), MACH_PORT_TYPE_SEND_RECEIVE, "both rights");
    status = status_of(port);
    is(status.mps_qlimit, 33, "the limit");
    is(status.mps_mscount, 1, "one send right was made");
    is(status.mps_flags, 0, "no guard");
    is(mach_port_get_context(SELF, port, &word), KERN_SUCCESS, "its context");
    is(word, 5, "is there");
    is(mach_port_destruct(SELF, port, -1, 0), KERN_SUCCESS, "destruct");
    is(type_of(port), 0, "all of it is gone");

    options = (mach_port_options_t){ .flags = 0x8000 };
    is(mach_port_construct(SELF, options, 0, &port), KERN_INVALID_ARGUMENT,
       "no such flag");
    options = (mach_port_options_t){ .reserved = { 0, 0, 0, 1 } };
    is(mach_port_construct(SELF, options, 0, &port), KERN_INVALID_ARGUMENT,
       "reserved words");
    options = (mach_port_options_t){ .flags = MPO_STRICT };
    is(mach_port_construct(SELF, options, 0, &port), KERN_INVALID_ARGUMENT,
       "strict without a guard");
    options = (mach_port_options_t){ .flags = MPO_QLIMIT };
    is(mach_port_construct(SELF, options, 0, &port), KERN_INVALID_VALUE,
       "a limit of 0");
    options = (mach_port_options_t){ 0 };
    is(mach_port_construct(guest_host_priv, options, 0, &port),
       KERN_INVALID_TASK, "in what is no task");
}

static void
destruct(void)
{
    mach_port_options_t options = {
        .flags = MPO_CONTEXT_AS_GUARD | MPO_STRICT | MPO_INSERT_SEND_RIGHT,
    };
    mach_port_t port = 0, plain = receive_right();
    mach_port_urefs_t refs = 0;

    is(mach_port_construct(SELF, options, 42, &port), KERN_SUCCESS,
       "a guarded port");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, 2), KERN_SUCCESS,
       "three send references");
    is(mach_port_destruct(SELF, port, 0, 41), KERN_INVALID_ARGUMENT,
       "not the guard");
    is(mach_port_destruct(SELF, port, 1, 42), KERN_INVALID_VALUE,
       "more references");
    is(mach_port_destruct(SELF, port, -4, 42), KERN_INVALID_VALUE,
       "more than there are");
    is(mach_port_destruct(SELF, port, -1, 42), KERN_SUCCESS, "one of them");
    is(type_of(port), MACH_PORT_TYPE_DEAD_NAME, "what stays is a dead name");
    is(mach_port_get_refs(SELF, port, MACH_PORT_RIGHT_DEAD_NAME, &refs),
       KERN_SUCCESS, "its references");
    is(refs, 2, "two");
    is(mach_port_destruct(SELF, plain, -1, 0), KERN_INVALID_RIGHT,
       "there is no send right");
    receive_errors(mach_port_destruct(guest_host_priv, plain, 0, 0),
                   mach_port_destruct(SELF, BAD_NAME, 0, 0),
                   mach_port_destruct(SELF, port, 0, 0));
    drop(port);
    drop(plain);
}

/* A message that moves the receive right. */
static mach_msg_return_t
move_receive(mach_port_t port, mach_port_t to)
{
    struct {
        mach_msg_header_t head;
        mach_msg_body_t body;
        mach_msg_port_descriptor_t port;
        char room[32];
    } m = {
        .head = { .msgh_bits = MACH_MSGH_BITS_COMPLEX |
                               MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0),
                  .msgh_remote_port = to },
        .body = { 1 },
        .port = { .name = port,
                  .disposition = MACH_MSG_TYPE_MOVE_RECEIVE,
                  .type = MACH_MSG_PORT_DESCRIPTOR },
    };
    mach_msg_return_t mr;

    mr = mach_msg(&m.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, 24 + 4 + 12, 0, 0,
                  0, 0);

    if (mr == MACH_MSG_SUCCESS) {
        mr = mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m),
                      to, 0, 0);
    }

    return mr;
}

static void
guard(void)
{
    mach_port_t port = guest_port(), to = receive_right();

    is(mach_port_guard(SELF, port, 0x1234, TRUE), KERN_SUCCESS, "guard");
    is(status_of(port).mps_flags,
       MACH_PORT_STATUS_FLAG_GUARDED | MACH_PORT_STATUS_FLAG_STRICT_GUARD,
       "it shows");
    is(mach_port_guard(SELF, port, 0x1234, TRUE), KERN_INVALID_ARGUMENT,
       "it has one");
    is(mach_port_destroy(SELF, port), KERN_INVALID_RIGHT, "not destroyed");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_RECEIVE, -1),
       KERN_INVALID_RIGHT, "nor otherwise released");
    is(move_receive(port, to), MACH_SEND_INVALID_RIGHT, "nor moved");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, 1), KERN_SUCCESS,
       "its send rights are free");
    is(type_of(port), MACH_PORT_TYPE_SEND_RECEIVE, "it is all there");
    is(mach_port_unguard(SELF, port, 0x1234), KERN_SUCCESS, "unguard");
    is(status_of(port).mps_flags, 0, "it has none");

    is(mach_port_guard(SELF, port, 0x1234, FALSE), KERN_SUCCESS,
       "a guard that is not strict");
    is(mach_port_destroy(SELF, port), KERN_INVALID_RIGHT, "not destroyed");
    is(move_receive(port, to), MACH_MSG_SUCCESS, "but moved");
    is(status_of(port).mps_flags, 0, "without its guard");
    receive_errors(mach_port_guard(guest_host_priv, port, 1, FALSE),
                   mach_port_guard(SELF, BAD_NAME, 1, FALSE),
                   mach_port_guard(SELF, SELF, 1, FALSE));
    drop(port);
    drop(to);
}

static void
unguard(void)
{
    mach_port_t port = receive_right(), task = 0;

    is(mach_port_unguard(SELF, port, 0), KERN_INVALID_ARGUMENT,
       "it has no guard");
    is(mach_port_guard(SELF, port, 3, FALSE), KERN_SUCCESS, "guard");
    is(mach_port_unguard(SELF, port, 4), KERN_INVALID_VALUE, "another guard");
    is(mach_port_unguard(SELF, port, 3), KERN_SUCCESS, "unguard");
    receive_errors(mach_port_unguard(guest_host_priv, port, 1),
                   mach_port_unguard(SELF, BAD_NAME, 1),
                   mach_port_unguard(SELF, SELF, 1));
    drop(port);

    /* A guard does not outlive its task. */
    is(task_create(SELF, FALSE, &task), KERN_SUCCESS, "a task");
    is(mach_port_allocate(task, MACH_PORT_RIGHT_RECEIVE, &port), KERN_SUCCESS,
       "its port");
    is(mach_port_guard(task, port, 3, TRUE), KERN_SUCCESS, "is guarded");
    is(task_terminate(task), KERN_SUCCESS, "and goes with it");
    drop(task);
}

/* A payload belongs to one receiver. */
static void
set_protected_payload(void)
{
    mach_port_t port = guest_port(), to = receive_right();
    struct {
        mach_msg_header_t head;
        char room[32];
    } m;

    is(mach_port_set_protected_payload(SELF, port, 5), KERN_SUCCESS,
       "a payload");
    is(move_receive(port, to), MACH_MSG_SUCCESS, "the right moves");
    m.head = (mach_msg_header_t){
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
        .msgh_remote_port = port,
    };
    is(mach_msg(&m.head, MACH_SEND_MSG | MACH_RCV_MSG, sizeof(m.head),
                sizeof(m), port, 0, 0),
       MACH_MSG_SUCCESS, "a message");
    is(m.head.msgh_local_port, port, "has the port's name again");
    drop(port);
    drop(to);
}

static mach_msg_return_t
send_to(mach_port_t port, mach_msg_id_t id)
{
    mach_msg_header_t head = {
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0),
        .msgh_remote_port = port,
        .msgh_id = id,
    };

    return mach_msg(&head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, sizeof(head), 0,
                    0, 0, 0);
}

static void
peek(void)
{
    mach_port_t port = receive_right();
    mach_msg_security_trailer_t trailer = { 0 };
    char *info = (char *)&trailer;
    const natural_t sender = MACH_RCV_TRAILER_ELEMENTS(MACH_RCV_TRAILER_SENDER);
    mach_msg_type_number_t count = sizeof(trailer);
    mach_port_seqno_t seqno = 0;
    mach_msg_id_t id = 0;
    natural_t size = 0;

    is(mach_port_peek(SELF, port, sender, &seqno, &size, &id, info, &count),
       KERN_FAILURE, "nothing is queued");
    is(mach_port_set_seqno(SELF, port, 40), KERN_SUCCESS, "from 40 on");

    for (int i = 0; i < 3; i++) {
        is(send_to(port, 100 + i), MACH_MSG_SUCCESS, "a message");
    }

    count = sizeof(trailer);
    is(mach_port_peek(SELF, port, sender, &seqno, &size, &id, info, &count),
       KERN_SUCCESS, "the first");
    ok(seqno == 40 && size == sizeof(mach_msg_header_t) && id == 100,
       "its number, size and id");
    is(count, sizeof(trailer), "its trailer");
    ok(trailer.msgh_trailer_size == sizeof(trailer) &&
           trailer.msgh_seqno == 40 && trailer.msgh_sender.val[0] == 0,
       "says the same");
    seqno = 42;
    count = MACH_MSG_TRAILER_MINIMUM_SIZE;
    is(mach_port_peek(SELF, port, 0, &seqno, &size, &id, info, &count),
       KERN_SUCCESS, "the third");
    ok(seqno == 42 && id == 102 && count == MACH_MSG_TRAILER_MINIMUM_SIZE,
       "with a short trailer");
    is(status_of(port).mps_msgcount, 3, "they are all still there");
    seqno = 43;
    is(mach_port_peek(SELF, port, 0, &seqno, &size, &id, info, &count),
       KERN_FAILURE, "there is no fourth");
    seqno = 39;
    is(mach_port_peek(SELF, port, 0, &seqno, &size, &id, info, &count),
       KERN_FAILURE, "one that was before");
    seqno = 0;
    is(mach_port_peek(SELF, port, sender, &seqno, &size, &id, info, &count),
       KERN_FAILURE, "no room for the trailer");
    is(mach_port_peek(SELF, port, MACH_RCV_TRAILER_ELEMENTS(9), &seqno, &size,
                      &id, info, &count),
       KERN_INVALID_VALUE, "no such trailer");
    is(mach_port_peek(SELF, port, MACH_RCV_TRAILER_TYPE(1), &seqno, &size, &id,
                      info, &count),
       KERN_INVALID_VALUE, "no such format");
    receive_errors(
        mach_port_peek(guest_host_priv, port, 0, &seqno, &size, &id, info,
                       &count),
        mach_port_peek(SELF, BAD_NAME, 0, &seqno, &size, &id, info, &count),
        mach_port_peek(SELF, SELF, 0, &seqno, &size, &id, info, &count));
    drop(port);
}

/* -- What ports.c leaves of the errors of the others ------------------------- */

static void
names(void)
{
    mach_port_name_array_t all;
    mach_port_type_array_t types;
    mach_msg_type_number_t count, type_count;

    is(mach_port_names(guest_host_priv, &all, &count, &types, &type_count),
       KERN_INVALID_TASK, "of what is no task");
}

static void
type(void)
{
    mach_port_type_t got;

    is(mach_port_type(guest_host_priv, SELF, &got), KERN_INVALID_TASK,
       "in what is no task");
    is(mach_port_type(SELF, BAD_NAME, &got), KERN_INVALID_NAME, "no such name");
    is(mach_port_type(SELF, MACH_PORT_NULL, &got), KERN_INVALID_NAME,
       "the null name");
    is(mach_port_type(SELF, MACH_PORT_DEAD, &got), KERN_INVALID_NAME,
       "the dead name");
}

static void
rename_right(void)
{
    mach_port_t port = receive_right();

    is(mach_port_rename(guest_host_priv, port, MACH_PORT_MAKE(0x760, 1)),
       KERN_INVALID_TASK, "in what is no task");
    is(mach_port_rename(SELF, port, MACH_PORT_DEAD), KERN_INVALID_VALUE,
       "to the dead name");
    is(mach_port_rename(SELF, port, MACH_PORT_MAKE(MACH_PORT_INDEX_MAX + 1, 1)),
       KERN_INVALID_VALUE, "to a name beyond the last");
    drop(port);
}

static void
allocate_name(void)
{
    is(mach_port_allocate_name(guest_host_priv, MACH_PORT_RIGHT_RECEIVE,
                               MACH_PORT_MAKE(0x760, 1)),
       KERN_INVALID_TASK, "in what is no task");
    is(mach_port_allocate_name(SELF, MACH_PORT_RIGHT_RECEIVE,
                               MACH_PORT_MAKE(MACH_PORT_INDEX_MAX + 1, 1)),
       KERN_INVALID_VALUE, "a name beyond the last");
    is(mach_port_allocate_name(SELF, MACH_PORT_RIGHT_SEND,
                               MACH_PORT_MAKE(0x760, 1)),
       KERN_INVALID_VALUE, "a send right is not allocated");
}

static void
destroy(void)
{
    is(mach_port_destroy(guest_host_priv, SELF), KERN_INVALID_TASK,
       "in what is no task");
    is(mach_port_destroy(SELF, BAD_NAME), KERN_INVALID_NAME, "no such name");
    is(mach_port_destroy(SELF, MACH_PORT_DEAD), KERN_SUCCESS,
       "the dead name is nothing to destroy");
}

static void
deallocate(void)
{
    mach_port_t set = port_set(), dead = MACH_PORT_NULL;

    is(mach_port_deallocate(guest_host_priv, SELF), KERN_INVALID_TASK,
       "in what is no task");
    is(mach_port_deallocate(SELF, BAD_NAME), KERN_INVALID_NAME, "no such name");
    is(mach_port_deallocate(SELF, set), KERN_INVALID_RIGHT,
       "a set is not deallocated");
    is(mach_port_allocate(SELF, MACH_PORT_RIGHT_DEAD_NAME, &dead), KERN_SUCCESS,
       "a dead name");
    is(mach_port_deallocate(SELF, dead), KERN_SUCCESS, "is");
    is(mach_port_deallocate(SELF, MACH_PORT_NULL), KERN_SUCCESS,
       "the null name is nothing to release");
    drop(set);
}

static void
get_refs(void)
{
    mach_port_urefs_t refs = 9;

    is(mach_port_get_refs(guest_host_priv, SELF, MACH_PORT_RIGHT_SEND, &refs),
       KERN_INVALID_TASK, "in what is no task");
    is(mach_port_get_refs(guest_host_priv, SELF, 77, &refs), KERN_INVALID_TASK,
       "which comes first");
    is(mach_port_get_refs(SELF, SELF, MACH_PORT_RIGHT_RECEIVE, &refs),
       KERN_SUCCESS, "another right of a name");
    is(refs, 0, "has no references");
}

static void
mod_refs(void)
{
    mach_port_t set = port_set(), port = receive_right(), once = 0;
    mach_msg_type_name_t disposition;

    is(mach_port_mod_refs(guest_host_priv, SELF, MACH_PORT_RIGHT_SEND, 1),
       KERN_INVALID_TASK, "in what is no task");
    is(mach_port_mod_refs(SELF, set, MACH_PORT_RIGHT_RECEIVE, -1),
       KERN_INVALID_RIGHT, "another kind of right");
    is(mach_port_mod_refs(SELF, set, MACH_PORT_RIGHT_PORT_SET, 1),
       KERN_INVALID_VALUE, "a set has one reference");
    is(mach_port_mod_refs(SELF, set, MACH_PORT_RIGHT_PORT_SET, 0), KERN_SUCCESS,
       "no change");
    is(mach_port_mod_refs(SELF, set, MACH_PORT_RIGHT_PORT_SET, -1),
       KERN_SUCCESS, "it goes");
    is(mach_port_extract_right(SELF, port, MACH_MSG_TYPE_MAKE_SEND_ONCE, &once,
                               &disposition),
       KERN_SUCCESS, "a send-once right");
    is(mach_port_mod_refs(SELF, once, MACH_PORT_RIGHT_SEND_ONCE, 1),
       KERN_INVALID_VALUE, "is one");
    is(mach_port_mod_refs(SELF, once, MACH_PORT_RIGHT_SEND_ONCE, -2),
       KERN_INVALID_VALUE, "and not two");
    is(mach_port_mod_refs(SELF, once, MACH_PORT_RIGHT_SEND_ONCE, -1),
       KERN_SUCCESS, "it goes");
    drop(port);
}

static void
set_mscount(void)
{
    receive_errors(mach_port_set_mscount(guest_host_priv, SELF, 1),
                   mach_port_set_mscount(SELF, BAD_NAME, 1),
                   mach_port_set_mscount(SELF, SELF, 1));
}

static void
set_seqno(void)
{
    receive_errors(mach_port_set_seqno(guest_host_priv, SELF, 1),
                   mach_port_set_seqno(SELF, BAD_NAME, 1),
                   mach_port_set_seqno(SELF, SELF, 1));
}

static void
set_qlimit(void)
{
    mach_port_t port = receive_right();

    receive_errors(mach_port_set_qlimit(guest_host_priv, SELF, 1),
                   mach_port_set_qlimit(SELF, BAD_NAME, 1),
                   mach_port_set_qlimit(SELF, SELF, 1));
    is(mach_port_set_qlimit(SELF, port, 0), KERN_INVALID_VALUE, "a limit of 0");
    is(mach_port_set_qlimit(guest_host_priv, port, 0), KERN_INVALID_TASK,
       "in what is no task");
    drop(port);
}

static void
get_receive_status(void)
{
    mach_port_status_t status;

    receive_errors(mach_port_get_receive_status(guest_host_priv, SELF, &status),
                   mach_port_get_receive_status(SELF, BAD_NAME, &status),
                   mach_port_get_receive_status(SELF, SELF, &status));
}

static void
get_set_status(void)
{
    mach_port_name_array_t members = NULL;
    mach_msg_type_number_t count = 9;
    mach_port_t set = port_set();

    receive_errors(
        mach_port_get_set_status(guest_host_priv, set, &members, &count),
        mach_port_get_set_status(SELF, BAD_NAME, &members, &count),
        mach_port_get_set_status(SELF, SELF, &members, &count));
    is(mach_port_get_set_status(SELF, set, &members, &count), KERN_SUCCESS,
       "an empty set");
    is(count, 0, "has no members");
    drop(set);
}

static void
move_member(void)
{
    mach_port_t port = receive_right(), set = port_set();

    receive_errors(mach_port_move_member(guest_host_priv, port, set),
                   mach_port_move_member(SELF, BAD_NAME, set),
                   mach_port_move_member(SELF, SELF, set));
    is(mach_port_move_member(SELF, port, BAD_NAME), KERN_INVALID_NAME,
       "to no such set");
    is(mach_port_move_member(SELF, port, SELF), KERN_INVALID_RIGHT,
       "to what is no set");
    drop(port);
    drop(set);
}

static void
request_notification(void)
{
    mach_port_t port = guest_port(), previous = 1, dead = guest_port();

    is(mach_port_mod_refs(SELF, dead, MACH_PORT_RIGHT_RECEIVE, -1),
       KERN_SUCCESS, "a port that died");
    is(mach_port_request_notification(guest_host_priv, port,
                                      MACH_NOTIFY_DEAD_NAME, 0, MACH_PORT_NULL,
                                      MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous),
       KERN_INVALID_TASK, "in what is no task");
    is(mach_port_request_notification(SELF, port, MACH_NOTIFY_DEAD_NAME, 0,
                                      port, MACH_MSG_TYPE_COPY_SEND, &previous),
       KERN_INVALID_CAPABILITY, "by a send right");
    is(mach_port_request_notification(SELF, port, MACH_NOTIFY_DEAD_NAME, 0,
                                      dead, MACH_MSG_TYPE_COPY_SEND, &previous),
       KERN_INVALID_CAPABILITY, "by a dead one");
    is(mach_port_request_notification(SELF, port, MACH_NOTIFY_PORT_DESTROYED, 1,
                                      MACH_PORT_NULL,
                                      MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous),
       KERN_INVALID_VALUE, "a count that means nothing");
    is(mach_port_request_notification(SELF, port, 4711, 0, MACH_PORT_NULL,
                                      MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous),
       KERN_INVALID_VALUE, "of no kind");
    is(mach_port_request_notification(SELF, BAD_NAME, MACH_NOTIFY_NO_SENDERS, 0,
                                      MACH_PORT_NULL,
                                      MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous),
       KERN_INVALID_NAME, "of no such name");
    drop(port);
    drop(dead);
}

static void
insert_right(void)
{
    mach_port_t port = receive_right();
    mach_port_name_t name = MACH_PORT_MAKE(0x760, 1);

    is(mach_port_insert_right(guest_host_priv, name, port,
                              MACH_MSG_TYPE_MAKE_SEND),
       KERN_INVALID_TASK, "into what is no task");
    is(mach_port_insert_right(SELF, MACH_PORT_DEAD, port,
                              MACH_MSG_TYPE_MAKE_SEND),
       KERN_INVALID_VALUE, "under the dead name");
    is(mach_port_insert_right(SELF, name, MACH_PORT_NULL,
                              MACH_MSG_TYPE_COPY_SEND),
       KERN_INVALID_CAPABILITY, "no right at all");
    is(mach_port_insert_right(SELF, name, MACH_PORT_DEAD,
                              MACH_MSG_TYPE_COPY_SEND),
       KERN_INVALID_CAPABILITY, "a dead one");
    is(mach_port_insert_right(SELF, MACH_PORT_MAKE(MACH_PORT_INDEX_MAX + 1, 1),
                              port, MACH_MSG_TYPE_MAKE_SEND),
       KERN_INVALID_VALUE, "under a name beyond the last");
    drop(port);
}

static void
extract_right(void)
{
    mach_port_t port = receive_right(), got = 0;
    mach_msg_type_name_t disposition;

    is(mach_port_extract_right(guest_host_priv, port, MACH_MSG_TYPE_MAKE_SEND,
                               &got, &disposition),
       KERN_INVALID_TASK, "from what is no task");
    is(mach_port_extract_right(SELF, port, MACH_MSG_TYPE_COPY_SEND, &got,
                               &disposition),
       KERN_INVALID_RIGHT, "a right that is not there");
    is(mach_port_extract_right(SELF, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND,
                               &got, &disposition),
       KERN_INVALID_NAME, "of the null name");
    drop(port);
}

static void
clear_protected_payload(void)
{
    receive_errors(mach_port_clear_protected_payload(guest_host_priv, SELF),
                   mach_port_clear_protected_payload(SELF, BAD_NAME),
                   mach_port_clear_protected_payload(SELF, SELF));
    receive_errors(mach_port_set_protected_payload(guest_host_priv, SELF, 1),
                   mach_port_set_protected_payload(SELF, BAD_NAME, 1),
                   mach_port_set_protected_payload(SELF, SELF, 1));
}

static void
all(void)
{
    names();
    type();
    rename_right();
    allocate_name();
    destroy();
    deallocate();
    get_refs();
    mod_refs();
    set_mscount();
    set_seqno();
    set_qlimit();
    get_receive_status();
    get_set_status();
    move_member();
    request_notification();
    insert_right();
    extract_right();
    clear_protected_payload();
    allocate_full();
    allocate_qos();
    get_attributes();
    set_attributes();
    get_srights();
    space_info();
    dnrequest_info();
    insert_member();
    extract_member();
    context();
    kobject();
    construct();
    destruct();
    guard();
    unguard();
    set_protected_payload();
    peek();
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
