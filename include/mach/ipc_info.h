/* SPDX-License-Identifier: MIT */
/*
 * What mach_port_space_info and mach_port_kobject tell: for tools. Members
 * that would be a kernel address are 0.
 */

#ifndef MACH_IPC_INFO_H
#define MACH_IPC_INFO_H

#include <mach/boolean.h>
#include <mach/port.h>
#include <mach/vm_types.h>

/* What a port stands for. */
enum ipc_kobject_type {
    IKOT_NONE, /* nothing of the kernel's: a task receives from it */
    IKOT_HOST,
    IKOT_HOST_PRIV,
    IKOT_DEVICE_MASTER,
    IKOT_TASK,
    IKOT_THREAD,
    IKOT_MEMORY_ENTRY,
    IKOT_IO_PERM,
    IKOT_INTERRUPT,
    IKOT_EXCEPTION_REPLY,
    IKOT_HOST_SECURITY,
};

typedef struct ipc_info_space {
    natural_t iis_genno_mask; /* bits of a name that are its generation */
    natural_t iis_table_size; /* entries there are */
    natural_t iis_table_next; /* entries after the next growth */
    natural_t iis_tree_size;  /* 0 */
    natural_t iis_tree_small; /* 0 */
    natural_t iis_tree_hash;  /* send rights found by port */
} ipc_info_space_t;

typedef struct ipc_info_name {
    mach_port_name_t iin_name;
    boolean_t iin_collision; /* FALSE */
    mach_port_type_t iin_type;
    mach_port_urefs_t iin_urefs;
    natural_t iin_object; /* 0 */
    natural_t iin_next;   /* 0 */
    natural_t iin_hash;   /* 0 */
} ipc_info_name_t;
typedef ipc_info_name_t *ipc_info_name_array_t;

typedef struct ipc_info_tree_name {
    ipc_info_name_t iitn_name;
    mach_port_name_t iitn_lchild;
    mach_port_name_t iitn_rchild;
    natural_t iitn_pad;
} ipc_info_tree_name_t;
typedef ipc_info_tree_name_t *ipc_info_tree_name_array_t;

#endif /* MACH_IPC_INFO_H */
