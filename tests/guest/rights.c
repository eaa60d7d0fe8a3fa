/* SPDX-License-Identifier: MIT */
/*
 * The tables of docs/port-rights.md, cell by cell: a name in each state, each
 * operation on it, and what comes of it. tests/guest/rights.py makes C of the
 * tables.
 *
 * The name is in `space`; what belongs to the other end of the same port is
 * in `other`. One of the two is this task and one an empty task: so every
 * operation that takes a task is tried on this one and on another.
 */

#include "tap.h"

#define SELF mach_task_self()
#define FIRST_INDEX 700
#define GUARD 0x6a72642d6f76
#define WAIT_MS 2000

/* What a name denotes, and how often. */
struct state {
    mach_port_type_t type;
    mach_port_urefs_t urefs;
    bool guarded;
};

struct cell {
    bool used;
    kern_return_t kr;
    struct state after;
};

/* -- One name and its surroundings ---------------------------------------- */

static mach_port_t space;  /* a task */
static mach_port_t other;  /* another */
static mach_port_t holder; /* the one of the two that is not this one */
static mach_port_t object; /* the port's name in `other`, or null */
static mach_port_t extra;  /* a receive right here, for who wants one */
static mach_port_t set;    /* a set in `space` */
static mach_port_t mailbox;

/* The name, and two for who needs more. New ones for each cell: the kernel
 * gives out an index again as soon as it is free. */
static mach_port_name_t name, other_name, second_name;

static void
names_choose(void)
{
    static uint32_t index = FIRST_INDEX;

    name = MACH_PORT_MAKE(index, 5);
    other_name = MACH_PORT_MAKE(index + 1, 9);
    second_name = MACH_PORT_MAKE(index + 2, 1);
    index += 3;
}

/* Whatever the preparation of a cell needs must succeed. */
static void
need(kern_return_t kr, const char *what)
{
    if (kr != KERN_SUCCESS) {
        tap_bail("%s: %s", what, mach_error_string(kr));
    }
}

static mach_port_t
port_in(mach_port_t task, mach_port_right_t right)
{
    mach_port_t port;

    need(mach_port_allocate(task, right, &port), "allocate");
    return port;
}

/* A right of the port that `other` receives from becomes name in `space`. */
static void
give(mach_msg_type_name_t disposition)
{
    mach_msg_type_name_t got;
    mach_port_t right;

    if (other == SELF) {
        need(mach_port_insert_right(space, name, object, disposition), "give");
    } else {
        need(mach_port_extract_right(other, object, disposition, &right, &got),
             "take");
        need(mach_port_rename(SELF, right, name), "rename");
    }
}

/* name in `space` is a receive right: a send right beside it. */
static void
add_send(void)
{
    mach_msg_type_name_t got;
    mach_port_t right;

    need(mach_port_extract_right(space, name, MACH_MSG_TYPE_MAKE_SEND, &right,
                                 &got),
         "make a send right");

    if (space != SELF) {
        need(
            mach_port_insert_right(space, name, right, MACH_MSG_TYPE_MOVE_SEND),
            "insert it");
    }
}

static void
build_receive(const struct state *state)
{
    mach_msg_type_name_t got;

    need(mach_port_allocate_name(space, MACH_PORT_RIGHT_RECEIVE, name),
         "a receive right");

    if ((state->type & MACH_PORT_TYPE_SEND) != 0) {
        add_send();
    }

    if (space != SELF) {
        need(mach_port_extract_right(space, name, MACH_MSG_TYPE_MAKE_SEND,
                                     &object, &got),
             "the other end");
    }

    if (state->guarded) {
        need(mach_port_guard(space, name, GUARD, FALSE), "a guard");
    }
}

static void
build(const struct state *state)
{
    mach_port_right_t counted = MACH_PORT_RIGHT_SEND;

    switch (state->type) {
    case MACH_PORT_TYPE_NONE:
        return;
    case MACH_PORT_TYPE_SEND:
    case MACH_PORT_TYPE_SEND_ONCE:
        object = port_in(other, MACH_PORT_RIGHT_RECEIVE);
        give(state->type == MACH_PORT_TYPE_SEND ? MACH_MSG_TYPE_MAKE_SEND
                                                : MACH_MSG_TYPE_MAKE_SEND_ONCE);
        break;
    case MACH_PORT_TYPE_PORT_SET:
        need(mach_port_allocate_name(space, MACH_PORT_RIGHT_PORT_SET, name),
             "a set");
        return;
    case MACH_PORT_TYPE_DEAD_NAME:
        need(mach_port_allocate_name(space, MACH_PORT_RIGHT_DEAD_NAME, name),
             "a dead name");
        counted = MACH_PORT_RIGHT_DEAD_NAME;
        break;
    default:
        build_receive(state);
        break;
    }

    if (state->urefs > 1) {
        need(mach_port_mod_refs(space, name, counted,
                                (mach_port_delta_t)state->urefs - 1),
             "references");
    }
}

/* Take whatever came to the mailbox and destroy it. */
static unsigned int
drain(void)
{
    union {
        mach_msg_header_t head;
        char space[512];
    } m;
    unsigned int count = 0;

    while (mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m),
                    mailbox, 0, 0) == MACH_MSG_SUCCESS) {
        mach_msg_destroy(&m.head);
        count++;
    }

    return count;
}

static void
clear(void)
{
    (void)drain();
    (void)mach_port_unguard(space, name, GUARD);
    (void)mach_port_destroy(space, name);
    (void)mach_port_destroy(space, other_name);
    (void)mach_port_destroy(space, second_name);
    (void)mach_port_destroy(other, object);
    (void)mach_port_destroy(SELF, extra);
    (void)mach_port_destroy(space, set);
    (void)drain();
    object = extra = set = MACH_PORT_NULL;
}

static struct state
observe(mach_port_name_t which)
{
    struct state state = { 0 };
    mach_port_right_t counted = MACH_PORT_RIGHT_SEND;
    mach_port_status_t status;

    if (mach_port_type(space, which, &state.type) != KERN_SUCCESS) {
        return state;
    }

    state.type &= MACH_PORT_TYPE(MACH_PORT_RIGHT_NUMBER) - 1; /* requests */

    if (state.type == MACH_PORT_TYPE_DEAD_NAME) {
        counted = MACH_PORT_RIGHT_DEAD_NAME;
    } else if (state.type == MACH_PORT_TYPE_SEND_ONCE) {
        counted = MACH_PORT_RIGHT_SEND_ONCE;
    }

    need(mach_port_get_refs(space, which, counted, &state.urefs), "get_refs");

    if ((state.type & MACH_PORT_TYPE_RECEIVE) != 0) {
        need(mach_port_get_receive_status(space, which, &status), "status");
        state.guarded = (status.mps_flags & MACH_PORT_STATUS_FLAG_GUARDED) != 0;
    }

    return state;
}

static bool
same_state(const struct state *a, const struct state *b)
{
    return a->type == b->type && a->urefs == b->urefs &&
           a->guarded == b->guarded;
}

/* What the name was before the operation. */
static struct state before;

/* -- Looking, counting ------------------------------------------------------ */

static kern_return_t
op_type(const int *arg)
{
    mach_port_type_t type;

    (void)arg;
    return mach_port_type(space, name, &type);
}

static kern_return_t
op_names(const int *arg)
{
    mach_port_name_array_t names;
    mach_port_type_array_t types;
    mach_msg_type_number_t count, type_count, found = 0;
    kern_return_t kr;

    (void)arg;
    kr = mach_port_names(space, &names, &count, &types, &type_count);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    for (mach_msg_type_number_t i = 0; i < count; i++) {
        found += names[i] == name && types[i] == before.type;
    }

    mig_deallocate((vm_address_t)names, count * sizeof(*names));
    mig_deallocate((vm_address_t)types, type_count * sizeof(*types));
    return found == (before.type != MACH_PORT_TYPE_NONE) ? KERN_SUCCESS
                                                         : KERN_FAILURE;
}

/* Of a right that the name does not denote there are 0. */
static kern_return_t
op_get_refs(const int *arg)
{
    mach_port_right_t right = (mach_port_right_t)arg[0];
    mach_port_urefs_t refs = 0, want = 1;
    kern_return_t kr;

    kr = mach_port_get_refs(space, name, right, &refs);

    if ((before.type & MACH_PORT_TYPE(right)) == 0) {
        want = 0;
    } else if (right != MACH_PORT_RIGHT_RECEIVE &&
               right != MACH_PORT_RIGHT_PORT_SET) {
        want = before.urefs;
    }

    return kr == KERN_SUCCESS && refs != want ? KERN_FAILURE : kr;
}

static kern_return_t
op_deallocate(const int *arg)
{
    (void)arg;
    return mach_port_deallocate(space, name);
}

static kern_return_t
op_destroy(const int *arg)
{
    (void)arg;
    return mach_port_destroy(space, name);
}

static kern_return_t
op_mod_refs(const int *arg)
{
    return mach_port_mod_refs(space, name, (mach_port_right_t)arg[0], arg[1]);
}

static kern_return_t
op_destruct(const int *arg)
{
    return mach_port_destruct(space, name, arg[0], 0);
}

/* -- Names ------------------------------------------------------------------ */

static kern_return_t
op_allocate_name(const int *arg)
{
    return mach_port_allocate_name(space, (mach_port_right_t)arg[0], name);
}

/* All of it is under the new name. */
static kern_return_t
op_rename_away(const int *arg)
{
    kern_return_t kr = mach_port_rename(space, name, other_name);
    struct state after = observe(other_name);

    (void)arg;

    if (after.guarded) {
        need(mach_port_unguard(space, other_name, GUARD), "unguard");
    }

    return kr == KERN_SUCCESS && !same_state(&after, &before) ? KERN_FAILURE
                                                              : kr;
}

static kern_return_t
op_rename_here(const int *arg)
{
    (void)arg;
    need(mach_port_allocate_name(space, MACH_PORT_RIGHT_RECEIVE, other_name),
         "another right");
    return mach_port_rename(space, other_name, name);
}

static kern_return_t
op_rename_same(const int *arg)
{
    (void)arg;
    return mach_port_rename(space, name, name);
}

static kern_return_t
op_rename_null(const int *arg)
{
    (void)arg;
    return mach_port_rename(space, name, MACH_PORT_NULL);
}

/* A right of a port that `space` knows by another name. */
static kern_return_t
op_insert_other(const int *arg)
{
    extra = port_in(SELF, MACH_PORT_RIGHT_RECEIVE);

    if (space != SELF) {
        need(mach_port_insert_right(space, other_name, extra,
                                    MACH_MSG_TYPE_MAKE_SEND),
             "the other name");
    }

    return mach_port_insert_right(space, name, extra,
                                  (mach_msg_type_name_t)arg[0]);
}

/* A right of a port that `space` does not know. */
static kern_return_t
op_insert_new(const int *arg)
{
    kern_return_t kr;

    extra = port_in(SELF, MACH_PORT_RIGHT_RECEIVE);
    kr = mach_port_insert_right(space, name, extra,
                                (mach_msg_type_name_t)arg[0]);

    if (arg[0] == MACH_MSG_TYPE_MOVE_RECEIVE) {
        extra = MACH_PORT_NULL;
    }

    return kr;
}

/* One more right of the port that name denotes already. */
static kern_return_t
op_insert_same(const int *arg)
{
    mach_msg_type_name_t disposition, got;
    mach_port_t right = object;
    kern_return_t kr;

    if ((before.type & MACH_PORT_TYPE_RECEIVE) == 0) {
        disposition =
            arg[0] == MACH_PORT_RIGHT_RECEIVE ? MACH_MSG_TYPE_MOVE_RECEIVE
            : arg[0] == MACH_PORT_RIGHT_SEND  ? MACH_MSG_TYPE_MAKE_SEND
                                              : MACH_MSG_TYPE_MAKE_SEND_ONCE;
    } else if (arg[0] == MACH_PORT_RIGHT_SEND) {
        disposition = MACH_MSG_TYPE_COPY_SEND;
    } else {
        need(mach_port_extract_right(space, name, MACH_MSG_TYPE_MAKE_SEND_ONCE,
                                     &right, &got),
             "a send-once right");
        disposition = MACH_MSG_TYPE_MOVE_SEND_ONCE;
    }

    kr = mach_port_insert_right(space, name, right, disposition);

    if (disposition == MACH_MSG_TYPE_MOVE_RECEIVE) {
        object = MACH_PORT_NULL;
    }

    return kr;
}

static kern_return_t
op_insert_null(const int *arg)
{
    (void)arg;
    return mach_port_insert_right(space, name, MACH_PORT_NULL,
                                  MACH_MSG_TYPE_COPY_SEND);
}

static kern_return_t
op_extract(const int *arg)
{
    mach_msg_type_name_t got;
    mach_port_t right;
    kern_return_t kr;

    kr = mach_port_extract_right(space, name, (natural_t)arg[0], &right, &got);

    if (kr == KERN_SUCCESS && arg[0] == MACH_MSG_TYPE_MOVE_RECEIVE) {
        extra = right;
    } else if (kr == KERN_SUCCESS) {
        (void)mach_port_deallocate(SELF, right);
    }

    return kr;
}

/* -- Messages --------------------------------------------------------------- */

#define RESULT(mr)                                                             \
    ((mr) & ~(MACH_MSG_IPC_SPACE | MACH_MSG_VM_SPACE | MACH_MSG_IPC_KERNEL |   \
              MACH_MSG_VM_KERNEL))

static kern_return_t
send_header(mach_port_t remote, mach_msg_type_name_t remote_type,
            mach_port_t local, mach_msg_type_name_t local_type)
{
    mach_msg_header_t m = {
        .msgh_bits = MACH_MSGH_BITS(remote_type, local_type),
        .msgh_size = sizeof(m),
        .msgh_remote_port = remote,
        .msgh_local_port = local,
    };

    return RESULT(
        mach_msg(&m, MACH_SEND_MSG | MACH_SEND_TIMEOUT, sizeof(m), 0, 0, 0, 0));
}

static kern_return_t
op_send_to(const int *arg)
{
    return send_header(name, (mach_msg_type_name_t)arg[0], MACH_PORT_NULL, 0);
}

static kern_return_t
op_reply_to(const int *arg)
{
    return send_header(mailbox, MACH_MSG_TYPE_MAKE_SEND, name,
                       (mach_msg_type_name_t)arg[0]);
}

static kern_return_t
op_send_to_and_reply(const int *arg)
{
    return send_header(name, (mach_msg_type_name_t)arg[0], name,
                       (mach_msg_type_name_t)arg[1]);
}

struct carrier {
    mach_msg_header_t head;
    mach_msg_body_t body;
    mach_msg_port_descriptor_t port;
    mach_msg_trailer_t trailer;
};

static kern_return_t
carry(mach_port_t which, mach_msg_type_name_t disposition)
{
    struct carrier m = {
        .head = { .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0) |
                               MACH_MSGH_BITS_COMPLEX,
                  .msgh_size = offsetof(struct carrier, trailer),
                  .msgh_remote_port = mailbox },
        .body = { 1 },
        .port = { .name = which,
                  .disposition = disposition & 0xff,
                  .type = MACH_MSG_PORT_DESCRIPTOR },
    };

    return RESULT(mach_msg(&m.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT,
                           m.head.msgh_size, 0, 0, 0, 0));
}

static kern_return_t
op_carry(const int *arg)
{
    return carry(name, (mach_msg_type_name_t)arg[0]);
}

static kern_return_t
op_receive_from(const int *arg)
{
    struct carrier m;

    (void)arg;
    return RESULT(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
                           sizeof(m), name, 0, 0));
}

/* A right of the same port comes in a message. */
static kern_return_t
op_arrive(const int *arg)
{
    mach_msg_type_name_t got;
    struct carrier m;
    mach_port_t right;
    kern_return_t kr;

    if ((before.type & MACH_PORT_TYPE_RECEIVE) == 0) {
        got = arg[0] == MACH_PORT_RIGHT_RECEIVE ? MACH_MSG_TYPE_MOVE_RECEIVE
              : arg[0] == MACH_PORT_RIGHT_SEND  ? MACH_MSG_TYPE_MAKE_SEND
                                                : MACH_MSG_TYPE_MAKE_SEND_ONCE;
        kr = RESULT(mach_port_extract_right(other, object, got, &right, &got));
        object = arg[0] == MACH_PORT_RIGHT_RECEIVE ? MACH_PORT_NULL : object;
    } else {
        need(carry(name, arg[0] == MACH_PORT_RIGHT_SEND
                             ? MACH_MSG_TYPE_MAKE_SEND
                             : MACH_MSG_TYPE_MAKE_SEND_ONCE),
             "send it");
        kr = RESULT(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
                             sizeof(m), mailbox, 0, 0));
        right = m.port.name;
    }

    if (kr == KERN_SUCCESS && right != name) {
        need(mach_port_rename(SELF, right, other_name), "rename");
    }

    return kr;
}

/* -- The other end ---------------------------------------------------------- */

static kern_return_t
op_port_dies(const int *arg)
{
    mach_port_t port = object;

    (void)arg;
    object = MACH_PORT_NULL;
    return mach_port_destroy(other, port);
}

static kern_return_t
request(mach_msg_id_t id, mach_port_mscount_t sync)
{
    mach_port_t previous = MACH_PORT_NULL;
    kern_return_t kr;

    kr =
        mach_port_request_notification(space, name, id, sync, mailbox,
                                       MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
    return kr == KERN_SUCCESS && previous != MACH_PORT_NULL ? KERN_FAILURE : kr;
}

/* The name's request comes true: one message says so. */
static kern_return_t
op_port_dies_with_request(const int *arg)
{
    kern_return_t kr;

    need(request(MACH_NOTIFY_DEAD_NAME, 0), "a request");
    kr = op_port_dies(arg);
    return kr == KERN_SUCCESS && drain() != 1 ? KERN_FAILURE : kr;
}

static void
holder_make(void)
{
    need(task_create(SELF, FALSE, &holder), "an empty task");
}

/* Ended tasks are taken apart by another thread: wait for it. */
static kern_return_t
op_task_dies(const int *arg)
{
    kern_return_t kr = task_terminate(other);
    struct state state = observe(name);

    (void)arg;

    for (int ms = 0; same_state(&state, &before) && ms < WAIT_MS; ms += 10) {
        (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 10);
        state = observe(name);
    }

    (void)mach_port_deallocate(SELF, holder);
    holder_make();
    other = holder;
    object = MACH_PORT_NULL;
    return kr;
}

/* The receive right is under way in a message. */
static kern_return_t
op_receiver_moves(const int *arg)
{
    (void)arg;
    return carry(object, MACH_MSG_TYPE_MOVE_RECEIVE);
}

static kern_return_t
op_senders_die(const int *arg)
{
    mach_port_t port = object;

    (void)arg;
    object = MACH_PORT_NULL;
    return mach_port_deallocate(other, port);
}

static kern_return_t
op_request(const int *arg)
{
    return request((mach_msg_id_t)arg[0], (mach_port_mscount_t)arg[1]);
}

/* -- Receive rights --------------------------------------------------------- */

static kern_return_t
op_get_receive_status(const int *arg)
{
    mach_port_status_t status;

    (void)arg;
    return mach_port_get_receive_status(space, name, &status);
}

static kern_return_t
op_get_attributes(const int *arg)
{
    mach_port_status_t info;
    mach_msg_type_number_t count = MACH_PORT_RECEIVE_STATUS_COUNT;

    return mach_port_get_attributes(space, name, arg[0],
                                    (mach_port_info_t)&info, &count);
}

static kern_return_t
op_set_attributes(const int *arg)
{
    mach_port_limits_t limits = { .mpl_qlimit = 7 };

    return mach_port_set_attributes(space, name, arg[0],
                                    (mach_port_info_t)&limits,
                                    MACH_PORT_LIMITS_INFO_COUNT);
}

static kern_return_t
op_set_qlimit(const int *arg)
{
    return mach_port_set_qlimit(space, name, (mach_port_msgcount_t)arg[0]);
}

static kern_return_t
op_set_mscount(const int *arg)
{
    return mach_port_set_mscount(space, name, (mach_port_mscount_t)arg[0]);
}

static kern_return_t
op_set_seqno(const int *arg)
{
    return mach_port_set_seqno(space, name, (mach_port_seqno_t)arg[0]);
}

static kern_return_t
op_get_srights(const int *arg)
{
    mach_port_rights_t rights;

    (void)arg;
    return mach_port_get_srights(space, name, &rights);
}

static kern_return_t
op_get_context(const int *arg)
{
    mach_port_context_t context;

    (void)arg;
    return mach_port_get_context(space, name, &context);
}

static kern_return_t
op_set_context(const int *arg)
{
    return mach_port_set_context(space, name, (mach_port_context_t)arg[0]);
}

static kern_return_t
op_set_protected_payload(const int *arg)
{
    return mach_port_set_protected_payload(space, name, (vm_offset_t)arg[0]);
}

static kern_return_t
op_clear_protected_payload(const int *arg)
{
    (void)arg;
    return mach_port_clear_protected_payload(space, name);
}

static kern_return_t
op_dnrequest_info(const int *arg)
{
    natural_t total, used;

    (void)arg;
    return mach_port_dnrequest_info(space, name, &total, &used);
}

static kern_return_t
op_kobject(const int *arg)
{
    vm_address_t address;
    natural_t type;

    (void)arg;
    return mach_port_kobject(space, name, &type, &address);
}

static kern_return_t
op_guard(const int *arg)
{
    (void)arg;
    return mach_port_guard(space, name, GUARD, FALSE);
}

static kern_return_t
op_unguard(const int *arg)
{
    return mach_port_unguard(space, name, arg[0] == 0 ? GUARD : GUARD + 1);
}

/* -- Port sets -------------------------------------------------------------- */

static kern_return_t
op_get_set_status(const int *arg)
{
    mach_port_name_array_t members;
    mach_msg_type_number_t count;
    kern_return_t kr;

    (void)arg;
    kr = mach_port_get_set_status(space, name, &members, &count);

    if (kr == KERN_SUCCESS) {
        mig_deallocate((vm_address_t)members, count * sizeof(*members));
    }

    return kr;
}

/* The set of an operation, or null. */
static mach_port_t
set_of(const int *arg)
{
    if (arg[0] == MACH_PORT_RIGHT_PORT_SET) {
        set = port_in(space, MACH_PORT_RIGHT_PORT_SET);
    }

    return set;
}

static kern_return_t
op_insert_member(const int *arg)
{
    return mach_port_insert_member(space, name, set_of(arg));
}

static kern_return_t
op_extract_member(const int *arg)
{
    return mach_port_extract_member(space, name, set_of(arg));
}

static kern_return_t
op_move_member(const int *arg)
{
    return mach_port_move_member(space, name, set_of(arg));
}

static kern_return_t
op_insert_into(const int *arg)
{
    (void)arg;
    need(mach_port_allocate_name(space, MACH_PORT_RIGHT_RECEIVE, second_name),
         "a member");
    return mach_port_insert_member(space, second_name, name);
}

static kern_return_t
op_extract_from(const int *arg)
{
    (void)arg;
    need(mach_port_allocate_name(space, MACH_PORT_RIGHT_RECEIVE, second_name),
         "no member");
    return mach_port_extract_member(space, second_name, name);
}

/* -- The tables ------------------------------------------------------------- */

#define HERE 1  /* on a name of this task */
#define THERE 2 /* on a name of another task */

struct row {
    const char *label;
    kern_return_t (*run)(const int *arg);
    int where;
    int arg[2];
    struct cell cells[13];
};

#include <tests/guest/rights_table.h>

#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

_Static_assert(COLUMNS == 13, "the cells of a row");

static bool
check_cell(const struct row *row, const struct column *column,
           const struct cell *cell)
{
    struct state after;
    kern_return_t kr;
    bool good;

    names_choose();
    build(&column->state);
    before = observe(name);

    if (!same_state(&before, &column->state)) {
        tap_bail("%s was not made", column->name);
    }

    kr = row->run(row->arg);
    after = observe(name);
    good = kr == cell->kr && same_state(&after, &cell->after);

    if (!good) {
        tap_diag("%s, %s: result %x, not %x (%s); type %x, not %x; urefs %u, "
                 "not %u; guarded %u, not %u",
                 row->label, column->name, kr, cell->kr, mach_error_string(kr),
                 after.type, cell->after.type, after.urefs, cell->after.urefs,
                 after.guarded, cell->after.guarded);
    }

    clear();
    return good;
}

static void
check_row(const struct row *row, int where)
{
    unsigned int cells = 0, good = 0;

    if ((row->where & where) == 0) {
        return;
    }

    space = where == HERE ? SELF : holder;
    other = where == HERE ? holder : SELF;

    for (size_t i = 0; i < COLUMNS; i++) {
        if (row->cells[i].used) {
            cells++;
            good += check_cell(row, &columns[i], &row->cells[i]);
        }
    }

    ok(good == cells, "%s, %s, in %u states", row->label,
       where == HERE ? "here" : "in another task", cells);
}

void
guest_main(void)
{
    struct guest_counts counts;

    holder_make();
    mailbox = port_in(SELF, MACH_PORT_RIGHT_RECEIVE);
    check_row(&rows[0], HERE);
    check_row(&rows[0], THERE);
    guest_counts_get(&counts);

    for (size_t i = 0; i < ROWS; i++) {
        check_row(&rows[i], HERE);
        check_row(&rows[i], THERE);
    }

    guest_counts_check(&counts, "all of it");
}
