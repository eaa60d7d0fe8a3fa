/* SPDX-License-Identifier: MIT */
/* Hazards of rights: rows 1, 3, 4, 11, 12, 13, 17, 18 and 20. */

#include "hazards.h"

#define SET_SPECIAL_PORT 3410
#define EXTRACT_RIGHT 3215
#define LIMIT 80
#define TURNS 2000

/* -- 1: who owns the rights of a request ------------------------------------ */

static bool
nobody_has_it(mach_port_t port)
{
    mach_port_status_t status;

    return mach_port_get_receive_status(SELF, port, &status) == KERN_SUCCESS &&
           status.mps_srights == 0;
}

/* One send right of the port goes with the request. */
static kern_return_t
set_special_port(mach_port_t task, integer_t which, mach_port_t port,
                 mach_msg_type_name_t disposition)
{
    prepare_port(task, port, disposition);
    m.head.msgh_id = SET_SPECIAL_PORT;
    m.words[3] = (uint32_t)which;

    return hazard_call(PORT_SIZE + 4) == MACH_MSG_SUCCESS ? hazard_result()
                                                          : KERN_FAILURE;
}

static void
test_rights_of_requests(void)
{
    mach_port_t task, port;

    is(mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE, &port), KERN_SUCCESS,
       "hazard 1: a port");
    is(task_create(SELF, FALSE, &task), KERN_SUCCESS, "hazard 1: a task");
    is(set_special_port(task, 77, port, MACH_MSG_TYPE_MAKE_SEND),
       KERN_INVALID_ARGUMENT, "hazard 1: a routine fails");
    ok(nobody_has_it(port), "hazard 1: and its right is given up");
    is(set_special_port(task, TASK_BOOTSTRAP_PORT, port,
                        MACH_MSG_TYPE_MAKE_SEND),
       KERN_SUCCESS, "hazard 1: a routine succeeds");
    ok(!nobody_has_it(port), "hazard 1: and keeps its right");
    is(set_special_port(task, TASK_BOOTSTRAP_PORT, MACH_PORT_NULL,
                        MACH_MSG_TYPE_COPY_SEND),
       KERN_SUCCESS, "hazard 1: until it is told otherwise");
    ok(nobody_has_it(port), "hazard 1: then it gives it up");
    is(set_special_port(port, TASK_BOOTSTRAP_PORT, port,
                        MACH_MSG_TYPE_MAKE_SEND),
       KERN_FAILURE, "hazard 1: a request that is not sent");
    ok(nobody_has_it(port), "hazard 1: makes no right");
    is(task_terminate(task), KERN_SUCCESS, "hazard 1: end the task");
    is(mach_port_deallocate(SELF, task), KERN_SUCCESS, "hazard 1: forget it");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 1: done");
}

/* -- 3: user references ----------------------------------------------------- */

static void
test_user_references(void)
{
    const mach_port_urefs_t limit = MACH_PORT_UREFS_MAX;
    mach_port_t port = guest_port();

    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND,
                          (mach_port_delta_t)limit - 1),
       KERN_SUCCESS, "hazard 3: as many references as there may be");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, 1),
       KERN_UREFS_OVERFLOW, "hazard 3: no more by mod_refs");
    is(mach_port_insert_right(SELF, port, port, MACH_MSG_TYPE_MAKE_SEND),
       KERN_UREFS_OVERFLOW, "hazard 3: nor by insert_right");
    prepare_port(port, port, MACH_MSG_TYPE_COPY_SEND);
    is(hazard_send(PORT_SIZE), MACH_MSG_SUCCESS, "hazard 3: a right travels");
    ok((hazard_receive(port) & ~0x3fff) == (MACH_RCV_BODY_ERROR & ~0x3fff),
       "hazard 3: and is not added to them");
    is(hazard_refs(port, MACH_PORT_RIGHT_SEND), limit,
       "hazard 3: they are as many as before");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND,
                          -(mach_port_delta_t)limit + 1),
       KERN_SUCCESS, "hazard 3: all but one go");
    is(mach_port_deallocate(SELF, port), KERN_SUCCESS, "hazard 3: the last");
    ok(nobody_has_it(port), "hazard 3: there is none");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 3: done");
}

/* -- 4: a slot that two change ---------------------------------------------- */

static mach_port_t slot_task;
static mach_port_t slot_ports[2];

static void
slot_change(void *argument)
{
    mach_port_t port = *(const mach_port_t *)argument;

    for (unsigned int i = 0; i < TURNS; i++) {
        mach_port_t got = MACH_PORT_NULL;

        /* The slot takes over the reference. */
        (void)mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, 1);
        (void)task_set_special_port(slot_task, TASK_BOOTSTRAP_PORT, port);
        (void)task_get_special_port(slot_task, TASK_BOOTSTRAP_PORT, &got);
        (void)mach_port_deallocate(SELF, got);

        if (i % 16 == 0) {
            (void)swtch();
        }
    }
}

static void
test_slot_of_two(void)
{
    mach_port_t threads[2];

    is(task_create(SELF, FALSE, &slot_task), KERN_SUCCESS, "hazard 4: a task");

    for (unsigned int i = 0; i < 2; i++) {
        slot_ports[i] = guest_port();
        threads[i] = guest_thread(slot_change, &slot_ports[i]);
    }

    guest_thread_join(threads[0]);
    guest_thread_join(threads[1]);
    is(task_set_special_port(slot_task, TASK_BOOTSTRAP_PORT, MACH_PORT_NULL),
       KERN_SUCCESS, "hazard 4: two threads have changed a slot");

    for (unsigned int i = 0; i < 2; i++) {
        is(hazard_refs(slot_ports[i], MACH_PORT_RIGHT_SEND), 1,
           "hazard 4: each has its reference");
        (void)mach_port_deallocate(SELF, slot_ports[i]);
        ok(nobody_has_it(slot_ports[i]), "hazard 4: and there is no other");
        (void)mach_port_destroy(SELF, slot_ports[i]);
    }

    (void)task_terminate(slot_task);
    (void)mach_port_deallocate(SELF, slot_task);
}

/* -- 11: an identity ends with what it stood for ---------------------------- */

static void
test_identity_ends(void)
{
    mach_port_type_t type = 0;
    mach_port_t old, new, thread;
    vm_address_t address;

    is(task_create(SELF, FALSE, &old), KERN_SUCCESS, "hazard 11: a task");
    is(thread_create(old, &thread), KERN_SUCCESS, "hazard 11: its thread");
    is(task_terminate(old), KERN_SUCCESS, "hazard 11: it ends");
    is(task_create(SELF, FALSE, &new), KERN_SUCCESS, "hazard 11: another");
    ok(vm_allocate(old, &address, PAGE_SIZE, VM_FLAGS_ANYWHERE) != KERN_SUCCESS,
       "hazard 11: the old one's port has no power");
    ok(thread_resume(thread) != KERN_SUCCESS, "hazard 11: nor its thread's");
    ok(syscall_vm_allocate(old, &address, PAGE_SIZE, VM_FLAGS_ANYWHERE) !=
           KERN_SUCCESS,
       "hazard 11: not by a trap either");
    is(mach_port_type(SELF, old, &type), KERN_SUCCESS, "hazard 11: it is");
    is(type & ~MACH_PORT_TYPE_DNREQUEST, MACH_PORT_TYPE_DEAD_NAME,
       "hazard 11: a dead name");
    (void)mach_port_deallocate(SELF, old);
    (void)mach_port_deallocate(SELF, thread);
    (void)task_terminate(new);
    (void)mach_port_deallocate(SELF, new);
}

/* -- 12: one thing is not two ----------------------------------------------- */

static void
test_overlapping_states(void)
{
    mach_port_t port = guest_port();
    mach_port_t set;

    is(mach_port_allocate(SELF, MACH_PORT_RIGHT_PORT_SET, &set), KERN_SUCCESS,
       "hazard 12: a set");

    for (mach_msg_type_name_t d = MACH_MSG_TYPE_MOVE_RECEIVE;
         d <= MACH_MSG_TYPE_MAKE_SEND_ONCE; d++) {
        prepare_port(port, set, d);
        is(hazard_send(PORT_SIZE), MACH_SEND_INVALID_RIGHT,
           "hazard 12: is no right, disposition %u", d);
    }

    is(syscall_mach_port_allocate(set, MACH_PORT_RIGHT_RECEIVE, &set),
       KERN_INVALID_TASK, "hazard 12: nor a task");
    prepare(set, MACH_MSG_TYPE_COPY_SEND);
    is(hazard_send(24), MACH_SEND_INVALID_DEST, "hazard 12: nor a port");
    is(mach_port_move_member(SELF, port, port), KERN_INVALID_RIGHT,
       "hazard 12: a port is no set");

    /* A payload stands where a name would: the bits say which, and only the
     * kernel says so. */
    prepare(port, MACH_MSG_TYPE_COPY_SEND);
    m.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_PROTECTED_PAYLOAD);
    m.head.msgh_local_port = 0x1234;
    is(hazard_send(24), MACH_SEND_INVALID_HEADER,
       "hazard 12: a payload is not a sender's to give");
    is(mach_port_set_protected_payload(SELF, port, 0x123456789abc),
       KERN_SUCCESS, "hazard 12: a payload");
    prepare(port, MACH_MSG_TYPE_COPY_SEND);
    (void)hazard_send(24);
    (void)hazard_receive(port);
    is(MACH_MSGH_BITS_LOCAL(m.head.msgh_bits), MACH_MSG_TYPE_PROTECTED_PAYLOAD,
       "hazard 12: says what it is");
    is(mach_port_destroy(SELF, set), KERN_SUCCESS, "hazard 12: done");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 12: with it");
}

/* -- 13: an object of another type ------------------------------------------ */

/* No interface does anything with the port of another kind of object. */
static void
test_other_types(void)
{
    static const struct {
        mach_msg_id_t first, end;
    } ranges[] = { { 200, 215 },   { 2900, 2910 }, { 3200, 3240 },
                   { 3400, 3420 }, { 3600, 3612 }, { 3800, 3820 },
                   { 4900, 4902 } };
    mach_port_t thread = mach_thread_self();
    vm_size_t size = PAGE_SIZE;
    unsigned int served = 0;
    unsigned int asked = 0;
    vm_address_t memory;
    mach_port_t entry;

    is(vm_allocate(SELF, &memory, PAGE_SIZE, VM_FLAGS_ANYWHERE), KERN_SUCCESS,
       "hazard 13: memory");
    is(mach_make_memory_entry(SELF, &size, memory, 3, &entry, MACH_PORT_NULL),
       KERN_SUCCESS, "hazard 13: an entry of it");

    /* Of which interface a request is to whose object: the memory entry has
     * the last, and this thread the fifth. */
    for (unsigned int r = 0; r < sizeof(ranges) / sizeof(ranges[0]); r++) {
        for (mach_msg_id_t id = ranges[r].first; id < ranges[r].end; id++) {
            for (mach_msg_size_t length = 24; length < 64; length += 4) {
                prepare(r == 4 ? entry : thread, MACH_MSG_TYPE_COPY_SEND);
                m.head.msgh_id = id;
                asked += hazard_call(length) == MACH_MSG_SUCCESS;
                served += hazard_result() == KERN_SUCCESS;
            }
        }
    }

    ok(asked > 500, "hazard 13: %u requests", asked);
    is(served, 0, "hazard 13: to the wrong object are not served");
    is(syscall_mach_port_destroy(thread, entry), KERN_INVALID_TASK,
       "hazard 13: nor traps");
    is(mach_port_deallocate(SELF, entry), KERN_SUCCESS, "hazard 13: done");
    (void)vm_deallocate(SELF, memory, PAGE_SIZE);
    is(mach_port_deallocate(SELF, thread), KERN_SUCCESS, "hazard 13: with it");
}

/* -- 17: a name used again -------------------------------------------------- */

static void
test_generations(void)
{
    mach_port_t first, next;
    unsigned int again = 0;

    is(mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE, &first), KERN_SUCCESS,
       "hazard 17: a port");

    for (unsigned int i = 0; i < 255; i++) {
        (void)mach_port_destroy(SELF, first);
        (void)mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE, &next);
        again += next == first;
        again += mach_port_destroy(SELF, first) == KERN_SUCCESS;
        first = next;
    }

    is(again, 0, "hazard 17: no name comes back at once");

    for (unsigned int generation = 0; generation < 256; generation++) {
        mach_port_name_t name =
            MACH_PORT_MAKE(MACH_PORT_INDEX(first), generation);

        again +=
            name != first && hazard_refs(name, MACH_PORT_RIGHT_RECEIVE) == 1;
    }

    is(again, 0, "hazard 17: a name of another generation is none");
    is(mach_port_destroy(SELF, first), KERN_SUCCESS, "hazard 17: done");
}

/* -- 18: members that move -------------------------------------------------- */

#define MEMBERS 4

static mach_port_t sets[2];
static mach_port_t members[MEMBERS];
static volatile bool moving;

/* Sends to the members and receives from the sets while they change. */
static void
member_traffic(void *unused)
{
    struct hazard_message own = { .head = { 0 } };

    (void)unused;

    for (unsigned int i = 0; moving; i++) {
        own.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
        own.head.msgh_remote_port = members[i % MEMBERS];
        (void)mach_msg(&own.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, 24, 0, 0,
                       0, 0);
        (void)mach_msg(&own.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
                       sizeof(own), sets[i / 3 % 2], i % 5 == 0 ? 1 : 0, 0);
    }
}

static void
member_turn(unsigned int turn)
{
    unsigned int which = turn % MEMBERS;

    (void)mach_port_move_member(SELF, members[which], sets[turn / 2 % 2]);

    if (turn % 7 == 0) {
        mach_port_t old = sets[turn % 2];

        (void)mach_port_allocate(SELF, MACH_PORT_RIGHT_PORT_SET,
                                 &sets[turn % 2]);
        (void)mach_port_destroy(SELF, old);
    }

    if (turn % 5 == 0) {
        mach_port_t old = members[which];

        (void)mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE,
                                 &members[which]);
        (void)mach_port_destroy(SELF, old);
    }

    if (turn % 3 == 0) {
        (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_NONE, 0);
    }
}

static void
test_members_that_move(void)
{
    mach_port_name_array_t names;
    mach_msg_type_number_t count;
    mach_port_t threads[2];

    for (unsigned int i = 0; i < MEMBERS; i++) {
        (void)mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE, &members[i]);
        (void)mach_port_allocate(SELF, MACH_PORT_RIGHT_PORT_SET, &sets[i % 2]);

        if (i < 2) {
            (void)mach_port_move_member(SELF, members[i], sets[i]);
            (void)mach_port_destroy(SELF, sets[i]);
        }
    }

    moving = true;
    threads[0] = guest_thread(member_traffic, NULL);
    threads[1] = guest_thread(member_traffic, NULL);

    for (unsigned int turn = 0; turn < TURNS; turn++) {
        member_turn(turn);
    }

    moving = false;

    guest_thread_join(threads[0]);
    guest_thread_join(threads[1]);

    for (unsigned int i = 0; i < MEMBERS; i++) {
        is(mach_port_move_member(SELF, members[i], sets[0]), KERN_SUCCESS,
           "hazard 18: a member");
    }

    is(mach_port_get_set_status(SELF, sets[0], &names, &count), KERN_SUCCESS,
       "hazard 18: of a set");
    is(count, MEMBERS, "hazard 18: that knows them all");
    mig_deallocate((vm_address_t)names, count * sizeof(*names));

    for (unsigned int i = 0; i < MEMBERS; i++) {
        is(mach_port_destroy(SELF, members[i]), KERN_SUCCESS,
           "hazard 18: done with it");
    }

    is(mach_port_destroy(SELF, sets[0]), KERN_SUCCESS, "hazard 18: one set");
    is(mach_port_destroy(SELF, sets[1]), KERN_SUCCESS, "hazard 18: the other");
}

/* -- 20: limits ------------------------------------------------------------- */

/* What a child tells its parent. */
static void
tell(mach_port_t port, uint32_t a, uint32_t b)
{
    prepare(port, MACH_MSG_TYPE_COPY_SEND);
    m.words[0] = a;
    m.words[1] = b;
    (void)hazard_send(64);
}

static void
exhaust_names(mach_port_t port)
{
    mach_port_t name;
    kern_return_t kr = KERN_SUCCESS;
    uint32_t count;

    for (count = 0; count < 10 * LIMIT && kr == KERN_SUCCESS; count++) {
        kr = syscall_mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE, &name);
    }

    tell(port, (uint32_t)kr, count);
}

static void
test_limit_of_names(void)
{
    mach_port_t port = guest_port();
    mach_port_t task = guest_child(exhaust_names, port, NULL);

    (void)task_suspend(task);
    is(task_set_limits(task, 0, LIMIT), KERN_SUCCESS, "hazard 20: a limit");
    (void)task_resume(task);
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m), port,
                10000, 0),
       MACH_MSG_SUCCESS, "hazard 20: a task that takes all it gets");
    is(m.words[0], KERN_NO_SPACE, "hazard 20: gets no more");
    ok(m.words[1] <= LIMIT + 1, "hazard 20: than its limit says");
    (void)mach_port_deallocate(SELF, task);
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 20: done");
}

static void
test_limit_of_queues(void)
{
    mach_port_t port = guest_port();
    unsigned int sent = 0;
    mach_msg_return_t mr;

    do {
        prepare(port, MACH_MSG_TYPE_COPY_SEND);
        mr = hazard_send(64);
        sent += mr == MACH_MSG_SUCCESS;
    } while (mr == MACH_MSG_SUCCESS && sent < 100);

    is(mr, MACH_SEND_TIMED_OUT, "hazard 20: a queue is full");
    is(sent, MACH_PORT_QLIMIT_DEFAULT, "hazard 20: at its limit");
    is(mach_port_set_qlimit(SELF, port, MACH_PORT_QLIMIT_MAX + 1),
       KERN_INVALID_VALUE, "hazard 20: which has a limit itself");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 20: done");
}

/* What fails leaves nothing; the count of objects is looked at afterwards. */
static void
test_failures_leave_nothing(void)
{
    mach_port_t port = guest_port();
    unsigned int worked = 0;

    for (unsigned int i = 0; i < 200; i++) {
        mach_port_t name = MACH_PORT_NULL;

        worked += mach_port_allocate_name(SELF, MACH_PORT_RIGHT_RECEIVE,
                                          port) == KERN_SUCCESS;
        worked +=
            mach_port_insert_right(SELF, SELF, port, MACH_MSG_TYPE_MAKE_SEND) ==
            KERN_SUCCESS;
        worked += syscall_mach_port_allocate(
                      SELF, MACH_PORT_RIGHT_RECEIVE,
                      (mach_port_name_t *)0xffff800000000000) == KERN_SUCCESS;
        worked += mach_port_request_notification(SELF, port, 99, 0, port,
                                                 MACH_MSG_TYPE_MAKE_SEND_ONCE,
                                                 &name) == KERN_SUCCESS;
        prepare_port(port, port, MACH_MSG_TYPE_COPY_SEND);
        m.body.msgh_descriptor_count = 2;
        m.words[3] = 0x7fffff00;
        m.words[5] = MACH_MSG_TYPE_MOVE_SEND << 16;
        worked += hazard_send(PORT_SIZE + 12) == MACH_MSG_SUCCESS;
    }

    is(worked, 0, "hazard 20: a thousand calls fail");
    is(hazard_refs(port, MACH_PORT_RIGHT_SEND), 1,
       "hazard 20: and take or leave no reference");

    while (hazard_receive(port) == MACH_MSG_SUCCESS) {
        continue;
    }

    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 20: done");
}

/* The kernel answers to a port whose receive right is the answer. */
static void
ask_for_right(mach_port_t *portp)
{
    mach_port_t port;

    is(mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE, &port), KERN_SUCCESS,
       "hazard 20: a port");
    prepare(SELF, MACH_MSG_TYPE_COPY_SEND);
    m.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
    m.head.msgh_local_port = port;
    m.head.msgh_id = EXTRACT_RIGHT;
    ((uint32_t *)&m)[6] = port;
    ((uint32_t *)&m)[7] = MACH_MSG_TYPE_MOVE_RECEIVE;
    *portp = port;
}

static void
test_right_in_its_own_queue(void)
{
    mach_port_t port;

    ask_for_right(&port);
    is(hazard_send(32), MACH_MSG_SUCCESS,
       "hazard 20: its right is asked for, in an answer to itself");
    (void)mach_port_destroy(SELF, port);

    /* The same in one trap, which may take a shorter way. */
    for (unsigned int i = 0; i < 3; i++) {
        ask_for_right(&port);
        ok(mach_msg(&m.head, MACH_SEND_MSG | MACH_RCV_MSG, 32, sizeof(m), port,
                    0, 0) != MACH_MSG_SUCCESS,
           "hazard 20: and in one trap");
        (void)mach_port_destroy(SELF, port);
    }
}

const struct hazard hazards_rights[] = {
    { 1, "the rights of requests", test_rights_of_requests },
    { 3, "user references", test_user_references },
    { 4, "a slot that two change", test_slot_of_two },
    { 11, "an identity that ends", test_identity_ends },
    { 12, "overlapping states", test_overlapping_states },
    { 13, "objects of other types", test_other_types },
    { 17, "generations", test_generations },
    { 18, "members that move", test_members_that_move },
    { 20, "the limit of names", test_limit_of_names },
    { 20, "the limit of queues", test_limit_of_queues },
    { 20, "a right in its own queue", test_right_in_its_own_queue },
    { 20, "what fails leaves nothing", test_failures_leave_nothing },
    { 0, NULL, NULL },
};
