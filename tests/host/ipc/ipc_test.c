/* SPDX-License-Identifier: MIT */
/*
 * Every operation on ports with every allocation made to fail in turn: the
 * first, the second and so on, until it has all it asks for. Whatever fails,
 * the result is one that the operation documents, each port counts the rights
 * that there are, and nothing is left when the tasks have ended. An operation
 * that is whole or not at all has changed nothing when it fails.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ipc/ipc_port.h>
#include <ipc/ipc_space.h>
#include <mach/mach_port_server.h>
#include <mach/notify.h>
#include <vm/vm_copy.h>

#include "ipc_env.h"
#include "tap.h"

#define NAME(n) MACH_PORT_MAKE(100 + (n), 1)
#define FAR_NAME MACH_PORT_MAKE(900, 7)
#define RESULTS 4

static struct env_task *a, *b;
static unsigned int fail; /* which allocation */

/* -- Messages ---------------------------------------------------------------- */

struct message {
    mach_msg_header_t header;
    mach_msg_body_t body;
    union {
        mach_msg_port_descriptor_t port;
        mach_msg_ool_descriptor_t memory;
        mach_msg_ool_ports_descriptor_t ports;
        char room[8192];
    };
};

static struct message *
message_of(struct env_task *task)
{
    return (struct message *)(void *)task->memory;
}

static struct message *
prepare(struct env_task *task, mach_port_name_t to,
        mach_msg_type_name_t disposition)
{
    struct message *m = message_of(task);

    memset(task->memory, 0, ENV_MEMORY);
    m->header.msgh_bits = MACH_MSGH_BITS(disposition, 0);
    m->header.msgh_remote_port = to;
    m->header.msgh_id = 5;
    return m;
}

static void
reply_to(struct message *m, mach_port_name_t name,
         mach_msg_type_name_t disposition)
{
    m->header.msgh_bits |= MACH_MSGH_BITS(0, disposition);
    m->header.msgh_local_port = name;
}

static void
complex(struct message *m)
{
    m->header.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
    m->body.msgh_descriptor_count = 1;
}

static void
add_port(struct message *m, mach_port_name_t name,
         mach_msg_type_name_t disposition)
{
    complex(m);
    m->port.name = name;
    m->port.disposition = (uint8_t)disposition;
    m->port.type = MACH_MSG_PORT_DESCRIPTOR;
}

static void
add_memory(struct env_task *task, struct message *m, natural_t size)
{
    complex(m);
    m->memory.address = (uint64_t)(task->memory + 8192);
    m->memory.size = size;
    m->memory.type = MACH_MSG_OOL_DESCRIPTOR;
    m->memory.copy = MACH_MSG_VIRTUAL_COPY;
}

static void
add_ports(struct env_task *task, struct message *m, natural_t count,
          const mach_port_name_t *names, mach_msg_type_name_t disposition)
{
    complex(m);
    memcpy(task->memory + 8192, names, count * sizeof(*names));
    m->ports.address = (uint64_t)(task->memory + 8192);
    m->ports.count = count;
    m->ports.disposition = (uint8_t)disposition;
    m->ports.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;
}

/* -- Preparations ------------------------------------------------------------ */

static void
must(kern_return_t kr, int line)
{
    if (kr != KERN_SUCCESS) {
        printf("Bail out! line %d: 0x%x\n", line, (unsigned int)kr);
        exit(1);
    }
}

#define MUST(call) must((call), __LINE__)

static void
make_port(struct env_task *task, mach_port_name_t name)
{
    env_enter(task);
    MUST(mach_port_allocate_name(task->space, MACH_PORT_RIGHT_RECEIVE, name));
}

/* A port of task b, of which a has a send right. */
static void
server(void)
{
    make_port(b, NAME(0));
    MUST(env_insert_right(b, a, NAME(0), NAME(0), MACH_MSG_TYPE_MAKE_SEND));
    make_port(a, NAME(1));
    make_port(a, NAME(2));
}

/* Take all names that are left in the chunks that there are. */
static void
fill(struct env_task *task)
{
    mach_port_name_t name;

    env_enter(task);

    while (task->space->free != 0) {
        MUST(mach_port_allocate(task->space, MACH_PORT_RIGHT_DEAD_NAME, &name));
    }
}

static void
server_filled(void)
{
    server();
    fill(b);
}

static void
send(struct env_task *task, mach_msg_size_t size)
{
    MUST(env_msg(task, task->memory, MACH_SEND_MSG | MACH_SEND_TIMEOUT, size, 0,
                 0, 0)
             ? (kern_return_t)task->result
             : KERN_FAILURE);
}

static void
queued_reply_right(void)
{
    server();
    reply_to(prepare(a, NAME(0), MACH_MSG_TYPE_COPY_SEND), NAME(1),
             MACH_MSG_TYPE_MAKE_SEND_ONCE);
    send(a, 24);
    fill(b);
}

static void
queued_port(void)
{
    server();
    add_port(prepare(a, NAME(0), MACH_MSG_TYPE_COPY_SEND), NAME(1),
             MACH_MSG_TYPE_MOVE_RECEIVE);
    send(a, 40);
    fill(b);
}

static void
queued_memory(void)
{
    server();
    add_memory(a, prepare(a, NAME(0), MACH_MSG_TYPE_COPY_SEND), 3000);
    send(a, 44);
}

static void
queued_ports(void)
{
    mach_port_name_t names[] = { NAME(1), NAME(2), NAME(1), 0, ~0u };

    server();
    add_ports(a, prepare(a, NAME(0), MACH_MSG_TYPE_COPY_SEND), 5, names,
              MACH_MSG_TYPE_MAKE_SEND);
    send(a, 44);
    fill(b);
}

static void
queue_full(void)
{
    server();
    prepare(a, NAME(0), MACH_MSG_TYPE_COPY_SEND);

    for (unsigned int i = 0; i < MACH_PORT_QLIMIT_DEFAULT; i++) {
        send(a, 24);
    }
}

/* A port with everything that its death has to tell. */
static void
port_to_die(void)
{
    mach_port_name_t previous;

    server();
    make_port(b, NAME(3));
    MUST(env_request_notification(a, a, NAME(0), MACH_NOTIFY_DEAD_NAME, 0,
                                  NAME(1), &previous));
    MUST(env_request_notification(b, b, NAME(0), MACH_NOTIFY_NO_SENDERS, 0,
                                  NAME(3), &previous));
    reply_to(prepare(a, NAME(0), MACH_MSG_TYPE_COPY_SEND), NAME(2),
             MACH_MSG_TYPE_MAKE_SEND_ONCE);
    send(a, 24);
    add_port(prepare(a, NAME(0), MACH_MSG_TYPE_COPY_SEND), NAME(2),
             MACH_MSG_TYPE_MOVE_RECEIVE);
    send(a, 40);
}

/* A port whose receive right is wanted in the place of its death. */
static void
port_to_return(void)
{
    mach_port_name_t previous;

    server();
    make_port(b, NAME(3));
    MUST(env_request_notification(b, b, NAME(0), MACH_NOTIFY_PORT_DESTROYED, 0,
                                  NAME(3), &previous));
}

/* Somebody waits for room in a full queue. */
static void
room_wanted(void)
{
    mach_port_name_t previous;

    queue_full();
    MUST(env_request_notification(a, a, NAME(0), MACH_NOTIFY_SEND_POSSIBLE, 1,
                                  NAME(1), &previous));
}

/* As many send rights as the hash of a space has room for without growing. */
static void
hash_full(void)
{
    server();

    for (unsigned int i = 0; i < 17; i++) {
        make_port(b, MACH_PORT_MAKE(40 + i, 1));
        MUST(env_insert_right(b, a, MACH_PORT_MAKE(40 + i, 1),
                              MACH_PORT_MAKE(40 + i, 1),
                              MACH_MSG_TYPE_MAKE_SEND));
    }

    make_port(b, NAME(5));
}

/* -- Operations -------------------------------------------------------------- */

static int64_t
armed(int64_t result)
{
    if (!shim_failed()) {
        shim_fail(0);
    }

    env_run();
    return result;
}

/* A routine with the allocation failing in it. */
#define ARMED(call) (env_enter(a), shim_fail(fail), armed(call))

static int64_t
space_create(void)
{
    struct ipc_space *space;

    shim_fail(fail);
    space = ipc_space_create(NULL);
    (void)armed(0);

    if (space == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    ipc_space_terminate(space);
    ipc_space_unref(space);
    return KERN_SUCCESS;
}

static int64_t
allocate_receive(void)
{
    mach_port_name_t name;

    return ARMED(mach_port_allocate(a->space, MACH_PORT_RIGHT_RECEIVE, &name));
}

static int64_t
allocate_set(void)
{
    mach_port_name_t name;

    return ARMED(mach_port_allocate(a->space, MACH_PORT_RIGHT_PORT_SET, &name));
}

static int64_t
allocate_dead(void)
{
    mach_port_name_t name;

    return ARMED(
        mach_port_allocate(a->space, MACH_PORT_RIGHT_DEAD_NAME, &name));
}

static int64_t
allocate_name(void)
{
    return ARMED(
        mach_port_allocate_name(a->space, MACH_PORT_RIGHT_RECEIVE, FAR_NAME));
}

static int64_t
construct(void)
{
    mach_port_options_t options = { .flags = MPO_INSERT_SEND_RIGHT };
    mach_port_name_t name;

    return ARMED(mach_port_construct(a->space, options, 7, &name));
}

static int64_t
rename_port(void)
{
    return ARMED(mach_port_rename(a->space, NAME(1), FAR_NAME));
}

static int64_t
insert_send(void)
{
    env_fail_at = fail;
    return env_insert_right(b, a, FAR_NAME, NAME(5), MACH_MSG_TYPE_MAKE_SEND);
}

static int64_t
insert_send_once(void)
{
    env_fail_at = fail;
    return env_insert_right(b, a, FAR_NAME, NAME(0),
                            MACH_MSG_TYPE_MAKE_SEND_ONCE);
}

static int64_t
insert_receive(void)
{
    env_fail_at = fail;
    return env_insert_right(b, a, FAR_NAME, NAME(5),
                            MACH_MSG_TYPE_MOVE_RECEIVE);
}

static int64_t
request(mach_msg_id_t id, mach_port_name_t name, mach_port_mscount_t sync)
{
    mach_port_name_t previous;

    env_fail_at = fail;
    return env_request_notification(a, a, name, id, sync, NAME(2), &previous);
}

static int64_t
request_dead_name(void)
{
    return request(MACH_NOTIFY_DEAD_NAME, NAME(0), 0);
}

static int64_t
request_possible(void)
{
    return request(MACH_NOTIFY_SEND_POSSIBLE, NAME(0), 0);
}

static int64_t
request_port_destroyed(void)
{
    return request(MACH_NOTIFY_PORT_DESTROYED, NAME(1), 0);
}

static int64_t
request_no_senders(void)
{
    return request(MACH_NOTIFY_NO_SENDERS, NAME(1), 1);
}

static void
discard(void *copy, natural_t count)
{
    if (count != 0) {
        vm_map_copy_discard(copy);
    }
}

static int64_t
port_names(void)
{
    mach_port_name_array_t names;
    mach_port_type_array_t types;
    mach_msg_type_number_t count, type_count;
    int64_t kr;

    kr = ARMED(mach_port_names(a->space, &names, &count, &types, &type_count));

    if (kr == KERN_SUCCESS) {
        discard(names, count);
        discard(types, type_count);
    }

    return kr;
}

static int64_t
space_info(void)
{
    ipc_info_space_t info;
    ipc_info_name_array_t table;
    ipc_info_tree_name_array_t tree;
    mach_msg_type_number_t count, tree_count;
    int64_t kr;

    kr = ARMED(mach_port_space_info(a->space, &info, &table, &count, &tree,
                                    &tree_count));

    if (kr == KERN_SUCCESS) {
        discard(table, count);
    }

    return kr;
}

static int64_t
set_status(void)
{
    mach_port_name_array_t members;
    mach_msg_type_number_t count;
    int64_t kr;

    MUST(mach_port_allocate_name(a->space, MACH_PORT_RIGHT_PORT_SET, NAME(6)));
    MUST(mach_port_move_member(a->space, NAME(1), NAME(6)));
    kr = ARMED(mach_port_get_set_status(a->space, NAME(6), &members, &count));

    if (kr == KERN_SUCCESS) {
        discard(members, count);
    }

    MUST(mach_port_destroy(a->space, NAME(6)));
    return kr;
}

static int64_t
destroy_port(void)
{
    int64_t kr;

    env_enter(b);
    shim_fail(fail);
    kr = mach_port_destroy(b->space, NAME(0));
    return armed(kr);
}

static int64_t
drop_send(void)
{
    return ARMED(mach_port_deallocate(a->space, NAME(0)));
}

static int64_t
end_task(void)
{
    shim_fail(fail);
    env_task_destroy(b);
    b = NULL;
    return armed(KERN_SUCCESS);
}

/* -- Operations: messages ---------------------------------------------------- */

static int64_t
send_armed(mach_msg_size_t size)
{
    shim_fail(fail);
    (void)env_msg(a, a->memory, MACH_SEND_MSG | MACH_SEND_TIMEOUT, size, 0, 0,
                  0);
    return armed(a->result);
}

static int64_t
send_small(void)
{
    reply_to(prepare(a, NAME(0), MACH_MSG_TYPE_COPY_SEND), NAME(1),
             MACH_MSG_TYPE_MAKE_SEND_ONCE);
    return send_armed(64);
}

static int64_t
send_moved(void)
{
    prepare(a, NAME(0), MACH_MSG_TYPE_MOVE_SEND);
    return send_armed(600);
}

static int64_t
send_large(void)
{
    prepare(a, NAME(0), MACH_MSG_TYPE_COPY_SEND);
    return send_armed(5000);
}

static int64_t
send_port(void)
{
    add_port(prepare(a, NAME(0), MACH_MSG_TYPE_COPY_SEND), NAME(1),
             MACH_MSG_TYPE_MAKE_SEND);
    return send_armed(40);
}

static int64_t
send_receive_right(void)
{
    add_port(prepare(a, NAME(0), MACH_MSG_TYPE_COPY_SEND), NAME(1),
             MACH_MSG_TYPE_MOVE_RECEIVE);
    return send_armed(40);
}

static int64_t
send_memory(void)
{
    add_memory(a, prepare(a, NAME(0), MACH_MSG_TYPE_COPY_SEND), 5000);
    return send_armed(44);
}

static int64_t
send_ports(void)
{
    mach_port_name_t names[] = { NAME(1), NAME(2), NAME(1) };

    add_ports(a, prepare(a, NAME(0), MACH_MSG_TYPE_MOVE_SEND), 3, names,
              MACH_MSG_TYPE_MAKE_SEND_ONCE);
    return send_armed(44);
}

/* A circle: the port is sent to itself, and dies. */
static int64_t
send_to_itself(void)
{
    add_port(prepare(a, NAME(1), MACH_MSG_TYPE_MAKE_SEND), NAME(1),
             MACH_MSG_TYPE_MOVE_RECEIVE);
    return send_armed(40);
}

static int64_t
send_without_room(void)
{
    reply_to(prepare(a, NAME(0), MACH_MSG_TYPE_COPY_SEND), NAME(1),
             MACH_MSG_TYPE_MAKE_SEND_ONCE);
    return send_armed(24);
}

/* Take back what a message with memory brought. */
static void
free_received(struct env_task *task)
{
    struct message *m = message_of(task);

    if (MACH_MSGH_BITS_IS_COMPLEX(m->header.msgh_bits) &&
        m->memory.type != MACH_MSG_PORT_DESCRIPTOR) {
        env_region_free(task, m->memory.address);
    }
}

static int64_t
receive(void)
{
    memset(b->memory, 0, ENV_MEMORY);
    shim_fail(fail);
    (void)env_msg(b, b->memory, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, 4096,
                  NAME(0), 0);
    (void)armed(0);
    free_received(b);
    return b->result & ~(MACH_MSG_IPC_KERNEL | MACH_MSG_IPC_SPACE |
                         MACH_MSG_VM_KERNEL | MACH_MSG_VM_SPACE);
}

/* The receiver waits: the message goes straight to it, reply right and all. */
static int64_t
rpc(void)
{
    if (!b->blocked) {
        (void)env_msg(b, b->memory, MACH_RCV_MSG, 0, 4096, NAME(0), 0);
    }

    reply_to(prepare(a, NAME(0), MACH_MSG_TYPE_COPY_SEND), NAME(1),
             MACH_MSG_TYPE_MAKE_SEND_ONCE);
    shim_fail(fail);
    (void)env_msg(a, a->memory, MACH_SEND_MSG | MACH_RCV_MSG, 32, 4096, NAME(1),
                  0);
    (void)armed(0);

    if (a->blocked) {
        env_abort(a);
    }

    return a->result;
}

/* -- All of them ------------------------------------------------------------- */

struct operation {
    const char *name;
    void (*prepare)(void);
    int64_t (*act)(void);
    bool whole; /* or not at all */
    int64_t results[RESULTS];
};

static const struct operation operations[] = {
    { "space", server, space_create, true, { KERN_RESOURCE_SHORTAGE } },
    { "allocate a port",
      server,
      allocate_receive,
      true,
      { KERN_RESOURCE_SHORTAGE } },
    { "allocate a set",
      server,
      allocate_set,
      true,
      { KERN_RESOURCE_SHORTAGE } },
    { "allocate a dead name",
      server,
      allocate_dead,
      true,
      { KERN_RESOURCE_SHORTAGE } },
    { "allocate a far name",
      server,
      allocate_name,
      true,
      { KERN_RESOURCE_SHORTAGE } },
    { "construct", server, construct, true, { KERN_RESOURCE_SHORTAGE } },
    { "rename", server, rename_port, true, { KERN_RESOURCE_SHORTAGE } },
    { "insert a send right",
      hash_full,
      insert_send,
      false,
      { KERN_RESOURCE_SHORTAGE } },
    { "insert a send-once right",
      server,
      insert_send_once,
      false,
      { KERN_RESOURCE_SHORTAGE } },
    { "insert a receive right",
      hash_full,
      insert_receive,
      false,
      { KERN_RESOURCE_SHORTAGE } },
    { "request dead-name",
      server,
      request_dead_name,
      false,
      { KERN_RESOURCE_SHORTAGE } },
    { "request send-possible",
      server,
      request_possible,
      false,
      { KERN_RESOURCE_SHORTAGE } },
    { "request port-destroyed",
      server,
      request_port_destroyed,
      false,
      { KERN_RESOURCE_SHORTAGE } },
    { "request no-senders",
      server,
      request_no_senders,
      false,
      { KERN_RESOURCE_SHORTAGE } },
    { "names", server, port_names, true, { KERN_RESOURCE_SHORTAGE } },
    { "space_info", server, space_info, true, { KERN_RESOURCE_SHORTAGE } },
    { "get_set_status", server, set_status, true, { KERN_RESOURCE_SHORTAGE } },
    { "destroy", port_to_die, destroy_port, false, { 0 } },
    { "destroy, the right returns",
      port_to_return,
      destroy_port,
      false,
      { 0 } },
    { "a queue gets room", room_wanted, receive, false, { 0 } },
    { "the last send right goes", port_to_die, drop_send, false, { 0 } },
    { "a task ends", port_to_die, end_task, false, { 0 } },
    { "send a small message",
      server,
      send_small,
      true,
      { MACH_SEND_NO_BUFFER } },
    { "send by a moved right",
      server,
      send_moved,
      true,
      { MACH_SEND_NO_BUFFER } },
    { "send a large message",
      server,
      send_large,
      true,
      { MACH_SEND_NO_BUFFER } },
    { "send a right", server, send_port, true, { MACH_SEND_NO_BUFFER } },
    { "send a receive right",
      server,
      send_receive_right,
      true,
      { MACH_SEND_NO_BUFFER } },
    { "send memory",
      server,
      send_memory,
      false,
      { MACH_SEND_NO_BUFFER, MACH_SEND_INVALID_MEMORY | MACH_MSG_VM_KERNEL } },
    { "send an array of rights",
      server,
      send_ports,
      false,
      { MACH_SEND_NO_BUFFER } },
    { "send a port to itself",
      server,
      send_to_itself,
      false,
      { MACH_SEND_NO_BUFFER } },
    { "send to a full queue",
      queue_full,
      send_without_room,
      false,
      { MACH_SEND_NO_BUFFER, MACH_SEND_TIMED_OUT } },
    { "receive a reply right",
      queued_reply_right,
      receive,
      false,
      { MACH_RCV_HEADER_ERROR } },
    { "receive a receive right",
      queued_port,
      receive,
      false,
      { MACH_RCV_BODY_ERROR } },
    { "receive memory",
      queued_memory,
      receive,
      false,
      { MACH_RCV_BODY_ERROR } },
    { "receive an array of rights",
      queued_ports,
      receive,
      false,
      { MACH_RCV_BODY_ERROR } },
    { "rpc",
      server,
      rpc,
      false,
      { MACH_SEND_NO_BUFFER, MACH_RCV_INTERRUPTED } },
    { "rpc, no name for the reply",
      server_filled,
      rpc,
      false,
      { MACH_SEND_NO_BUFFER, MACH_RCV_INTERRUPTED } },
};

static void
begin(const struct operation *operation)
{
    a = env_task_create();
    b = env_task_create();
    operation->prepare();
}

static void
end(void)
{
    env_task_destroy(a);

    if (b != NULL) {
        env_task_destroy(b);
    }
}

static bool
documented(const struct operation *operation, int64_t result)
{
    for (int i = 0; i < RESULTS; i++) {
        if (operation->results[i] == result) {
            return true;
        }
    }

    return result == KERN_SUCCESS;
}

/* With allocation number `fail` failing; false if it was not asked for. */
static bool
run_failing(const struct operation *operation, bool *goodp)
{
    size_t before = slab_total();
    uint64_t snapshot;
    int64_t result;
    bool failed;

    begin(operation);
    env_run();
    snapshot = env_snapshot();
    result = operation->act();
    failed = shim_failed();
    shim_fail(0);

    if (!documented(operation, result)) {
        printf("# allocation %u: result 0x%lx\n", fail, (unsigned long)result);
        *goodp = false;
    }

    if (operation->whole && result != KERN_SUCCESS &&
        env_snapshot() != snapshot) {
        printf("# allocation %u: something has changed\n", fail);
        *goodp = false;
    }

    *goodp &= env_audit();
    end();

    if (slab_total() != before) {
        printf("# allocation %u: %zu objects before, %zu after\n", fail, before,
               slab_total());
        *goodp = false;
    }

    return failed;
}

static void
run(const struct operation *operation)
{
    bool good = true, more = true;

    for (fail = 1; more && good; fail++) {
        more = run_failing(operation, &good);
    }

    ok(good, "%s: %u allocations fail in turn", operation->name, fail - 2);
}

/* A thread waits at a set, and a port that has messages joins it. */
static void
join_with_messages(void)
{
    size_t before = slab_total();

    a = env_task_create();
    b = env_task_create();
    queue_full();
    env_enter(b);
    MUST(mach_port_allocate_name(b->space, MACH_PORT_RIGHT_PORT_SET, NAME(6)));
    ok(!env_msg(b, b->memory, MACH_RCV_MSG, 0, 4096, NAME(6), 0),
       "nothing to receive from a set");
    env_enter(a);
    MUST(mach_port_insert_member(b->space, NAME(0), NAME(6)));
    env_run();
    ok(!b->blocked, "until a port with messages joins it");
    is(b->result, MACH_MSG_SUCCESS, "the first is received");
    is(message_of(b)->header.msgh_local_port, NAME(0), "from that port");
    prepare(a, NAME(0), MACH_MSG_TYPE_COPY_SEND);
    send(a, 24);
    ok(true, "so there is room for one more");
    end();
    is(slab_total(), before, "and nothing is left of it all");
}

int
main(void)
{
    env_setup();
    join_with_messages();

    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        run(&operations[i]);
    }

    return tap_done();
}
