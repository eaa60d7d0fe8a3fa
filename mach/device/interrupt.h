/* SPDX-License-Identifier: MIT */
/*
 * Interrupts as messages. The handler only counts and marks; the message is
 * sent on the way out of the kernel, so port locks need not mask interrupts.
 * After a message the driver hears nothing until interrupt_enable; what came
 * meanwhile is counted and told then. Lines are edge triggered, as the PC's
 * legacy lines are: masking one meanwhile would lose an edge.
 *
 * References: the port that stands for it, callers.
 *
 * Lock keys: (c) set at creation, (l) interrupt->lock, (a) atomic.
 */

#ifndef DEVICE_INTERRUPT_H
#define DEVICE_INTERRUPT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <kern/refcount.h>
#include <kern/spinlock.h>

struct ipc_port;

struct interrupt {
    struct spinlock lock; /* LOCK_RANK_INTERRUPT */
    struct refcount refs;
    uint8_t vector;          /* (c) */
    bool msi;                /* (c) else a line */
    uint8_t line;            /* (c) */
    struct ipc_port *port;   /* (l) stands for it */
    struct ipc_port *notify; /* (l) send right, or NULL */
    uint32_t tag;            /* (l) */
    bool posted;             /* (l) a message was sent, not yet enabled */
    atomic_uint pending;     /* (a) interrupts not yet told */
    atomic_bool queued;      /* (a) on the processor's pending list */
    struct interrupt *next;  /* pending list */
};

void interrupt_setup(void);

/* From the processor's handler, interrupts off: vector came in. */
void interrupt_occurred(uint8_t vector);

/* Send the messages of this processor's pending list. No locks held. */
void interrupt_post_pending(void);

void interrupt_ref(struct interrupt *interrupt);
void interrupt_unref(struct interrupt *interrupt);

/* The last send right to its port is gone: mask it, release the vector. */
void interrupt_no_senders(struct interrupt *interrupt);

#endif /* DEVICE_INTERRUPT_H */
