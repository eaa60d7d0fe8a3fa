/* SPDX-License-Identifier: MIT */
/*
 * Test the stubs of one interface: the generated server against requests of
 * every kind, the generated client against replies of every kind.
 *
 *   harness [-s SEED] [-n ROUNDS]
 *
 * The seed is printed; the same seed gives the same test.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mach/mach_traps.h>

#include <tap.h>

#include "engine.h"

#define ENGINE_COMPLAINTS_SHOWN 8
#define ENGINE_STACK_SIZE 65536

NDR_record_t NDR_record = { 0, 0, 0, 0, 1, 0, 0, 0 };

unsigned int engine_rounds = 100;
static uint64_t engine_state = 1;
static unsigned int engine_complaints;

void
complain(const char *format, ...)
{
    va_list args;

    engine_complaints++;

    if (engine_complaints <= ENGINE_COMPLAINTS_SHOWN) {
        printf("# ");
        va_start(args, format);
        vprintf(format, args);
        va_end(args);
        putchar('\n');
    }
}

void
engine_result(const char *side, const char *routine, const char *what)
{
    ok(engine_complaints == 0, "%s %s: %s", side, routine, what);
    engine_complaints = 0;
}

uint32_t
engine_random(void)
{
    /* xorshift64*: S. Vigna, 2016. */
    engine_state ^= engine_state >> 12;
    engine_state ^= engine_state << 25;
    engine_state ^= engine_state >> 27;
    return (uint32_t)((engine_state * 0x2545f4914f6cdd1d) >> 32);
}

uint32_t
engine_below(uint32_t limit)
{
    return (limit == 0) ? 0 : engine_random() % limit;
}

void
engine_fill(void *to, size_t size)
{
    uint8_t *bytes = to;

    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)engine_random();
    }
}

uint64_t
engine_mark(void)
{
    return engine_state;
}

void
engine_return(uint64_t mark)
{
    engine_state = mark;
}

__attribute__((__noinline__, __no_sanitize__("address"))) void
engine_scribble(int byte)
{
    char stack[ENGINE_STACK_SIZE];

    memset(stack, byte, sizeof(stack));
    __asm__ volatile("" : : "r"(stack) : "memory");
}

/* The system's edge. */

mach_msg_return_t
mach_msg_trap(mach_msg_header_t *msg, mach_msg_option_t option, uint64_t sizes,
              uint64_t names, mach_msg_timeout_t timeout,
              mach_msg_header_t *rcv_msg)
{
    (void)timeout;
    (void)rcv_msg;

    if (client_is_calling) {
        return client_exchange(msg, option, (mach_msg_size_t)sizes,
                               (mach_msg_size_t)(sizes >> 32),
                               (mach_port_name_t)names);
    }

    if (option != (MACH_SEND_MSG | MACH_SEND_TIMEOUT) ||
        (mach_msg_size_t)sizes != msg->msgh_size) {
        complain("a reply is sent with options 0x%x", option);
    }

    server_sent(msg);
    return server_send_result;
}

/* What kernel stubs call. */
mach_msg_return_t
mach_msg_rpc_from_kernel(mach_msg_header_t *msg, mach_msg_size_t send_size,
                         mach_msg_size_t rcv_size);
mach_msg_return_t
mach_msg_send_from_kernel(mach_msg_header_t *msg, mach_msg_size_t send_size);

mach_msg_return_t
mach_msg_rpc_from_kernel(mach_msg_header_t *msg, mach_msg_size_t send_size,
                         mach_msg_size_t rcv_size)
{
    return client_exchange(msg, MACH_SEND_MSG | MACH_RCV_MSG, send_size,
                           rcv_size, MACH_PORT_NULL);
}

mach_msg_return_t
mach_msg_send_from_kernel(mach_msg_header_t *msg, mach_msg_size_t send_size)
{
    return client_exchange(msg, MACH_SEND_MSG, send_size, 0, MACH_PORT_NULL);
}

int
main(int argc, char **argv)
{
    uint64_t seed = (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid();
    int option;

    while ((option = getopt(argc, argv, "s:n:")) != -1) {
        switch (option) {
        case 's':
            seed = strtoull(optarg, NULL, 0);
            break;
        case 'n':
            engine_rounds = (unsigned int)strtoul(optarg, NULL, 0);
            break;
        default:
            return 2;
        }
    }

    printf("# seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    engine_state = seed * 2 + 1;
    (void)engine_random();

    if (&harness_server != NULL) {
        server_test();
    }

    if (&harness_client != NULL) {
        client_test();
    }

    return tap_done();
}
