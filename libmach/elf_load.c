/* SPDX-License-Identifier: MIT */
/*
 * Reading an executable through its memory entry, and mapping it. The file
 * may change while it is read: the headers are copied once, and only the copy
 * is looked at.
 */

#include <libmach/elf_load.h>
#include <mach/mach_init.h>
#include <mach/mach_traps.h>
#include <mach/vm_inherit.h>
#include <mach/vm_map.h>
#include <mach/vm_prot.h>
#include <mach/vm_region.h>

/* Copy `size` bytes at `offset` of the file, which has them. */
static kern_return_t
elf_copy(mach_port_t file, vm_offset_t offset, vm_size_t size, void *to)
{
    vm_offset_t skew = offset & PAGE_MASK;
    vm_size_t mapped = (skew + size + PAGE_MASK) & ~PAGE_MASK;
    vm_address_t address = 0;
    kern_return_t kr;

    kr = vm_map(mach_task_self(), &address, mapped, 0, VM_FLAGS_ANYWHERE, file,
                offset - skew, FALSE, VM_PROT_READ, VM_PROT_READ,
                VM_INHERIT_NONE);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    /* By the kernel: a page that cannot be had is an error, not a fault. */
    kr = syscall_vm_read_overwrite(mach_task_self(), address + skew, size,
                                   (vm_address_t)to, &size);
    (void)syscall_vm_deallocate(mach_task_self(), address, mapped);
    return kr;
}

kern_return_t
mach_elf_read(mach_port_t file, vm_size_t file_size,
              struct mach_elf_image *imagep, enum mach_elf_error *errorp)
{
    struct elf64_program_header table[MACH_ELF_HEADERS_MAX];
    struct elf64_header header;
    kern_return_t kr;

    if (file_size < sizeof(header)) {
        *errorp = MACH_ELF_NOT_ELF;
        return KERN_SUCCESS;
    }

    kr = elf_copy(file, 0, sizeof(header), &header);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    *errorp = mach_elf_parse_header(&header, file_size);

    if (*errorp != MACH_ELF_OK) {
        return KERN_SUCCESS;
    }

    kr = elf_copy(file, header.phoff, header.phnum * sizeof(table[0]), table);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    *errorp = mach_elf_parse(&header, table, file_size, imagep);
    return KERN_SUCCESS;
}

/* What of the file's last page is not the segment's must read as zero. */
static kern_return_t
elf_clear_tail(mach_port_t task, const struct mach_elf_segment *segment)
{
    static const char zeros[PAGE_SIZE];
    vm_size_t tail = segment->file_size & PAGE_MASK;

    if (tail == 0) {
        return KERN_SUCCESS;
    }

    return syscall_vm_write(task, segment->address + segment->file_size,
                            (vm_address_t)zeros, PAGE_SIZE - tail);
}

static kern_return_t
elf_map_file(mach_port_t task, mach_port_t file,
             const struct mach_elf_segment *segment, vm_size_t size)
{
    vm_address_t address = segment->address;
    int writable = segment->protection & VM_PROT_WRITE;
    kern_return_t kr;

    kr = vm_map(task, &address, size, 0, VM_FLAGS_FIXED, file,
                segment->file_offset, writable != 0, segment->protection,
                segment->protection, VM_INHERIT_COPY);

    if (kr != KERN_SUCCESS || !writable) {
        return kr;
    }

    return elf_clear_tail(task, segment);
}

static kern_return_t
elf_map_segment(mach_port_t task, mach_port_t file,
                const struct mach_elf_segment *segment)
{
    vm_size_t from_file = (segment->file_size + PAGE_MASK) & ~PAGE_MASK;
    vm_address_t rest = segment->address + from_file;
    kern_return_t kr;

    if (from_file != 0) {
        kr = elf_map_file(task, file, segment, from_file);

        if (kr != KERN_SUCCESS) {
            return kr;
        }
    }

    if (from_file == segment->size) {
        return KERN_SUCCESS;
    }

    return vm_map(task, &rest, segment->size - from_file, 0, VM_FLAGS_FIXED,
                  MACH_PORT_NULL, 0, FALSE, segment->protection,
                  segment->protection, VM_INHERIT_COPY);
}

kern_return_t
mach_elf_map(mach_port_t task, mach_port_t file,
             const struct mach_elf_image *image)
{
    for (uint32_t i = 0; i < image->segment_count; i++) {
        kern_return_t kr;

        kr = elf_map_segment(task, file, &image->segments[i]);

        if (kr != KERN_SUCCESS) {
            return kr;
        }
    }

    return KERN_SUCCESS;
}
