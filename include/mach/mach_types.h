/* SPDX-License-Identifier: MIT */
/*
 * The C types of the kernel interface. For a user each kernel object is a
 * port; the kernel gives the same type names to pointers (kern/mig_types.h).
 */

#ifndef MACH_MACH_TYPES_H
#define MACH_MACH_TYPES_H

#include <mach/exception.h>
#include <mach/host_info.h>
#include <mach/ipc_info.h>
#include <mach/notify.h>
#include <mach/std_types.h>
#include <mach/task_info.h>
#include <mach/thread_info.h>
#include <mach/thread_status.h>
#include <mach/time_value.h>
#include <mach/vm_inherit.h>
#include <mach/vm_prot.h>
#include <mach/vm_region.h>
#include <mach/vm_statistics.h>

typedef char boot_module_name_t[64];
typedef mach_port_t *thread_array_t;

#ifdef PORTOLAN_KERNEL
#include <kern/mig_types.h>
#else
typedef mach_port_t task_t;
typedef mach_port_t ipc_space_t;
typedef mach_port_t vm_task_t;
typedef mach_port_t thread_t;
typedef mach_port_t host_t;
typedef mach_port_t host_priv_t;
typedef mach_port_t host_security_t;
typedef mach_port_t device_master_t;
typedef mach_port_t interrupt_t;
typedef mach_port_t memory_entry_t;
#endif

#endif /* MACH_MACH_TYPES_H */
