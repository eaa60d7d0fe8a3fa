/* SPDX-License-Identifier: MIT */
/* As much of a thread as memory management looks at. */

#ifndef KERN_THREAD_H
#define KERN_THREAD_H

struct task;

struct thread {
    struct task *task;
};

#endif /* KERN_THREAD_H */
