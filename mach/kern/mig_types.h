/* SPDX-License-Identifier: MIT */
/*
 * The C types that generated kernel stubs use for objects: the only place
 * where Mach's pointer typedefs live on.
 */

#ifndef KERN_MIG_TYPES_H
#define KERN_MIG_TYPES_H

typedef struct task *task_t;
typedef struct ipc_space *ipc_space_t;
typedef struct vm_map *vm_task_t;
typedef struct thread *thread_t;
typedef struct host *host_t;
typedef struct host *host_priv_t;
typedef struct host *host_security_t;
typedef struct host *device_master_t;
typedef struct interrupt *interrupt_t;
typedef struct memory_entry *memory_entry_t;
typedef struct thread *exception_reply_t;

#include <ipc/ipc_kobject.h>

#endif /* KERN_MIG_TYPES_H */
