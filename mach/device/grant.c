/* SPDX-License-Identifier: MIT */
/*
 * See device/grant.h; the routines of <mach/device_grant.defs> but those of
 * interrupts.
 */

#include <debug/assert.h>
#include <device/grant.h>
#include <ipc/ipc_kobject.h>
#include <ipc/ipc_port.h>
#include <kern/slab.h>
#include <kern/task.h>
#include <mach/device_grant_server.h>
#include <vm/memory_entry.h>
#include <vm/vm_page.h>

#define DMA_SIZE_MAX (4ul << 20)

/* Stands behind a port until that has no senders. */
struct io_perm {
    struct io_range range; /* (c) */
};

static struct slab_cache perm_cache;

void
grant_setup(void)
{
    slab_cache_init(&perm_cache, "io_perm", sizeof(struct io_perm), 16);
}

void
io_perm_destroy(struct io_perm *perm)
{
    slab_free(&perm_cache, perm);
}

kern_return_t
io_perm_create(device_master_t master, natural_t from, natural_t to,
               mach_port_t *io_perm)
{
    struct io_perm *perm;
    struct ipc_port *port;

    if (master == NULL || from > to || to > UINT16_MAX) {
        return KERN_INVALID_ARGUMENT;
    }

    perm = slab_alloc(&perm_cache);

    if (perm == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    perm->range = (struct io_range){ (uint16_t)from, (uint16_t)to };
    port = ipc_port_create_kernel(IKOT_IO_PERM, perm);

    if (port == NULL) {
        slab_free(&perm_cache, perm);
        return KERN_RESOURCE_SHORTAGE;
    }

    *io_perm = ipc_port_to_handle(ipc_port_make_send(port));
    return KERN_SUCCESS;
}

kern_return_t
io_perm_modify(task_t target_task, mach_port_t io_perm, boolean_t enable)
{
    struct ipc_port *port = ipc_port_from_handle(io_perm);
    struct io_range range = { 1, 0 };
    kern_return_t kr;

    if (target_task == NULL || !IP_VALID(port)) {
        return KERN_INVALID_ARGUMENT;
    }

    spin_lock(&port->lock);

    if (port->active && port->kobject_type == IKOT_IO_PERM) {
        range = ((struct io_perm *)port->kobject)->range;
    }

    spin_unlock(&port->lock);

    if (range.from > range.to) {
        return KERN_INVALID_ARGUMENT;
    }

    kr = task_io_modify(target_task, range, enable != FALSE);

    if (kr == KERN_SUCCESS) {
        ipc_port_release_send(port);
    }

    return kr;
}

/* The entry's port, made of the caller's reference. */
static kern_return_t
entry_out(kern_return_t kr, struct memory_entry *entry,
          mach_port_t *memory_entry)
{
    if (kr != KERN_SUCCESS) {
        return kr;
    }

    *memory_entry = convert_memory_entry_to_port(entry);
    return *memory_entry == MACH_PORT_NULL ? KERN_RESOURCE_SHORTAGE
                                           : KERN_SUCCESS;
}

kern_return_t
device_memory_create(device_master_t master, vm_offset_t physical,
                     vm_size_t size, mach_port_t *memory_entry)
{
    struct memory_entry *entry = NULL;
    kern_return_t kr;

    if (master == NULL || size == 0 || ((physical | size) & PAGE_MASK) != 0 ||
        physical + size < physical ||
        vm_page_is_ram(physical, physical + size)) {
        return KERN_INVALID_ARGUMENT;
    }

    kr = memory_entry_create_device(physical, size, VM_PROT_DEFAULT, &entry);
    return entry_out(kr, entry, memory_entry);
}

kern_return_t
device_dma_create(device_master_t master, vm_size_t size, vm_offset_t *physical,
                  mach_port_t *memory_entry)
{
    struct memory_entry *entry = NULL;
    struct vm_page *page;
    kern_return_t kr;
    uint64_t count;

    if (master == NULL || size == 0 || size > DMA_SIZE_MAX) {
        return KERN_INVALID_ARGUMENT;
    }

    count = (size + PAGE_MASK) >> PAGE_SHIFT;
    page = vm_page_alloc_contiguous(count, 1ul << 32, VM_PAGE_ALLOC_ZERO);

    if (page == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    *physical = vm_page_phys(page);
    kr = memory_entry_create_from_frames(*physical, count << PAGE_SHIFT,
                                         VM_PROT_DEFAULT, &entry);
    return entry_out(kr, entry, memory_entry);
}
