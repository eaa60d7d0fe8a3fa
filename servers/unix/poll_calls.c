/* SPDX-License-Identifier: MIT */
/* poll: a call that waits for many files at once. */

#include <stdlib.h>
#include <string.h>

#include <mach/mach.h>

#include <unix/unix_file_server.h>
#include <unix/unix_reply.h>

#include "call.h"
#include "descriptor.h"
#include "signal_delivery.h"

#define POLL_ALWAYS (UNIX_POLLERR | UNIX_POLLHUP | UNIX_POLLNVAL)
#define POLL_WRITE (UNIX_POLLOUT | UNIX_POLLWRNORM | UNIX_POLLWRBAND)

/* Two queues: a file may be waited for both ways. */
struct poll_item {
    struct file *file; /* reference, or null */
    struct unix_pollfd fd;
    struct wait_link read;
    struct wait_link write;
};

struct poll_call {
    struct call call;
    bool use_mask;
    unix_sigset_t old_mask;
    uint32_t count;
    struct poll_item items[];
};

/* What is true of one descriptor now. */
static int16_t
poll_events(struct file *file, int16_t wanted)
{
    if (file == NULL) {
        return UNIX_POLLNVAL;
    }

    return (int16_t)(file->ops->poll(file) & (wanted | POLL_ALWAYS));
}

static int
poll_scan(struct process *process, unix_pollfd_t *fds, uint32_t count)
{
    int ready = 0;
    uint32_t i;

    for (i = 0; i < count; i++) {
        fds[i].revents = 0;

        if (fds[i].fd >= 0) {
            fds[i].revents =
                poll_events(descriptor_file(process, fds[i].fd), fds[i].events);
        }

        ready += fds[i].revents != 0;
    }

    return ready;
}

static void
poll_answer(struct poll_call *poll, int ready)
{
    struct reply *reply = &poll->call.reply;
    unix_pollfd_t fds[UNIX_OPEN_MAX];
    uint32_t i;

    for (i = 0; i < poll->count; i++) {
        fds[i] = poll->items[i].fd;
    }

    if (poll->use_mask) {
        signal_state_set_mask(&poll->call.process->signals, poll->old_mask);
        signal_publish(poll->call.process);
    }

    (void)unix_poll_reply(reply->port, reply->type, KERN_SUCCESS, ready, fds,
                          poll->count);
    call_answered(&poll->call);
}

static bool
poll_attempt(struct call *call)
{
    struct poll_call *poll = list_entry(call, struct poll_call, call);
    int ready = 0;
    uint32_t i;

    for (i = 0; i < poll->count; i++) {
        struct poll_item *item = &poll->items[i];

        if (item->file != NULL) {
            item->fd.revents = poll_events(item->file, item->fd.events);
            ready += item->fd.revents != 0;
        }
    }

    if (ready == 0) {
        return false;
    }

    poll_answer(poll, ready);
    return true;
}

static void
poll_end(struct call *call, int error)
{
    struct poll_call *poll = list_entry(call, struct poll_call, call);

    if (error != 0) {
        /* The mask stays as it is: <unix/unix_file.defs>. */
        call_answer(call, error);
    } else {
        poll_answer(poll, 0);
    }
}

static void
poll_release(struct call *call)
{
    struct poll_call *poll = list_entry(call, struct poll_call, call);
    uint32_t i;

    for (i = 0; i < poll->count; i++) {
        struct poll_item *item = &poll->items[i];

        if (item->file != NULL) {
            call_wait_end(&item->read);
            call_wait_end(&item->write);
            file_unref(item->file);
        }
    }
}

static const struct call_ops poll_call_ops = {
    .attempt = poll_attempt,
    .end = poll_end,
    .release = poll_release,
};

static void
poll_wait_for(struct poll_call *poll, struct poll_item *item, struct file *file)
{
    struct wait_queue *queue;

    item->file = file_ref(file);
    list_init(&item->read.link);
    list_init(&item->write.link);

    if ((item->fd.events & ~POLL_WRITE) != 0 || item->fd.events == 0) {
        queue = file->ops->queue(file, false);

        if (queue != NULL) {
            call_wait(&poll->call, &item->read, queue);
        }
    }

    if ((item->fd.events & POLL_WRITE) != 0) {
        queue = file->ops->queue(file, true);

        if (queue != NULL) {
            call_wait(&poll->call, &item->write, queue);
        }
    }
}

static int
poll_park(struct process *process, const struct reply *reply,
          const unix_pollfd_t *fds, uint32_t count, int64_t timeout,
          const unix_sigset_t *old_mask)
{
    struct poll_call *poll;
    uint32_t i;

    poll = call_create(sizeof(*poll) + count * sizeof(poll->items[0]),
                       &poll_call_ops, process, reply);

    if (poll == NULL) {
        return ENOMEM;
    }

    poll->count = count;
    poll->use_mask = old_mask != NULL;
    poll->old_mask = old_mask != NULL ? *old_mask : 0;

    for (i = 0; i < count; i++) {
        struct poll_item *item = &poll->items[i];

        item->fd = fds[i];

        if (fds[i].fd >= 0) {
            poll_wait_for(poll, item, descriptor_file(process, fds[i].fd));
        }
    }

    if (timeout > 0) {
        call_timeout(&poll->call, clock_uptime() + (uint64_t)timeout);
    }

    return 0;
}

kern_return_t
do_unix_poll(process_t process, mach_port_t reply,
             mach_msg_type_name_t replyPoly, int64_t timeout,
             boolean_t use_mask, uint64_t mask, unix_pollfd_array_t fds,
             mach_msg_type_number_t fdsCnt, int32_t *ready,
             unix_pollfd_array_t result, mach_msg_type_number_t *resultCnt)
{
    struct reply where = reply_make(reply, replyPoly);
    unix_sigset_t old_mask = process->signals.mask;
    int error;

    if (use_mask) {
        signal_state_set_mask(&process->signals, mask);
        signal_deliver(process);
    }

    *ready = poll_scan(process, fds, fdsCnt);

    if (*ready == 0 && timeout != 0) {
        error = call_check_signals(process, EINTR);

        if (error == 0) {
            error = poll_park(process, &where, fds, fdsCnt, timeout,
                              use_mask ? &old_mask : NULL);
        }

        return error == 0 ? MIG_NO_REPLY : unix_result(error);
    }

    if (use_mask) {
        signal_state_set_mask(&process->signals, old_mask);
        signal_publish(process);
    }

    memcpy(result, fds, fdsCnt * sizeof(fds[0]));
    *resultCnt = fdsCnt;
    return KERN_SUCCESS;
}
