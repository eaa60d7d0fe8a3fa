/* SPDX-License-Identifier: MIT */
/*
 * Ends another server: argv[1] says the how manieth of the host's tasks it
 * is, argv[2] after how many milliseconds.
 */

#include <stdio.h>
#include <stdlib.h>

#include <mach/bootstrap.h>
#include <mach/mach.h>

int
main(int argc, char **argv)
{
    mach_port_array_t tasks;
    mach_msg_type_number_t count;
    mach_port_t host_priv;
    unsigned long victim;
    kern_return_t kr;

    if (argc != 3) {
        return 1;
    }

    victim = strtoul(argv[1], NULL, 10);
    (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT,
                        (mach_msg_timeout_t)strtoul(argv[2], NULL, 10));
    kr = bootstrap_host_priv(bootstrap_port, &host_priv);

    if (kr == KERN_SUCCESS) {
        kr = host_tasks(host_priv, &tasks, &count);
    }

    if (kr == KERN_SUCCESS) {
        kr = victim < count ? task_terminate(tasks[victim])
                            : KERN_INVALID_ARGUMENT;
    }

    printf("task %lu is ended: %s\n", victim, mach_error_string(kr));
    return 0;
}
