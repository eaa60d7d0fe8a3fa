/* SPDX-License-Identifier: MIT */
/* The first task: loaded by the kernel from the first boot module. */

#ifndef KERN_BOOTSTRAP_H
#define KERN_BOOTSTRAP_H

/* Start it. Panics when there is none, or it is no program. */
void bootstrap_start(void);

#endif /* KERN_BOOTSTRAP_H */
