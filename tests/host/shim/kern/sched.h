/* SPDX-License-Identifier: MIT */
/* Preemption points of host tests check that no spin lock is held. */

#ifndef KERN_SCHED_H
#define KERN_SCHED_H

void thread_preempt_point(void);

#endif /* KERN_SCHED_H */
