/* SPDX-License-Identifier: MIT */
/* A server that serves tests/guest/echo.defs and crashes when it is told to
 * stop. */

#include <stdio.h>
#include <string.h>

#include <mach/bootstrap.h>
#include <mach/mach.h>
#include <tests/guest/echo_server.h>

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
    strcpy(copy, text);
    return KERN_SUCCESS;
}

kern_return_t
do_echo_words(mach_port_t server, echo_words_t words,
              mach_msg_type_number_t wordsCnt, echo_words_t reversed,
              mach_msg_type_number_t *reversedCnt)
{
    (void)server;
    memcpy(reversed, words, wordsCnt * sizeof(words[0]));
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

/* Dies with the call under way. */
kern_return_t
do_echo_ports(mach_port_t server, mach_port_array_t ports,
              mach_msg_type_number_t portsCnt, natural_t *count)
{
    (void)server;
    (void)ports;
    (void)count;
    *(volatile int *)(uintptr_t)portsCnt = 1; /* page 0 */
    return KERN_FAILURE;
}

kern_return_t
do_echo_stop(mach_port_t server)
{
    (void)server;
    __builtin_trap();
}

int
main(int argc, char **argv)
{
    mach_port_t port;
    kern_return_t kr;

    kr = bootstrap_check_in(bootstrap_port, "victim", &port);
    printf("%s %s checks in: %s\n", argv[0], argc > 1 ? argv[1] : "",
           mach_error_string(kr));

    if (kr != KERN_SUCCESS) {
        return 1;
    }

    (void)mach_msg_server(echo_server, 8192, port, 0);
    return 1;
}
