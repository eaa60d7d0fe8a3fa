/* SPDX-License-Identifier: MIT */
/* Advisory record locks, as fcntl() sets them: owned by a process. */

#ifndef UNIX_LOCK_H
#define UNIX_LOCK_H

#include <unix/file.h>

#include "server.h"

struct process;
struct vnode;

/* [start, end), end INT64_MAX: to infinity. */
struct lock_range {
    int64_t start;
    int64_t end;
    int type; /* UNIX_F_RDLCK, UNIX_F_WRLCK, UNIX_F_UNLCK */
};

/* EAGAIN: another process holds a lock that conflicts. ENOLCK. */
MUST_CHECK int lock_set(struct vnode *vnode, struct process *process,
                        const struct lock_range *range);

/* A lock that conflicts: its range and its owner's number; 0: none. */
int lock_test(struct vnode *vnode, struct process *process,
              struct lock_range *range);

/* vnode may be null. */
void lock_release_process(struct vnode *vnode, struct process *process);

/* Calls that wait for any lock: there is one queue for all. */
struct wait_queue *lock_queue(void);

#endif /* UNIX_LOCK_H */
