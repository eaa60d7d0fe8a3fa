/* SPDX-License-Identifier: MIT */
/*
 * What the port code stands on, for tests on the host: simulated tasks and
 * threads, memory that is counted and can run out, locks that are checked.
 *
 * A thread is a struct thread with no stack: all waits of the port code are
 * by continuation, so a blocked trap leaves nothing behind but what is in the
 * structure, and goes on when the test lets it. User memory is an array of
 * each task; its addresses are those of the host.
 */

#ifndef TESTS_HOST_IPC_ENV_H
#define TESTS_HOST_IPC_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kern/slab.h>
#include <mach/kern_return.h>
#include <mach/message.h>

struct ipc_port;
struct ipc_space;
struct thread;

#define ENV_MEMORY 16384 /* bytes of a task's user memory */
#define ENV_REGIONS 64   /* out-of-line regions that it may hold */

struct env_task {
    struct task *task;
    struct ipc_space *space;
    struct thread *thread;
    char *memory;
    bool blocked;   /* its thread waits */
    int64_t result; /* of the last trap that ended */
    struct {
        void *at;
        size_t size;
    } regions[ENV_REGIONS];
};

void env_setup(void);

/* A task with one thread. */
struct env_task *env_task_create(void);
/* It ends as the kernel ends one: a wait is interrupted, the space emptied. */
void env_task_destroy(struct env_task *task);

/* Kernel code that follows runs as this task's thread. */
void env_enter(struct env_task *task);

/* The message trap. False: the thread waits. Threads that were woken by it
 * have run as far as they can. */
bool env_msg(struct env_task *task, void *message, mach_msg_option_t option,
             mach_msg_size_t send_size, mach_msg_size_t receive_size,
             mach_port_name_t receive_name, mach_msg_timeout_t timeout);

/* End the wait: its time is up, or it is aborted. */
void env_timeout(struct env_task *task);
void env_abort(struct env_task *task);

/* Let all threads run that can; after kernel code that may wake some. */
void env_run(void);

/* Give back out-of-line memory that a message brought. */
void env_region_free(struct env_task *task, uint64_t address);

/*
 * Routines that take or give rights, as a caller's message makes them: the
 * right leaves its space first, and what an error leaves of it is released.
 * Allocation env_fail_at, from 1, of the routine itself fails, in the next of
 * these calls only.
 */
extern unsigned int env_fail_at;

#define ENV_SEND_FAILED (-1) /* the message could not have been sent */

kern_return_t env_insert_right(struct env_task *caller, struct env_task *target,
                               mach_port_name_t name, mach_port_name_t right,
                               mach_msg_type_name_t disposition);
kern_return_t
env_extract_right(struct env_task *caller, struct env_task *target,
                  mach_port_name_t name, mach_msg_type_name_t disposition,
                  mach_port_name_t *namep);
/* `notify` names a receive right, or is null. */
kern_return_t
env_request_notification(struct env_task *caller, struct env_task *target,
                         mach_port_name_t name, mach_msg_id_t id,
                         mach_port_mscount_t sync, mach_port_name_t notify,
                         mach_port_name_t *previousp);

/*
 * Compare what every port counts with the rights that there are, everywhere.
 * False if they differ; says where.
 */
bool env_audit(void);

/* Ports and other objects of the kernel. */
size_t env_ports(void);

/* Notifications that were lost for want of memory. */
extern unsigned int env_lost;

/* What the kernel prints comes here. */
void
env_printf(const char *format, ...) __attribute__((format(__printf__, 1, 2)));

/* A number that stands for all names and counts of the tasks, to compare. */
uint64_t env_snapshot(void);

#endif /* TESTS_HOST_IPC_ENV_H */
