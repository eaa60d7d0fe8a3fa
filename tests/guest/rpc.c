/* SPDX-License-Identifier: MIT */
/*
 * Messages between two tasks: first by hand, then with stubs and the server
 * loop, in this task and in a child.
 */

#include <tests/guest/echo.h>
#include <tests/guest/echo_server.h>

#include "tap.h"

void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
int strcmp(const char *a, const char *b);

struct simple {
    mach_msg_header_t head;
    uint64_t value;
    mach_msg_trailer_t trailer;
};

/* -- By hand --------------------------------------------------------------- */

static void
self_message(void)
{
    mach_port_t port = guest_port();
    struct simple m = { .head = { .msgh_bits = MACH_MSGH_BITS(
                                      MACH_MSG_TYPE_COPY_SEND, 0),
                                  .msgh_size = 32,
                                  .msgh_remote_port = port,
                                  .msgh_id = 4711 },
                        .value = 0x1122334455667788 };

    is(mach_msg(&m.head, MACH_SEND_MSG, 32, 0, 0, 0, 0), MACH_MSG_SUCCESS,
       "a message to oneself is sent");
    memset(&m, 0xee, sizeof(m));
    is(mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), port, 0, 0),
       MACH_MSG_SUCCESS, "and received");
    is(m.head.msgh_id, 4711, "its id");
    is(m.head.msgh_size, 32, "its size");
    is(m.value, 0x1122334455667788, "its data");
    is(m.head.msgh_local_port, port, "the port it came to");
    is(m.head.msgh_remote_port, MACH_PORT_NULL, "nobody to reply to");
    is(MACH_MSGH_BITS_LOCAL(m.head.msgh_bits), MACH_MSG_TYPE_PORT_SEND,
       "the right it was sent with");
    is(m.head.msgh_bits & MACH_MSGH_BITS_KERNEL, 0, "not from the kernel");
    is(m.trailer.msgh_trailer_size, 8, "its trailer");
    is(mach_port_destroy(mach_task_self(), port), KERN_SUCCESS, "port gone");
}

/* A server by hand: answers `value + 1` until the value is 0. */
static void
hand_server(mach_port_t port)
{
    struct simple m;
    mach_msg_return_t mr;

    mr = mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), port, 0, 0);

    while (mr == MACH_MSG_SUCCESS && m.value != 0) {
        m.value++;
        m.head.msgh_bits =
            MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(m.head.msgh_bits), 0);
        m.head.msgh_local_port = MACH_PORT_NULL;
        m.head.msgh_id += 100;
        m.head.msgh_size = 32;
        mr = mach_msg(&m.head, MACH_SEND_MSG | MACH_RCV_MSG, 32, sizeof(m),
                      port, 0, 0);
    }
}

/* In a child: the port that it got is a send right through which it sends
 * the receive right's owner a right of its own. */
static void
hand_child(mach_port_t parent)
{
    mach_port_t port = guest_port();
    struct {
        mach_msg_header_t head;
        mach_msg_body_t body;
        mach_msg_port_descriptor_t port;
    } hello = {
        .head = { .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0) |
                               MACH_MSGH_BITS_COMPLEX,
                  .msgh_size = sizeof(hello),
                  .msgh_remote_port = parent,
                  .msgh_id = 1 },
        .body = { 1 },
        .port = { .name = port,
                  .disposition = MACH_MSG_TYPE_MAKE_SEND,
                  .type = MACH_MSG_PORT_DESCRIPTOR },
    };

    if (mach_msg(&hello.head, MACH_SEND_MSG, sizeof(hello), 0, 0, 0, 0) ==
        MACH_MSG_SUCCESS) {
        hand_server(port);
    }
}

/* Start a child and get the send right that it offers. */
static mach_port_t
start_child(void (*function)(mach_port_t), mach_port_t *taskp)
{
    struct {
        mach_msg_header_t head;
        mach_msg_body_t body;
        mach_msg_port_descriptor_t port;
        mach_msg_trailer_t trailer;
    } hello;
    mach_port_t port = guest_port();
    mach_msg_return_t mr;

    *taskp = guest_child(function, port, NULL);
    mr = mach_msg(&hello.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
                  sizeof(hello), port, 10000, 0);

    if (mr != MACH_MSG_SUCCESS) {
        tap_bail("no hello from the child: %s", mach_error_string(mr));
    }

    (void)mach_port_destroy(mach_task_self(), port);
    return hello.port.name;
}

static kern_return_t
hand_call(mach_port_t server, mach_port_t reply, struct simple *m,
          uint64_t value)
{
    m->head.msgh_bits =
        MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE);
    m->head.msgh_size = 32;
    m->head.msgh_remote_port = server;
    m->head.msgh_local_port = reply;
    m->head.msgh_voucher_port = 0;
    m->head.msgh_id = 500;
    m->value = value;
    return mach_msg(&m->head, MACH_SEND_MSG | MACH_RCV_MSG, 32, sizeof(*m),
                    reply, 0, 0);
}

static void
two_tasks(void)
{
    mach_port_t reply = mach_reply_port();
    mach_port_t task, server;
    struct simple m;
    bool good = true;

    ok(MACH_PORT_VALID(reply), "a reply port");
    server = start_child(hand_child, &task);
    ok(MACH_PORT_VALID(server), "the child sent a right to its own port");
    is(hand_call(server, reply, &m, 41), MACH_MSG_SUCCESS, "a call");
    is(m.value, 42, "its answer");
    is(m.head.msgh_id, 600, "the reply's id");
    is(MACH_MSGH_BITS_LOCAL(m.head.msgh_bits), MACH_MSG_TYPE_PORT_SEND_ONCE,
       "it came by a send-once right");

    for (uint64_t i = 1; i < 10000; i++) {
        good = good && hand_call(server, reply, &m, i) == 0 && m.value == i + 1;
    }

    ok(good, "ten thousand calls");

    m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
    m.head.msgh_remote_port = server;
    m.head.msgh_local_port = MACH_PORT_NULL;
    m.head.msgh_size = 32;
    m.value = 0;
    is(mach_msg(&m.head, MACH_SEND_MSG, 32, 0, 0, 0, 0), 0, "the last one");
    (void)mach_port_deallocate(mach_task_self(), server);
    (void)mach_port_deallocate(mach_task_self(), task);
    (void)mach_port_mod_refs(mach_task_self(), reply, MACH_PORT_RIGHT_RECEIVE,
                             -1);
}

/* -- With stubs ------------------------------------------------------------ */

static mach_port_t echo_self;

kern_return_t
do_echo_null(mach_port_t server)
{
    (void)server;
    return KERN_SUCCESS;
}

kern_return_t
do_echo_add(mach_port_t server, natural_t a, int64_t b, int64_t *sum)
{
    (void)server;
    *sum = a + b;
    return KERN_SUCCESS;
}

kern_return_t
do_echo_fail(mach_port_t server, integer_t code, mach_port_t port,
             pointer_t data, mach_msg_type_number_t dataCnt)
{
    (void)server;
    (void)port;
    (void)data;
    (void)dataCnt;
    return code;
}

kern_return_t
do_echo_text(mach_port_t server, echo_text_t text, echo_text_t copy)
{
    (void)server;
    (void)mig_strncpy(copy, text, sizeof(echo_text_t));
    return KERN_SUCCESS;
}

kern_return_t
do_echo_words(mach_port_t server, echo_words_t words,
              mach_msg_type_number_t wordsCnt, echo_words_t reversed,
              mach_msg_type_number_t *reversedCnt)
{
    (void)server;

    for (natural_t i = 0; i < wordsCnt; i++) {
        reversed[i] = words[wordsCnt - 1 - i];
    }

    *reversedCnt = wordsCnt;
    return KERN_SUCCESS;
}

kern_return_t
do_echo_port(mach_port_t server, mach_port_t port, mach_port_t *same)
{
    (void)server;
    *same = port;
    return KERN_SUCCESS;
}

kern_return_t
do_echo_data(mach_port_t server, pointer_t data, mach_msg_type_number_t dataCnt,
             pointer_t *same, mach_msg_type_number_t *sameCnt)
{
    (void)server;
    *same = data;
    *sameCnt = dataCnt;
    return KERN_SUCCESS;
}

kern_return_t
do_echo_ports(mach_port_t server, mach_port_array_t ports,
              mach_msg_type_number_t portsCnt, natural_t *count)
{
    (void)server;
    *count = 0;

    for (natural_t i = 0; i < portsCnt; i++) {
        if (MACH_PORT_VALID(ports[i])) {
            (*count)++;
            (void)mach_port_deallocate(mach_task_self(), ports[i]);
        }
    }

    mig_deallocate((vm_address_t)ports, portsCnt * sizeof(*ports));
    return KERN_SUCCESS;
}

kern_return_t
do_echo_stop(mach_port_t server)
{
    return mach_port_mod_refs(mach_task_self(), server, MACH_PORT_RIGHT_RECEIVE,
                              -1);
}

static void
echo_serve(void *argument)
{
    mach_port_t port = *(mach_port_t *)argument;

    (void)mach_msg_server(echo_server, 4096, port, 0);
}

static void
echo_child(mach_port_t parent)
{
    mach_port_t port = guest_port();
    struct {
        mach_msg_header_t head;
        mach_msg_body_t body;
        mach_msg_port_descriptor_t port;
    } hello = {
        .head = { .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0) |
                               MACH_MSGH_BITS_COMPLEX,
                  .msgh_size = sizeof(hello),
                  .msgh_remote_port = parent },
        .body = { 1 },
        .port = { .name = port,
                  .disposition = MACH_MSG_TYPE_MOVE_SEND,
                  .type = MACH_MSG_PORT_DESCRIPTOR },
    };

    if (mach_msg(&hello.head, MACH_SEND_MSG, sizeof(hello), 0, 0, 0, 0) ==
        MACH_MSG_SUCCESS) {
        echo_serve(&port);
    }
}

static void
stub_values(mach_port_t server)
{
    echo_text_t text;
    natural_t words[256], back[256];
    mach_msg_type_number_t count = 256;
    int64_t sum = 0;
    bool good = true;

    is(echo_null(server), KERN_SUCCESS, "the null routine");
    is(echo_add(server, 3, -45, &sum), KERN_SUCCESS, "numbers");
    is(sum, -42, "their sum");
    is(echo_text(server, "tide table", text), KERN_SUCCESS, "a string");
    ok(strcmp(text, "tide table") == 0, "came back");

    for (natural_t i = 0; i < 256; i++) {
        words[i] = i * i;
    }

    is(echo_words(server, words, 256, back, &count), KERN_SUCCESS, "an array");
    is(count, 256, "its count");

    for (natural_t i = 0; i < 256; i++) {
        good = good && back[i] == words[255 - i];
    }

    ok(good, "its words, reversed");
    count = 10;
    is(echo_words(server, words, 20, back, &count), MIG_ARRAY_TOO_LARGE,
       "more than the caller has room for");
    is(count, 20, "and how many there are");
    is(echo_words(server, words, 257, back, &count), MIG_ARRAY_TOO_LARGE,
       "more than the interface allows");
}

static void
stub_rights(mach_port_t server)
{
    mach_port_t port = guest_port(), same = 0, ports[3];
    mach_port_urefs_t refs = 0;
    natural_t count = 0;

    is(mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_SEND, 1),
       KERN_SUCCESS, "a second reference");
    is(echo_port(server, port, &same), KERN_SUCCESS, "a right travels");
    is(same, port, "and comes back under its name");
    is(mach_port_get_refs(mach_task_self(), port, MACH_PORT_RIGHT_SEND, &refs),
       KERN_SUCCESS, "references");
    is(refs, 2, "as before");
    ports[0] = port;
    ports[1] = MACH_PORT_NULL;
    ports[2] = port;
    is(echo_ports(server, ports, 3, &count), KERN_SUCCESS, "an array of ports");
    is(count, 2, "two of which are rights");
    is(echo_ports(server, NULL, 0, &count), KERN_SUCCESS, "an empty array");
    is(count, 0, "has none");

    /* Row 1 of the hazards: who fails takes nothing, and nothing stays. */
    is(echo_fail(server, KERN_FAILURE, port, (pointer_t)ports, sizeof(ports)),
       KERN_FAILURE, "a routine that fails");
    is(mach_port_get_refs(mach_task_self(), port, MACH_PORT_RIGHT_SEND, &refs),
       KERN_SUCCESS, "references");
    is(refs, 1, "the right that was moved is gone");
    (void)mach_port_destroy(mach_task_self(), port);
}

static void
stub_memory(mach_port_t server)
{
    static const vm_size_t sizes[] = { 1, 100, 4096, 4097, 1 << 20 };
    vm_address_t data;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        mach_msg_type_number_t count = 0;
        pointer_t same = 0;

        (void)vm_allocate(mach_task_self(), &data, sizes[i], 1);
        memset((void *)data, (int)i + 1, sizes[i]);
        is(echo_data(server, data, (mach_msg_type_number_t)sizes[i], &same,
                     &count),
           KERN_SUCCESS, "%lu bytes out of line", sizes[i]);
        ok(count == sizes[i] && same != data &&
               memcmp((void *)same, (void *)data, sizes[i]) == 0,
           "come back");

        if (same != 0) {
            (void)vm_deallocate(mach_task_self(), same, count);
        }

        (void)vm_deallocate(mach_task_self(), data, sizes[i]);
    }
}

static void
stub_errors(mach_port_t server)
{
    struct simple m;
    mach_port_t reply = mach_reply_port();

    is(hand_call(server, reply, &m, 1), MACH_MSG_SUCCESS, "an unknown id");
    is(((mig_reply_error_t *)&m)->RetCode, MIG_BAD_ID, "is answered");
    (void)mach_port_mod_refs(mach_task_self(), reply, MACH_PORT_RIGHT_RECEIVE,
                             -1);
    is(echo_null(MACH_PORT_NULL), MACH_SEND_INVALID_DEST, "no server");
    is(echo_null(0x7fff00), MACH_SEND_INVALID_DEST, "no such port");
}

static void
stubs(mach_port_t server)
{
    struct guest_counts before;

    for (int round = 0; round < 2; round++) {
        /* The first round makes what is made at first use. */
        if (round == 1) {
            guest_counts_get(&before);
        }

        stub_values(server);
        stub_rights(server);
        stub_memory(server);
        stub_errors(server);
    }

    guest_counts_check(&before, "all kinds of arguments");
}

static void
stubs_in_thread(void)
{
    mach_port_t thread;

    tap_diag("server in another thread");
    echo_self = guest_port();
    thread = guest_thread(echo_serve, &echo_self);
    stubs(echo_self);
    is(echo_stop(echo_self), KERN_SUCCESS, "the server ends");
    (void)mach_port_deallocate(mach_task_self(), thread);
}

static void
stubs_in_task(void)
{
    mach_port_t task, server;
    kern_return_t kr;

    tap_diag("server in another task");
    server = start_child(echo_child, &task);
    stubs(server);
    is(echo_stop(server), KERN_SUCCESS, "the server ends");
    kr = echo_null(server);
    ok(kr == MACH_SEND_INVALID_DEST || kr == MIG_SERVER_DIED,
       "nobody is there");
    (void)mach_port_deallocate(mach_task_self(), server);
    (void)mach_port_deallocate(mach_task_self(), task);
}

void
guest_main(void)
{
    self_message();
    two_tasks();
    stubs_in_thread();
    stubs_in_task();
}
