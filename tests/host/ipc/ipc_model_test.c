/* SPDX-License-Identifier: MIT */
/*
 * Random operations of three tasks on a few ports, done by the kernel's code
 * and by the model. After each, every name, type and count of every task is
 * compared, and the kernel's own counts with the rights that there are.
 *
 *   ipc_model_test [OPERATIONS [SEED]]
 *
 * A difference prints the last operations; the same seed does them again.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ipc/ipc_port.h>
#include <ipc/ipc_space.h>
#include <mach/mach_port_server.h>
#include <mach/notify.h>
#include <vm/vm_copy.h>

#include "ipc_env.h"
#include "ipc_model.h"
#include "tap.h"

#define LIVE_PORTS 4
#define NAMES_FEW 40 /* as many as a task should have */
#define LOG_LINES 30
#define LOG_WIDTH 160
#define PORTION 4000 /* operations between a beginning and an end */
#define SECONDS 4    /* that the usual run takes */

static struct env_task *kernel[TASKS];
static uint64_t random_state;
static bool failed;

/* -- Telling ----------------------------------------------------------------- */

static char log_lines[LOG_LINES][LOG_WIDTH];

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
say(const char *format, ...)
{
    char *line = log_lines[model_operation % LOG_LINES];
    size_t length = strlen(line);
    va_list args;

    va_start(args, format);
    vsnprintf(line + length, LOG_WIDTH - length, format, args);
    va_end(args);
}

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
fail(const char *format, ...)
{
    va_list args;

    if (!failed) {
        failed = true;

        for (uint32_t i = 1; i <= LOG_LINES; i++) {
            const char *line = log_lines[(model_operation + i) % LOG_LINES];

            if (*line != '\0') {
                printf("# %s\n", line);
            }
        }
    }

    printf("# operation %u: ", model_operation);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

static void
expect(int64_t got, int64_t want, const char *what)
{
    say(" = 0x%lx", (unsigned long)got);

    if (got != want) {
        fail("%s: 0x%lx, the model says 0x%lx", what, (unsigned long)got,
             (unsigned long)want);
    }
}

static uint32_t
below(uint32_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 11) % bound);
}

/* -- Messages that arrive ---------------------------------------------------- */

struct arrived {
    mach_msg_header_t header;
    union {
        uint32_t argument;
        struct {
            mach_msg_body_t body;
            mach_msg_port_descriptor_t ports[MAX_RIGHTS];
        };
    };
};

static bool
is_same_message(const struct arrived *a, const struct model_message *m)
{
    bool complex = MACH_MSGH_BITS_IS_COMPLEX(a->header.msgh_bits);
    bool argument = a->header.msgh_id == MACH_NOTIFY_DEAD_NAME ||
                    a->header.msgh_id == MACH_NOTIFY_NO_SENDERS ||
                    a->header.msgh_id == MACH_NOTIFY_PORT_DELETED;

    return a->header.msgh_id == m->id && complex == (m->count != 0) &&
           ((a->header.msgh_bits & MACH_MSGH_BITS_KERNEL) != 0) == m->kernel &&
           (!complex || a->body.msgh_descriptor_count == m->count) &&
           (!argument || a->argument == m->argument);
}

/* Another one that came of the same operation may have been first. */
static bool
settle_order(const struct arrived *a, struct model_message *m)
{
    struct model_message *other;

    if (is_same_message(a, m)) {
        return true;
    }

    for (int i = 0; i < PORTS; i++) {
        for (other = model_ports[i].queue; other != NULL; other = other->next) {
            if (other->operation == m->operation && is_same_message(a, other)) {
                model_exchange(m, other);
                return true;
            }
        }
    }

    return false;
}

/* What the receiver calls the port by which the message came: it may have
 * lost it in the same operation. */
static mach_port_name_t
local_name(int task, const struct model_message *m)
{
    int port = m->dest.port;

    return port >= 0 && model_ports[port].receiver == task
               ? model_ports[port].name
               : MACH_PORT_DEAD;
}

static void
check_received(int task, struct model_message *m)
{
    const struct arrived *a = (const void *)kernel[task]->memory;
    struct right carrier;
    mach_port_name_t name;

    say(" got %d", a->header.msgh_id);

    if (!settle_order(a, m)) {
        fail("task %d received %d, the model has %d", task, a->header.msgh_id,
             m->id);
        return;
    }

    if (!model_copyout(task, m->reply, a->header.msgh_remote_port)) {
        fail("reply port %x", a->header.msgh_remote_port);
    }

    m->reply.port = NONE;
    carrier = m->dest;
    name = local_name(task, m);
    model_dest_spent(m);

    if (a->header.msgh_local_port != name) {
        fail("local port %x, not %x", a->header.msgh_local_port, name);
    }

    if (MACH_MSGH_BITS_LOCAL(a->header.msgh_bits) != carrier.type) {
        fail("carried by %u", MACH_MSGH_BITS_LOCAL(a->header.msgh_bits));
    }

    for (unsigned int i = 0; i < m->count; i++) {
        if (!model_copyout(task, m->rights[i], a->ports[i].name)) {
            fail("right %u is %x", i, a->ports[i].name);
        }

        if (m->rights[i].port >= 0 &&
            a->ports[i].disposition != m->rights[i].type) {
            fail("right %u is a %u", i, a->ports[i].disposition);
        }

        m->rights[i].port = NONE;
    }

    free(m);
}

/* Threads that waited until this operation. */
static void
check_woken(void)
{
    struct model_message *m;
    bool more = true;

    while (more && !failed) {
        more = false;

        for (int t = 0; t < TASKS; t++) {
            if (!model_tasks[t].is_woken) {
                continue;
            }

            more = true;
            model_tasks[t].is_woken = false;

            if (kernel[t]->blocked) {
                fail("task %d still waits", t);
                return;
            }

            say(" task %d wakes", t);
            expect(kernel[t]->result, model_tasks[t].woken, "wait");
            m = model_tasks[t].delivered;

            if (m != NULL) {
                model_tasks[t].delivered = NULL;
                check_received(t, m);
            }
        }
    }
}

/* -- Comparing --------------------------------------------------------------- */

static void
compare_number(int task, mach_port_name_t name, const char *what, uint64_t got,
               uint64_t want)
{
    if (got != want) {
        fail("task %d, %x: %s %lu, the model says %lu", task, name, what,
             (unsigned long)got, (unsigned long)want);
    }
}

static void
compare_status(int task, const struct model_name *n)
{
    const struct model_port *p = &model_ports[n->port];
    mach_port_status_t status;
    mach_port_rights_t srights = 0;
    mach_port_name_t set = MACH_PORT_NULL;

    for (int i = 0; i < MAX_NAMES && p->set != NONE; i++) {
        const struct model_name *s = &model_tasks[task].names[i];

        if (s->name != 0 && s->type == MACH_PORT_TYPE_PORT_SET &&
            s->port == p->set) {
            set = s->name;
        }
    }

    if (mach_port_get_receive_status(kernel[task]->space, n->name, &status) !=
            KERN_SUCCESS ||
        mach_port_get_srights(kernel[task]->space, n->name, &srights) !=
            KERN_SUCCESS) {
        fail("no status of %x", n->name);
        return;
    }

    compare_number(task, n->name, "set", status.mps_pset, set);
    compare_number(task, n->name, "seqno", status.mps_seqno, p->seqno);
    compare_number(task, n->name, "mscount", status.mps_mscount, p->mscount);
    compare_number(task, n->name, "qlimit", status.mps_qlimit, p->qlimit);
    compare_number(task, n->name, "msgcount", status.mps_msgcount, p->msgcount);
    compare_number(task, n->name, "srights", srights, model_srights(n->port));
    compare_number(task, n->name, "sorights", status.mps_sorights,
                   model_sorights(n->port));
    compare_number(task, n->name, "pdrequest", (uint64_t)status.mps_pdrequest,
                   p->pdrequest != NONE);
    compare_number(task, n->name, "nsrequest", (uint64_t)status.mps_nsrequest,
                   p->nsrequest != NONE);
}

static void
compare_members(int task, const struct model_name *n)
{
    mach_port_name_array_t members;
    mach_msg_type_number_t count = 0;
    natural_t *names;
    uint32_t want = 0;

    if (mach_port_get_set_status(kernel[task]->space, n->name, &members,
                                 &count) != KERN_SUCCESS) {
        fail("no members of %x", n->name);
        return;
    }

    for (int i = 0; i < PORTS; i++) {
        want += model_ports[i].alive && model_ports[i].set == n->port;
    }

    compare_number(task, n->name, "members", count, want);

    if (count != 0) {
        names = ((struct vm_map_copy *)members)->data;

        for (natural_t i = 0; i < count; i++) {
            const struct model_name *m = model_find(task, names[i]);

            if (m == NULL || (m->type & MACH_PORT_TYPE_RECEIVE) == 0 ||
                model_ports[m->port].set != n->port) {
                fail("%x is a member of %x", names[i], n->name);
            }
        }

        vm_map_copy_discard((struct vm_map_copy *)members);
    }
}

static void
compare_name(int task, mach_port_name_t name, mach_port_type_t type)
{
    const struct model_name *n = model_find(task, name);
    mach_port_urefs_t refs;

    if (n == NULL) {
        fail("task %d has %x, type %x", task, name, type);
        return;
    }

    compare_number(
        task, name, "type", type,
        n->type |
            (n->requested && n->notify != NONE ? MACH_PORT_TYPE_DNREQUEST : 0));

    for (mach_port_right_t right = 0; right < MACH_PORT_RIGHT_NUMBER; right++) {
        bool has = (n->type & MACH_PORT_TYPE(right)) != 0;
        bool one = right == MACH_PORT_RIGHT_RECEIVE ||
                   right == MACH_PORT_RIGHT_PORT_SET;

        refs = ~0u;
        (void)mach_port_get_refs(kernel[task]->space, name, right, &refs);
        compare_number(task, name, "references", refs,
                       !has  ? 0
                       : one ? 1
                             : n->urefs);
    }

    if ((n->type & MACH_PORT_TYPE_RECEIVE) != 0) {
        compare_status(task, n);
    } else if (n->type == MACH_PORT_TYPE_PORT_SET) {
        compare_members(task, n);
    }
}

static void
compare_task(int task)
{
    mach_port_name_array_t name_copy;
    mach_port_type_array_t type_copy;
    mach_msg_type_number_t count, type_count;
    const natural_t *names, *types;
    uint32_t want = 0;

    if (mach_port_names(kernel[task]->space, &name_copy, &count, &type_copy,
                        &type_count) != KERN_SUCCESS) {
        fail("no names");
        return;
    }

    for (int i = 0; i < MAX_NAMES; i++) {
        want += model_tasks[task].names[i].name != 0;
    }

    compare_number(task, 0, "names", count, want);

    if (count != 0) {
        names = ((struct vm_map_copy *)name_copy)->data;
        types = ((struct vm_map_copy *)type_copy)->data;

        for (natural_t i = 0; i < count; i++) {
            compare_name(task, names[i], types[i]);
        }

        vm_map_copy_discard((struct vm_map_copy *)name_copy);
        vm_map_copy_discard((struct vm_map_copy *)type_copy);
    }

    compare_number(task, 0, "waits", kernel[task]->blocked,
                   model_tasks[task].wait_port != NONE ||
                       model_tasks[task].wait_set != NONE);
}

static void
compare_all(void)
{
    env_run();
    check_woken();

    for (int t = 0; t < TASKS && !failed; t++) {
        compare_task(t);
    }

    if (!failed && !env_audit()) {
        fail("the kernel's counts are wrong");
    }
}

/* -- Choices ----------------------------------------------------------------- */

static unsigned int
names_of(int task)
{
    unsigned int count = 0;

    for (int i = 0; i < MAX_NAMES; i++) {
        count += model_tasks[task].names[i].name != 0;
    }

    return count;
}

/* A name of the task, most often of one of these types; or none. */
static mach_port_name_t
some_name(int task, mach_port_type_t types)
{
    mach_port_name_t found[MAX_NAMES];
    uint32_t count = 0;

    switch (below(24)) {
    case 0:
        return MACH_PORT_NULL;
    case 1:
        return MACH_PORT_DEAD;
    case 2:
        return MACH_PORT_MAKE(below(20), below(4));
    case 3:
    case 4:
        types = ~0u;
        break;
    default:
        break;
    }

    for (int i = 0; i < MAX_NAMES; i++) {
        const struct model_name *n = &model_tasks[task].names[i];

        if (n->name != 0 && (n->type & types) != 0) {
            found[count] = n->name;
            count++;
        }
    }

    return count == 0 ? MACH_PORT_MAKE(below(20), 0) : found[below(count)];
}

/* A name that a caller would choose. */
static mach_port_name_t
chosen_name(int task)
{
    return below(4) == 0 ? some_name(task, ~0u)
                         : MACH_PORT_MAKE(200 + below(200), below(3));
}

static mach_msg_type_name_t
some_disposition(void)
{
    return below(40) == 0 ? below(32) : 16 + below(6);
}

/* What a disposition wants to find. */
static mach_port_type_t
wanted(mach_msg_type_name_t disposition)
{
    switch (disposition) {
    case MACH_MSG_TYPE_MOVE_SEND:
    case MACH_MSG_TYPE_COPY_SEND:
        return MACH_PORT_TYPE_SEND | MACH_PORT_TYPE_DEAD_NAME;
    case MACH_MSG_TYPE_MOVE_SEND_ONCE:
        return MACH_PORT_TYPE_SEND_ONCE;
    default:
        return MACH_PORT_TYPE_RECEIVE;
    }
}

/* -- Operations -------------------------------------------------------------- */

static void
allocate(int task)
{
    mach_port_right_t right =
        below(20) == 0 ? below(8)
                       : (mach_port_right_t[]){ 1, 1, 1, 3, 4 }[below(5)];
    bool with_name = below(3) == 0;
    mach_port_name_t name = with_name ? chosen_name(task) : 0;
    bool valid = right == 1 || right == 3 || right == 4;
    struct ipc_space *space = kernel[task]->space;
    kern_return_t kr;

    if ((right == 1 && model_live_ports() >= LIVE_PORTS) ||
        names_of(task) >= NAMES_FEW) {
        return;
    }

    kr = with_name ? mach_port_allocate_name(space, right, name)
                   : mach_port_allocate(space, right, &name);
    say("task %d allocate %u %x", task, right, name);

    if (with_name && !MACH_PORT_VALID(name)) {
        expect(kr, KERN_INVALID_VALUE, "allocate");
    } else if (!valid || (with_name && MACH_PORT_INDEX(name) == 0)) {
        expect(kr, KERN_INVALID_VALUE, "allocate");
    } else if (with_name && kr == KERN_NAME_EXISTS) {
        bool taken = false;

        for (int i = 0; i < MAX_NAMES; i++) {
            mach_port_name_t other = model_tasks[task].names[i].name;

            taken |=
                other != 0 && MACH_PORT_INDEX(other) == MACH_PORT_INDEX(name);
        }

        expect(taken, true, "the name exists");
    } else {
        expect(kr, KERN_SUCCESS, "allocate");

        if (model_find(task, name) != NULL) {
            fail("%x was there before", name);
        }

        (void)model_add(task, name, MACH_PORT_TYPE(right),
                        right == 1   ? model_new_port(task, name)
                        : right == 3 ? model_new_set()
                                     : NONE);
    }
}

static void
destroy(int task)
{
    mach_port_name_t name = some_name(task, ~0u);
    kern_return_t kr;

    say("task %d destroy %x", task, name);
    kr = mach_port_destroy(kernel[task]->space, name);
    expect(kr, model_destroy(task, name), "destroy");
}

static void
deallocate(int task)
{
    mach_port_name_t name = some_name(task, ~0u);
    kern_return_t kr;

    say("task %d deallocate %x", task, name);
    kr = mach_port_deallocate(kernel[task]->space, name);
    expect(kr, model_deallocate(task, name), "deallocate");
}

static void
mod_refs(int task)
{
    static const mach_port_delta_t deltas[] = {
        -1, -1, 1, 2, 0, -2, 7, 0x7fffffff, -0x7fffffff - 1, -8,
    };
    mach_port_right_t right = below(MACH_PORT_RIGHT_NUMBER + (below(20) == 0));
    mach_port_name_t name = some_name(task, MACH_PORT_TYPE(right));
    mach_port_delta_t delta = deltas[below(10)];
    kern_return_t kr;

    say("task %d mod_refs %x %u %d", task, name, right, delta);
    kr = mach_port_mod_refs(kernel[task]->space, name, right, delta);
    expect(kr, model_mod_refs(task, name, right, delta), "mod_refs");
}

static void
rename_name(int task)
{
    mach_port_name_t from = some_name(task, ~0u), to = chosen_name(task);
    struct model_name *n = model_find(task, from);
    kern_return_t kr, want = KERN_SUCCESS;

    say("task %d rename %x %x", task, from, to);
    kr = mach_port_rename(kernel[task]->space, from, to);

    for (int i = 0; i < MAX_NAMES; i++) {
        mach_port_name_t other = model_tasks[task].names[i].name;

        if (other != 0 && MACH_PORT_INDEX(other) == MACH_PORT_INDEX(to)) {
            want = KERN_NAME_EXISTS;
        }
    }

    if (!MACH_PORT_VALID(to) || MACH_PORT_INDEX(to) == 0) {
        want = KERN_INVALID_VALUE;
    } else if (want == KERN_SUCCESS && n == NULL) {
        want = KERN_INVALID_NAME;
    }

    expect(kr, want, "rename");

    if (want == KERN_SUCCESS) {
        n->name = to;

        if ((n->type & MACH_PORT_TYPE_RECEIVE) != 0) {
            model_ports[n->port].name = to;
        }
    }
}

static void
insert_right(int task)
{
    int target = (int)below(TASKS);
    mach_msg_type_name_t disposition = 16 + below(6);
    mach_port_name_t right_name = some_name(task, wanted(disposition));
    struct model_name *n = model_find(task, right_name);
    struct model_name *known =
        n == NULL ? NULL : model_find_port(target, n->port);
    mach_port_name_t name =
        known != NULL && below(2) == 0 ? known->name : chosen_name(target);
    struct right right = { NONE, 0 };
    kern_return_t kr, want;

    if (names_of(target) >= NAMES_FEW) {
        return;
    }

    say("task %d insert_right task %d %x: %x %u", task, target, name,
        right_name, disposition);
    kr = env_insert_right(kernel[task], kernel[target], name, right_name,
                          disposition);

    if (model_copyin(task, right_name, disposition, &right) != KERN_SUCCESS) {
        expect(kr, ENV_SEND_FAILED, "insert_right");
        return;
    }

    want = model_insert(target, name, right);

    if (want != KERN_SUCCESS) {
        model_release(right);
    }

    expect(kr, want, "insert_right");
}

static void
extract_right(int task)
{
    int target = (int)below(TASKS);
    mach_msg_type_name_t disposition = some_disposition();
    mach_port_name_t name = some_name(target, wanted(disposition)), as;
    struct right right = { NONE, 0 };
    kern_return_t kr, want = KERN_SUCCESS;

    if (names_of(task) >= NAMES_FEW) {
        return;
    }

    say("task %d extract_right task %d %x %u", task, target, name, disposition);
    kr =
        env_extract_right(kernel[task], kernel[target], name, disposition, &as);

    if (!MACH_MSG_TYPE_PORT_ANY(disposition)) {
        want = KERN_INVALID_VALUE;
    } else if (!MACH_PORT_VALID(name)) {
        want = KERN_INVALID_NAME;
    } else {
        want = model_copyin(target, name, disposition, &right);
    }

    expect(kr, want, "extract_right");

    if (want == KERN_SUCCESS && !model_copyout(task, right, as)) {
        fail("extracted as %x", as);
    }
}

static void
set_number(int task)
{
    mach_port_name_t name = some_name(task, MACH_PORT_TYPE_RECEIVE);
    struct model_name *n = model_find(task, name);
    uint32_t value = below(8), which = below(3);
    struct ipc_space *space = kernel[task]->space;
    kern_return_t kr, want = KERN_SUCCESS;

    say("task %d set %u %x %u", task, which, name, value);
    kr = which == 0   ? mach_port_set_mscount(space, name, value)
         : which == 1 ? mach_port_set_seqno(space, name, value)
                      : mach_port_set_qlimit(space, name, value);

    if (which == 2 && value == 0) {
        want = KERN_INVALID_VALUE;
    } else if (n == NULL) {
        want = KERN_INVALID_NAME;
    } else if ((n->type & MACH_PORT_TYPE_RECEIVE) == 0) {
        want = KERN_INVALID_RIGHT;
    } else if (which == 0) {
        model_ports[n->port].mscount = value;
    } else if (which == 1) {
        model_ports[n->port].seqno = value;
    } else {
        model_ports[n->port].qlimit = value;
    }

    expect(kr, want, "set");
}

static void
change_member(int task)
{
    mach_port_name_t member = some_name(task, MACH_PORT_TYPE_RECEIVE);
    mach_port_name_t set = some_name(task, MACH_PORT_TYPE_PORT_SET);
    struct ipc_space *space = kernel[task]->space;
    uint32_t which = below(4);
    kern_return_t kr, want;

    say("task %d member %u %x %x", task, which, member, set);

    switch (which) {
    case 0:
        kr = mach_port_insert_member(space, member, set);
        want = model_insert_member(task, member, set);
        break;
    case 1:
        kr = mach_port_extract_member(space, member, set);
        want = model_extract_member(task, member, set);
        break;
    default:
        set = which == 2 ? set : MACH_PORT_NULL;
        kr = mach_port_move_member(space, member, set);
        want = model_move_member(task, member, set);
        break;
    }

    expect(kr, want, "member");
}

static void
request(int task)
{
    static const mach_msg_id_t ids[] = {
        MACH_NOTIFY_NO_SENDERS,
        MACH_NOTIFY_DEAD_NAME,
        MACH_NOTIFY_PORT_DESTROYED,
        99,
    };
    int target = (int)below(TASKS);
    mach_msg_id_t id = ids[below(below(10) == 0 ? 4 : 3)];
    mach_port_name_t name = some_name(
        target, id == MACH_NOTIFY_DEAD_NAME ? ~0u : MACH_PORT_TYPE_RECEIVE);
    mach_port_name_t to = below(6) == 0
                              ? MACH_PORT_NULL
                              : some_name(task, MACH_PORT_TYPE_RECEIVE);
    uint32_t sync = below(4) == 0 ? below(3) : 0;
    struct right once = { NONE, MACH_MSG_TYPE_PORT_SEND_ONCE }, previous;
    mach_port_name_t previous_name;
    kern_return_t kr, want;

    say("task %d request task %d %x %d %u to %x", task, target, name, id, sync,
        to);
    kr = env_request_notification(kernel[task], kernel[target], name, id, sync,
                                  to, &previous_name);

    if (model_copyin(task, to, MACH_MSG_TYPE_MAKE_SEND_ONCE, &once) !=
        KERN_SUCCESS) {
        expect(kr, ENV_SEND_FAILED, "request");
        return;
    }

    once.type = MACH_MSG_TYPE_PORT_SEND_ONCE;
    want = model_request(target, name, id, sync, once, &previous);
    expect(kr, want, "request");

    if (want != KERN_SUCCESS) {
        model_release(once);
    } else if (!model_copyout(task, previous, previous_name)) {
        fail("the previous request's right is %x", previous_name);
    }
}

/* -- Operations: messages ---------------------------------------------------- */

/* The message comes back to its sender. */
static void
check_returned(int task, struct model_message *m)
{
    const struct arrived *a = (const void *)kernel[task]->memory;

    if (!model_copyout(task, m->dest, a->header.msgh_remote_port)) {
        fail("returned: destination %x", a->header.msgh_remote_port);
    }

    if (!model_copyout(task, m->reply, a->header.msgh_local_port)) {
        fail("returned: reply port %x", a->header.msgh_local_port);
    }

    for (unsigned int i = 0; i < m->count; i++) {
        if (!model_copyout(task, m->rights[i], a->ports[i].name)) {
            fail("returned: right %x", a->ports[i].name);
        }
    }

    free(m);
}

static void
send(int task)
{
    struct env_task *k = kernel[task];
    struct arrived *a = (void *)k->memory;
    mach_msg_type_name_t types[MAX_RIGHTS], dest_type, reply_type;
    mach_port_name_t names[MAX_RIGHTS], dest, reply;
    struct model_message *m = calloc(1, sizeof(*m));
    mach_msg_return_t mr;

    dest_type = below(20) == 0 ? below(24) : 17 + below(5);
    dest = some_name(task, wanted(dest_type));
    reply_type = below(3) == 0 ? 0 : below(20) == 0 ? below(24) : 17 + below(5);
    reply =
        reply_type == 0 ? MACH_PORT_NULL : some_name(task, wanted(reply_type));
    reply = below(8) == 0 ? dest : reply;
    m->operation = model_operation;
    m->id = (mach_msg_id_t)(1000 + model_operation);
    m->count = below(2) == 0 ? 0 : below(MAX_RIGHTS + 1);
    say("task %d send to %x %u reply %x %u:", task, dest, dest_type, reply,
        reply_type);
    memset(a, 0, sizeof(*a));
    a->header = (mach_msg_header_t){
        .msgh_bits = MACH_MSGH_BITS(dest_type, reply_type) |
                     (m->count != 0 ? MACH_MSGH_BITS_COMPLEX : 0),
        .msgh_remote_port = dest,
        .msgh_local_port = reply,
        .msgh_id = m->id,
    };
    a->body.msgh_descriptor_count = m->count;

    for (unsigned int i = 0; i < m->count; i++) {
        types[i] = some_disposition();
        names[i] = some_name(task, wanted(types[i]));
        a->ports[i] = (mach_msg_port_descriptor_t){
            .name = names[i],
            .disposition = (uint8_t)types[i],
            .type = MACH_MSG_PORT_DESCRIPTOR,
        };
        say(" %x %u", names[i], types[i]);
    }

    (void)env_msg(k, a, MACH_SEND_MSG | MACH_SEND_TIMEOUT, sizeof(*a), 0, 0, 0);
    mr = model_send(task, dest, dest_type, reply, reply_type, m, names, types);
    expect(k->result, mr, "send");

    if (mr == MACH_SEND_TIMED_OUT && !failed) {
        check_returned(task, m);
    }
}

static void
receive(int task)
{
    mach_port_name_t name =
        some_name(task, MACH_PORT_TYPE_RECEIVE | MACH_PORT_TYPE_PORT_SET);
    bool wait = below(4) == 0;
    struct env_task *k = kernel[task];
    struct model_message *m = NULL;
    mach_msg_return_t mr;
    bool done;

    if (names_of(task) >= NAMES_FEW) {
        return;
    }

    say("task %d receive %x%s", task, name, wait ? " and wait" : "");
    memset(k->memory, 0, sizeof(struct arrived));
    done = env_msg(k, k->memory, MACH_RCV_MSG | (wait ? 0 : MACH_RCV_TIMEOUT),
                   0, 1024, name, 0);
    mr = model_receive(task, name, wait, &m);

    if (done == (wait && mr == MACH_RCV_TIMED_OUT)) {
        fail("receive: %s", done ? "does not wait" : "waits");
        return;
    }

    if (!done) {
        return;
    }

    expect(k->result, mr, "receive");

    if (m != NULL && !failed) {
        check_received(task, m);
    }
}

/* A wait ends: as good an operation as any for a task that waits. */
static void
end_wait(int task)
{
    bool abort = below(2) == 0;

    say("task %d %s", task, abort ? "aborted" : "waited long enough");
    model_tasks[task].wait_port = NONE;
    model_tasks[task].wait_set = NONE;

    if (abort) {
        env_abort(kernel[task]);
    } else {
        env_timeout(kernel[task]);
    }

    expect(kernel[task]->result,
           abort ? MACH_RCV_INTERRUPTED : MACH_RCV_TIMED_OUT, "wait");
}

static void
begin_task(int task)
{
    kernel[task] = env_task_create();
    model_tasks[task] = (struct model_task){
        .wait_port = NONE,
        .wait_set = NONE,
    };
}

static void
end_task(int task)
{
    say("task %d ends", task);
    model_tasks[task].wait_port = NONE;
    model_tasks[task].wait_set = NONE;
    env_task_destroy(kernel[task]);
    model_end_task(task);
    model_tasks[task].is_woken = false;
    begin_task(task);
}

/* -- The run ----------------------------------------------------------------- */

typedef void (*operation_t)(int task);

/* What anybody may do to a task whose thread waits. */
static const operation_t on_waiting[] = {
    end_wait,    end_wait,   destroy,  deallocate,    mod_refs,
    rename_name, set_number, allocate, change_member,
};

static const operation_t on_running[] = {
    allocate,      allocate,     destroy,       deallocate,    deallocate,
    mod_refs,      mod_refs,     rename_name,   set_number,    insert_right,
    insert_right,  insert_right, extract_right, extract_right, change_member,
    change_member, request,      request,       request,       send,
    send,          send,         send,          send,          send,
    receive,       receive,      receive,       receive,       receive,
};

static void
operate(int task)
{
    model_operation++;
    log_lines[model_operation % LOG_LINES][0] = '\0';
    say("%u: ", model_operation);

    /* A task that does not wait does it, if there is one. */
    for (int i = 0; i < TASKS; i++) {
        env_enter(kernel[i]);

        if (!kernel[i]->blocked) {
            break;
        }
    }

    if (kernel[task]->blocked) {
        on_waiting[below(ARRAY_SIZE(on_waiting))](task);
    } else if (below(600) == 0) {
        end_task(task);
    } else {
        env_enter(kernel[task]);
        (names_of(task) >= NAMES_FEW
             ? destroy
             : on_running[below(ARRAY_SIZE(on_running))])(task);
    }

    compare_all();
}

/* From nothing to nothing. */
static void
run(uint64_t operations)
{
    size_t before = slab_total();

    for (int t = 0; t < TASKS; t++) {
        begin_task(t);
    }

    for (uint64_t i = 0; i < operations && !failed; i++) {
        operate((int)below(TASKS));
    }

    if (failed) {
        return;
    }

    for (int t = 0; t < TASKS; t++) {
        model_operation++;
        log_lines[model_operation % LOG_LINES][0] = '\0';
        end_task(t);
        compare_all();
    }

    for (int t = 0; t < TASKS; t++) {
        env_task_destroy(kernel[t]);
    }

    if (slab_total() != before) {
        fail("%zu objects before, %zu after", before, slab_total());
    }
}

int
main(int argc, char **argv)
{
    uint64_t wanted_operations =
        argc > 1 ? strtoull(argv[1], NULL, 0) : UINT64_MAX;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    time_t end = time(NULL) + SECONDS;

    env_setup();
    printf("# seed %lu\n", (unsigned long)seed);
    random_state = seed * 0x9e3779b97f4a7c15 | 1;

    while (!failed && model_operation < wanted_operations &&
           (argc > 1 || time(NULL) < end)) {
        run(PORTION);
    }

    ok(!failed, "%u operations of seed %lu do what the model says",
       model_operation, (unsigned long)seed);
    ok(env_lost == 0, "no notification is lost");
    return tap_done();
}
