/* SPDX-License-Identifier: MIT */
/*
 * Memory management, case by case: boundary values, errors, and the cases
 * that a random walk seldom meets.
 */

#include <stdlib.h>
#include <string.h>

#include <kern/slab.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <machine/pmap.h>
#include <vm/memory_entry.h>
#include <vm/vm_copy.h>
#include <vm/vm_fault.h>
#include <vm/vm_map_i.h>
#include <vm/vm_page.h>

#include "tap.h"
#include "vm_env.h"

#define BASE 0x20000000ul
#define PAGE(n) (BASE + (n)*PAGE_SIZE)

static const uint64_t edges[] = {
    0,
    1,
    PAGE_SIZE - 1,
    PAGE_SIZE,
    PAGE_SIZE + 1,
    VM_MAX_ADDRESS - PAGE_SIZE,
    VM_MAX_ADDRESS - 1,
    VM_MAX_ADDRESS,
    1ul << 47,
    0xffff800000000000,
    UINT64_MAX - PAGE_SIZE,
    UINT64_MAX - 1,
    UINT64_MAX,
};

static void
allocate_at(struct vm_map *map, vm_offset_t address, vm_size_t size)
{
    kern_return_t kr = vm_map_allocate(map, &address, size, VM_FLAGS_OVERWRITE);

    if (kr != KERN_SUCCESS) {
        is(kr, KERN_SUCCESS, "set-up: allocate at %lx", address);
    }
}

static uint64_t
peek(struct vm_map *map, vm_offset_t address)
{
    uint64_t value = 0xbad;

    return env_read(map, address, &value) == KERN_SUCCESS ? value : 0xbad;
}

/* -- Ranges (hazards 8 and 25) --------------------------------------------- */

static bool
range_is_user(uint64_t address, uint64_t size)
{
    return address >= VM_MIN_ADDRESS &&
           (__uint128_t)address + size <= VM_MAX_ADDRESS;
}

static void
test_ranges(void)
{
    unsigned int wrong = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(edges); i++) {
        for (unsigned int j = 0; j < ARRAY_SIZE(edges); j++) {
            vm_offset_t start, end;
            kern_return_t kr = vm_map_range(edges[i], edges[j], &start, &end);
            bool good = range_is_user(edges[i], edges[j]);

            wrong += (kr == KERN_SUCCESS) != good;
            wrong += kr == KERN_SUCCESS &&
                     (start > edges[i] || end < edges[i] + edges[j] ||
                      end > VM_MAX_ADDRESS || ((start | end) & PAGE_MASK) != 0);
        }
    }

    is(wrong, 0, "ranges at 0, page, 2^47 and 2^64");
}

/* Every operation on every pair of edge values: an error or a harmless
 * success, never more than what was asked for. */
static void
test_edge_operations(void)
{
    struct vm_map *map = env_map_create();
    struct vm_map_copy *copy;
    struct memory_entry *entry;
    unsigned int wrong = 0;
    uint64_t word;

    for (unsigned int i = 0; i < ARRAY_SIZE(edges); i++) {
        for (unsigned int j = 0; j < ARRAY_SIZE(edges); j++) {
            uint64_t address = edges[i], size = edges[j];
            vm_size_t part = size;
            bool user = range_is_user(address, size);

            allocate_at(map, BASE, PAGE_SIZE);

            /* A huge but possible copy has holes, all others are refused. */
            wrong +=
                vm_map_protect(map, address, size, false, 1) == KERN_SUCCESS &&
                size != 0;
            wrong += vm_map_inherit(map, address, size, 1) == KERN_SUCCESS &&
                     size != 0;
            wrong += vm_map_copyin(map, address, size, true, &copy) ==
                         KERN_SUCCESS &&
                     size != 0;
            wrong += vm_map_copy_bytes(map, address, map, BASE, size) ==
                         KERN_SUCCESS &&
                     size != 0;
            wrong += vm_map_copy_bytes(map, BASE, map, address, size) ==
                         KERN_SUCCESS &&
                     size != 0;
            wrong += memory_entry_create_from_map(map, address, &part, 1,
                                                  &entry) == KERN_SUCCESS;
            wrong += vm_map_read_kernel(map, address, &word, MIN(size, 8)) ==
                         KERN_SUCCESS &&
                     size != 0;
            wrong += (vm_map_remove(map, address, size) == KERN_SUCCESS) !=
                     (user || size == 0);
        }
    }

    is(wrong, 0, "operations at 0, page, 2^47 and 2^64");
    vm_map_unref(map);
}

static void
test_edge_allocate(void)
{
    struct vm_map *map = env_map_create();
    unsigned int wrong = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(edges); i++) {
        for (unsigned int j = 0; j < ARRAY_SIZE(edges); j++) {
            for (int flags = 0; flags < 2; flags++) {
                vm_offset_t address = edges[i];
                kern_return_t kr =
                    vm_map_allocate(map, &address, edges[j], flags);

                if (kr == KERN_SUCCESS) {
                    wrong +=
                        edges[j] != 0 &&
                        ((flags == 0 && !range_is_user(edges[i], edges[j])) ||
                         !range_is_user(address, edges[j]));
                    wrong += vm_map_remove(map, flags == 0 ? edges[i] : address,
                                           edges[j]) != KERN_SUCCESS;
                }
            }
        }
    }

    is(wrong, 0, "allocations at 0, page, 2^47 and 2^64");
    is(vm_map_size(map), 0, "nothing is left of them");
    is(vm_map_charged(map), 0, "nor charged");
    vm_map_unref(map);
}

static void
test_edge_map(void)
{
    struct vm_map *map = env_map_create();
    struct memory_entry *entry, *part;
    unsigned int wrong = 0;

    is(memory_entry_create(map, 4 * PAGE_SIZE, VM_PROT_DEFAULT, &entry),
       KERN_SUCCESS, "a memory entry");

    for (unsigned int i = 0; i < ARRAY_SIZE(edges); i++) {
        for (unsigned int j = 0; j < ARRAY_SIZE(edges); j++) {
            struct vm_map_request request = {
                .address = BASE,
                .size = edges[j],
                .flags = VM_FLAGS_OVERWRITE,
                .protection = VM_PROT_READ,
                .max_protection = VM_PROT_ALL,
                .inheritance = VM_INHERIT_COPY,
            };
            bool inside = (__uint128_t)edges[i] + edges[j] <= 4 * PAGE_SIZE;
            kern_return_t kr = memory_entry_map(entry, map, &request, edges[i]);

            wrong += kr == KERN_SUCCESS &&
                     (!inside || edges[j] == 0 || edges[i] % PAGE_SIZE != 0);
            wrong +=
                memory_entry_drop(entry, edges[i], edges[j]) == KERN_SUCCESS &&
                !inside;
            kr = memory_entry_create_part(entry, edges[i], edges[j],
                                          VM_PROT_READ, &part);

            if (kr == KERN_SUCCESS) {
                wrong += !inside;
                memory_entry_unref(part);
            }

            kr = memory_entry_create_device(edges[i], edges[j], VM_PROT_READ,
                                            &part);

            if (kr == KERN_SUCCESS) {
                wrong += vm_page_is_ram(edges[i], edges[i] + edges[j]);
                memory_entry_unref(part);
            }
        }
    }

    is(wrong, 0, "memory entries at 0, page, 2^47 and 2^64");
    memory_entry_unref(entry);
    vm_map_unref(map);
}

/* -- Errors ---------------------------------------------------------------- */

static void
test_errors(void)
{
    struct vm_map *map = env_map_create();
    struct vm_region_basic_info info;
    vm_offset_t address = BASE;
    vm_size_t size;

    is(vm_map_allocate(map, &address, 0, 1), KERN_SUCCESS, "allocate: size 0");
    is(address, 0, "allocate: nothing, at address 0");
    address = BASE;
    is(vm_map_allocate(map, &address, PAGE_SIZE, 0x100), KERN_INVALID_ARGUMENT,
       "allocate: flags");
    allocate_at(map, PAGE(0), PAGE_SIZE);
    allocate_at(map, PAGE(2), PAGE_SIZE);
    is(vm_map_allocate(map, &address, PAGE_SIZE, 0), KERN_NO_SPACE,
       "allocate: taken");
    is(vm_map_protect(map, BASE, PAGE_SIZE, false, 8), KERN_INVALID_ARGUMENT,
       "protect: bits");
    is(vm_map_protect(map, BASE, 3 * PAGE_SIZE, false, 1), KERN_INVALID_ADDRESS,
       "protect: hole");
    is(vm_map_protect(map, BASE, PAGE_SIZE, true, VM_PROT_READ), KERN_SUCCESS,
       "protect: maximum");
    is(vm_map_protect(map, BASE, PAGE_SIZE, false, VM_PROT_DEFAULT),
       KERN_PROTECTION_FAILURE, "protect: above the maximum");
    is(env_write(map, BASE, 1), KERN_PROTECTION_FAILURE,
       "the maximum cut the protection");
    is(env_execute(map, PAGE(2)), KERN_PROTECTION_FAILURE, "no execution");
    is(vm_map_protect(map, PAGE(2), PAGE_SIZE, false, VM_PROT_ALL),
       KERN_SUCCESS, "protect: all");
    is(env_execute(map, PAGE(2)), KERN_SUCCESS, "execution");
    is(vm_map_inherit(map, BASE, PAGE_SIZE, 3), KERN_INVALID_ARGUMENT,
       "inherit: value");
    is(vm_map_inherit(map, PAGE(1), PAGE_SIZE, 1), KERN_INVALID_ADDRESS,
       "inherit: hole");
    address = PAGE(1);
    is(vm_map_region(map, &address, &size, &info), KERN_SUCCESS, "region");
    ok(address == PAGE(2) && size == PAGE_SIZE && info.protection == 7 &&
           info.resident_pages == 1,
       "region: the next above");
    address = PAGE(3);
    is(vm_map_region(map, &address, &size, &info), KERN_INVALID_ADDRESS,
       "region: nothing above");
    vm_map_terminate(map);
    address = BASE;
    is(vm_map_allocate(map, &address, PAGE_SIZE, 0), KERN_TERMINATED,
       "allocate in a dead map");
    is(env_write(map, BASE, 1), KERN_INVALID_ADDRESS, "a dead map is empty");
    vm_map_unref(map);
}

static void
test_limit(void)
{
    struct vm_map *map = env_map_create(), *child;
    struct vm_map_copy *copy;
    struct memory_entry *entry;
    vm_offset_t address = 0;

    vm_map_set_limit(map, 8 * PAGE_SIZE);
    is(vm_map_allocate(map, &address, 9 * PAGE_SIZE, 1), KERN_LIMIT_REACHED,
       "limit: allocate");
    is(vm_map_allocate(map, &address, 6 * PAGE_SIZE, 1), KERN_SUCCESS,
       "limit: less is fine");
    is(memory_entry_create(map, 3 * PAGE_SIZE, 3, &entry), KERN_LIMIT_REACHED,
       "limit: memory entry");
    is(vm_map_copyin(map, address, 5 * PAGE_SIZE, false, &copy),
       KERN_LIMIT_REACHED, "limit: message");
    is(vm_map_copyin(map, address, 2 * PAGE_SIZE, true, &copy), KERN_SUCCESS,
       "limit: message that fits");
    is(vm_map_charged(map), 6 * PAGE_SIZE, "limit: the message counts");
    is(vm_map_fork(map, &child), KERN_SUCCESS, "limit: fork");
    is(vm_map_charged(child), 4 * PAGE_SIZE, "limit: the child pays too");
    is(vm_map_limit(child), 8 * PAGE_SIZE, "limit: and inherits the limit");
    vm_map_set_limit(child, 4 * PAGE_SIZE);
    is(vm_map_copyout(child, &address, copy), KERN_LIMIT_REACHED,
       "limit: copyout");
    vm_map_set_limit(child, 6 * PAGE_SIZE);
    is(vm_map_copyout(child, &address, copy), KERN_SUCCESS,
       "limit: copyout that fits");
    is(vm_map_charged(map), 4 * PAGE_SIZE, "limit: the sender is free of it");
    vm_map_unref(child);
    vm_map_unref(map);
}

/* Nobody makes the kernel spend all its memory on ranges. */
static void
test_entries_limit(void)
{
    struct vm_map *map = env_map_create();
    vm_offset_t address = BASE;
    kern_return_t kr = KERN_SUCCESS;
    unsigned int count = 0;

    allocate_at(map, BASE, 1ul << 32);

    while (kr == KERN_SUCCESS && count < 100000) {
        kr = vm_map_protect(map, address, PAGE_SIZE, false, VM_PROT_READ);
        address += 2 * PAGE_SIZE;
        count++;
    }

    is(kr, KERN_RESOURCE_SHORTAGE, "entries: an end after %u", count);
    ok(map->entry_count <= VM_MAP_ENTRIES_MAX, "entries: %u of them",
       map->entry_count);
    is(env_write(map, BASE + PAGE_SIZE, 1), KERN_SUCCESS,
       "entries: memory can be used");
    is(vm_map_remove(map, BASE, 1ul << 31), KERN_SUCCESS,
       "entries: and given back");
    is(vm_map_protect(map, BASE + (3ul << 30), PAGE_SIZE, false, VM_PROT_READ),
       KERN_SUCCESS, "entries: then there is room again");
    vm_map_unref(map);
}

/* -- Chains ---------------------------------------------------------------- */

static unsigned int
chain_length(struct vm_map *map, vm_offset_t address)
{
    struct vm_map_entry *entry;
    unsigned int length = 0;

    vm_map_lock_read(&map->lock);
    entry = vm_map_lookup(map, address);

    for (struct vm_object *object = entry->object; object != NULL;
         object = object->shadow) {
        length++;
    }

    vm_map_unlock_read(&map->lock);
    return length;
}

/* Each generation forks the next, writes a little, and goes. */
static void
test_generations(void)
{
    struct vm_map *map = env_map_create();
    uint64_t frames = 0, objects = 0, entries = 0;
    unsigned int longest = 0;

    allocate_at(map, BASE, 16 * PAGE_SIZE);

    for (unsigned int i = 0; i < 16; i++) {
        is(env_write(map, PAGE(i), i), KERN_SUCCESS, "generations: write");
    }

    for (unsigned int i = 0; i < 1000; i++) {
        struct vm_map *child;

        if (vm_map_fork(map, &child) != KERN_SUCCESS ||
            env_write(child, PAGE(i % 16), i) != KERN_SUCCESS ||
            env_write(map, PAGE((i + 1) % 16), i) != KERN_SUCCESS) {
            ok(false, "generation %u", i);
        }

        vm_map_unref(map);
        map = child;
        longest = MAX(longest, chain_length(map, BASE));

        if (i == 100) {
            frames = vm_page_free_count();
            objects = vm_object_count();
            entries = vm_map_entry_count();
        }
    }

    is(frames - vm_page_free_count(), 0, "1,000 generations: frames");
    is(vm_object_count(), objects, "1,000 generations: objects");
    is(vm_map_entry_count(), entries, "1,000 generations: entries");
    ok(longest <= 2, "1,000 generations: chains of %u", longest);
    vm_map_unref(map);
}

/* A parent that forks and forks, and writes all of its memory each time;
 * the children live. */
static void
test_forks(void)
{
    struct vm_map *map = env_map_create(), *children[50];

    allocate_at(map, BASE, 4 * PAGE_SIZE);

    for (unsigned int i = 0; i < ARRAY_SIZE(children); i++) {
        is(vm_map_fork(map, &children[i]), KERN_SUCCESS, "forks: fork %u", i);

        for (unsigned int j = 0; j < 4; j++) {
            if (env_write(map, PAGE(j), i * 4 + j) != KERN_SUCCESS) {
                ok(false, "forks: write");
            }
        }
    }

    ok(chain_length(map, BASE) <= 2, "forks: a chain of %u",
       chain_length(map, BASE));
    is(peek(children[0], BASE), 0, "forks: the first child's zeros");
    is(peek(children[10], PAGE(1)), 9 * 4 + 1, "forks: the tenth's value");

    for (unsigned int i = 0; i < ARRAY_SIZE(children); i++) {
        vm_map_unref(children[i]);
    }

    is(chain_length(map, BASE), 1, "forks: one object in the end");
    vm_map_unref(map);
}

/* Memory given back while it was shared must not come back by growing. */
static void
test_stale(void)
{
    struct vm_map *map = env_map_create(), *child;

    allocate_at(map, BASE, 2 * PAGE_SIZE);
    is(env_write(map, PAGE(0), 1), KERN_SUCCESS, "stale: write");
    is(env_write(map, PAGE(1), 2), KERN_SUCCESS, "stale: write");
    is(vm_map_fork(map, &child), KERN_SUCCESS, "stale: fork");
    is(vm_map_remove(map, PAGE(1), PAGE_SIZE), KERN_SUCCESS, "stale: shrink");
    vm_map_unref(child);
    is(env_write(map, PAGE(0), 3), KERN_SUCCESS, "stale: it is ours again");
    allocate_at(map, PAGE(1), PAGE_SIZE);
    is(peek(map, PAGE(1)), 0, "stale: new memory is zero");
    is(map->entry_count, 1, "stale: and one range with the old");
    vm_map_unref(map);
}

/* A page copied by somebody else's write is seen at once (hazard 9). */
static void
test_replace(void)
{
    struct vm_map *map = env_map_create(), *child;
    uint64_t value = 7;

    allocate_at(map, BASE, PAGE_SIZE);
    is(env_write(map, BASE, 1), KERN_SUCCESS, "replace: write");
    is(vm_map_fork(map, &child), KERN_SUCCESS, "replace: fork");
    is(peek(map, BASE), 1, "replace: read");
    is(vm_map_write_kernel(map, BASE, &value, 8), KERN_SUCCESS,
       "replace: write from outside");
    is(peek(map, BASE), 7, "replace: seen through the old translation");
    is(peek(child, BASE), 1, "replace: and not by the child");
    vm_map_unref(child);
    vm_map_unref(map);
}

/* -- Copies ---------------------------------------------------------------- */

/* The receiver sees the data and zeros, never the sender's neighbours. */
static void
test_edges_of_copies(bool destroy)
{
    static const struct {
        vm_offset_t offset;
        vm_size_t size;
    } cases[] = {
        { 0, 1 },     { 100, 4095 }, { 1, 4096 },     { 4095, 4097 },
        { 0, 20480 }, { 8, 24576 },  { 4095, 28674 }, { 0, 24577 },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
        struct vm_map *map = env_map_create(), *to = env_map_create();
        struct vm_map_copy *copy;
        unsigned char *memory = malloc(10 * PAGE_SIZE);
        vm_size_t size = cases[i].size;
        vm_offset_t address = 0, start, end;
        unsigned int wrong = 0;

        memset(memory, 0x5a, 10 * PAGE_SIZE);
        allocate_at(map, BASE, 10 * PAGE_SIZE);
        is(vm_map_write_kernel(map, BASE, memory, 10 * PAGE_SIZE), KERN_SUCCESS,
           "copy: set-up");
        is(vm_map_copyin(map, BASE + cases[i].offset, size, destroy, &copy),
           KERN_SUCCESS, "copy: %lu bytes at %lu", size, cases[i].offset);
        is(vm_map_copyout(to, &address, copy), KERN_SUCCESS, "copy: out");
        start = address & ~PAGE_MASK;
        end = (address + size + PAGE_MASK) & ~PAGE_MASK;
        is(vm_map_read_kernel(to, start, memory, end - start), KERN_SUCCESS,
           "copy: read");

        for (vm_offset_t at = start; at < end; at++) {
            bool inside = at >= address && at < address + size;

            wrong += memory[at - start] != (inside ? 0x5a : 0);
        }

        is(wrong, 0, "copy: data, and zeros around");
        is(vm_map_size(map) == 10 * PAGE_SIZE, !destroy,
           "copy: the sender has it %s", destroy ? "no more" : "still");
        is(vm_map_remove(to, address, size), KERN_SUCCESS, "copy: removal");
        is(vm_map_size(to), 0, "copy: all of it");
        free(memory);
        vm_map_unref(map);
        vm_map_unref(to);
    }
}

static void
test_kernel_copies(void)
{
    struct vm_map *map = env_map_create();
    struct vm_map_copy *copy;
    char *data = malloc(10000);
    vm_offset_t address;
    char back[8];

    memset(data, 'x', 10000);
    memcpy(data + 9000, "pattern", 8);
    is(vm_map_copy_from_kernel(data, 10000, &copy), KERN_SUCCESS,
       "from the kernel");
    is(vm_map_copy_read(copy, 9000, back, 8), KERN_SUCCESS, "read of a copy");
    ok(strcmp(back, "pattern") == 0, "what was put in");
    is(vm_map_copy_read(copy, 9999, back, 2), KERN_INVALID_ARGUMENT,
       "read past the end");
    is(vm_map_copyout(map, &address, copy), KERN_SUCCESS, "to a task");
    is(vm_map_read_kernel(map, address + 9000, back, 8), KERN_SUCCESS, "read");
    ok(strcmp(back, "pattern") == 0, "what was put in");
    is(vm_map_copy_from_kernel(data, 0, &copy), KERN_SUCCESS, "no bytes");
    ok(copy == NULL, "are no copy");
    is(vm_map_copyout(map, &address, copy), KERN_SUCCESS, "and come out");
    is(address, 0, "at address 0");
    free(data);
    vm_map_unref(map);
}

/* A shared page: copies keep what was there at copyin (hazard 7). */
static void
test_shared_copies(void)
{
    struct vm_map *map = env_map_create(), *child;
    struct vm_map_copy *copy;
    uint64_t word;

    allocate_at(map, BASE, 8 * PAGE_SIZE);
    is(vm_map_inherit(map, BASE, 8 * PAGE_SIZE, VM_INHERIT_SHARE), KERN_SUCCESS,
       "shared: inherit");
    is(vm_map_fork(map, &child), KERN_SUCCESS, "shared: fork");
    is(env_write(map, PAGE(3), 3), KERN_SUCCESS, "shared: write");
    is(peek(child, PAGE(3)), 3, "shared: seen by the child");
    is(vm_map_copyin(map, BASE, 8 * PAGE_SIZE, false, &copy), KERN_SUCCESS,
       "shared: copyin");
    is(env_write(child, PAGE(3), 4), KERN_SUCCESS, "shared: write behind");
    is(env_write(child, PAGE(5), 5), KERN_SUCCESS, "shared: a new page");
    is(peek(map, PAGE(3)), 4, "shared: seen by the parent");
    is(vm_map_copy_read(copy, 3 * PAGE_SIZE, &word, 8), KERN_SUCCESS,
       "shared: the copy");
    is(word, 3, "shared: has the old value");
    is(vm_map_copy_read(copy, 5 * PAGE_SIZE, &word, 8), KERN_SUCCESS,
       "shared: the copy");
    is(word, 0, "shared: and the old zero");
    vm_map_copy_discard(copy);
    vm_map_unref(child);
    vm_map_unref(map);
}

/* -- Busy pages ------------------------------------------------------------ */

static struct vm_object *busy_object;
static struct vm_page *busy_page;
static unsigned int blocked;

static void
finish_page(const void *event)
{
    blocked++;

    if (event == busy_page) {
        spin_lock(&busy_object->lock);
        vm_object_page_done(busy_object, busy_page);
        spin_unlock(&busy_object->lock);
    }
}

static void
test_busy(void)
{
    struct vm_map *map = env_map_create();
    struct vm_map_entry *entry;

    allocate_at(map, BASE, PAGE_SIZE);
    is(env_write(map, BASE, 5), KERN_SUCCESS, "busy: write");
    entry = vm_map_lookup(map, BASE);
    busy_object = entry->object;
    spin_lock(&busy_object->lock);
    busy_page = vm_object_lookup(busy_object, vm_map_entry_index(entry, BASE));
    pmap_page_protect(busy_page, VM_PROT_NONE);
    vm_object_page_busy(busy_object, busy_page);
    spin_unlock(&busy_object->lock);
    shim_block_hook = finish_page;
    blocked = 0;
    is(peek(map, BASE), 5, "busy: the fault waits for the page");
    is(blocked, 1, "busy: once");
    is(busy_object->busy, 0, "busy: no more");
    shim_block_hook = NULL;
    vm_map_unref(map);
}

/* -- Memory entries -------------------------------------------------------- */

static void
test_entries(void)
{
    struct vm_map *map = env_map_create();
    struct memory_entry *entry, *part;
    struct vm_map_request request = {
        .size = 2 * PAGE_SIZE,
        .flags = VM_FLAGS_ANYWHERE,
        .protection = VM_PROT_DEFAULT,
        .max_protection = VM_PROT_ALL,
        .inheritance = VM_INHERIT_SHARE,
    };
    char word[8];

    is(memory_entry_create(map, 4 * PAGE_SIZE, VM_PROT_DEFAULT, &entry),
       KERN_SUCCESS, "entry: create");
    is(memory_entry_create_part(entry, PAGE_SIZE, PAGE_SIZE, VM_PROT_READ,
                                &part),
       KERN_SUCCESS, "entry: a part of it");
    is(memory_entry_map(part, map, &request, 0), KERN_INVALID_ARGUMENT,
       "entry: the part is too small");
    request.size = PAGE_SIZE;
    is(memory_entry_map(part, map, &request, 0), KERN_PROTECTION_FAILURE,
       "entry: and read-only");
    request.protection = VM_PROT_READ;
    is(memory_entry_map(part, map, &request, 0), KERN_SUCCESS,
       "entry: to be read");
    is(vm_map_protect(map, request.address, PAGE_SIZE, false, VM_PROT_DEFAULT),
       KERN_PROTECTION_FAILURE, "entry: for ever");
    is(memory_entry_drop(part, 0, PAGE_SIZE), KERN_PROTECTION_FAILURE,
       "entry: its pages can't be dropped through it");
    is(memory_entry_pages(entry), 0, "entry: no page yet");
    is(peek(map, request.address), 0, "entry: read");
    is(memory_entry_pages(entry), 1, "entry: one page");
    is(memory_entry_read(entry, PAGE_SIZE, word, 8), KERN_SUCCESS,
       "entry: read by the kernel");
    is(memory_entry_drop(entry, 0, 4 * PAGE_SIZE), KERN_SUCCESS, "entry: drop");
    is(memory_entry_pages(entry), 0, "entry: no page again");
    memory_entry_unref(entry);
    memory_entry_unref(part);
    vm_map_unref(map);
}

static void
test_device(void)
{
    struct vm_map *map = env_map_create(), *child;
    struct memory_entry *entry;
    struct vm_map_copy *copy;
    struct vm_map_request request = {
        .size = PAGE_SIZE,
        .flags = VM_FLAGS_ANYWHERE,
        .protection = VM_PROT_DEFAULT,
        .max_protection = VM_PROT_ALL,
        .inheritance = VM_INHERIT_SHARE,
    };
    uint64_t physical;

    is(memory_entry_create_device(0x100000, PAGE_SIZE, 3, &entry),
       KERN_INVALID_ARGUMENT, "device: RAM is none");
    is(memory_entry_create_device(0xfee00000, 2 * PAGE_SIZE, 3, &entry),
       KERN_SUCCESS, "device: create");
    is(memory_entry_map(entry, map, &request, PAGE_SIZE), KERN_SUCCESS,
       "device: map");
    is(vm_fault(map, request.address, VM_PROT_WRITE, NULL), KERN_SUCCESS,
       "device: fault");
    ok(pmap_extract(map->pmap, request.address, &physical) &&
           physical == 0xfee01000,
       "device: its frame");
    is(vm_map_copyin(map, request.address, PAGE_SIZE, false, &copy),
       KERN_PROTECTION_FAILURE, "device: no copies");
    is(vm_map_fork(map, &child), KERN_SUCCESS, "device: fork");
    is(vm_fault(child, request.address, VM_PROT_READ, NULL), KERN_SUCCESS,
       "device: shared by the child");
    request.copy = true;
    is(memory_entry_map(entry, map, &request, 0), KERN_NOT_SUPPORTED,
       "device: no private mapping");
    memory_entry_unref(entry);
    vm_map_unref(child);
    vm_map_unref(map);
}

/* -- Shortage -------------------------------------------------------------- */

/* Fork with each of its allocations failing in turn. */
static void
test_fork_failures(void)
{
    struct vm_map *map = env_map_create(), *child;
    size_t objects;
    unsigned int failures = 0;

    for (unsigned int i = 0; i < 6; i++) {
        allocate_at(map, PAGE(2 * i), PAGE_SIZE);
        is(env_write(map, PAGE(2 * i), i), KERN_SUCCESS, "failures: set-up");
    }

    is(vm_map_inherit(map, PAGE(2), 1, VM_INHERIT_SHARE), KERN_SUCCESS,
       "failures: set-up");
    is(vm_map_fork(map, &child), KERN_SUCCESS, "failures: set-up");
    vm_map_unref(child);
    objects = slab_total();

    for (unsigned int n = 1;; n++) {
        kern_return_t kr;

        shim_fail(n);
        kr = vm_map_fork(map, &child);
        shim_fail(0);

        if (kr == KERN_SUCCESS) {
            vm_map_unref(child);
            break;
        }

        failures++;

        if (kr != KERN_RESOURCE_SHORTAGE || slab_total() != objects) {
            ok(false, "failures: allocation %u", n);
        }
    }

    ok(failures > 8, "fork fails cleanly at each of %u allocations", failures);
    is(peek(map, PAGE(4)), 2, "failures: the parent is as before");
    vm_map_unref(map);
}

/* Ordinary tasks leave the reserve to the others. */
static void
test_reserve(void)
{
    struct vm_map *map = env_map_create();
    struct vm_page *page;
    vm_offset_t address = BASE;
    kern_return_t kr = KERN_SUCCESS;
    unsigned int pages = 0;

    kernel_task = NULL;
    shim_cpu.thread->task->vm_privilege = false;
    allocate_at(map, BASE, 1ul << 30);

    while (kr == KERN_SUCCESS && pages < 100000) {
        kr = env_write(map, address, 1);
        address += PAGE_SIZE;
        pages++;
    }

    is(kr, KERN_RESOURCE_SHORTAGE, "reserve: memory ends after %u pages",
       pages);
    ok(vm_page_free_count() >= 100, "reserve: %lu frames are left",
       vm_page_free_count());
    shim_cpu.thread->task->vm_privilege = true;
    page = vm_page_alloc(0);
    ok(page != NULL, "reserve: for tasks with privilege");

    if (page != NULL) {
        vm_page_free(page);
    }

    vm_map_unref(map);
}

int
main(void)
{
    env_setup(16);
    test_ranges();
    test_edge_operations();
    test_edge_allocate();
    test_edge_map();
    test_errors();
    test_limit();
    test_entries_limit();
    test_generations();
    test_forks();
    test_stale();
    test_replace();
    test_edges_of_copies(false);
    test_edges_of_copies(true);
    test_kernel_copies();
    test_shared_copies();
    test_busy();
    test_entries();
    test_device();
    test_fork_failures();
    test_reserve();
    is(vm_map_count(), 0, "no map is left");
    is(vm_object_count(), 0, "no object is left");
    return tap_done();
}
