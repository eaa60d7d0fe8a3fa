/* SPDX-License-Identifier: MIT */
/* As much of a task as memory management looks at. */

#ifndef KERN_TASK_H
#define KERN_TASK_H

#include <stdbool.h>

struct vm_map;

struct task {
    struct vm_map *map;
    bool vm_privilege;
};

extern struct task *kernel_task;

#endif /* KERN_TASK_H */
