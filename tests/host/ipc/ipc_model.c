/* SPDX-License-Identifier: MIT */
/* See ipc_model.h. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <mach/notify.h>

#include "ipc_model.h"

#define SEND MACH_PORT_TYPE_SEND
#define RECEIVE MACH_PORT_TYPE_RECEIVE
#define ONCE MACH_PORT_TYPE_SEND_ONCE
#define SET MACH_PORT_TYPE_PORT_SET
#define DEAD_NAME MACH_PORT_TYPE_DEAD_NAME

#define R_SEND MACH_MSG_TYPE_PORT_SEND
#define R_ONCE MACH_MSG_TYPE_PORT_SEND_ONCE
#define R_RECEIVE MACH_MSG_TYPE_PORT_RECEIVE

struct model_task model_tasks[TASKS];
struct model_port model_ports[PORTS];
struct model_set model_sets[SETS];
uint32_t model_operation;

/* Messages that die with their ports: destroyed one after the other. */
static struct model_message *dying, **dying_end = &dying;
static bool destroying;

static void deliver(int port, struct model_message *message);
static void destroy_port(int port);

/* -- Look-ups ---------------------------------------------------------------- */

struct model_name *
model_find(int task, mach_port_name_t name)
{
    for (int i = 0; i < MAX_NAMES; i++) {
        if (name != 0 && model_tasks[task].names[i].name == name) {
            return &model_tasks[task].names[i];
        }
    }

    return NULL;
}

struct model_name *
model_find_port(int task, int port)
{
    for (int i = 0; i < MAX_NAMES; i++) {
        struct model_name *n = &model_tasks[task].names[i];

        if (n->name != 0 && n->port == port &&
            (n->type & (SEND | RECEIVE)) != 0) {
            return n;
        }
    }

    return NULL;
}

struct model_name *
model_add(int task, mach_port_name_t name, mach_port_type_t type, int port)
{
    for (int i = 0; i < MAX_NAMES; i++) {
        struct model_name *n = &model_tasks[task].names[i];

        if (n->name == 0) {
            *n = (struct model_name){
                .name = name,
                .type = type,
                .port = port,
                .urefs = (type & (RECEIVE | SET)) != 0 ? 0 : 1,
                .notify = NONE,
            };
            return n;
        }
    }

    abort();
}

int
model_new_port(int task, mach_port_name_t name)
{
    for (int i = 0; i < PORTS; i++) {
        if (!model_ports[i].alive) {
            model_ports[i] = (struct model_port){
                .alive = true,
                .receiver = task,
                .transit = NONE,
                .name = name,
                .qlimit = MACH_PORT_QLIMIT_DEFAULT,
                .set = NONE,
                .nsrequest = NONE,
                .pdrequest = NONE,
            };
            return i;
        }
    }

    abort();
}

int
model_new_set(void)
{
    for (int i = 0; i < SETS; i++) {
        if (!model_sets[i].alive) {
            model_sets[i] = (struct model_set){ .alive = true };
            return i;
        }
    }

    abort();
}

int
model_live_ports(void)
{
    int count = 0;

    for (int i = 0; i < PORTS; i++) {
        count += model_ports[i].alive;
    }

    return count;
}

/* -- Counts ------------------------------------------------------------------ */

static uint32_t
count_right(struct right right, int port, mach_msg_type_name_t type)
{
    return right.port == port && right.type == type;
}

static uint32_t
count_message(const struct model_message *m, int port,
              mach_msg_type_name_t type)
{
    uint32_t count = 0;

    for (; m != NULL; m = m->next) {
        count += count_right(m->dest, port, type);
        count += count_right(m->reply, port, type);

        for (unsigned int i = 0; i < m->count; i++) {
            count += count_right(m->rights[i], port, type);
        }
    }

    return count;
}

/* The message that is being built or taken apart just now. */
static struct model_message *in_hand;

static uint32_t
count_rights(int port, mach_msg_type_name_t type)
{
    uint32_t count = count_message(dying, port, type);

    for (int i = 0; i < PORTS; i++) {
        count += count_message(model_ports[i].queue, port, type);
    }

    for (int t = 0; t < TASKS; t++) {
        count += count_message(model_tasks[t].delivered, port, type);
    }

    return count + (in_hand == NULL ? 0 : count_message(in_hand, port, type));
}

uint32_t
model_srights(int port)
{
    uint32_t count = count_rights(port, R_SEND);

    for (int t = 0; t < TASKS; t++) {
        for (int i = 0; i < MAX_NAMES; i++) {
            const struct model_name *n = &model_tasks[t].names[i];

            count += n->name != 0 && (n->type & SEND) != 0 && n->port == port;
        }
    }

    return count;
}

uint32_t
model_sorights(int port)
{
    uint32_t count = count_rights(port, R_ONCE);

    for (int t = 0; t < TASKS; t++) {
        for (int i = 0; i < MAX_NAMES; i++) {
            const struct model_name *n = &model_tasks[t].names[i];

            count += n->name != 0 && n->type == ONCE && n->port == port;
            count += n->name != 0 && n->requested && n->notify == port;
        }
    }

    for (int i = 0; i < PORTS; i++) {
        count += model_ports[i].alive && model_ports[i].nsrequest == port;
        count += model_ports[i].alive && model_ports[i].pdrequest == port;
    }

    return count;
}

/* -- Sets and waits ---------------------------------------------------------- */

static void
wake(int task, mach_msg_return_t why)
{
    struct model_task *t = &model_tasks[task];

    t->wait_port = NONE;
    t->wait_set = NONE;
    t->is_woken = true;
    t->woken = why;
}

static void
wake_port(int port, mach_msg_return_t why)
{
    for (int t = 0; t < TASKS; t++) {
        if (model_tasks[t].wait_port == port) {
            wake(t, why);
        }
    }
}

static void
set_unready(int set, int port)
{
    struct model_set *s = &model_sets[set];

    for (int i = 0; i < s->ready_count; i++) {
        if (s->ready[i] == port) {
            s->ready_count--;
            memmove(&s->ready[i], &s->ready[i + 1],
                    (size_t)(s->ready_count - i) * sizeof(s->ready[0]));
            return;
        }
    }
}

static void
set_ready(int set, int port)
{
    struct model_set *s = &model_sets[set];

    s->ready[s->ready_count] = port;
    s->ready_count++;
}

static void
leave_set(int port)
{
    if (model_ports[port].set != NONE) {
        set_unready(model_ports[port].set, port);
        model_ports[port].set = NONE;
    }
}

static struct model_message *
dequeue(int port)
{
    struct model_port *p = &model_ports[port];
    struct model_message *m = p->queue;

    p->queue = m->next;
    m->next = NULL;
    p->msgcount--;
    p->seqno++;

    if (p->set != NONE) {
        set_unready(p->set, port);

        if (p->msgcount != 0) {
            set_ready(p->set, port);
        }
    }

    return m;
}

static void
join_set(int set, int port)
{
    model_ports[port].set = set;
    wake_port(port, MACH_RCV_PORT_CHANGED);

    if (model_ports[port].msgcount != 0) {
        set_ready(set, port);
    }

    for (int t = 0; t < TASKS; t++) {
        if (model_tasks[t].wait_set == set && model_ports[port].msgcount != 0) {
            wake(t, MACH_MSG_SUCCESS);
            model_tasks[t].delivered = dequeue(port);
        }
    }
}

static void
destroy_set(int set)
{
    for (int i = 0; i < PORTS; i++) {
        if (model_ports[i].alive && model_ports[i].set == set) {
            model_ports[i].set = NONE;
        }
    }

    model_sets[set].alive = false;

    for (int t = 0; t < TASKS; t++) {
        if (model_tasks[t].wait_set == set) {
            wake(t, MACH_RCV_PORT_DIED);
        }
    }
}

/* -- Notifications ----------------------------------------------------------- */

static struct model_message *
new_notification(int to, mach_msg_id_t id, uint32_t argument)
{
    struct model_message *m = calloc(1, sizeof(*m));

    m->operation = model_operation;
    m->id = id;
    m->kernel = true;
    m->argument = argument;
    m->dest = (struct right){ to, R_ONCE };
    m->reply.port = NONE;
    return m;
}

/* Consumes the send-once right. */
static void
notify(int to, mach_msg_id_t id, uint32_t argument)
{
    if (to >= 0 && model_ports[to].alive) {
        deliver(to, new_notification(to, id, argument));
    }
}

/* -- Rights and messages come to an end -------------------------------------- */

void
model_release(struct right right)
{
    struct model_port *p;

    if (right.port < 0) {
        return;
    }

    p = &model_ports[right.port];

    switch (right.type) {
    case R_RECEIVE:
        p->transit = NONE;
        destroy_port(right.port);
        break;
    case R_ONCE:
        notify(right.port, MACH_NOTIFY_SEND_ONCE, 0);
        break;
    default:
        if (model_srights(right.port) == 0 && p->nsrequest != NONE) {
            int to = p->nsrequest;

            p->nsrequest = NONE;
            notify(to, MACH_NOTIFY_NO_SENDERS, p->mscount);
        }

        break;
    }
}

/* Take a right out of a message, so that it is counted no more. */
static struct right
take(struct right *right)
{
    struct right taken = *right;

    right->port = NONE;
    return taken;
}

static void
destroy_messages(void)
{
    struct model_message *m, *before = in_hand;

    if (destroying) {
        return;
    }

    destroying = true;

    while (dying != NULL) {
        m = dying;
        dying = m->next;

        if (dying == NULL) {
            dying_end = &dying;
        }

        m->next = before;
        in_hand = m;
        model_release(take(&m->dest));
        model_release(take(&m->reply));

        for (unsigned int i = 0; i < m->count; i++) {
            model_release(take(&m->rights[i]));
        }

        in_hand = before;
        free(m);
    }

    destroying = false;
}

static void
destroy_message(struct model_message *m)
{
    m->next = NULL;
    *dying_end = m;
    dying_end = &m->next;
    destroy_messages();
}

/* Nobody names the port any more: what did says that it is dead. */
static void
forget_in_message(struct model_message *m, int port)
{
    for (; m != NULL; m = m->next) {
        if (m->dest.port == port) {
            m->dest.port = DEAD;
        }

        if (m->reply.port == port) {
            m->reply.port = DEAD;
        }

        for (unsigned int i = 0; i < m->count; i++) {
            if (m->rights[i].port == port) {
                m->rights[i].port = DEAD;
            }
        }
    }
}

static void
forget_port(int port)
{
    forget_in_message(dying, port);
    forget_in_message(in_hand, port);

    for (int i = 0; i < PORTS; i++) {
        struct model_port *p = &model_ports[i];

        forget_in_message(p->queue, port);
        p->nsrequest = p->nsrequest == port ? DEAD : p->nsrequest;
        p->pdrequest = p->pdrequest == port ? DEAD : p->pdrequest;
        p->transit = p->transit == port ? NONE : p->transit;
    }

    for (int t = 0; t < TASKS; t++) {
        forget_in_message(model_tasks[t].delivered, port);

        for (int i = 0; i < MAX_NAMES; i++) {
            struct model_name *n = &model_tasks[t].names[i];

            if (n->name != 0 && n->requested && n->notify == port) {
                n->notify = DEAD;
            }
        }
    }
}

/* The send rights of a dead port turn into dead names. */
static void
names_die(int port)
{
    struct {
        int to;
        mach_port_name_t name;
    } told[TASKS * MAX_NAMES];
    int count = 0;

    for (int t = 0; t < TASKS; t++) {
        for (int i = 0; i < MAX_NAMES; i++) {
            struct model_name *n = &model_tasks[t].names[i];

            if (n->name == 0 || n->port != port || n->type == SET ||
                n->type == DEAD_NAME) {
                continue;
            }

            n->type = DEAD_NAME;
            n->port = NONE;

            if (n->requested) {
                n->requested = false;
                n->urefs++;
                told[count].to = n->notify;
                told[count].name = n->name;
                count++;
            }
        }
    }

    for (int i = 0; i < count; i++) {
        notify(told[i].to, MACH_NOTIFY_DEAD_NAME, told[i].name);
    }
}

/* True if the receive right would wait in a queue of its own. */
static bool
is_circle(int port, int destination)
{
    while (destination >= 0 && destination != port) {
        destination = model_ports[destination].transit;
    }

    return destination == port;
}

static void
return_port(int port, int to)
{
    struct model_message *m;

    if (to < 0) {
        destroy_port(port);
    } else if (is_circle(port, to)) {
        destroy_port(port);
        model_release((struct right){ to, R_ONCE });
    } else {
        m = new_notification(to, MACH_NOTIFY_PORT_DESTROYED, 0);
        m->count = 1;
        m->rights[0] = (struct right){ port, R_RECEIVE };
        model_ports[port].transit = to;
        deliver(to, m);
    }
}

/* The receive right, in no name and no message now, dies. */
static void
destroy_port(int port)
{
    struct model_port *p = &model_ports[port];
    struct model_message *queue = p->queue;
    int to = p->pdrequest, nsrequest;

    leave_set(port);
    p->receiver = NONE;

    if (to != NONE) {
        p->pdrequest = NONE;
        wake_port(port, MACH_RCV_PORT_CHANGED);
        return_port(port, to);
        return;
    }

    p->alive = false;
    p->queue = NULL;
    nsrequest = p->nsrequest;
    p->nsrequest = NONE;
    wake_port(port, MACH_RCV_PORT_DIED);

    if (queue != NULL) {
        *dying_end = queue;

        while (*dying_end != NULL) {
            dying_end = &(*dying_end)->next;
        }
    }

    forget_port(port);
    destroy_messages();
    names_die(port);
    model_release(
        (struct right){ nsrequest == port ? DEAD : nsrequest, R_ONCE });
}

/* -- Delivery ---------------------------------------------------------------- */

/* To a thread that waits there, or into the queue, however long it is. */
static void
deliver(int port, struct model_message *message)
{
    struct model_port *p = &model_ports[port];
    struct model_message **at = &p->queue;

    for (int pass = 0; pass < 2; pass++) {
        for (int t = 0; t < TASKS; t++) {
            if (pass == 0
                    ? model_tasks[t].wait_port == port
                    : p->set != NONE && model_tasks[t].wait_set == p->set) {
                p->seqno++;
                wake(t, MACH_MSG_SUCCESS);
                model_tasks[t].delivered = message;
                message->next = NULL;
                return;
            }
        }
    }

    while (*at != NULL) {
        at = &(*at)->next;
    }

    *at = message;
    message->next = NULL;
    p->msgcount++;

    if (p->msgcount == 1 && p->set != NONE) {
        set_ready(p->set, port);
    }
}

/* -- Names ------------------------------------------------------------------- */

/* The name goes, and its request with it. */
static void
remove_name(struct model_name *n)
{
    struct model_name was = *n;

    n->name = 0;

    if (was.requested) {
        notify(was.notify, MACH_NOTIFY_PORT_DELETED, was.name);
    }
}

static void
destroy_name(struct model_name *n)
{
    struct model_name was = *n;

    remove_name(n);

    if (was.type == SET) {
        destroy_set(was.port);
    }

    if ((was.type & RECEIVE) != 0) {
        destroy_port(was.port);
    }

    /* A port whose right was wanted back lives on. */
    if ((was.type & SEND) != 0 && model_ports[was.port].alive) {
        model_release((struct right){ was.port, R_SEND });
    }

    if (was.type == ONCE && model_ports[was.port].alive) {
        model_release((struct right){ was.port, R_ONCE });
    }
}

kern_return_t
model_destroy(int task, mach_port_name_t name)
{
    struct model_name *n = model_find(task, name);

    if (name == MACH_PORT_NULL || name == MACH_PORT_DEAD) {
        return KERN_SUCCESS;
    }

    if (n == NULL) {
        return KERN_INVALID_NAME;
    }

    destroy_name(n);
    return KERN_SUCCESS;
}

kern_return_t
model_deallocate(int task, mach_port_name_t name)
{
    struct model_name *n = model_find(task, name);

    if (name == MACH_PORT_NULL || name == MACH_PORT_DEAD) {
        return KERN_SUCCESS;
    }

    if (n == NULL) {
        return KERN_INVALID_NAME;
    }

    if (n->type == RECEIVE || n->type == SET) {
        return KERN_INVALID_RIGHT;
    }

    return model_mod_refs(task, name,
                          (n->type & SEND) != 0 ? MACH_PORT_RIGHT_SEND
                          : n->type == ONCE     ? MACH_PORT_RIGHT_SEND_ONCE
                                                : MACH_PORT_RIGHT_DEAD_NAME,
                          -1);
}

static kern_return_t
mod_receive(struct model_name *n, mach_port_delta_t delta)
{
    if (delta != -1) {
        return KERN_INVALID_VALUE;
    }

    if ((n->type & SEND) != 0) {
        n->type = SEND;
        destroy_port(n->port);
    } else {
        destroy_name(n);
    }

    return KERN_SUCCESS;
}

kern_return_t
model_mod_refs(int task, mach_port_name_t name, mach_port_right_t right,
               mach_port_delta_t delta)
{
    struct model_name *n = model_find(task, name);
    int64_t urefs;

    if (right >= MACH_PORT_RIGHT_NUMBER) {
        return KERN_INVALID_VALUE;
    }

    if (n == NULL) {
        return KERN_INVALID_NAME;
    }

    if ((n->type & MACH_PORT_TYPE(right)) == 0) {
        return KERN_INVALID_RIGHT;
    }

    if (delta == 0) {
        return KERN_SUCCESS;
    }

    if (right == MACH_PORT_RIGHT_RECEIVE || right == MACH_PORT_RIGHT_PORT_SET) {
        return mod_receive(n, delta);
    }

    urefs = (int64_t)n->urefs + delta;

    if (urefs < 0 || (right == MACH_PORT_RIGHT_SEND_ONCE && urefs > 1)) {
        return KERN_INVALID_VALUE;
    }

    if (urefs > MACH_PORT_UREFS_MAX) {
        return KERN_UREFS_OVERFLOW;
    }

    n->urefs = (uint32_t)urefs;

    if (urefs != 0) {
        return KERN_SUCCESS;
    }

    if ((n->type & RECEIVE) != 0) {
        n->type = RECEIVE;
        model_release((struct right){ n->port, R_SEND });
    } else {
        destroy_name(n);
    }

    return KERN_SUCCESS;
}

/* -- Sets -------------------------------------------------------------------- */

static kern_return_t
find_member(int task, mach_port_name_t member, mach_port_name_t set,
            struct model_name **memberp, struct model_name **setp)
{
    *memberp = model_find(task, member);
    *setp = model_find(task, set);

    if (*memberp == NULL) {
        return KERN_INVALID_NAME;
    }

    if (((*memberp)->type & RECEIVE) == 0) {
        return KERN_INVALID_RIGHT;
    }

    if (set != MACH_PORT_NULL && *setp == NULL) {
        return KERN_INVALID_NAME;
    }

    return set != MACH_PORT_NULL && (*setp)->type != SET ? KERN_INVALID_RIGHT
                                                         : KERN_SUCCESS;
}

kern_return_t
model_move_member(int task, mach_port_name_t member, mach_port_name_t after)
{
    struct model_name *m, *s;
    kern_return_t kr = find_member(task, member, after, &m, &s);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if (s == NULL && model_ports[m->port].set == NONE) {
        return KERN_NOT_IN_SET;
    }

    leave_set(m->port);

    if (s != NULL) {
        join_set(s->port, m->port);
    }

    return KERN_SUCCESS;
}

kern_return_t
model_insert_member(int task, mach_port_name_t member, mach_port_name_t set)
{
    struct model_name *m, *s;
    kern_return_t kr = find_member(task, member, set, &m, &s);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if (s == NULL) {
        return KERN_INVALID_NAME;
    }

    if (model_ports[m->port].set != NONE) {
        return KERN_ALREADY_IN_SET;
    }

    join_set(s->port, m->port);
    return KERN_SUCCESS;
}

kern_return_t
model_extract_member(int task, mach_port_name_t member, mach_port_name_t set)
{
    struct model_name *m, *s;
    kern_return_t kr = find_member(task, member, set, &m, &s);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    if (s == NULL) {
        return KERN_INVALID_NAME;
    }

    if (model_ports[m->port].set != s->port) {
        return KERN_NOT_IN_SET;
    }

    leave_set(m->port);
    return KERN_SUCCESS;
}

/* -- Requests ---------------------------------------------------------------- */

static kern_return_t
request_on_port(int port, mach_msg_id_t id, uint32_t sync, int to,
                struct right *previous)
{
    struct model_port *p = &model_ports[port];

    if (id == MACH_NOTIFY_PORT_DESTROYED) {
        previous->port = p->pdrequest;
        p->pdrequest = to;
        return KERN_SUCCESS;
    }

    previous->port = p->nsrequest;
    p->nsrequest = to;

    if (to != NONE && model_srights(port) == 0 &&
        (int32_t)(p->mscount - sync) >= 0) {
        p->nsrequest = NONE;
        notify(to, MACH_NOTIFY_NO_SENDERS, p->mscount);
    }

    return KERN_SUCCESS;
}

static kern_return_t
request_on_name(struct model_name *n, uint32_t sync, int to,
                struct right *previous)
{
    if (n->type == DEAD_NAME) {
        if (to == NONE || sync == 0) {
            return KERN_INVALID_ARGUMENT;
        }

        n->urefs++;
        notify(to, MACH_NOTIFY_DEAD_NAME, n->name);
        return KERN_SUCCESS;
    }

    if (n->type == SET) {
        return KERN_INVALID_RIGHT;
    }

    previous->port = n->requested ? n->notify : NONE;
    n->requested = to != NONE;
    n->notify = to;
    return KERN_SUCCESS;
}

kern_return_t
model_request(int task, mach_port_name_t name, mach_msg_id_t id, uint32_t sync,
              struct right to, struct right *previous)
{
    struct model_name *n = model_find(task, name);

    *previous = (struct right){ NONE, R_ONCE };

    if (to.port == DEAD) {
        return KERN_INVALID_CAPABILITY;
    }

    if (id != MACH_NOTIFY_NO_SENDERS && id != MACH_NOTIFY_DEAD_NAME &&
        id != MACH_NOTIFY_PORT_DESTROYED) {
        return KERN_INVALID_VALUE;
    }

    if (id == MACH_NOTIFY_PORT_DESTROYED && sync != 0) {
        return KERN_INVALID_VALUE;
    }

    if (n == NULL) {
        return KERN_INVALID_NAME;
    }

    if (id == MACH_NOTIFY_DEAD_NAME) {
        return request_on_name(n, sync, to.port, previous);
    }

    return (n->type & RECEIVE) == 0
               ? KERN_INVALID_RIGHT
               : request_on_port(n->port, id, sync, to.port, previous);
}

/* -- Rights move ------------------------------------------------------------- */

static bool
may_copyin(const struct model_name *n, mach_msg_type_name_t disposition)
{
    switch (disposition) {
    case MACH_MSG_TYPE_MAKE_SEND:
    case MACH_MSG_TYPE_MAKE_SEND_ONCE:
    case MACH_MSG_TYPE_MOVE_RECEIVE:
        return (n->type & RECEIVE) != 0;
    case MACH_MSG_TYPE_COPY_SEND:
    case MACH_MSG_TYPE_MOVE_SEND:
        return (n->type & (SEND | DEAD_NAME)) != 0;
    case MACH_MSG_TYPE_MOVE_SEND_ONCE:
        return (n->type & (ONCE | DEAD_NAME)) != 0;
    default:
        return false;
    }
}

static struct right
copyin_dead(struct model_name *n, mach_msg_type_name_t disposition)
{
    if (disposition != MACH_MSG_TYPE_COPY_SEND) {
        n->urefs--;

        if (n->urefs == 0) {
            n->name = 0;
        }
    }

    return (struct right){ DEAD, disposition == MACH_MSG_TYPE_MOVE_SEND_ONCE
                                     ? R_ONCE
                                     : R_SEND };
}

static struct right
copyin_receive(struct model_name *n)
{
    int port = n->port;

    leave_set(port);
    model_ports[port].receiver = NONE;
    model_ports[port].name = 0;
    wake_port(port, MACH_RCV_PORT_CHANGED);

    if ((n->type & SEND) != 0) {
        n->type = SEND;
    } else {
        remove_name(n);
    }

    return (struct right){ port, R_RECEIVE };
}

static struct right
copyin(struct model_name *n, mach_msg_type_name_t disposition)
{
    int port = n->port;

    switch (disposition) {
    case MACH_MSG_TYPE_MAKE_SEND:
        model_ports[port].mscount++;
        return (struct right){ port, R_SEND };
    case MACH_MSG_TYPE_MAKE_SEND_ONCE:
        return (struct right){ port, R_ONCE };
    case MACH_MSG_TYPE_MOVE_RECEIVE:
        return copyin_receive(n);
    default:
        break;
    }

    if (n->type == DEAD_NAME) {
        return copyin_dead(n, disposition);
    }

    if (disposition == MACH_MSG_TYPE_MOVE_SEND_ONCE) {
        remove_name(n);
        return (struct right){ port, R_ONCE };
    }

    if (disposition == MACH_MSG_TYPE_MOVE_SEND) {
        n->urefs--;

        if (n->urefs == 0 && (n->type & RECEIVE) != 0) {
            n->type = RECEIVE;
        } else if (n->urefs == 0) {
            remove_name(n);
        }
    }

    return (struct right){ port, R_SEND };
}

kern_return_t
model_copyin(int task, mach_port_name_t name, mach_msg_type_name_t disposition,
             struct right *right)
{
    struct model_name *n = model_find(task, name);

    if (name == MACH_PORT_NULL || name == MACH_PORT_DEAD) {
        *right = (struct right){ name == MACH_PORT_NULL ? NONE : DEAD, R_SEND };
        return KERN_SUCCESS;
    }

    if (n == NULL) {
        return KERN_INVALID_NAME;
    }

    if (!may_copyin(n, disposition)) {
        return KERN_INVALID_RIGHT;
    }

    *right = copyin(n, disposition);
    return KERN_SUCCESS;
}

mach_port_name_t
model_copyout_name(int task, struct right right)
{
    struct model_name *n = model_find_port(task, right.port);

    return right.port < 0 || right.type == R_ONCE || n == NULL ? 0 : n->name;
}

static void
arrive(int task, struct model_name *n, int port)
{
    struct model_port *p = &model_ports[port];

    n->type |= RECEIVE;
    p->receiver = task;
    p->transit = NONE;
    p->name = n->name;
    p->mscount = 0;
    p->seqno = 0;
}

/* False: this can't be the name. */
bool
model_copyout(int task, struct right right, mach_port_name_t name)
{
    mach_port_name_t known = model_copyout_name(task, right);
    struct model_name *n;

    if (right.port < 0) {
        return name == (right.port == NONE ? MACH_PORT_NULL : MACH_PORT_DEAD);
    }

    if (known != 0) {
        n = model_find(task, known);

        if (right.type == R_SEND) {
            n->urefs += 1;
            n->type |= SEND;
        } else {
            arrive(task, n, right.port);
        }

        return name == known;
    }

    if (!MACH_PORT_VALID(name) || model_find(task, name) != NULL) {
        return false;
    }

    n = model_add(task, name,
                  right.type == R_SEND   ? SEND
                  : right.type == R_ONCE ? ONCE
                                         : RECEIVE,
                  right.port);

    if (right.type == R_RECEIVE) {
        arrive(task, n, right.port);
    }

    return true;
}

/* Is the index of the name in use, by whatever generation? */
static bool
index_taken(int task, mach_port_name_t name)
{
    for (int i = 0; i < MAX_NAMES; i++) {
        mach_port_name_t other = model_tasks[task].names[i].name;

        if (other != 0 && MACH_PORT_INDEX(other) == MACH_PORT_INDEX(name)) {
            return true;
        }
    }

    return false;
}

kern_return_t
model_insert(int task, mach_port_name_t name, struct right right)
{
    struct model_name *n = model_find(task, name);

    if (!MACH_PORT_VALID(name)) {
        return KERN_INVALID_VALUE;
    }

    if (right.port < 0) {
        return KERN_INVALID_CAPABILITY;
    }

    if (MACH_PORT_INDEX(name) == 0 ||
        MACH_PORT_INDEX(name) > MACH_PORT_INDEX_MAX) {
        return KERN_INVALID_VALUE;
    }

    if (index_taken(task, name)) {
        return n == NULL || right.type == R_ONCE || n->port != right.port ||
                       (n->type & (SEND | RECEIVE)) == 0
                   ? KERN_NAME_EXISTS
               : model_copyout(task, right, name) ? KERN_SUCCESS
                                                  : KERN_FAILURE;
    }

    if (model_copyout_name(task, right) != 0) {
        return KERN_RIGHT_EXISTS;
    }

    return model_copyout(task, right, name) ? KERN_SUCCESS : KERN_FAILURE;
}

/* -- Messages ---------------------------------------------------------------- */

static mach_msg_return_t
check_header(int task, mach_port_name_t dest, mach_msg_type_name_t dest_type,
             mach_port_name_t reply, mach_msg_type_name_t reply_type)
{
    struct model_name *d = model_find(task, dest);
    struct model_name *r = model_find(task, reply);

    if (!MACH_MSG_TYPE_PORT_ANY_SEND(dest_type) ||
        (reply_type == 0 ? reply != MACH_PORT_NULL
                         : !MACH_MSG_TYPE_PORT_ANY_SEND(reply_type))) {
        return MACH_SEND_INVALID_HEADER;
    }

    if (d == NULL || !may_copyin(d, dest_type) || d->type == DEAD_NAME) {
        return MACH_SEND_INVALID_DEST;
    }

    if (!MACH_PORT_VALID(reply)) {
        return MACH_MSG_SUCCESS;
    }

    if (r == NULL || !may_copyin(r, reply_type)) {
        return MACH_SEND_INVALID_REPLY;
    }

    /* One right can't be moved to two places. */
    if (r == d && (dest_type == MACH_MSG_TYPE_MOVE_SEND_ONCE ||
                   reply_type == MACH_MSG_TYPE_MOVE_SEND_ONCE)) {
        return MACH_SEND_INVALID_REPLY;
    }

    if (r == d && dest_type == MACH_MSG_TYPE_MOVE_SEND &&
        reply_type == MACH_MSG_TYPE_MOVE_SEND && d->urefs < 2) {
        return MACH_SEND_INVALID_REPLY;
    }

    return MACH_MSG_SUCCESS;
}

static void
copyin_header(int task, mach_port_name_t dest, mach_msg_type_name_t dest_type,
              mach_port_name_t reply, mach_msg_type_name_t reply_type,
              struct model_message *m)
{
    /* What stays goes first, so that the other still finds it. */
    bool dest_last = dest_type == MACH_MSG_TYPE_MOVE_SEND;

    m->reply.port = NONE;
    m->dest.port = NONE;

    if (!dest_last) {
        (void)model_copyin(task, dest, dest_type, &m->dest);
    }

    (void)model_copyin(task, reply, reply_type, &m->reply);

    if (dest_last) {
        (void)model_copyin(task, dest, dest_type, &m->dest);
    }
}

static mach_msg_return_t
copyin_body(int task, struct model_message *m, unsigned int count,
            const mach_port_name_t *names, const mach_msg_type_name_t *types)
{
    struct right *right;

    for (unsigned int i = 0; i < count; i++) {
        right = &m->rights[i];

        if (!MACH_MSG_TYPE_PORT_ANY(types[i])) {
            return MACH_SEND_INVALID_TYPE;
        }

        if (model_copyin(task, names[i], types[i], right) != KERN_SUCCESS) {
            return MACH_SEND_INVALID_RIGHT;
        }

        m->count = i + 1;

        if (right->port >= 0 && right->type == R_RECEIVE) {
            if (is_circle(right->port, m->dest.port)) {
                model_release(*right);
                right->port = DEAD;
            } else {
                model_ports[right->port].transit = m->dest.port;
            }
        }
    }

    return MACH_MSG_SUCCESS;
}

mach_msg_return_t
model_send(int task, mach_port_name_t dest, mach_msg_type_name_t dest_type,
           mach_port_name_t reply, mach_msg_type_name_t reply_type,
           struct model_message *m, const mach_port_name_t *names,
           const mach_msg_type_name_t *types)
{
    mach_msg_return_t mr =
        check_header(task, dest, dest_type, reply, reply_type);
    unsigned int count = m->count;

    if (mr != MACH_MSG_SUCCESS) {
        free(m);
        return mr;
    }

    m->count = 0;
    in_hand = m;
    copyin_header(task, dest, dest_type, reply, reply_type, m);
    mr = copyin_body(task, m, count, names, types);
    in_hand = NULL;

    if (mr != MACH_MSG_SUCCESS || m->dest.port < 0) {
        destroy_message(m);
        return mr;
    }

    if (m->dest.type == R_SEND && model_ports[m->dest.port].msgcount >=
                                      model_ports[m->dest.port].qlimit) {
        return MACH_SEND_TIMED_OUT;
    }

    deliver(m->dest.port, m);
    return MACH_MSG_SUCCESS;
}

mach_msg_return_t
model_receive(int task, mach_port_name_t name, bool wait,
              struct model_message **messagep)
{
    struct model_name *n = model_find(task, name);
    int port = NONE;

    if (n == NULL || (n->type & (RECEIVE | SET)) == 0) {
        return MACH_RCV_INVALID_NAME;
    }

    if (n->type == SET) {
        port = model_sets[n->port].ready_count == 0
                   ? NONE
                   : model_sets[n->port].ready[0];
    } else if (model_ports[n->port].set != NONE) {
        return MACH_RCV_IN_SET;
    } else if (model_ports[n->port].msgcount != 0) {
        port = n->port;
    }

    if (port != NONE) {
        *messagep = dequeue(port);
        return MACH_MSG_SUCCESS;
    }

    if (wait) {
        model_tasks[task].wait_port = n->type == SET ? NONE : n->port;
        model_tasks[task].wait_set = n->type == SET ? n->port : NONE;
    }

    return MACH_RCV_TIMED_OUT;
}

/* The right that carried it is used up. */
void
model_dest_spent(struct model_message *m)
{
    struct right dest = take(&m->dest);

    if (dest.type == R_SEND) {
        in_hand = m;
        model_release(dest);
        in_hand = NULL;
    }
}

void
model_exchange(struct model_message *m, struct model_message *other)
{
    struct model_message swap = *m;
    struct model_message *next = m->next, *other_next = other->next;

    *m = *other;
    *other = swap;
    m->next = next;
    other->next = other_next;
}

void
model_end_task(int task)
{
    struct model_task *t = &model_tasks[task];

    /* In the order of their indices. */
    for (uint32_t index = 1; index <= MACH_PORT_INDEX_MAX; index++) {
        for (int i = 0; i < MAX_NAMES; i++) {
            if (t->names[i].name != 0 &&
                MACH_PORT_INDEX(t->names[i].name) == index) {
                destroy_name(&t->names[i]);
            }
        }

        if (index > 2048) {
            break; /* the test uses none beyond */
        }
    }
}
