/* SPDX-License-Identifier: MIT */
/*
 * What a hostile program can do to the Unix server beside its calls: messages
 * of every shape to the process port, rights and memory in them, replies that
 * nobody takes, forged kernel messages, death in the middle of a call. Each is
 * done in a child, again and again; after each the server answers, and at the
 * end no port, task or thread is left behind.
 */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mach/mach.h>

#include <unix/abi.h>
#include <unix/error.h>
#include <unix/unix_file.h>
#include <unix/unix_process.h>

#include "tap.h"

#define PORT UNIX_PROCESS_PORT
#define SIZE_MAX_SENT 12000
#define ROUNDS 400

static uint64_t seed = 88172645463325252UL;

static uint64_t
random_number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* The ids of the server's subsystems, and around them. */
static mach_msg_id_t
random_id(void)
{
    static const mach_msg_id_t bases[] = { 70000, 70200, 70400, 70600,
                                           70800, 70100, 2401,  64 };
    mach_msg_id_t id;

    do {
        id = bases[random_number() % 8] + (mach_msg_id_t)(random_number() % 34);
        /* Not the calls that end the machine or the child. */
    } while (id == 70004 || id == 70003 || id == 70002 || id == 70027 ||
             id == 70026 || id == 70209 || id == 70210);

    return id;
}

struct buffer {
    mach_msg_header_t head;
    mach_msg_body_t body;
    uint8_t data[SIZE_MAX_SENT];
};

static struct buffer message;

static void
fill(void)
{
    uint64_t *words = (uint64_t *)(void *)&message;
    size_t i;

    for (i = 0; i < sizeof(message) / 8; i++) {
        /* Small numbers get further than large ones. */
        words[i] = random_number() >> (random_number() % 64);
    }
}

/* Send it, and wait a little for an answer. */
static void
send_message(mach_msg_bits_t bits, mach_msg_size_t size, mach_msg_id_t id)
{
    mach_port_t reply = mach_reply_port();
    struct {
        struct buffer buffer;
        uint8_t trailer[64];
    } static answer;

    message.head.msgh_bits = bits;
    message.head.msgh_size = size;
    message.head.msgh_remote_port = PORT;
    message.head.msgh_local_port = reply;
    message.head.msgh_voucher_port = 0;
    message.head.msgh_id = id;

    if (mach_msg(&message.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, size, 0,
                 MACH_PORT_NULL, 10, MACH_PORT_NULL) == MACH_MSG_SUCCESS &&
        mach_msg(&answer.buffer.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
                 sizeof(answer), reply, 1,
                 MACH_PORT_NULL) == MACH_MSG_SUCCESS) {
        mach_msg_destroy(&answer.buffer.head);
    }

    (void)mach_port_destroy(mach_task_self(), reply);
}

#define SIMPLE                                                                 \
    MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE)

static void
random_messages(void)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        mach_msg_size_t size = 24 + (random_number() % 64) * 4;

        if (i % 16 == 0) {
            size = 24 + (random_number() % (SIZE_MAX_SENT - 64)) / 4 * 4;
        }

        fill();
        send_message(SIMPLE, size, random_id());
    }
}

/* Rights and memory where none are expected. */
static void
complex_messages(void)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        mach_msg_descriptor_t descriptor;
        uint8_t *at = message.data;
        unsigned int count = 1 + random_number() % 4;
        unsigned int n;

        fill();
        message.body.msgh_descriptor_count = count;

        for (n = 0; n < count; n++) {
            memset(&descriptor, 0, sizeof(descriptor));

            if ((random_number() & 1) != 0) {
                descriptor.port.name = mach_task_self();
                descriptor.port.disposition = MACH_MSG_TYPE_COPY_SEND;
                descriptor.port.type = MACH_MSG_PORT_DESCRIPTOR;
                memcpy(at, &descriptor, sizeof(descriptor.port));
                at += sizeof(descriptor.port);
            } else {
                descriptor.out_of_line.address = (uintptr_t)&message;
                descriptor.out_of_line.size = 1 + random_number() % 9000;
                descriptor.out_of_line.copy = MACH_MSG_VIRTUAL_COPY;
                descriptor.out_of_line.type = MACH_MSG_OOL_DESCRIPTOR;
                memcpy(at, &descriptor, sizeof(descriptor.out_of_line));
                at += sizeof(descriptor.out_of_line);
            }
        }

        at += (random_number() % 32) * 4;
        send_message(SIMPLE | MACH_MSGH_BITS_COMPLEX,
                     (mach_msg_size_t)(at - (uint8_t *)&message), random_id());
    }
}

/* A right to reply that is a send right, whose queue fills up. */
static void
full_replies(void)
{
    mach_port_t reply;
    int i;

    (void)mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &reply);

    for (i = 0; i < 200; i++) {
        memset(&message, 0, sizeof(message.head));
        message.head.msgh_bits =
            MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND);
        message.head.msgh_remote_port = PORT;
        message.head.msgh_local_port = reply;
        message.head.msgh_id = 70001; /* unix_null */
        (void)mach_msg(&message.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, 24, 0,
                       MACH_PORT_NULL, 10, MACH_PORT_NULL);
    }
}

/* As many as the queue takes, with nobody to take the answers. */
static void
flood(void)
{
    mach_port_t reply = mach_reply_port();
    int i;

    for (i = 0; i < 3000; i++) {
        memset(&message, 0, sizeof(message.head));
        message.head.msgh_bits = SIMPLE;
        message.head.msgh_remote_port = PORT;
        message.head.msgh_local_port = reply;
        message.head.msgh_id = 70001;
        (void)mach_msg(&message.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, 24, 0,
                       MACH_PORT_NULL, 0, MACH_PORT_NULL);
    }
}

/* Calls that wait for ever, dropped by who made them. */
static void
abandoned_calls(void)
{
    int ends[2];
    int i;

    if (pipe(ends) != 0) {
        return;
    }

    for (i = 0; i < 200; i++) {
        struct {
            mach_msg_header_t head;
            int32_t fd;
            uint32_t size;
            int64_t offset;
        } __attribute__((packed, aligned(4))) request;
        mach_port_t reply = mach_reply_port();

        memset(&request, 0, sizeof(request));
        request.head.msgh_bits = SIMPLE;
        request.head.msgh_remote_port = PORT;
        request.head.msgh_local_port = reply;
        request.head.msgh_id = 70401; /* unix_read */
        request.fd = ends[0];
        request.size = 10;
        request.offset = UNIX_OFFSET_CURRENT;
        (void)mach_msg(&request.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT,
                       sizeof(request), 0, MACH_PORT_NULL, 100, MACH_PORT_NULL);

        if (i % 2 == 0) {
            (void)mach_port_destroy(mach_task_self(), reply);
        }
    }

    (void)write(ends[1], "x", 1);
}

/* Wild addresses in calls that carry addresses. */
static void
wild_addresses(void)
{
    static const uint64_t wild[] = {
        0,
        1,
        0xfff,
        0x7ffffffff000UL,
        0x7fffffffffffUL,
        0x800000000000UL,
        0xffff800000000000UL,
        0xffffffff80000000UL,
        ~0UL,
        ~0UL - 4096,
    };
    int zero = open("/dev/zero", O_RDONLY);
    int null = open("/tmp/hostile", O_RDWR | O_CREAT, 0600);
    uint64_t done;
    size_t i;
    size_t j;

    for (i = 0; i < 10; i++) {
        for (j = 0; j < 10; j++) {
            (void)unix_read_long(PORT, zero, UNIX_OFFSET_CURRENT, wild[i],
                                 wild[j], &done);
            (void)unix_write_long(PORT, null, 0, wild[i], wild[j], &done);
            (void)unix_write_long(PORT, null, (int64_t)wild[j], wild[i], 4096,
                                  &done);
            (void)unix_exec(PORT, UNIX_AT_FDCWD, wild[i], wild[j] & 0x1ffff,
                            (uint32_t)wild[j], 1, (char *)"/bin/true");
        }
    }
}

/* Messages that only the kernel sends. */
static void
forged(void)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        fill();
        send_message(SIMPLE, 24 + (i % 80) * 4,
                     i % 2 != 0 ? 2401 + i % 3 : 64 + i % 9);
    }
}

static void
wait_in_read(void)
{
    int ends[2];
    char byte;

    if (pipe(ends) == 0) {
        (void)read(ends[0], &byte, 1);
    }
}

static void
wait_in_poll(void)
{
    struct pollfd fds[40];
    int ends[2];
    int i;

    if (pipe(ends) != 0) {
        return;
    }

    for (i = 0; i < 40; i++) {
        fds[i].fd = ends[i % 2];
        fds[i].events = i % 2 == 0 ? POLLIN : POLLPRI;
    }

    (void)poll(fds, 40, -1);
}

static void
wait_in_open(void)
{
    (void)mkfifo("/tmp/hostile.fifo", 0600);
    (void)open("/tmp/hostile.fifo", O_RDONLY);
}

static void
wait_in_wait(void)
{
    if (fork() == 0) {
        sleep(1);
        _exit(0);
    }

    (void)waitpid(-1, NULL, 0);
}

static void
wait_in_sleep(void)
{
    sleep(1000);
}

static void (*const waits[])(void) = {
    wait_in_read, wait_in_poll, wait_in_open, wait_in_wait, wait_in_sleep,
};

/* Killed in the middle of a call. */
static void
killed(void)
{
    int i;

    for (i = 0; i < 50; i++) {
        pid_t child = fork();

        if (child == 0) {
            waits[i % 5]();
            _exit(0);
        }

        usleep(1000 * (i % 4));
        kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
    }
}

/* The task ends without a word to the server. */
static void
terminated(void)
{
    int i;

    for (i = 0; i < 20; i++) {
        pid_t child = fork();
        int status = 0;

        if (child == 0) {
            (void)task_terminate(mach_task_self());
            _exit(0);
        }

        (void)waitpid(child, &status, 0);

        if (!WIFSIGNALED(status)) {
            _exit(9);
        }
    }
}

/* -- The frame ------------------------------------------------------------- */

static int
in_child(void (*function)(void))
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        alarm(60);
        function();
        _exit(0);
    }

    if (child < 0 || waitpid(child, &status, 0) != child) {
        return -1;
    }

    return status;
}

static int
lives(void)
{
    char byte = 0;
    int ends[2];
    int status = -1;
    pid_t child;

    if (unix_null(PORT) != KERN_SUCCESS || pipe(ends) != 0) {
        return 0;
    }

    child = fork();

    if (child == 0) {
        _exit(write(ends[1], "y", 1) != 1);
    }

    (void)read(ends[0], &byte, 1);
    (void)waitpid(child, &status, 0);
    close(ends[0]);
    close(ends[1]);
    return byte == 'y' && status == 0;
}

struct counts {
    uint64_t ports;
    uint64_t tasks;
    uint64_t threads;
};

static int
count(struct counts *counts)
{
    struct host_object_counts info;
    mach_msg_type_number_t size = HOST_OBJECT_COUNTS_COUNT;

    if (host_info(mach_host_self(), HOST_OBJECT_COUNTS, (host_info_t)&info,
                  &size) != KERN_SUCCESS) {
        return 0;
    }

    counts->ports = info.ports;
    counts->tasks = info.tasks;
    counts->threads = info.threads;
    return 1;
}

static const struct {
    const char *name;
    void (*function)(void);
} attacks[] = {
    { "random messages", random_messages },
    { "rights and memory in messages", complex_messages },
    { "replies to a full queue", full_replies },
    { "a flood without takers", flood },
    { "calls that are abandoned", abandoned_calls },
    { "wild addresses", wild_addresses },
    { "forged kernel messages", forged },
    { "death in the middle of a call", killed },
    { "death without a word", terminated },
};

int
main(void)
{
    struct counts before;
    struct counts after;
    size_t i;

    (void)in_child(wild_addresses); /* makes its files */
    (void)in_child(killed);
    sleep(2);
    ok(count(&before), "counts");

    for (i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        int status = in_child(attacks[i].function);

        ok(status == 0 || WIFSIGNALED(status), "%s (status 0x%x)",
           attacks[i].name, (unsigned int)status);
        ok(lives(), "%s: the server lives", attacks[i].name);
    }

    sleep(2); /* for those who wait in vain */
    ok(count(&after), "counts");
    ok(after.tasks == before.tasks, "tasks: %lu, then %lu", before.tasks,
       after.tasks);
    ok(after.threads == before.threads, "threads: %lu, then %lu",
       before.threads, after.threads);
    ok(after.ports <= before.ports + 2, "ports: %lu, then %lu", before.ports,
       after.ports);
    return tap_done();
}
