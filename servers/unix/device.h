/* SPDX-License-Identifier: MIT */
/* Character devices: what stands in /dev. */

#ifndef UNIX_DEVICE_H
#define UNIX_DEVICE_H

#include "file.h"

/* EAGAIN: it is not known yet whether the device is there; wait on
 * device_wait_queue(). ENXIO. */
MUST_CHECK int device_open_file(struct process *process, struct vnode *vnode,
                                uint32_t flags, struct file **filep);

/* Where an open waits that got EAGAIN; null: nowhere. */
struct wait_queue *device_wait_queue(const struct vnode *vnode);

/* The nodes of /dev. */
struct device_node {
    const char *name;
    uint32_t mode;
    uint64_t rdev;
};

extern const struct device_node device_nodes[];
extern const size_t device_node_count;

/* Bring up the terminals. */
void device_setup(void);

#endif /* UNIX_DEVICE_H */
