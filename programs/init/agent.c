/* SPDX-License-Identifier: MIT */
/*
 * The session: frames are dealt with one by one, in order. One poll waits for
 * whatever comes next: a frame, output of the command, room in its input, or
 * its end, which a signal handler makes readable through a pipe.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "command.h"
#include "files.h"
#include "frame.h"

static struct {
    int input;
    int output;
    bool scripted;
    bool input_ended;
    bool done;     /* SHUTDOWN, or nothing more to do */
    int wake[2];   /* written by the handler of SIGCHLD */
    size_t credit; /* not yet acknowledged */
    uint8_t *run;  /* a RUN that comes in parts */
    size_t run_size;
} agent;

static struct frame_input input;
static struct command command;
static struct put put;

/* -- Out ------------------------------------------------------------------- */

static void
write_all(const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t done = write(agent.output, at, size);

        if (done < 0 && errno == EINTR) {
            continue;
        }

        if (done < 0) {
            agent.done = true; /* the line is gone: so is the host */
            return;
        }

        at += done;
        size -= (size_t)done;
    }
}

/* In one write, so that a frame does not travel in two pieces. */
void
agent_send(uint8_t type, const void *payload, size_t size)
{
    static uint8_t bytes[sizeof(struct channel_header) + CHANNEL_PAYLOAD_MAX];
    struct channel_header header;

    frame_header(&header, type, payload, (uint32_t)size);
    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + sizeof(header), payload, size);
    write_all(bytes, sizeof(header) + size);
}

static void
send_credit(void)
{
    struct channel_credit credit = { .bytes = (uint32_t)agent.credit };

    if (agent.credit != 0) {
        agent_send(CHANNEL_CREDIT, &credit, sizeof(credit));
        agent.credit = 0;
    }
}

static void
add_credit(size_t size)
{
    agent.credit += size;

    if (agent.credit >= CHANNEL_WINDOW / 4) {
        send_credit();
    }
}

/* -- Frames ---------------------------------------------------------------- */

static void
frame_run(const struct frame *frame)
{
    uint8_t *run = realloc(agent.run, agent.run_size + frame->length + 1);

    if (run == NULL) {
        agent.done = true;
        return;
    }

    memcpy(run + agent.run_size, frame->payload, frame->length);
    agent.run = run;
    agent.run_size += frame->length;

    if ((frame->flags & CHANNEL_MORE) == 0) {
        command_start(&command, run, agent.run_size);
        free(run);
        agent.run = NULL;
        agent.run_size = 0;
    }
}

static void
frame_signal(const struct frame *frame)
{
    struct channel_signal request;

    if (frame->length == sizeof(request) && command.running) {
        memcpy(&request, frame->payload, sizeof(request));
        kill(-command.pid, (int)request.signal);
    }
}

/* Whether a frame has to wait: the command runs, or its input is full. */
static bool
frame_waits(const struct frame *frame)
{
    switch (frame->type) {
    case CHANNEL_STDIN:
        return command.waiting != 0;
    case CHANNEL_RUN:
    case CHANNEL_PUT:
    case CHANNEL_GET:
    case CHANNEL_SHUTDOWN:
        return command.running;
    default:
        return false;
    }
}

static void
frame_perform(const struct frame *frame)
{
    switch (frame->type) {
    case CHANNEL_HELLO:
        return; /* of no length on the window */
    case CHANNEL_STDIN:
        if (command.running && command.input >= 0) {
            command_input(&command, frame->payload, frame->length,
                          frame_size(frame));
            add_credit(command_push(&command));
            return;
        }
        break;
    case CHANNEL_RUN:
        frame_run(frame);
        break;
    case CHANNEL_SIGNAL:
        frame_signal(frame);
        break;
    case CHANNEL_PUT:
        put_start(&put, frame->payload, frame->length);
        break;
    case CHANNEL_DATA:
        put_data(&put, frame->payload, frame->length);
        break;
    case CHANNEL_GET:
        get_send(frame->payload, frame->length);
        break;
    case CHANNEL_SHUTDOWN:
        agent.done = true;
        break;
    default:
        break;
    }

    add_credit(frame_size(frame));
}

/* Deal with all frames that can be. */
static void
frames(void)
{
    struct frame frame;

    while (!agent.done) {
        enum frame_result result = frame_peek(&input, &frame);

        if (result == FRAME_BAD) {
            agent.done = true;
            return;
        }

        if (result == FRAME_NONE || frame_waits(&frame)) {
            return;
        }

        frame_perform(&frame);
        frame_drop(&input, &frame);
    }
}

/* -- Events ---------------------------------------------------------------- */

static void
on_child(int number)
{
    int saved = errno;

    (void)number;
    (void)write(agent.wake[1], "", 1);
    errno = saved;
}

void
agent_reap(void)
{
    char bytes[64];
    int status;
    pid_t pid;

    while (read(agent.wake[0], bytes, sizeof(bytes)) > 0) {
    }

    /* Orphans come here too. */
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == command.pid) {
            command.ended = true;
            command.status = status;
        }
    }

    if (command.running && command.ended) {
        size_t credit = command.credit;

        command.input_end = true;
        command.waiting = command.credit = 0;
        command_finish(&command);
        add_credit(credit);
    }
}

static void
read_input(void)
{
    size_t room;
    uint8_t *to = frame_room(&input, &room);
    ssize_t size;

    if (room == 0) {
        agent.done = true; /* the host does not keep to its window */
        return;
    }

    size = read(agent.input, to, room);

    if (size < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }

    if (size <= 0) {
        agent.input_ended = true;
        return;
    }

    frame_add(&input, (size_t)size);
}

/* A script is read when what was read is dealt with. */
static bool
wants_input(void)
{
    size_t room;

    (void)frame_room(&input, &room);
    return !agent.input_ended && room != 0;
}

static void
wait_for_events(void)
{
    struct pollfd fds[5];
    nfds_t count = 0;
    int in = -1, out = -1, error = -1;

#define WATCH(descriptor, what)                                                \
    (fds[count].fd = (descriptor), fds[count].events = (what),                 \
     fds[count].revents = 0, (int)count++)

    (void)WATCH(agent.wake[0], POLLIN);

    if (wants_input()) {
        in = WATCH(agent.input, POLLIN);
    }

    if (command.running && command.output >= 0) {
        out = WATCH(command.output, POLLIN);
    }

    if (command.running && command.error >= 0) {
        error = WATCH(command.error, POLLIN);
    }

    if (command.running && command.waiting != 0 && command.input >= 0) {
        (void)WATCH(command.input, POLLOUT);
    }

#undef WATCH

    if (poll(fds, count, -1) < 0) {
        return; /* a signal: agent_reap looks */
    }

    if (out >= 0 && fds[out].revents != 0) {
        (void)command_pull(&command, &command.output, CHANNEL_STDOUT);
    }

    if (error >= 0 && fds[error].revents != 0) {
        (void)command_pull(&command, &command.error, CHANNEL_STDERR);
    }

    if (in >= 0 && fds[in].revents != 0) {
        read_input();
    }
}

/* Whether nothing more can come: a script that ended without SHUTDOWN. */
static bool
is_over(void)
{
    return agent.input_ended && !command.running;
}

static void
session(void)
{
    struct channel_hello hello = { .version = CHANNEL_VERSION,
                                   .window = CHANNEL_WINDOW };

    agent_send(CHANNEL_HELLO, &hello, sizeof(hello));

    while (!agent.done) {
        frames();

        if (agent.done || is_over()) {
            break;
        }

        send_credit();
        wait_for_events();

        if (command.waiting != 0) {
            add_credit(command_push(&command));
        }

        agent_reap();
    }
}

void
agent_serve(int in, int out, bool scripted)
{
    struct sigaction action;

    agent.input = in;
    agent.output = out;
    agent.scripted = scripted;

    if (pipe(agent.wake) != 0) {
        return;
    }

    for (int i = 0; i < 2; i++) {
        fcntl(agent.wake[i], F_SETFL, O_NONBLOCK);
        fcntl(agent.wake[i], F_SETFD, FD_CLOEXEC);
    }

    memset(&action, 0, sizeof(action));
    action.sa_handler = on_child;
    sigaction(SIGCHLD, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    session();
}
