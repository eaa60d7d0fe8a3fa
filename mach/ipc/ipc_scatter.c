/* SPDX-License-Identifier: MIT */
/*
 * See ipc/ipc_scatter.h. The list is copied in once; all sizes are checked
 * before anything is written.
 */

#include <ipc/ipc_kmsg.h>
#include <ipc/ipc_scatter.h>
#include <kern/slab.h>
#include <machine/copy.h>
#include <vm/vm_copy.h>

/* Where to look for the next entry: in the list, or behind its end. */
struct scatter {
    const char *at;
    mach_msg_size_t bytes; /* from there on */
    mach_msg_size_t count; /* entries from there on */
};

/* The next entry for memory, or NULL. */
static const mach_msg_ool_descriptor_t *
scatter_next(struct scatter *list)
{
    const mach_msg_ool_descriptor_t *entry;
    mach_msg_size_t size;

    while (list->count != 0 &&
           list->bytes >= sizeof(mach_msg_type_descriptor_t)) {
        entry = (const void *)list->at;
        size = ((const mach_msg_type_descriptor_t *)(const void *)list->at)
                           ->type == MACH_MSG_PORT_DESCRIPTOR
                   ? sizeof(mach_msg_port_descriptor_t)
                   : sizeof(*entry);

        if (list->bytes < size) {
            break;
        }

        list->at += size;
        list->bytes -= size;
        list->count--;

        if (size == sizeof(*entry)) {
            return entry;
        }
    }

    list->count = 0;
    return NULL;
}

/* Is this item to be written over the entry's memory? */
static bool
scatter_wanted(const mach_msg_ool_descriptor_t *item,
               const mach_msg_ool_descriptor_t *entry)
{
    return entry != NULL && item->address != 0 &&
           item->type == MACH_MSG_OOL_DESCRIPTOR &&
           entry->type == MACH_MSG_OOL_DESCRIPTOR &&
           entry->copy == MACH_MSG_OVERWRITE;
}

static mach_msg_return_t
scatter_write(mach_msg_ool_descriptor_t *item, vm_offset_t address,
              struct vm_map *map)
{
    struct vm_map_copy *copy = (void *)(uintptr_t)item->address;
    kern_return_t kr;

    kr = vm_map_copy_overwrite(map, address, copy);
    item->copy = MACH_MSG_OVERWRITE;

    if (kr == KERN_SUCCESS) {
        item->address = address;
        return MACH_MSG_SUCCESS;
    }

    vm_map_copy_discard(copy);
    item->address = 0;
    item->size = 0;
    return MACH_RCV_BODY_ERROR |
           (kr == KERN_RESOURCE_SHORTAGE ? MACH_MSG_VM_KERNEL
                                         : MACH_MSG_VM_SPACE);
}

/* Go through the items in step with the list: to check, or to write. */
static mach_msg_return_t
scatter_items(struct ipc_kmsg *kmsg, struct scatter list, struct vm_map *map,
              bool write)
{
    mach_msg_body_t *body = (mach_msg_body_t *)(&kmsg->header + 1);
    char *at = (char *)(body + 1);
    const mach_msg_ool_descriptor_t *entry;
    mach_msg_return_t mr = MACH_MSG_SUCCESS;

    for (mach_msg_size_t i = 0; i < body->msgh_descriptor_count; i++) {
        mach_msg_ool_descriptor_t *item = (void *)at;

        if (((mach_msg_type_descriptor_t *)(void *)at)->type ==
            MACH_MSG_PORT_DESCRIPTOR) {
            at += sizeof(mach_msg_port_descriptor_t);
            continue;
        }

        at += sizeof(*item);
        entry = scatter_next(&list);

        if (!scatter_wanted(item, entry)) {
            continue;
        }

        if (write) {
            mr |= scatter_write(item, entry->address, map);
        } else if (entry->size < item->size) {
            return MACH_RCV_SCATTER_SMALL;
        }
    }

    return mr;
}

mach_msg_return_t
ipc_scatter(struct ipc_kmsg *kmsg, struct vm_map *map, vm_offset_t buffer,
            mach_msg_size_t size)
{
    mach_msg_base_t base;
    struct scatter list;
    mach_msg_return_t mr;
    char *entries;

    if (!MACH_MSGH_BITS_IS_COMPLEX(kmsg->header.msgh_bits) ||
        size < sizeof(base) || !copyin(buffer, &base, sizeof(base)) ||
        !MACH_MSGH_BITS_IS_COMPLEX(base.header.msgh_bits) ||
        base.header.msgh_size <= sizeof(base)) {
        return MACH_MSG_SUCCESS;
    }

    size = MIN(MIN(size, base.header.msgh_size) - (mach_msg_size_t)sizeof(base),
               (mach_msg_size_t)(MACH_MSG_DESCRIPTOR_MAX *
                                 sizeof(mach_msg_ool_descriptor_t)));

    if (size == 0) {
        return MACH_MSG_SUCCESS;
    }

    entries = kmem_alloc(size);

    if (entries == NULL) {
        return MACH_MSG_SUCCESS; /* then it comes in new memory */
    }

    mr = MACH_MSG_SUCCESS;

    if (copyin(buffer + sizeof(base), entries, size)) {
        list =
            (struct scatter){ entries, size, base.body.msgh_descriptor_count };
        mr = scatter_items(kmsg, list, map, false);

        if (mr == MACH_MSG_SUCCESS) {
            mr = scatter_items(kmsg, list, map, true);
        }
    }

    kmem_free(entries, size);
    return mr;
}
