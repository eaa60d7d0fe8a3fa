/* SPDX-License-Identifier: MIT */
/*
 * A task owns an address space, a port space, and threads. It is active until
 * task_terminate; then its threads end, its rights are released, its memory
 * goes with the last reference.
 *
 * A task that an ordinary task makes belongs to it: their number is bounded,
 * and they end with it. A task with vm_privilege, such as the Unix server,
 * makes tasks that belong to nobody. One without threads, whose port nobody
 * can name any more, ends by itself.
 *
 * References: the self port while active, each thread, callers.
 *
 * Lock keys: (c) set at creation, (l) task->lock, (a) atomic.
 */

#ifndef KERN_TASK_H
#define KERN_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include <kern/list.h>
#include <kern/refcount.h>
#include <kern/spinlock.h>
#include <kern/thread.h>
#include <mach/task_info.h>
#include <machine/io_perms.h>

struct vm_map;
struct ipc_space;
struct ipc_port;
struct cpu;

struct task {
    struct spinlock lock; /* LOCK_RANK_TASK */
    struct refcount refs;
    bool active;                /* (l) */
    struct vm_map *map;         /* (c) ref */
    struct ipc_space *space;    /* (c) ref */
    struct list threads;        /* (l) */
    unsigned int thread_count;  /* (l) */
    unsigned int suspend_count; /* (l) */
    struct list link;           /* task_list_lock */
    struct task *owner;         /* task_list_lock: who made it; no reference */
    struct list owned;          /* task_list_lock: tasks it made */
    struct list owned_link;     /* task_list_lock: the owner's list */
    unsigned int owned_count;   /* task_list_lock */
    uint8_t priority;           /* (l) of new threads */
    uint8_t max_priority;       /* (l) */
    bool vm_privilege;          /* (l) may use the reserve of frames */
    uint64_t user_time;         /* (l) ns, of ended threads */
    uint64_t system_time;       /* (l) */
    struct ipc_port *self_port; /* (l) kernel object port, NULL once dead */
    struct ipc_port *special[TASK_SPECIAL_PORT_MAX + 1]; /* (l) send rights */
    struct ipc_port *registered[TASK_PORT_REGISTER_MAX]; /* (l) */
    struct exception_action exceptions[EXC_TYPES_COUNT]; /* (l) */
    struct io_perms *io_perms;                           /* (l) NULL: none */
    uint32_t number; /* (c) for messages of the kernel */
};

#define TASK_OWNED_MAX 64u /* tasks that an ordinary task may have made */

extern struct task *kernel_task;
extern struct list task_list;
extern struct spinlock task_list_lock;

void task_setup(void);

/* A task with no threads; its memory empty, or made from the parent's by
 * inheritance. The caller gets a reference beside the self port's.
 * Returns KERN_SUCCESS, KERN_RESOURCE_SHORTAGE. */
MUST_CHECK kern_return_t task_create_internal(struct task *parent,
                                              bool inherit_memory,
                                              struct task **taskp);

void task_ref(struct task *task);
void task_unref(struct task *task);

kern_return_t task_terminate(struct task *task);

/* Nobody can name the task any more. References: the caller's, kept. */
void task_no_senders(struct task *task);

/* The last thread of a terminated task is gone: release space and memory. */
void task_thread_gone(struct task *task, struct thread *thread);

/* Put the task's I/O permissions into this processor's TSS. */
void task_io_load(struct cpu *cpu, struct task *task);

/* Add or take a range. KERN_RESOURCE_SHORTAGE: no room for one more. */
MUST_CHECK kern_return_t task_io_modify(struct task *task,
                                        struct io_range range, bool enable);

uint64_t task_count(void);

#endif /* KERN_TASK_H */
