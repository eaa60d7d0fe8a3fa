/* SPDX-License-Identifier: MIT */
/* See device/interrupt.h; the interrupt routines of device_grant.defs. */

#include <debug/assert.h>
#include <device/interrupt.h>
#include <ipc/ipc_kobject.h>
#include <ipc/ipc_port.h>
#include <kern/slab.h>
#include <kern/thread.h>
#include <mach/device_grant_server.h>
#include <mach/interrupt_notify_user.h>
#include <machine/cpu.h>
#include <machine/ioapic.h>
#include <machine/trap.h>

#define MSI_ADDRESS 0xfee00000ul /* Intel SDM volume 3, 10.11.1 */

static struct slab_cache interrupt_cache;

/* Who has a vector. Written under the lock, read by the handler: a reader
 * finds either NULL or an interrupt that holds a reference for the table. */
static struct interrupt *_Atomic vectors[256];
static struct spinlock vectors_lock;

/* Interrupts of this processor that wait to be told: a stack. */
static struct interrupt *_Atomic pending;

void
interrupt_setup(void)
{
    slab_cache_init(&interrupt_cache, "interrupt", sizeof(struct interrupt),
                    64);
    spin_init(&vectors_lock, LOCK_RANK_INTERRUPT);
}

void
interrupt_ref(struct interrupt *interrupt)
{
    refcount_ref(&interrupt->refs);
}

void
interrupt_unref(struct interrupt *interrupt)
{
    if (refcount_unref(&interrupt->refs)) {
        slab_free(&interrupt_cache, interrupt);
    }
}

static void
interrupt_queue(struct interrupt *interrupt)
{
    if (atomic_exchange(&interrupt->queued, true)) {
        return;
    }

    interrupt_ref(interrupt); /* ref: the pending list */
    interrupt->next = atomic_load(&pending);

    while (
        !atomic_compare_exchange_weak(&pending, &interrupt->next, interrupt)) {
    }

    atomic_fetch_or(&cpu_self()->ast, CPU_AST_INTERRUPT);
}

void
interrupt_occurred(uint8_t vector)
{
    struct interrupt *interrupt = atomic_load(&vectors[vector]);

    if (interrupt == NULL) {
        return; /* freed a moment ago */
    }

    atomic_fetch_add(&interrupt->pending, 1);
    interrupt_queue(interrupt);
}

/* Tell the driver, unless it has not yet enabled the last one. */
static void
interrupt_post(struct interrupt *interrupt)
{
    struct ipc_port *right = IP_NULL;
    unsigned int count = 0;
    uint32_t tag = 0;

    spin_lock(&interrupt->lock);

    if (!interrupt->posted && interrupt->notify != IP_NULL) {
        count = atomic_exchange(&interrupt->pending, 0);

        if (count != 0) {
            right = ipc_port_copy_send(interrupt->notify);
            tag = interrupt->tag;
            interrupt->posted = true;
        }
    }

    spin_unlock(&interrupt->lock);

    if (!IP_VALID(right)) {
        return;
    }

    if (interrupt_notify(ipc_port_to_handle(right), tag, count) !=
        KERN_SUCCESS) {
        /* No memory now: try again on the next way out. */
        ipc_port_release_send(right);
        spin_lock(&interrupt->lock);
        interrupt->posted = false;
        spin_unlock(&interrupt->lock);
        atomic_fetch_add(&interrupt->pending, count);
        interrupt_queue(interrupt);
    }
}

void
interrupt_post_pending(void)
{
    struct interrupt *interrupt = atomic_exchange(&pending, NULL);
    struct interrupt *next;

    atomic_fetch_and(&cpu_self()->ast, ~CPU_AST_INTERRUPT);

    for (; interrupt != NULL; interrupt = next) {
        next = interrupt->next;
        atomic_store(&interrupt->queued, false);
        interrupt_post(interrupt);
        interrupt_unref(interrupt);
    }
}

void
interrupt_no_senders(struct interrupt *interrupt)
{
    struct ipc_port *notify;

    if (!interrupt->msi) {
        ioapic_mask(interrupt->line, true);
    }

    spin_lock(&vectors_lock);
    atomic_store(&vectors[interrupt->vector], NULL);
    spin_unlock(&vectors_lock);
    spin_lock(&interrupt->lock);
    notify = interrupt->notify;
    interrupt->notify = IP_NULL;
    spin_unlock(&interrupt->lock);
    ipc_port_release_send(notify);
    interrupt_unref(interrupt);
}

/* A new interrupt at the first free vector of [first, last]. */
static kern_return_t
interrupt_make(uint8_t first, uint8_t last, bool msi,
               struct interrupt **interruptp)
{
    struct interrupt *interrupt = slab_alloc(&interrupt_cache);
    unsigned int vector;

    if (interrupt == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    spin_init(&interrupt->lock, LOCK_RANK_INTERRUPT);
    refcount_init(&interrupt->refs, 1); /* ref: the port */
    interrupt->msi = msi;
    spin_lock(&vectors_lock);

    for (vector = first; vector <= last; vector++) {
        if (atomic_load(&vectors[vector]) == NULL) {
            interrupt->vector = (uint8_t)vector;
            interrupt->line = (uint8_t)(vector - VECTOR_IRQ_BASE);
            atomic_store(&vectors[vector], interrupt);
            break;
        }
    }

    spin_unlock(&vectors_lock);

    if (vector > last) {
        slab_free(&interrupt_cache, interrupt);
        return KERN_NO_SPACE;
    }

    *interruptp = interrupt;
    return KERN_SUCCESS;
}

kern_return_t
interrupt_create(device_master_t master, natural_t line, interrupt_t *interrupt)
{
    uint8_t vector = (uint8_t)(VECTOR_IRQ_BASE + line);

    if (master == NULL || line >= IOAPIC_LINES) {
        return KERN_INVALID_ARGUMENT;
    }

    return interrupt_make(vector, vector, false, interrupt);
}

kern_return_t
interrupt_create_msi(device_master_t master, vm_offset_t *address,
                     natural_t *data, interrupt_t *interrupt)
{
    kern_return_t kr;

    if (master == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    kr = interrupt_make(VECTOR_MSI_BASE, VECTOR_MSI_LAST, true, interrupt);

    if (kr == KERN_SUCCESS) {
        *address = MSI_ADDRESS | (uint64_t)cpu_self()->lapic_id << 12;
        *data = (*interrupt)->vector;
    }

    return kr;
}

kern_return_t
interrupt_register(interrupt_t interrupt, mach_port_t notify, natural_t tag)
{
    struct ipc_port *old;

    if (interrupt == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    spin_lock(&interrupt->lock);
    old = interrupt->notify;
    interrupt->notify = ipc_port_from_handle(notify);
    interrupt->tag = tag;
    interrupt->posted = false;
    spin_unlock(&interrupt->lock);
    ipc_port_release_send(old);
    return KERN_SUCCESS;
}

kern_return_t
interrupt_enable(interrupt_t interrupt)
{
    unsigned long flags;

    if (interrupt == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    spin_lock(&interrupt->lock);
    interrupt->posted = false;
    spin_unlock(&interrupt->lock);

    if (atomic_load(&interrupt->pending) != 0) {
        flags = cpu_interrupts_save();
        interrupt_queue(interrupt);
        cpu_interrupts_restore(flags);
    }

    if (!interrupt->msi) {
        ioapic_mask(interrupt->line, false);
    }

    return KERN_SUCCESS;
}
