/* SPDX-License-Identifier: MIT */
/* See kern/exception.h. The stubs come from exc.defs and exc_reply.defs. */

#include <debug/assert.h>
#include <debug/printf.h>
#include <ipc/ipc_kobject.h>
#include <ipc/ipc_port.h>
#include <kern/exception.h>
#include <kern/sched.h>
#include <kern/string.h>
#include <kern/task.h>
#include <mach/exc_reply_server.h>
#include <mach/exc_user.h>
#include <machine/context.h>
#include <machine/trap.h>

enum exception_level {
    LEVEL_THREAD,
    LEVEL_TASK,
    LEVEL_HOST,
    LEVEL_NUMBER,
};

struct exception_action host_exceptions[EXC_TYPES_COUNT];
struct spinlock host_exceptions_lock = { .rank = LOCK_RANK_HOST };

NORETURN static void exception_deliver(struct thread *self);

/* A copy of the handler's right at this level, with how it wants to hear. */
static struct exception_action
exception_action(struct thread *self, unsigned int level)
{
    struct exception_action action;
    struct exception_action *from;
    struct spinlock *lock;

    switch (level) {
    case LEVEL_THREAD:
        from = &self->exceptions[self->exception.type];
        lock = &self->lock;
        break;
    case LEVEL_TASK:
        from = &self->task->exceptions[self->exception.type];
        lock = &self->task->lock;
        break;
    default:
        from = &host_exceptions[self->exception.type];
        lock = &host_exceptions_lock;
        break;
    }

    spin_lock(lock);
    action = *from;
    action.port = ipc_port_copy_send(from->port);
    spin_unlock(lock);
    return action;
}

/* The kernel port to which the thread's handler replies, made once. */
static struct ipc_port *
exception_reply_right(struct thread *self)
{
    if (self->exception.reply == NULL) {
        self->exception.reply =
            ipc_port_create_kernel(IKOT_EXCEPTION_REPLY, self);
    }

    return ipc_port_make_sonce(self->exception.reply);
}

/* A send right to an object's port, which its lock guards. */
static mach_port_t
exception_object_right(struct spinlock *lock, struct ipc_port **portp)
{
    struct ipc_port *right;

    spin_lock(lock);
    right = ipc_port_make_send(*portp);
    spin_unlock(lock);
    return ipc_port_to_handle(right);
}

static kern_return_t
exception_send_identity(struct thread *self,
                        const struct exception_action *action,
                        mach_port_t reply, natural_t *state, natural_t count)
{
    mach_port_t thread, task;
    kern_return_t kr;

    thread = exception_object_right(&self->lock, &self->self_port);
    task = exception_object_right(&self->task->lock, &self->task->self_port);

    if (action->behavior == EXCEPTION_DEFAULT) {
        kr = exception_raise(ipc_port_to_handle(action->port), reply, thread,
                             task, self->exception.type, self->exception.code,
                             EXCEPTION_CODE_MAX);
    } else {
        kr = exception_raise_state_identity(
            ipc_port_to_handle(action->port), reply, thread, task,
            self->exception.type, self->exception.code, EXCEPTION_CODE_MAX,
            action->flavor, state, count);
    }

    if (kr != KERN_SUCCESS) {
        ipc_handle_release(thread, MACH_MSG_TYPE_PORT_SEND);
        ipc_handle_release(task, MACH_MSG_TYPE_PORT_SEND);
    }

    return kr;
}

/* Send the message of this level. On failure no right is left over. */
static kern_return_t
exception_send(struct thread *self, struct exception_action *action)
{
    natural_t state[THREAD_STATE_MAX];
    natural_t count = THREAD_STATE_MAX;
    struct ipc_port *reply = exception_reply_right(self);
    kern_return_t kr = KERN_SUCCESS;

    if (reply == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    if (action->behavior != EXCEPTION_DEFAULT) {
        kr = context_get_state(self, action->flavor, state, &count);
    }

    if (kr == KERN_SUCCESS && action->behavior == EXCEPTION_STATE) {
        kr = exception_raise_state(
            ipc_port_to_handle(action->port), ipc_port_to_handle(reply),
            self->exception.type, self->exception.code, EXCEPTION_CODE_MAX,
            action->flavor, state, count);
    } else if (kr == KERN_SUCCESS) {
        kr = exception_send_identity(self, action, ipc_port_to_handle(reply),
                                     state, count);
    }

    if (kr != KERN_SUCCESS) {
        ipc_port_consume_sonce(reply);
    }

    return kr;
}

static void
exception_continue(struct thread *self)
{
    if (self->wait_result == WAIT_AWAKENED &&
        self->exception.answer == KERN_SUCCESS) {
        thread_return();
    }

    if (self->wait_result == WAIT_INTERRUPTED) {
        /* Aborted: whoever did it sets the registers, or ends us. The old
         * reply right must not answer a later wait. */
        ipc_port_destroy_kernel(self->exception.reply);
        self->exception.reply = NULL;
        thread_return();
    }

    self->exception.level++;
    exception_deliver(self);
}

bool
exception_waits(const struct thread *thread)
{
    return thread->continuation == exception_continue;
}

/* Nobody wants it. */
NORETURN static void
exception_fatal(struct thread *self)
{
    printf("task %u: exception %d (code %ld, %lx) at rip %lx not handled, "
           "task terminated\n",
           self->task->number, self->exception.type,
           (long)self->exception.code[0],
           (unsigned long)self->exception.code[1], self->frame.rip);
    task_terminate(self->task);
    thread_return();
}

/*
 * The wait begins before the message is sent, so that the reply can't come
 * too early.
 */
static void
exception_deliver(struct thread *self)
{
    struct exception_action action;
    kern_return_t kr;

    for (; self->exception.level < LEVEL_NUMBER; self->exception.level++) {
        action = exception_action(self, self->exception.level);

        if (!IP_VALID(action.port)) {
            continue;
        }

        self->exception.answer = KERN_FAILURE;

        if (!sched_wait_begin(self, true, 0)) {
            ipc_port_release_send(action.port);
            thread_return();
        }

        self->msg.raises = exception_continue;
        kr = exception_send(self, &action);
        self->msg.raises = NULL;

        if (kr == KERN_SUCCESS) {
            thread_block(exception_continue);
        }

        thread_wait_cancel();
        ipc_port_release_send(action.port);
    }

    exception_fatal(self);
}

void
exception_raise_user(struct thread *self, exception_type_t type, int64_t code,
                     int64_t subcode)
{
    self->exception.type = type;
    self->exception.code[0] = code;
    self->exception.code[1] = subcode;
    self->exception.level = LEVEL_THREAD;
    exception_deliver(self);
}

/* A reply came for the thread: at most one per exception is believed. */
static kern_return_t
exception_answer(struct thread *thread, kern_return_t answer)
{
    struct thread *self = current_thread();

    if (thread == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    if (!sched_claim(thread, false)) {
        return KERN_SUCCESS; /* aborted or terminated meanwhile */
    }

    thread->exception.answer = answer;

    /* Who answers and then waits hands the processor over. */
    if (self->msg.passes && self->msg.next == NULL) {
        self->msg.next = thread;
    } else {
        sched_wake(thread, WAIT_AWAKENED);
    }

    return KERN_SUCCESS;
}

void
exception_reply_failed(struct ipc_port *port)
{
    struct thread *thread = convert_port_to_exception(ipc_port_to_handle(port));

    if (thread != NULL) {
        (void)exception_answer(thread, KERN_FAILURE);
        thread_unref(thread);
    }
}

kern_return_t
exception_raise_reply(exception_reply_t reply_port, kern_return_t return_code)
{
    return exception_answer(reply_port, return_code);
}

kern_return_t
exception_raise_state_reply(exception_reply_t reply_port,
                            kern_return_t return_code, natural_t *new_state,
                            mach_msg_type_number_t new_stateCnt)
{
    if (reply_port == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    if (return_code == KERN_SUCCESS && new_stateCnt != 0) {
        return_code = context_set_state(reply_port, x86_THREAD_STATE64,
                                        new_state, new_stateCnt);
    }

    return exception_answer(reply_port, return_code);
}

kern_return_t
exception_raise_state_identity_reply(exception_reply_t reply_port,
                                     kern_return_t return_code,
                                     natural_t *new_state,
                                     mach_msg_type_number_t new_stateCnt)
{
    return exception_raise_state_reply(reply_port, return_code, new_state,
                                       new_stateCnt);
}

kern_return_t
exception_set_ports(struct exception_action *actions, struct spinlock *lock,
                    exception_mask_t mask, mach_port_t handle,
                    exception_behavior_t behavior, thread_state_flavor_t flavor)
{
    struct ipc_port *port = ipc_port_from_handle(handle);
    struct ipc_port *old[EXC_TYPES_COUNT] = { NULL };

    if ((mask & ~EXC_MASK_ALL) != 0 || behavior < EXCEPTION_DEFAULT ||
        behavior > EXCEPTION_STATE_IDENTITY) {
        return KERN_INVALID_ARGUMENT;
    }

    spin_lock(lock);

    for (unsigned int i = 0; i < EXC_TYPES_COUNT; i++) {
        if ((mask & EXC_MASK(i)) != 0) {
            old[i] = actions[i].port;
            actions[i] = (struct exception_action){
                .port = ipc_port_copy_send(port),
                .behavior = behavior,
                .flavor = flavor,
            };
        }
    }

    spin_unlock(lock);

    for (unsigned int i = 0; i < EXC_TYPES_COUNT; i++) {
        ipc_port_release_send(old[i]);
    }

    ipc_port_release_send(port);
    return KERN_SUCCESS;
}

void
exception_release_ports(struct exception_action *actions)
{
    for (unsigned int i = 0; i < EXC_TYPES_COUNT; i++) {
        ipc_port_release_send(actions[i].port);
        actions[i].port = NULL;
    }
}

void
exception_copy_ports(struct exception_action *to, struct exception_action *from,
                     struct spinlock *from_lock)
{
    spin_lock(from_lock);

    for (unsigned int i = 0; i < EXC_TYPES_COUNT; i++) {
        to[i] = from[i];
        to[i].port = ipc_port_copy_send(from[i].port);
    }

    spin_unlock(from_lock);
}
