/* SPDX-License-Identifier: MIT */
/* What task_info tells; task_suspend and resume counts as Mach 3.0. */

#ifndef MACH_TASK_INFO_H
#define MACH_TASK_INFO_H

#include <mach/time_value.h>
#include <mach/vm_types.h>

typedef natural_t task_flavor_t;
typedef integer_t *task_info_t;

#define TASK_INFO_MAX 64 /* words */

#define TASK_BASIC_INFO 4
struct task_basic_info {
    uint64_t virtual_size;  /* bytes mapped */
    uint64_t resident_size; /* bytes resident */
    time_value_t user_time; /* of all threads, the ended ones included */
    time_value_t system_time;
    integer_t suspend_count;
    integer_t thread_count;
};
typedef struct task_basic_info task_basic_info_data_t;
#define TASK_BASIC_INFO_COUNT                                                  \
    (sizeof(task_basic_info_data_t) / sizeof(natural_t))

/* The exact form of the times above, in nanoseconds. */
#define TASK_ABSOLUTETIME_INFO 1
struct task_absolutetime_info {
    uint64_t total_user;
    uint64_t total_system;
};
typedef struct task_absolutetime_info task_absolutetime_info_data_t;
#define TASK_ABSOLUTETIME_INFO_COUNT                                           \
    (sizeof(task_absolutetime_info_data_t) / sizeof(natural_t))

/* security_token_t, audit_token_t: see <mach/message.h>. */
#define TASK_SECURITY_TOKEN 13
#define TASK_SECURITY_TOKEN_COUNT 2u
#define TASK_AUDIT_TOKEN 15
#define TASK_AUDIT_TOKEN_COUNT 8u

/* Special ports. */
#define TASK_KERNEL_PORT 1    /* the task itself */
#define TASK_HOST_PORT 2      /* the host, without privilege */
#define TASK_BOOTSTRAP_PORT 4 /* the name service */
#define TASK_SPECIAL_PORT_MAX 4

#define TASK_PORT_REGISTER_MAX 3 /* mach_ports_register, mach_ports_lookup */

#endif /* MACH_TASK_INFO_H */
