/* SPDX-License-Identifier: MIT */
/*
 * The lock order: a processor may take a lock only of a higher rank than all
 * it holds, and within one rank only the higher address. docs/locking.md
 * gives the reason for each edge; debug kernels check every acquisition.
 */

#ifndef KERN_LOCK_RANK_H
#define KERN_LOCK_RANK_H

enum lock_rank {
    LOCK_RANK_NONE = 0,
    LOCK_RANK_HOST,      /* host ports, boot modules, task list */
    LOCK_RANK_TASK,      /* struct task */
    LOCK_RANK_THREAD,    /* struct thread: state other than scheduling */
    LOCK_RANK_VM_MAP,    /* struct vm_map: a sleep lock */
    LOCK_RANK_VM_OBJECT, /* struct vm_object: shadower before shadow */
    LOCK_RANK_PMAP,      /* struct pmap */
    LOCK_RANK_VM_PV,     /* reverse mappings of a page */
    LOCK_RANK_INTERRUPT, /* interrupt objects, the vector table */
    LOCK_RANK_SPACE,     /* struct ipc_space */
    LOCK_RANK_TRANSIT,   /* chains of receive rights in messages */
    LOCK_RANK_PORT,      /* struct ipc_port and its queue */
    LOCK_RANK_PSET,      /* a port set */
    LOCK_RANK_WAIT,      /* buckets of the event hash */
    LOCK_RANK_SLAB,      /* slab caches */
    LOCK_RANK_STACK,     /* the stock of kernel stacks */
    LOCK_RANK_VM_PAGE,   /* frame allocator and page queues */
    LOCK_RANK_TIMER,     /* timers of a processor; interrupts off */
    LOCK_RANK_RUN_QUEUE, /* run queue of a processor; interrupts off */
    LOCK_RANK_CONSOLE,   /* the boot console; interrupts off */
    LOCK_RANK_NUMBER
};

#endif /* KERN_LOCK_RANK_H */
