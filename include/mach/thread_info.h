/* SPDX-License-Identifier: MIT */
/* What thread_info tells. */

#ifndef MACH_THREAD_INFO_H
#define MACH_THREAD_INFO_H

#include <mach/boolean.h>
#include <mach/time_value.h>
#include <mach/vm_types.h>

typedef natural_t thread_flavor_t;
typedef integer_t *thread_info_t;

#define THREAD_INFO_MAX 64 /* words */

#define THREAD_BASIC_INFO 3
struct thread_basic_info {
    time_value_t user_time;
    time_value_t system_time;
    integer_t priority;
    integer_t run_state; /* TH_STATE_* */
    integer_t suspend_count;
    integer_t flags;
};
typedef struct thread_basic_info thread_basic_info_data_t;
#define THREAD_BASIC_INFO_COUNT                                                \
    (sizeof(thread_basic_info_data_t) / sizeof(natural_t))

#define TH_STATE_RUNNING 1
#define TH_STATE_STOPPED 2
#define TH_STATE_WAITING 3 /* interruptibly */
#define TH_STATE_UNINTERRUPTIBLE 4
#define TH_STATE_HALTED 5

/* Priorities: 0 is the lowest, 63 the highest. */
#define THREAD_PRIORITY_IDLE 0
#define THREAD_PRIORITY_USER 24
#define THREAD_PRIORITY_SERVER 40
#define THREAD_PRIORITY_DRIVER 48
#define THREAD_PRIORITY_MAX 63

/* Options of thread_switch. */
#define SWITCH_OPTION_NONE 0
#define SWITCH_OPTION_DEPRESS 1
#define SWITCH_OPTION_WAIT 2

/* Special ports. */
#define THREAD_KERNEL_PORT 1

#endif /* MACH_THREAD_INFO_H */
