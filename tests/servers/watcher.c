/* SPDX-License-Identifier: MIT */
/*
 * A server that tries bootstrap: what its manifest grants it gets, what it
 * does not it is refused; and another server's deaths do not reach it but as
 * a failed call. Results are TAP in the log.
 */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <mach/bootstrap.h>
#include <mach/mach.h>
#include <tests/guest/echo.h>

static unsigned int count;

static void
ok(bool good, const char *name)
{
    count++;
    printf("%sok %u - %s\n", good ? "" : "not ", count, name);
}

static void
is(kern_return_t got, kern_return_t want, const char *name)
{
    ok(got == want, name);

    if (got != want) {
        printf("# got %d (%s), want %d (%s)\n", got, mach_error_string(got),
               want, mach_error_string(want));
    }
}

static void
grants(void)
{
    mach_port_t port = MACH_PORT_NULL;
    vm_size_t size = 0;
    integer_t state = 99;
    char text[BOOTSTRAP_TEXT_MAX];
    mach_msg_type_number_t length = sizeof(text);

    is(bootstrap_look_up(bootstrap_port, "forbidden", &port),
       BOOTSTRAP_NOT_PRIVILEGED, "look up what is not granted");
    is(bootstrap_look_up(bootstrap_port, "nothing", &port),
       BOOTSTRAP_UNKNOWN_SERVICE, "look up what nobody has");
    is(bootstrap_check_in(bootstrap_port, "victim", &port),
       BOOTSTRAP_NOT_PRIVILEGED, "check in what is another's");
    is(bootstrap_register(bootstrap_port, "victim", mach_task_self()),
       BOOTSTRAP_NOT_PRIVILEGED, "register what is another's");
    is(bootstrap_host_priv(bootstrap_port, &port), BOOTSTRAP_NOT_PRIVILEGED,
       "the host's privileged port");
    is(bootstrap_device_master(bootstrap_port, &port), BOOTSTRAP_NOT_PRIVILEGED,
       "the device master port");
    is(bootstrap_interrupt(bootstrap_port, 4, &port), BOOTSTRAP_NOT_PRIVILEGED,
       "an interrupt");
    is(bootstrap_interrupt(bootstrap_port, 0xffffffff, &port),
       BOOTSTRAP_NOT_PRIVILEGED, "no interrupt");
    is(bootstrap_device_memory(bootstrap_port, 0xfee00000, 4096, &port),
       BOOTSTRAP_NOT_PRIVILEGED, "device memory");
    is(bootstrap_module(bootstrap_port, "victim", &port, &size),
       BOOTSTRAP_NOT_PRIVILEGED, "a module");
    is(bootstrap_module(bootstrap_port, "manifest", &port, &size), KERN_SUCCESS,
       "a module that is granted");
    ok(size != 0 && MACH_PORT_VALID(port), "has a size and a port");
    is(bootstrap_status(bootstrap_port, "victim", &state), KERN_SUCCESS,
       "the state of a service");
    is(bootstrap_status(bootstrap_port, "forbidden", &state),
       BOOTSTRAP_UNKNOWN_SERVICE, "of one that is none of its business");
    is(bootstrap_info(bootstrap_port, text, &length), KERN_SUCCESS, "a list");
    ok(length < sizeof(text) && memmem(text, length, "victim", 6) != NULL &&
           memmem(text, length, "forbidden", 9) == NULL,
       "of what it may see");
}

static void
registering(void)
{
    mach_port_t port, found = MACH_PORT_NULL;

    (void)mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port);
    (void)mach_port_insert_right(mach_task_self(), port, port,
                                 MACH_MSG_TYPE_MAKE_SEND);
    is(bootstrap_register(bootstrap_port, "mine", MACH_PORT_NULL),
       BOOTSTRAP_BAD_NAME, "register nothing");
    is(bootstrap_register(bootstrap_port, "mine", port), KERN_SUCCESS,
       "register a port");
    is(bootstrap_register(bootstrap_port, "mine", port),
       BOOTSTRAP_SERVICE_ACTIVE, "only once");
    is(bootstrap_look_up(bootstrap_port, "mine", &found), KERN_SUCCESS,
       "look it up");
    ok(found == port, "it is the same");
    (void)mach_port_destroy(mach_task_self(), port);
    (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 20);
    is(bootstrap_check_in(bootstrap_port, "mine", &port), KERN_SUCCESS,
       "when it is dead the name is free");
}

static void
malformed(void)
{
    struct {
        mach_msg_header_t head;
        natural_t words[64];
    } m;

    for (int id = 401990; id < 402120; id++) {
        memset(&m, 0xff, sizeof(m));
        m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
        m.head.msgh_size = (mach_msg_size_t)(24 + 4 * (id % 60));
        m.head.msgh_remote_port = bootstrap_port;
        m.head.msgh_local_port = MACH_PORT_NULL;
        m.head.msgh_voucher_port = 0;
        m.head.msgh_id = id;
        (void)mach_msg(&m.head, MACH_SEND_MSG, m.head.msgh_size, 0, 0, 0, 0);
    }

    grants();
}

static void
deaths(void)
{
    mach_port_t victim = MACH_PORT_NULL;
    kern_return_t kr;

    is(bootstrap_look_up(bootstrap_port, "victim", &victim), KERN_SUCCESS,
       "a service");

    for (int i = 0; i < 3; i++) {
        natural_t n = 0;

        is(echo_null(victim), KERN_SUCCESS, "it answers");
        kr = echo_ports(victim, NULL, 0, &n);
        is(kr, MIG_SERVER_DIED, "it dies with a call");
    }

    is(echo_null(victim), KERN_SUCCESS, "it answers by the same right");
    is(echo_stop(victim), KERN_SUCCESS, "it is told to die");
    is(echo_null(victim), KERN_SUCCESS, "who waits in the queue is served");
}

int
main(void)
{
    grants();
    registering();
    malformed();
    deaths();
    printf("1..%u\n", count);
    return 0;
}
