/* SPDX-License-Identifier: MIT */
/*
 * A port is a queue of messages with one receiver. It is active until its
 * receive right dies; after that only references keep the memory, and a dead
 * port never becomes active again. While active, exactly one of these holds:
 *   - a space has the receive right: receiver is that space,
 *   - the kernel has it: receiver is ipc_space_kernel, and `kobject` is what
 *     the port stands for,
 *   - it is in a message: receiver is NULL, `destination` where that goes.
 *
 * References: each right (in a space or in a message) and each user.
 *
 * Lock keys: (c) set at creation, (p) port->lock, (s) lock of the port set,
 * (x) the transit lock, (a) atomic.
 */

#ifndef IPC_IPC_PORT_H
#define IPC_IPC_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include <kern/list.h>
#include <kern/macros.h>
#include <kern/refcount.h>
#include <kern/spinlock.h>
#include <mach/ipc_info.h>
#include <mach/message.h>
#include <machine/layout.h>

struct ipc_space;
struct ipc_pset;
struct ipc_kmsg;
struct thread;

/*
 * A dead-name request for a name, to a send-once right; a send-possible
 * request is one that also tells, once, when there is room in the queue. It
 * belongs to the name's entry, and is on the port's list until it was told.
 */
struct ipc_dnrequest {
    struct list link;        /* (p) the port's requests, armed ones first */
    mach_port_name_t name;   /* (p) */
    struct ipc_port *notify; /* (p) IP_NULL when it was told */
    bool send_possible;      /* (c) */
    bool armed;              /* (p) somebody found the queue full */
    bool possible;           /* (p) it was told of room: of death no more */
    bool forgotten;          /* (p) the name is gone: who tells frees it */
};

struct ipc_port {
    struct spinlock lock;       /* LOCK_RANK_PORT */
    struct refcount refs;       /* (a) */
    bool active;                /* (p) */
    uint8_t kobject_type;       /* (p) enum ipc_kobject_type */
    bool has_payload;           /* (p) */
    bool guarded;               /* (p) `context` is the guard */
    bool strict_guard;          /* (p) */
    bool armed;                 /* (p) the first request is */
    struct ipc_space *receiver; /* (p) */
    union {
        struct {
            mach_port_name_t receiver_name; /* (p) while a space has it */
            uint32_t msgcount;              /* (p) queued messages */
        };
        uint64_t name_when_empty; /* both: the name while nothing is queued */
    };
    uint32_t qlimit;              /* (p) */
    uint32_t seqno;               /* (p) */
    uint64_t payload;             /* (p) */
    void *kobject;                /* (p) */
    uint32_t srights;             /* (p) send rights */
    uint32_t sorights;            /* (p) send-once rights */
    uint32_t mscount;             /* (p) make-send count */
    struct ipc_port *nsrequest;   /* (p) send-once right, or NULL */
    struct ipc_port *pdrequest;   /* (p) send-once right, or NULL */
    mach_port_context_t context;  /* (p) the receiver's word, or guard */
    struct ipc_port *destination; /* (x) ref, in transit only */
    struct ipc_pset *pset;        /* (p) ref: the set it is in, or NULL */

    /* Lists only from here on: a new port is zero up to here. */
    struct list messages;   /* (p) of ipc_kmsg */
    struct list receivers;  /* (p) threads that wait for a message */
    struct list senders;    /* (p) threads that wait for room */
    struct list dnrequests; /* (p) of ipc_dnrequest */
    struct list pset_link;  /* (s) members */
    struct list ready_link; /* (s) members with messages */
};

/* Values beside real ports: no right, and a right that died. */
#define IP_NULL ((struct ipc_port *)0)
#define IP_DEAD ((struct ipc_port *)~0ul)
#define IP_VALID(port) ((port) != IP_NULL && (port) != IP_DEAD)

/*
 * Inside the kernel, port fields of messages hold handles: the port's address
 * in the direct map, divided by its alignment. No kernel address leaves in a
 * message even if a conversion were forgotten.
 */
#define IPC_PORT_ALIGN 64

static inline mach_port_t
ipc_port_live_handle(const struct ipc_port *port)
{
    return (mach_port_t)(direct_to_phys(port) / IPC_PORT_ALIGN);
}

static inline struct ipc_port *
ipc_port_from_live_handle(mach_port_t handle)
{
    return phys_to_direct((uint64_t)handle * IPC_PORT_ALIGN);
}

/* The same, also of no port and a dead one. */
static inline mach_port_t
ipc_port_to_handle(const struct ipc_port *port)
{
    if (port == IP_DEAD) {
        return MACH_PORT_DEAD;
    }

    if (port == IP_NULL) {
        return MACH_PORT_NULL;
    }

    return ipc_port_live_handle(port);
}

static inline struct ipc_port *
ipc_port_from_handle(mach_port_t handle)
{
    if (handle == MACH_PORT_DEAD) {
        return IP_DEAD;
    }

    if (handle == MACH_PORT_NULL) {
        return IP_NULL;
    }

    return ipc_port_from_live_handle(handle);
}

/* A dead port that is nobody's: stands where a port may be, but is not. */
extern struct ipc_port ipc_port_none;

void ipc_port_setup(void);

/*
 * A port whose receive right the caller will place: receiver and name are
 * set before anybody can see it. One reference, for the receive right.
 * NULL when memory is short.
 */
MUST_CHECK struct ipc_port *
ipc_port_create(struct ipc_space *receiver, mach_port_name_t name);

/* A kernel port for an object. */
MUST_CHECK struct ipc_port *
ipc_port_create_kernel(enum ipc_kobject_type type, void *kobject);

void ipc_port_ref(struct ipc_port *port);
void ipc_port_unref(struct ipc_port *port);

/*
 * The receive right dies: queue, waiters, requests. Consumes the receive
 * right's reference. No locks held.
 */
void ipc_port_destroy(struct ipc_port *port);

/* A kernel port ends: it loses its object, then dies. NULL is ignored. */
void ipc_port_destroy_kernel(struct ipc_port *port);

/* New rights from the receive right (or, copy, from a send right). The port
 * is locked and active; a reference comes with the right. */
void ipc_port_make_send_locked(struct ipc_port *port);
void ipc_port_make_sonce_locked(struct ipc_port *port);

/* The locked port has no guard and no context any more. */
void ipc_port_clear_guard(struct ipc_port *port);

/* Unlocked: IP_DEAD if the port is dead, else the right. NULL stays NULL. */
MUST_CHECK struct ipc_port *ipc_port_make_send(struct ipc_port *port);
MUST_CHECK struct ipc_port *ipc_port_make_sonce(struct ipc_port *port);
MUST_CHECK struct ipc_port *ipc_port_copy_send(struct ipc_port *port);

/*
 * Destroy a right that is in no space. The last send right sends the
 * no-senders notification or tells the kernel object; a send-once right that
 * was never used sends a send-once notification. IP_NULL and IP_DEAD are
 * ignored. No locks held.
 */
void ipc_port_release_send(struct ipc_port *port);
void ipc_port_release_sonce(struct ipc_port *port);
void ipc_port_release(struct ipc_port *port, mach_msg_type_name_t type);

/* A send-once right was used: no notification. */
void ipc_port_consume_sonce(struct ipc_port *port);

/*
 * Put the receive right of `port` in transit to `destination`. False if that
 * would close a circle of ports that nobody can ever receive from.
 */
MUST_CHECK bool
ipc_port_transit(struct ipc_port *port, struct ipc_port *destination);
/* It arrived in a space, or dies. */
void ipc_port_arrived(struct ipc_port *port);

uint64_t ipc_port_count(void);

#endif /* IPC_IPC_PORT_H */
