/* SPDX-License-Identifier: MIT */
/* The smallest first task: it starts, gets its ports, prints, ends. */

#include "tap.h"

void
guest_main(void)
{
    ok(true, "the first task runs");
    is(mach_null_trap(), KERN_SUCCESS, "the null trap returns");
    ok(MACH_PORT_VALID(mach_task_self()), "the task has its own port");
    ok(MACH_PORT_VALID(guest_host_priv), "it has the privileged host port");
    ok(MACH_PORT_VALID(guest_device_master), "it has the device master port");
}
