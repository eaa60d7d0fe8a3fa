/* SPDX-License-Identifier: MIT */
/*
 * A process: one task, one thread, one port by which it calls.
 *
 * States: it runs (perhaps stopped by a signal, its task suspended) until it
 * exits; then it is a zombie without task, port, files and calls until its
 * parent has waited for it. Process groups live as long as they have members,
 * sessions as long as they have groups.
 *
 * The port's protected payload is the process's number and its generation, so
 * a message that was already on its way when the process ended finds nothing.
 */

#ifndef UNIX_PROCESS_INTERNAL_H
#define UNIX_PROCESS_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <mach/message.h>
#include <mach/port.h>

#include <unix/abi.h>
#include <unix/process.h>
#include <unix/signal.h>

#include "call.h"
#include "credentials.h"
#include "list.h"
#include "signal_state.h"
#include "timer.h"
#include "walk.h"

struct file;
struct tty;
struct vnode;

struct session {
    int sid;
    uint32_t refs;   /* groups */
    struct tty *tty; /* the controlling terminal, or null */
};

struct group {
    int pgid;
    struct session *session; /* reference */
    struct list members;     /* process->group_link */
    struct list link;        /* in all groups */
};

enum process_state {
    PROCESS_RUNS,
    PROCESS_STOPPED,
    PROCESS_ZOMBIE,
};

struct descriptor {
    struct file *file; /* reference, or null */
    bool close_on_exec;
};

struct shared_page {
    struct unix_process_page *page; /* in the server */
    mach_port_t entry;
    struct shared_page *next; /* free ones */
};

struct process {
    int pid;
    uint32_t generation;
    enum process_state state;
    struct process *parent;
    struct list children;
    struct list sibling_link;
    struct group *group;
    struct list group_link;
    struct list reap_link; /* doomed, or ended and nobody wants to know */
    struct wait_queue child_changed;

    mach_port_t task;
    mach_port_t thread;
    mach_port_t port; /* receive right */
    struct shared_page *shared;

    int status;       /* of a zombie, or the stop signal */
    bool stop_report; /* a wait has yet to tell that it stopped */
    bool continue_report;
    bool doomed;              /* will end before the next request is served */
    bool execed;              /* since fork */
    struct unix_rusage usage; /* of tasks before exec; of a zombie */
    struct unix_rusage children_usage; /* of those waited for */

    struct credentials cred;
    uint32_t umask;
    int32_t nice;
    struct vnode *root;
    struct vnode *cwd;
    struct vnode *program;
    struct descriptor *descriptors;
    uint32_t descriptor_count;
    struct unix_rlimit limits[UNIX_RLIMITS];

    struct signal_state signals;
    uint64_t trampoline; /* where handlers are entered; 0: none */
    struct list calls;
    struct timer retry;         /* of a delivery that found a bad moment */
    struct wait_queue signaled; /* unix_signal_wait */
    struct timer alarm;         /* ITIMER_REAL */
    uint64_t alarm_interval;
    char name[32]; /* of the program, for messages */
};

/* For the pages and ports; once. */
void process_setup(mach_port_t port_set);

/* The process that a payload stands for, or null. */
struct process *process_lookup_payload(uint64_t payload);
struct process *process_lookup(int pid); /* also a zombie */

/*
 * A new process without task, in its parent's group (null: the first). It has
 * a number, a port, a page, and copies of what a child inherits.
 * EAGAIN, ENOMEM.
 */
MUST_CHECK int
process_create(struct process *parent, struct process **processp);

/* Undo it; or the last of a zombie. */
void process_destroy(struct process *process);

/* Give it a task: the port's name, exception port, page and clock page. */
MUST_CHECK int
process_bind_task(struct process *process, mach_port_t task, mach_port_t port);

/* Tell the kernel who the task is: the process, with these credentials. */
MUST_CHECK int process_identify(struct process *process, mach_port_t task,
                                const struct credentials *cred);

/* Tell the kernel what RLIMIT_AS says. */
void process_limit_memory(struct process *process, mach_port_t task);

/* A port with the process's payload, in the port set. */
MUST_CHECK int process_create_port(struct process *process, mach_port_t *portp);
void process_destroy_port(mach_port_t port);

/* Drop the rights to its task, which ends. */
void process_terminate_task(mach_port_t task, mach_port_t thread);

/* Write what the process page says of it. */
void process_publish(struct process *process);

/* End it; status as wait() tells it. It is a zombie then. */
void process_exit(struct process *process, int status);

/* The same, when the server's lock is released. */
void process_doom(struct process *process, int status);

/* End the doomed, and destroy the zombies that nobody waits for. False: there
 * was nothing to do. */
bool process_reap(void);

/* The use of resources of a process that runs. */
void process_usage(struct process *process, struct unix_rusage *usage);
void
process_usage_add(struct unix_rusage *sum, const struct unix_rusage *usage);

/* Tell the parent that it stopped, went on or ended. */
void process_changed(struct process *process);

/* For walks, by the effective ids. */
void
process_walk_context(struct process *process, struct walk_context *context);

/* Groups and sessions. */
struct group *group_lookup(int pgid);
void group_join(struct process *process, struct group *group);
MUST_CHECK int group_create(struct process *process, struct session *session);
MUST_CHECK int session_create(struct process *process);
/* No member has a parent in the same session but another group. */
bool group_orphaned(const struct group *group);
void group_signal(struct group *group, int signo);

/* Number 1. */
extern struct process *process_init;

/* Call a function for every process; it must not destroy another one. */
void process_for_each(void (*function)(struct process *process, void *argument),
                      void *argument);

#endif /* UNIX_PROCESS_INTERNAL_H */
