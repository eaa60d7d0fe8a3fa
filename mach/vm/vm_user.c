/* SPDX-License-Identifier: MIT */
/*
 * The routines of vm_map.defs and memory_entry.defs, as the generated stubs
 * call them. A routine that succeeds owns the rights and the memory of the
 * request and releases them; on an error the stub's caller does.
 */

#include <ipc/ipc_kobject.h>
#include <mach/memory_entry_server.h>
#include <mach/vm_map_server.h>
#include <vm/memory_entry.h>
#include <vm/vm_copy.h>
#include <vm/vm_map.h>

kern_return_t
vm_region(vm_task_t map, vm_address_t *address, vm_size_t *size,
          vm_region_flavor_t flavor, vm_region_info_t info,
          mach_msg_type_number_t *count)
{
    struct vm_region_basic_info basic;
    kern_return_t kr;

    if (map == NULL || flavor != VM_REGION_BASIC_INFO ||
        *count < VM_REGION_BASIC_INFO_COUNT) {
        return KERN_INVALID_ARGUMENT;
    }

    kr = vm_map_region(map, address, size, &basic);

    if (kr == KERN_SUCCESS) {
        __builtin_memcpy(info, &basic, sizeof(basic));
        *count = VM_REGION_BASIC_INFO_COUNT;
    }

    return kr;
}

kern_return_t
vm_allocate(vm_task_t map, vm_address_t *address, vm_size_t size,
            integer_t flags)
{
    return map == NULL ? KERN_INVALID_ARGUMENT
                       : vm_map_allocate(map, address, size, flags);
}

kern_return_t
vm_deallocate(vm_task_t map, vm_address_t address, vm_size_t size)
{
    return map == NULL ? KERN_INVALID_ARGUMENT
                       : vm_map_remove(map, address, size);
}

kern_return_t
vm_protect(vm_task_t map, vm_address_t address, vm_size_t size,
           boolean_t set_maximum, vm_prot_t protection)
{
    return map == NULL ? KERN_INVALID_ARGUMENT
                       : vm_map_protect(map, address, size, set_maximum != 0,
                                        protection);
}

kern_return_t
vm_inherit(vm_task_t map, vm_address_t address, vm_size_t size,
           vm_inherit_t inheritance)
{
    return map == NULL ? KERN_INVALID_ARGUMENT
                       : vm_map_inherit(map, address, size, inheritance);
}

kern_return_t
vm_read(vm_task_t map, vm_address_t address, vm_size_t size, vm_offset_t *data,
        mach_msg_type_number_t *count)
{
    struct vm_map_copy *copy;
    kern_return_t kr;

    if (map == NULL || size > UINT32_MAX) {
        return KERN_INVALID_ARGUMENT;
    }

    kr = vm_map_copyin(map, address, size, false, &copy);

    if (kr == KERN_SUCCESS) {
        *data = (uintptr_t)copy;
        *count = (mach_msg_type_number_t)size;
    }

    return kr;
}

kern_return_t
vm_write(vm_task_t map, vm_address_t address, vm_offset_t data,
         mach_msg_type_number_t count)
{
    struct vm_map_copy *copy = (struct vm_map_copy *)data;

    if (map == NULL || vm_map_copy_size(copy) != count) {
        return KERN_INVALID_ARGUMENT;
    }

    return vm_map_copy_overwrite(map, address, copy);
}

kern_return_t
vm_copy(vm_task_t map, vm_address_t source, vm_size_t size, vm_address_t target)
{
    struct vm_map_copy *copy;
    kern_return_t kr;

    if (map == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    kr = vm_map_copyin(map, source, size, false, &copy);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    kr = vm_map_copy_overwrite(map, target, copy);

    if (kr != KERN_SUCCESS) {
        vm_map_copy_discard(copy);
    }

    return kr;
}

kern_return_t
vm_map(vm_task_t map, vm_address_t *address, vm_size_t size, vm_address_t mask,
       integer_t flags, mach_port_t object, memory_object_offset_t offset,
       boolean_t copy, vm_prot_t cur_protection, vm_prot_t max_protection,
       vm_inherit_t inheritance)
{
    struct vm_map_request request = {
        .address = *address,
        .size = size,
        .mask = mask,
        .flags = flags,
        .protection = cur_protection,
        .max_protection = max_protection,
        .inheritance = inheritance,
        .copy = copy != 0,
    };
    struct memory_entry *entry;
    kern_return_t kr;

    if (map == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    if (object == MACH_PORT_NULL) {
        kr = vm_map_object(map, &request, NULL, 0);
    } else {
        entry = convert_port_to_memory_entry(object);

        if (entry == NULL) {
            return KERN_INVALID_ARGUMENT;
        }

        kr = memory_entry_map(entry, map, &request, offset);
        memory_entry_unref(entry);
    }

    if (kr == KERN_SUCCESS) {
        *address = request.address;
        ipc_handle_release(object, MACH_MSG_TYPE_PORT_SEND);
    }

    return kr;
}

kern_return_t
vm_remap(vm_task_t map, vm_address_t *target_address, vm_size_t size,
         vm_address_t mask, integer_t flags, mach_port_t src_task,
         vm_address_t src_address, boolean_t copy, vm_prot_t *cur_protection,
         vm_prot_t *max_protection, vm_inherit_t inheritance)
{
    struct vm_map_request request = {
        .address = *target_address,
        .size = size,
        .mask = mask,
        .flags = flags,
        .inheritance = inheritance,
        .copy = copy != 0,
    };
    struct vm_map *source;
    kern_return_t kr;

    if (map == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    source = convert_port_to_map(src_task);

    if (source == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    kr = vm_map_remap(map, &request, source, src_address);
    vm_map_unref(source);

    if (kr == KERN_SUCCESS) {
        *target_address = request.address;
        *cur_protection = request.protection;
        *max_protection = request.max_protection;
        ipc_handle_release(src_task, MACH_MSG_TYPE_PORT_SEND);
    }

    return kr;
}

/* A part of the entry that a port names. */
static kern_return_t
make_part(mach_port_t parent_handle, vm_size_t size,
          memory_object_offset_t offset, vm_prot_t protection,
          struct memory_entry **entryp)
{
    struct memory_entry *parent = convert_port_to_memory_entry(parent_handle);
    kern_return_t kr;

    if (parent == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    kr = memory_entry_create_part(parent, offset, size, protection, entryp);
    memory_entry_unref(parent);
    return kr;
}

kern_return_t
mach_make_memory_entry(vm_task_t map, vm_size_t *size,
                       memory_object_offset_t offset, vm_prot_t permission,
                       mach_port_t *object_handle, mach_port_t parent_handle)
{
    vm_prot_t protection = permission & ~MAP_MEM_NAMED_CREATE;
    struct memory_entry *entry;
    mach_port_t handle;
    vm_size_t bytes;
    kern_return_t kr;

    if (map == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    if ((permission & MAP_MEM_NAMED_CREATE) != 0) {
        kr = memory_entry_create(map, *size, protection, &entry);
    } else if (parent_handle != MACH_PORT_NULL) {
        kr = make_part(parent_handle, *size, offset, protection, &entry);
    } else {
        kr =
            memory_entry_create_from_map(map, offset, size, protection, &entry);
    }

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    bytes = entry->size;
    handle = convert_memory_entry_to_port(entry);

    if (handle == MACH_PORT_NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    *object_handle = handle;
    *size = bytes;
    ipc_handle_release(parent_handle, MACH_MSG_TYPE_PORT_SEND);
    return KERN_SUCCESS;
}

kern_return_t
memory_entry_discard(memory_entry_t entry, memory_object_offset_t offset,
                     vm_size_t size)
{
    return entry == NULL ? KERN_INVALID_ARGUMENT
                         : memory_entry_drop(entry, offset, size);
}

kern_return_t
memory_entry_resident(memory_entry_t entry, vm_size_t *pages)
{
    if (entry == NULL) {
        return KERN_INVALID_ARGUMENT;
    }

    *pages = memory_entry_pages(entry);
    return KERN_SUCCESS;
}
