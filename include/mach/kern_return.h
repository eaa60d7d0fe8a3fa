/* SPDX-License-Identifier: MIT */
/*
 * Results of kernel operations, with the values that Mach 3.0 gave them.
 * Message results (mach_msg_return_t) are another family: <mach/message.h>.
 */

#ifndef MACH_KERN_RETURN_H
#define MACH_KERN_RETURN_H

typedef int kern_return_t;

#define KERN_SUCCESS 0
#define KERN_INVALID_ADDRESS 1    /* address not valid in the map */
#define KERN_PROTECTION_FAILURE 2 /* protection forbids the access */
#define KERN_NO_SPACE 3           /* no room for a range of that size */
#define KERN_INVALID_ARGUMENT 4
#define KERN_FAILURE 5
#define KERN_RESOURCE_SHORTAGE 6 /* out of kernel or physical memory */
#define KERN_NOT_RECEIVER 7
#define KERN_NO_ACCESS 8
#define KERN_MEMORY_FAILURE 9 /* the page was lost by its pager */
#define KERN_MEMORY_ERROR 10  /* the pager returned an error */
#define KERN_ALREADY_IN_SET 11
#define KERN_NOT_IN_SET 12
#define KERN_NAME_EXISTS 13 /* the name already denotes something */
#define KERN_ABORTED 14     /* thread_abort ended the operation */
#define KERN_INVALID_NAME 15
#define KERN_INVALID_TASK 16
#define KERN_INVALID_RIGHT 17
#define KERN_INVALID_VALUE 18
#define KERN_UREFS_OVERFLOW 19
#define KERN_INVALID_CAPABILITY 20
#define KERN_RIGHT_EXISTS 21 /* the space has a right under another name */
#define KERN_INVALID_HOST 22
#define KERN_MEMORY_PRESENT 23
#define KERN_INVALID_SECURITY 24 /* not the host's security port */
#define KERN_INVALID_PROCESSOR_SET 27
#define KERN_POLICY_LIMIT 28
#define KERN_INVALID_POLICY 29
#define KERN_INVALID_OBJECT 30
#define KERN_ALREADY_WAITING 31
#define KERN_DEFAULT_SET 32
#define KERN_TERMINATED 37 /* the object is being destroyed */
#define KERN_NOT_SUPPORTED 46
#define KERN_OPERATION_TIMED_OUT 49
#define KERN_NOT_WAITING 48
#define KERN_LIMIT_REACHED 60 /* the task's limit for this resource */

#endif /* MACH_KERN_RETURN_H */
