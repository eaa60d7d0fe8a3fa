/* SPDX-License-Identifier: MIT */
/* All of Mach for a user program: link with -lmach. */

#ifndef MACH_MACH_H
#define MACH_MACH_H

#include <mach/boolean.h>
#include <mach/gsync.h>
#include <mach/kern_return.h>
#include <mach/mach_error.h>
#include <mach/mach_init.h>
#include <mach/mach_traps.h>
#include <mach/mach_types.h>
#include <mach/message.h>
#include <mach/mig_errors.h>
#include <mach/mig_support.h>
#include <mach/notify.h>
#include <mach/port.h>
#include <mach/server.h>
#include <mach/std_types.h>

/* The stubs that MIG makes of the kernel's interfaces. */
#include <mach/bootstrap.h>
#include <mach/device_grant.h>
#include <mach/host_security.h>
#include <mach/mach_host.h>
#include <mach/mach_port.h>
#include <mach/memory_entry.h>
#include <mach/task.h>
#include <mach/thread_act.h>
#include <mach/vm_map.h>

#endif /* MACH_MACH_H */
