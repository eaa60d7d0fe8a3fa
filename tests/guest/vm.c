/* SPDX-License-Identifier: MIT */
/*
 * Memory: each routine of vm_map.defs and memory_entry.defs, the traps of the
 * same meaning, and boundaries (rows 8 and 25 of the hazards).
 */

#include "tap.h"

#define SELF mach_task_self()
#define PAGES(n) ((n)*PAGE_SIZE)

void *memset(void *to, int value, size_t size);

static const vm_address_t bad_addresses[] = { 0x7ffffffff000, 0x800000000000,
                                              0xffff7ffffffff000,
                                              0xffff800000000000,
                                              0xfffffffffffff000 };
#define BAD_ADDRESSES (sizeof(bad_addresses) / sizeof(bad_addresses[0]))

static vm_address_t
take(vm_size_t pages)
{
    vm_address_t address = 0;

    if (vm_allocate(SELF, &address, PAGES(pages), VM_FLAGS_ANYWHERE) !=
        KERN_SUCCESS) {
        tap_bail("no memory");
    }

    return address;
}

static void
drop(vm_address_t address, vm_size_t pages)
{
    (void)vm_deallocate(SELF, address, PAGES(pages));
}

static void
allocate(void)
{
    vm_address_t a = 0, b;
    char *bytes;
    bool zero = true;

    is(vm_allocate(SELF, &a, PAGES(4), VM_FLAGS_ANYWHERE), KERN_SUCCESS,
       "allocate");
    is(a & PAGE_MASK, 0, "whole pages");
    bytes = (char *)a;

    for (vm_size_t i = 0; i < PAGES(4); i += 64) {
        zero = zero && bytes[i] == 0;
        bytes[i] = (char)i;
    }

    ok(zero, "zero-filled");
    b = a;
    is(vm_allocate(SELF, &b, PAGES(1), VM_FLAGS_FIXED), KERN_NO_SPACE,
       "what is taken is not given again");
    is(vm_deallocate(SELF, a + PAGES(1), PAGES(2)), KERN_SUCCESS,
       "free the middle");
    b = a + PAGES(1);
    is(vm_allocate(SELF, &b, PAGES(2), VM_FLAGS_FIXED), KERN_SUCCESS,
       "take it again");
    is(bytes[PAGES(1)], 0, "it is zero again");
    is(vm_deallocate(SELF, a, PAGES(4)), KERN_SUCCESS, "free all");
    is(vm_deallocate(SELF, a, PAGES(4)), KERN_SUCCESS,
       "nothing there is nothing wrong");
    is(vm_allocate(SELF, &a, 0, VM_FLAGS_ANYWHERE), KERN_SUCCESS,
       "no bytes at all");

    for (size_t i = 0; i < BAD_ADDRESSES; i++) {
        b = bad_addresses[i];
        ok(vm_allocate(SELF, &b, PAGES(1), VM_FLAGS_FIXED) != KERN_SUCCESS,
           "not at 0x%lx", bad_addresses[i]);
    }

    b = 0x100000000000;
    ok(vm_allocate(SELF, &b, 0UL - PAGE_SIZE, VM_FLAGS_FIXED) != KERN_SUCCESS,
       "a size that wraps");
    ok(vm_allocate(SELF, &b, ~0UL, VM_FLAGS_ANYWHERE) != KERN_SUCCESS,
       "all there is");
    ok(vm_allocate(SELF, &b, 1UL << 46, VM_FLAGS_ANYWHERE) != KERN_SUCCESS,
       "more than the task may have");
    is(syscall_vm_allocate(SELF, (vm_address_t *)0x10, PAGE_SIZE, 1),
       KERN_INVALID_ADDRESS, "the trap: an answer that cannot be stored");
}

static void
protect(void)
{
    vm_address_t a = take(2);
    vm_size_t out = 0;
    uint32_t word = 5;

    *(uint32_t *)a = 5;
    is(vm_protect(SELF, a, PAGE_SIZE, FALSE, VM_PROT_READ), KERN_SUCCESS,
       "read only");
    is(*(uint32_t *)a, 5, "read");
    is(vm_write(SELF, a, (pointer_t)&word, sizeof(word)),
       KERN_PROTECTION_FAILURE, "vm_write respects it");
    is(syscall_vm_write(SELF, a, (vm_address_t)&word, sizeof(word)),
       KERN_PROTECTION_FAILURE, "and the trap");
    is(vm_protect(SELF, a, PAGE_SIZE, FALSE, VM_PROT_NONE), KERN_SUCCESS,
       "nothing");
    is(syscall_vm_read_overwrite(SELF, a, 4, (vm_address_t)&word, &out),
       KERN_PROTECTION_FAILURE, "cannot be read");
    is(vm_protect(SELF, a, PAGE_SIZE, TRUE, VM_PROT_READ), KERN_SUCCESS,
       "no more than reading, ever");
    is(vm_protect(SELF, a, PAGE_SIZE, FALSE, VM_PROT_DEFAULT),
       KERN_PROTECTION_FAILURE, "writing does not come back");
    is(vm_protect(SELF, a, PAGE_SIZE, FALSE, VM_PROT_READ), KERN_SUCCESS,
       "reading does");
    is(*(uint32_t *)a, 5, "read");
    is(vm_protect(SELF, a, PAGE_SIZE, FALSE, 0x1000), KERN_INVALID_ARGUMENT,
       "no such protection");
    ok(vm_protect(SELF, 0x500000000000, PAGE_SIZE, FALSE, VM_PROT_READ) !=
           KERN_SUCCESS,
       "nothing is there");
    drop(a, 2);
    is(vm_inherit(SELF, a, PAGE_SIZE, 77), KERN_INVALID_ARGUMENT,
       "no such inheritance");
}

static void
read_write(void)
{
    vm_address_t a = take(4), b = take(4);
    pointer_t data = 0;
    mach_msg_type_number_t count = 0;
    vm_size_t out = 0;

    memset((void *)a, 'x', PAGES(4));
    is(vm_read(SELF, a, PAGES(3), &data, &count), KERN_SUCCESS, "vm_read");
    ok(count == PAGES(3) && data != a && *(char *)data == 'x', "a copy");
    *(char *)a = 'y';
    is(*(char *)data, 'x', "of its own");
    is(vm_write(SELF, b, data, count), KERN_SUCCESS, "vm_write");
    is(*(char *)(b + PAGES(3) - 1), 'x', "is written");
    is(*(char *)(b + PAGES(3)), 0, "no more");
    (void)vm_deallocate(SELF, data, count);
    is(vm_copy(SELF, a, PAGES(2), b), KERN_SUCCESS, "vm_copy");
    is(*(char *)b, 'y', "is copied");
    *(char *)(a + 100) = 'z';
    is(*(char *)(b + 100), 'x', "once");
    is(syscall_vm_read_overwrite(SELF, a + 90, 20, b + 200, &out), KERN_SUCCESS,
       "read into memory of ours");
    ok(out == 20 && *(char *)(b + 210) == 'z', "20 bytes");
    ok(vm_read(SELF, 0x500000000000, 10, &data, &count) != KERN_SUCCESS,
       "read nothing");

    for (size_t i = 0; i < BAD_ADDRESSES; i++) {
        ok(vm_read(SELF, bad_addresses[i], PAGE_SIZE, &data, &count) !=
               KERN_SUCCESS,
           "not from 0x%lx", bad_addresses[i]);
        ok(syscall_vm_write(SELF, bad_addresses[i], a, 16) != KERN_SUCCESS,
           "nor to it");
        ok(syscall_vm_read_overwrite(SELF, a, 16, bad_addresses[i], &out) !=
               KERN_SUCCESS,
           "nor there");
    }

    ok(vm_copy(SELF, a, ~0UL, b) != KERN_SUCCESS, "a size that wraps");
    ok(syscall_vm_write(SELF, a, b, ~0UL) != KERN_SUCCESS, "or that");
    drop(a, 4);
    drop(b, 4);
}

static void
entries(void)
{
    vm_size_t size = PAGES(4), resident = 99;
    vm_address_t a = 0, b = 0, c = 0, d = 0;
    mach_port_t entry = 0, sub = 0;

    is(mach_make_memory_entry(SELF, &size, 0,
                              MAP_MEM_NAMED_CREATE | VM_PROT_DEFAULT, &entry,
                              MACH_PORT_NULL),
       KERN_SUCCESS, "memory with a port");
    is(vm_map(SELF, &a, PAGES(4), 0, VM_FLAGS_ANYWHERE, entry, 0, FALSE,
              VM_PROT_DEFAULT, VM_PROT_DEFAULT, VM_INHERIT_SHARE),
       KERN_SUCCESS, "map it");
    is(vm_map(SELF, &b, PAGES(4), 0, VM_FLAGS_ANYWHERE, entry, 0, FALSE,
              VM_PROT_READ, VM_PROT_READ, VM_INHERIT_SHARE),
       KERN_SUCCESS, "map it again, read only");
    is(vm_map(SELF, &c, PAGES(2), 0, VM_FLAGS_ANYWHERE, entry, PAGES(1), TRUE,
              VM_PROT_DEFAULT, VM_PROT_ALL, VM_INHERIT_COPY),
       KERN_SUCCESS, "map a copy of its middle");
    *(char *)(a + PAGES(1)) = 1;
    is(*(char *)(b + PAGES(1)), 1, "shared");
    *(char *)c = 2;
    is(*(char *)(a + PAGES(1)), 1, "the copy is its own");
    is(memory_entry_resident(entry, &resident), KERN_SUCCESS, "resident");
    is(resident, 1, "one page");
    is(memory_entry_discard(entry, PAGES(1), PAGES(1)), KERN_SUCCESS,
       "discard it");
    is(*(char *)(b + PAGES(1)), 0, "it reads as zero");
    is(*(char *)c, 2, "but not the copy's own page");
    is(vm_protect(SELF, b, PAGES(1), FALSE, VM_PROT_DEFAULT),
       KERN_PROTECTION_FAILURE, "the mapping stays read only");

    size = PAGES(1);
    is(mach_make_memory_entry(SELF, &size, a, VM_PROT_READ, &sub,
                              MACH_PORT_NULL),
       KERN_SUCCESS, "an entry of mapped memory");
    is(vm_map(SELF, &d, PAGES(1), 0, VM_FLAGS_ANYWHERE, sub, 0, FALSE,
              VM_PROT_DEFAULT, VM_PROT_DEFAULT,
              VM_INHERIT_SHARE) != KERN_SUCCESS,
       TRUE, "that gives no more than it was made with");
    ok(vm_map(SELF, &d, PAGES(8), 0, VM_FLAGS_ANYWHERE, entry, 0, FALSE,
              VM_PROT_READ, VM_PROT_READ, VM_INHERIT_SHARE) != KERN_SUCCESS,
       "no more than there is");
    ok(vm_map(SELF, &d, PAGES(1), 0, VM_FLAGS_ANYWHERE, entry, ~PAGE_MASK,
              FALSE, VM_PROT_READ, VM_PROT_READ,
              VM_INHERIT_SHARE) != KERN_SUCCESS,
       "no offset that wraps");
    ok(vm_map(SELF, &d, PAGES(1), 0, VM_FLAGS_ANYWHERE, SELF, 0, FALSE,
              VM_PROT_READ, VM_PROT_READ, VM_INHERIT_SHARE) != KERN_SUCCESS,
       "a task is no memory");
    ok(memory_entry_discard(entry, PAGES(3), ~PAGE_MASK) != KERN_SUCCESS,
       "nor is it discarded");
    (void)mach_port_deallocate(SELF, sub);
    (void)mach_port_deallocate(SELF, entry);
    *(char *)a = 3;
    is(*(char *)b, 3, "mappings outlive the port");
    drop(a, 4);
    drop(b, 4);
    drop(c, 2);
}

static void
regions(void)
{
    vm_address_t a = take(3), at = a;
    vm_size_t size = 0;
    vm_region_basic_info_data_t info;
    mach_msg_type_number_t count = VM_REGION_BASIC_INFO_COUNT;

    (void)vm_protect(SELF, a + PAGES(1), PAGES(1), FALSE, VM_PROT_READ);
    at = a + PAGES(1);
    is(vm_region(SELF, &at, &size, VM_REGION_BASIC_INFO,
                 (vm_region_info_t)&info, &count),
       KERN_SUCCESS, "a region");
    ok(at == a + PAGES(1) && size == PAGES(1), "its place");
    is(info.protection, VM_PROT_READ, "its protection");
    at = VM_MAX_ADDRESS;
    ok(vm_region(SELF, &at, &size, VM_REGION_BASIC_INFO,
                 (vm_region_info_t)&info, &count) != KERN_SUCCESS,
       "none above the last");
    count = VM_REGION_BASIC_INFO_COUNT;
    at = a;
    ok(vm_region(SELF, &at, &size, 99, (vm_region_info_t)&info, &count) !=
           KERN_SUCCESS,
       "no such flavor");
    drop(a, 3);
}

static void
remap(void)
{
    vm_address_t a = take(2), b = 0, c = 0;
    vm_prot_t cur = 0, max = 0;

    *(char *)a = 1;
    is(vm_remap(SELF, &b, PAGES(2), 0, VM_FLAGS_ANYWHERE, SELF, a, FALSE, &cur,
                &max, VM_INHERIT_SHARE),
       KERN_SUCCESS, "share a range");
    is(cur, VM_PROT_DEFAULT, "its protection");
    *(char *)b = 2;
    is(*(char *)a, 2, "both are one");
    is(vm_remap(SELF, &c, PAGES(2), 0, VM_FLAGS_ANYWHERE, SELF, a, TRUE, &cur,
                &max, VM_INHERIT_COPY),
       KERN_SUCCESS, "copy a range");
    *(char *)c = 3;
    is(*(char *)a, 2, "it is its own");
    ok(vm_remap(SELF, &c, PAGES(2), 0, VM_FLAGS_ANYWHERE, SELF, 0x500000000000,
                FALSE, &cur, &max, VM_INHERIT_SHARE) != KERN_SUCCESS,
       "nothing is there");
    drop(a, 2);
    drop(b, 2);
    drop(c, 2);
}

/* Shadow chains must not grow without bound, nor pages stay. */
static void
generations(void)
{
    vm_address_t a = take(8);
    bool good = true;

    memset((void *)a, 1, PAGES(8));

    for (int i = 0; i < 100; i++) {
        vm_address_t b = 0;
        vm_prot_t cur, max;

        good =
            good && vm_remap(SELF, &b, PAGES(8), 0, VM_FLAGS_ANYWHERE, SELF, a,
                             TRUE, &cur, &max, VM_INHERIT_COPY) == KERN_SUCCESS;
        *(char *)b = (char)i;
        *(char *)(a + PAGES(1)) = (char)i;
        drop(a, 8);
        a = b;
    }

    ok(good && *(char *)a == 99 && *(char *)(a + PAGES(2)) == 1,
       "a hundred copies of copies");
    drop(a, 8);
}

static void
inheritance_child(mach_port_t port)
{
    vm_address_t *ranges = (vm_address_t *)0x200000000000;
    mach_msg_header_t head = {
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
        .msgh_size = sizeof(head),
        .msgh_remote_port = port,
    };
    vm_address_t at = ranges[2];
    vm_size_t size = 0;
    vm_region_basic_info_data_t info;
    mach_msg_type_number_t count = VM_REGION_BASIC_INFO_COUNT;

    *(char *)ranges[0] = 10; /* shared */
    *(char *)ranges[1] = 11; /* copied */

    /* The third is not there. */
    if (vm_region(SELF, &at, &size, VM_REGION_BASIC_INFO,
                  (vm_region_info_t)&info, &count) != KERN_SUCCESS ||
        at != ranges[2]) {
        head.msgh_id = 1;
    }

    (void)mach_msg(&head, MACH_SEND_MSG, sizeof(head), 0, 0, 0, 0);
}

static void
inheritance(void)
{
    vm_address_t table = 0x200000000000, above, *ranges;
    mach_port_t port = guest_port(), task;
    struct {
        mach_msg_header_t head;
        mach_msg_trailer_t trailer;
    } m;

    (void)vm_allocate(SELF, &table, PAGES(1), VM_FLAGS_FIXED);
    ranges = (vm_address_t *)table;

    for (vm_inherit_t i = VM_INHERIT_SHARE; i <= VM_INHERIT_NONE; i++) {
        /* Where nothing that the child allocates for itself will land. */
        ranges[i] = table + PAGES(16 * (i + 1));
        (void)vm_allocate(SELF, &ranges[i], PAGES(1), VM_FLAGS_FIXED);
        *(char *)ranges[i] = 5;
        is(vm_inherit(SELF, ranges[i], PAGES(1), i), KERN_SUCCESS, "inherit");
    }

    /* The child's stack shall find no room where the third is missing. */
    above = take(1);
    task = guest_child(inheritance_child, port, NULL);
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m), port,
                5000, 0),
       MACH_MSG_SUCCESS, "the child looked");
    is(*(char *)ranges[0], 10, "VM_INHERIT_SHARE");
    is(*(char *)ranges[1], 5, "VM_INHERIT_COPY");
    is(m.head.msgh_id, 1, "VM_INHERIT_NONE");

    for (vm_inherit_t i = VM_INHERIT_SHARE; i <= VM_INHERIT_NONE; i++) {
        drop(ranges[i], 1);
    }

    drop(above, 1);
    drop(table, 1);
    (void)mach_port_deallocate(SELF, task);
    (void)mach_port_destroy(SELF, port);
}

static void
all(void)
{
    allocate();
    protect();
    read_write();
    entries();
    regions();
    remap();
    generations();
    inheritance();
}

void
guest_main(void)
{
    struct guest_counts before;

    all();
    guest_counts_get(&before);
    all();
    guest_counts_check(&before, "memory");
}
