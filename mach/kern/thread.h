/* SPDX-License-Identifier: MIT */
/*
 * A thread executes in a task. It is one of:
 *   new       created, suspend count 1, never ran
 *   running   current on a processor
 *   ready     on a run queue
 *   waiting   blocked: for a message, an event, a time-out, or (parked) for
 *             its suspend count to become 0
 *   halted    terminated; the last reference frees it
 *
 * References: the task's list while not halted, each pointer from a port or a
 * wait queue's user, the running processor.
 *
 * Lock keys: (c) set at creation, (t) thread->lock, (k) task->lock,
 * (r) the lock of the run queue, (s) only the thread itself, or anybody while
 * it is stopped, (a) atomic.
 */

#ifndef KERN_THREAD_H
#define KERN_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <kern/list.h>
#include <kern/refcount.h>
#include <kern/spinlock.h>
#include <kern/timer.h>
#include <kern/wait.h>
#include <mach/exception.h>
#include <mach/kern_return.h>
#include <mach/message.h>
#include <mach/thread_info.h>
#include <mach/thread_status.h>
#include <machine/trap_frame.h>

struct task;
struct cpu;
struct ipc_space;
struct pmap;
struct ipc_port;
struct ipc_kmsg;
struct ipc_pset;
struct vm_page;

enum thread_state {
    THREAD_NEW,
    THREAD_RUNNING,
    THREAD_READY,
    THREAD_WAITING,
    THREAD_HALTED,
};

/* Values of wait_state beside a wait_result + WAIT_STATE_DONE. */
#define WAIT_STATE_NONE 0u
#define WAIT_STATE_INTERRUPTIBLE 1u
#define WAIT_STATE_UNINTERRUPTIBLE 2u
#define WAIT_STATE_CLAIMED 3u
#define WAIT_STATE_DONE 4u

#define THREAD_RUN_WORD(state, wait_state, on_cpu)                             \
    ((uint64_t)(wait_state) | (uint64_t)(state) << 16 |                        \
     (uint64_t)(on_cpu) << 24)

/* Asynchronous requests, taken on the way to user mode. */
#define THREAD_AST_TERMINATE 1u
#define THREAD_AST_SUSPEND 2u
#define THREAD_AST_ABORT 4u /* end the next interruptible wait at once */

/* What a gsync wait is for: map and address, or 0 and the word itself. */
struct gsync_key {
    uint64_t space;
    uint64_t place;
};

/* Where an exception goes: a send right, how, and with which registers. */
struct exception_action {
    struct ipc_port *port; /* a send right, or NULL */
    exception_behavior_t behavior;
    thread_state_flavor_t flavor;
};

struct thread {
    struct trap_frame frame __attribute__((aligned(16))); /* (s) user regs */

    struct task *task;           /* (c) ref */
    struct ipc_space *space;     /* (c) the task's */
    struct pmap *pmap;           /* (c) of the task's map */
    continuation_t continuation; /* (s) where a stackless wait goes on */
    uint64_t stack_top;          /* (s) own kernel stack, 0: none */
    uint64_t saved_rsp;          /* (s) with a stack: where it goes on */
    uint32_t special;            /* (k) CONTEXT_*: what a switch looks at */
    uint64_t fs_base;            /* (s) */
    uint64_t gs_base;            /* (s) */
    x86_float_state64_t *fpu;    /* (s) image, NULL: never used */

    /* Scheduling. */
    struct list ready_link;  /* (r) */
    uint8_t priority;        /* (r) base */
    uint8_t sched_priority;  /* (r) base less the recent use */
    uint8_t max_priority;    /* (c) what thread_priority may set */
    struct cpu *cpu;         /* (r) where it ran last */
    uint64_t cpu_time;       /* (s) TSC cycles; running: less the TSC when
                                it was switched to */
    uint32_t user_samples;   /* (s) clock ticks that met user code ... */
    uint32_t system_samples; /* (s) ... and kernel code, for the split */

    /* What it does now. One word, so that the message fast path sees and
     * changes all of it at once. */
    union {
        struct {
            _Atomic uint16_t wait_state; /* (a) WAIT_STATE_* */
            uint8_t state;               /* (r) enum thread_state */
            _Atomic uint8_t on_cpu; /* (a) its registers are still in one */
            _Atomic uint32_t ast;   /* (a) THREAD_AST_* */
        };
        struct {
            _Atomic uint32_t run_low; /* all but the ast */
            uint32_t run_high;
        };
        _Atomic uint64_t run_word;
    };

    /* Waiting. */
    enum wait_result wait_result; /* (s) */
    const void *wait_event;       /* (s) */
    struct list wait_link;        /* the lock of the queue it is on */
    struct timer wait_timer;      /* (s) */

    /* Where it received last: looked up once, checked at each use. */
    struct {
        struct ipc_port *port; /* (s) ref: port (else ipc_port_none) or ... */
        struct ipc_pset *pset; /* (s) ... ref: port set */
        uint64_t name;         /* (s) as it was called; 0: nothing here */
        uint64_t handle;       /* (s) of the port, in the upper half */
    } receive;
    union {
        _Atomic uint64_t reply; /* (a) ipc/ipc_reply.h: name, handle */
        struct {
            uint32_t reply_name;
            uint32_t reply_handle;
        };
    };

    /* The port that it sent to last by COPY_SEND, while no name of the space
     * has changed its meaning since. */
    struct {
        uint32_t name;         /* (s) */
        uint32_t changes;      /* (s) space->changes when it was looked up */
        struct ipc_port *port; /* (s) ref, or ipc_port_none */
    } destination;

    /* The message operation under way, see ipc/mach_msg.c. */
    struct {
        struct ipc_port *port;    /* (s) ref: whose queue is full */
        continuation_t raises;    /* (s) the next message is one to wait for */
        struct thread *next;      /* (s) claimed: to whom to hand over */
        bool passes;              /* (s) `next` may be set */
        struct ipc_kmsg *kmsg;    /* the claimer: what arrived; or unsent */
        mach_msg_return_t result; /* the claimer */
        mach_msg_size_t needed;   /* the claimer: size of what was too large */
        mach_port_seqno_t seqno;  /* the claimer; or the port's name, of
                                     a message left in its queue */
        vm_offset_t buffer;       /* (s) where to receive */
        mach_msg_option_t option; /* (s) */
        mach_msg_size_t size;     /* (s) of the buffer */
        int64_t room;             /* (s) for a message of the fast path */
        mach_port_name_t name;    /* (s) to receive from */
        uint64_t timeout_ns;      /* (s) 0: none */
        vm_offset_t send_buffer;  /* (s) for a message that comes back */
    } msg;
    struct {
        struct gsync_key key;
        struct vm_page *page; /* held while waiting */
    } gsync;                  /* (s) see kern/gsync.c */
    struct list *reaping;     /* (s) messages to destroy, see ipc_kmsg.c */

    /* A fault or exception being handled. */
    struct {
        exception_type_t type;
        mach_exception_data_type_t code[EXCEPTION_CODE_MAX];
        unsigned int level;     /* next handler: thread, task, host */
        struct ipc_port *reply; /* (s) kernel port for the answer */
        uint64_t vector, error, address;
        kern_return_t answer;
    } exception;

    /* Control. */
    struct spinlock lock; /* LOCK_RANK_THREAD */
    struct refcount refs;
    unsigned int suspend_count; /* (t) */
    bool parked;                /* (t) stopped at the AST, state stable */
    bool started;               /* (t) has been made ready once */
    bool active;                /* (t) not terminated */
    struct ipc_port *self_port; /* (t) kernel object port, NULL once dead */
    struct exception_action exceptions[EXC_TYPES_COUNT]; /* (t) */
    struct list task_link;                               /* (k) */
    struct list reap_link;                               /* the reaper's */
};

extern struct list thread_all;

void thread_setup(void);

/* A new thread of the task, suspended once. The caller gets a reference.
 * Returns KERN_SUCCESS, KERN_TERMINATED, KERN_RESOURCE_SHORTAGE. */
MUST_CHECK kern_return_t thread_create(struct task *task,
                                       struct thread **threadp);

/* A thread of the kernel task that starts in `function`. Panics on failure:
 * only during startup. */
struct thread *
thread_create_kernel(continuation_t function, unsigned int priority);

void thread_ref(struct thread *thread);
void thread_unref(struct thread *thread);

kern_return_t thread_terminate(struct thread *thread);
kern_return_t thread_suspend(struct thread *thread);
kern_return_t thread_resume(struct thread *thread);
kern_return_t thread_abort(struct thread *thread);

/* The suspend count of its task went up from 0, or down to 0. */
void thread_task_suspended(struct thread *thread);
void thread_task_resumed(struct thread *thread);

/* Ask for an AST and make sure it is noticed soon. */
void thread_ast(struct thread *thread, unsigned int ast);

/* Terminate, suspend: from ast_taken(), the frame is complete. Returns when
 * the thread may go on to user mode. */
void thread_ast_taken(struct thread *self);

/* The task's memory ran out in the middle of something. */
void thread_resource_exception(struct thread *self);

/* User and system time in ns; exact in sum. */
void thread_times(struct thread *thread, uint64_t *userp, uint64_t *systemp);

/* Of all threads. */
uint64_t thread_count(void);

#endif /* KERN_THREAD_H */
