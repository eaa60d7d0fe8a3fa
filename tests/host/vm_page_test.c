/* SPDX-License-Identifier: MIT */
/* The frame allocator and the slab caches that stand on it, both real. */

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kern/slab.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <vm/vm_page.h>

#include "tap.h"

#define MEGABYTE 0x100000ul
#define RAM (8 * MEGABYTE)

char *shim_ram;

void
cpu_invalidate_page(uint64_t address)
{
    (void)address;
}

void
cpu_write_cr3(uint64_t value)
{
    (void)value;
}

/* Does it end in a panic? */
static bool
panics(void (*function)(void))
{
    pid_t pid;
    int status;

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        (void)freopen("/dev/null", "w", stdout);
        function();
        _exit(0);
    }

    (void)waitpid(pid, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

/* -- Boot ------------------------------------------------------------------ */

/* Usable memory with a kernel and a module in it, an overlap, an odd end. */
static const struct boot_range ranges[] = {
    { 0, 0x9fc00, BOOT_RANGE_USABLE },
    { 0x9fc00, MEGABYTE, BOOT_RANGE_RESERVED },
    { MEGABYTE, RAM - 100, BOOT_RANGE_USABLE },
    { MEGABYTE, MEGABYTE + 0x30000, BOOT_RANGE_RESERVED },
    { 3 * MEGABYTE, 3 * MEGABYTE + 5000, BOOT_RANGE_MODULE },
    { 3 * MEGABYTE + 4096, 3 * MEGABYTE + 9000, BOOT_RANGE_RESERVED },
};

static void
test_boot(void)
{
    uint64_t first, second, expected;

    vm_page_bootstrap(ranges, ARRAY_SIZE(ranges));
    first = vm_page_bootstrap_alloc(1);
    second = vm_page_bootstrap_alloc(2 * MEGABYTE);
    is(first, MEGABYTE + 0x30000, "boot memory starts behind the kernel");
    is(second, 3 * MEGABYTE + 3 * PAGE_SIZE,
       "a large piece does not fit before the module");
    is(vm_page_bootstrap_alloc(PAGE_SIZE), first + PAGE_SIZE,
       "what was stepped over is used later");
    is(vm_page_ram_end(), RAM, "the end of memory");
    ok(vm_page_is_ram(3 * MEGABYTE, 3 * MEGABYTE + 1), "a module is RAM");
    ok(!vm_page_is_ram(RAM, RAM + MEGABYTE), "there is none behind the end");
    vm_page_setup();
    is(vm_page_frames, RAM / PAGE_SIZE, "frames");

    /* 0x9f000 below 1 MB; 7 MB - 1 page above, less kernel, module, three
     * pieces and the array. */
    expected = 0x9f + 7 * 256 - 1 - 0x30 - 3 - 1 - 512 - 1 -
               RAM / PAGE_SIZE * 64 / PAGE_SIZE;
    is(vm_page_free_count(), expected, "free frames");
}

/* -- Frames ---------------------------------------------------------------- */

static void
test_contiguous(void)
{
    struct vm_page *pages[8];
    uint64_t before = vm_page_free_count();
    unsigned int wrong = 0;

    for (unsigned int i = 0; i < 8; i++) {
        uint64_t count = 1 + i * 7;
        uint64_t align = 1;

        while (align < count) {
            align *= 2;
        }

        pages[i] = vm_page_alloc_contiguous(count, 0, VM_PAGE_ALLOC_ZERO);
        wrong += pages[i] == NULL || vm_page_frame(pages[i]) % align != 0;
    }

    is(wrong, 0, "contiguous frames are aligned to their size");
    is(before - vm_page_free_count(), 8 + 28 * 7, "and no more than asked");

    for (unsigned int i = 0; i < 8; i++) {
        vm_page_free_contiguous(pages[i], 1 + i * 7);
    }

    is(vm_page_free_count(), before, "and all come back");
    pages[0] = vm_page_alloc_contiguous(16, MEGABYTE, 0);
    ok(pages[0] != NULL && vm_page_phys(pages[0]) + 16 * PAGE_SIZE <= MEGABYTE,
       "frames below 1 MB");
    vm_page_free_contiguous(pages[0], 16);
    ok(vm_page_alloc_contiguous(1025, 0, 0) == NULL, "not more than 4 MB");
    ok(vm_page_alloc_contiguous(0, 0, 0) == NULL, "not nothing");
}

static void
test_all(void)
{
    struct vm_page **pages = calloc(RAM / PAGE_SIZE, sizeof(*pages));
    uint64_t before = vm_page_free_count();
    unsigned int count = 0;

    while ((pages[count] = vm_page_alloc(VM_PAGE_ALLOC_KERNEL)) != NULL) {
        memset(vm_page_address(pages[count]), 1, PAGE_SIZE);
        count++;
    }

    is(count, before, "all frames can be had");
    is(vm_page_free_count(), 0, "none is left");

    /* Not in the order they came. */
    for (unsigned int step = 0; step < 3; step++) {
        for (unsigned int i = step; i < count; i += 3) {
            vm_page_free(pages[i]);
        }
    }

    is(vm_page_free_count(), before, "all are back");
    pages[0] = vm_page_alloc_contiguous(256, 0, 0);
    ok(pages[0] != NULL, "and together again");
    vm_page_free_contiguous(pages[0], 256);
    free(pages);
}

static void
test_hold(void)
{
    struct vm_page *page = vm_page_alloc(0);
    uint64_t before = vm_page_free_count();

    vm_page_hold(page);
    vm_page_hold(page);
    vm_page_free(page);
    is(vm_page_free_count(), before, "a held frame is not freed");
    vm_page_release(page);
    is(vm_page_free_count(), before, "nor by the first release");
    vm_page_release(page);
    is(vm_page_free_count(), before + 1, "but by the last");
}

static void
free_twice(void)
{
    struct vm_page *page = vm_page_alloc(0);

    vm_page_free(page);
    vm_page_free(page);
}

static void
free_mapped(void)
{
    struct vm_page *page = vm_page_alloc(0);

    page->pv.pmap = (struct pmap *)page;
    vm_page_free(page);
}

static void
write_freed(void)
{
    struct vm_page *page = vm_page_alloc(0);
    char *memory = vm_page_address(page);

    vm_page_free(page);
    memory[1000] = 1;
    (void)!vm_page_alloc(0);
}

/* -- Slabs ----------------------------------------------------------------- */

static struct slab_cache cache;

static void
test_slab(void)
{
    static void *objects[3000];
    unsigned int wrong = 0;
    uint64_t before;

    slab_cache_init(&cache, "test", 72, 32);
    before = vm_page_free_count();

    for (unsigned int round = 0; round < 3; round++) {
        for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
            unsigned char *bytes = slab_alloc(&cache);

            wrong += bytes == NULL || (uintptr_t)bytes % 32 != 0;

            for (unsigned int j = 0; j < 72; j++) {
                wrong += bytes[j] != 0;
                bytes[j] = 0xff;
            }

            objects[i] = bytes;
        }

        is(slab_count(&cache), ARRAY_SIZE(objects), "slab: objects in use");

        for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
            slab_free(&cache, objects[(i * 7) % ARRAY_SIZE(objects)]);
        }
    }

    is(wrong, 0, "slab: aligned and zeroed");
    is(slab_count(&cache), 0, "slab: none in use");
    ok(before - vm_page_free_count() <= 70, "slab: %lu pages are kept",
       before - vm_page_free_count());
}

static void
test_kmem(void)
{
    static const size_t sizes[] = { 1, 32, 33, 2048, 2049, 4096, 4097, 40000 };
    unsigned int wrong = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
        for (unsigned int j = 0; j < 100; j++) {
            unsigned char *bytes = kmem_alloc(sizes[i]);

            for (size_t k = 0; k < sizes[i]; k++) {
                wrong += bytes[k] != 0;
                bytes[k] = 0xee;
            }

            kmem_free(bytes, sizes[i]);
        }
    }

    is(wrong, 0, "kmem: zeroed at all sizes");
    kmem_free(NULL, 10);
    ok(kmem_alloc(64 * MEGABYTE) == NULL, "kmem: too much");
}

static void
slab_free_twice(void)
{
    void *object = slab_alloc(&cache);

    slab_free(&cache, object);
    slab_free(&cache, object);
}

static void
slab_write_freed(void)
{
    char *object = slab_alloc(&cache);

    slab_free(&cache, object);
    object[50] = 1;

    for (unsigned int i = 0; i < 2 * SLAB_QUARANTINE_SIZE; i++) {
        slab_free(&cache, slab_alloc(&cache));
    }
}

static void
slab_free_elsewhere(void)
{
    static struct slab_cache other;

    slab_cache_init(&other, "other", 72, 32);
    slab_free(&other, slab_alloc(&cache));
}

int
main(void)
{
    static struct task task = { .vm_privilege = true };
    static struct thread thread = { .task = &task };

    shim_cpu.thread = &thread;
    shim_ram = aligned_alloc(4 * MEGABYTE, RAM);
    test_boot();
    slab_setup();
    test_contiguous();
    test_all();
    test_hold();
    ok(panics(free_twice), "a frame freed twice");
    ok(panics(free_mapped), "a frame freed while mapped (hazard 9)");
    ok(panics(write_freed), "a frame written after free (hazard 9)");
    test_slab();
    test_kmem();
    ok(panics(slab_free_twice), "an object freed twice (hazard 22)");
    ok(panics(slab_write_freed), "an object written after free (hazard 22)");
    ok(panics(slab_free_elsewhere), "an object freed to another cache");
    return tap_done();
}
