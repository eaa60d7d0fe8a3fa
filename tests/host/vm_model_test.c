/* SPDX-License-Identifier: MIT */
/*
 * Memory management against a model. The model knows of each page of each
 * task only which cell it shows; sharing is two pages with one cell, a copy
 * is a new cell with the same value. Random operations are done to both; what
 * programs then read must be the same. In the end nothing may be left over.
 *
 * usage: vm_model_test [steps [seed [megabytes]]]
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kern/slab.h>
#include <kern/task.h>
#include <kern/thread.h>
#include <machine/pmap.h>
#include <vm/memory_entry.h>
#include <vm/vm_copy.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

#include "tap.h"
#include "vm_env.h"

#define TASKS 6
#define PAGES 40
#define ENTRIES 4
#define COPIES 4
#define BASE 0x20000000ul

/* Where in a page the two words are that a cell stands for. */
#define FIRST 8
#define LAST (PAGE_SIZE - 16)

struct cell {
    unsigned int refs;
    uint64_t first, last;
};

struct model_page {
    struct cell *cell; /* NULL: nothing mapped */
    vm_prot_t protection;
    vm_prot_t max_protection;
    vm_inherit_t inheritance;
};

struct model_task {
    struct vm_map *map;
    struct model_page pages[PAGES];
};

struct model_entry {
    struct memory_entry *entry;
    unsigned int count;
    vm_prot_t protection;
    struct cell *cells[PAGES];
};

struct model_copy {
    struct vm_map_copy *copy;
    unsigned int count;
    struct cell *cells[PAGES];
};

static struct model_task tasks[TASKS];
static struct model_entry entries[ENTRIES];
static struct model_copy copies[COPIES];
static uint64_t seed = 1;
static unsigned long step;
static unsigned long done[32];

static uint64_t
random_word(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1d;
}

static unsigned int
random_below(unsigned int limit)
{
    return (unsigned int)((random_word() >> 33) % limit);
}

static void
check(bool good, const char *what)
{
    if (!good) {
        printf("Bail out! step %lu: %s\n", step, what);
        fflush(stdout);
        abort();
    }
}

/* -- Cells ----------------------------------------------------------------- */

static struct cell *
cell_new(uint64_t first, uint64_t last)
{
    struct cell *cell = malloc(sizeof(*cell));

    *cell = (struct cell){ .refs = 1, .first = first, .last = last };
    return cell;
}

static struct cell *
cell_copy(const struct cell *cell)
{
    return cell_new(cell->first, cell->last);
}

static struct cell *
cell_ref(struct cell *cell)
{
    cell->refs++;
    return cell;
}

static void
cell_drop(struct cell **cellp)
{
    struct cell *cell = *cellp;

    *cellp = NULL;

    if (cell != NULL) {
        cell->refs--;

        if (cell->refs == 0) {
            free(cell);
        }
    }
}

/* -- Choices --------------------------------------------------------------- */

struct range {
    struct model_task *task;
    unsigned int first, count;
};

static vm_offset_t
page_address(unsigned int page)
{
    return BASE + page * PAGE_SIZE;
}

static struct model_task *
random_task(void)
{
    struct model_task *task = &tasks[random_below(TASKS)];

    return task->map == NULL ? &tasks[0] : task;
}

static struct range
random_range(void)
{
    struct range range = { .task = random_task() };

    range.first = random_below(PAGES);
    range.count = 1 + random_below(random_below(3) == 0 ? PAGES : 6);

    if (range.first + range.count > PAGES) {
        range.count = PAGES - range.first;
    }

    return range;
}

/* Is all of the range mapped, with these rights? */
static bool
range_allows(const struct range *range, vm_prot_t protection)
{
    for (unsigned int i = 0; i < range->count; i++) {
        struct model_page *page = &range->task->pages[range->first + i];

        if (page->cell == NULL || (protection & ~page->protection) != 0) {
            return false;
        }
    }

    return true;
}

static bool
range_mapped(const struct range *range)
{
    return range_allows(range, VM_PROT_NONE);
}

static bool
range_free(const struct range *range)
{
    for (unsigned int i = 0; i < range->count; i++) {
        if (range->task->pages[range->first + i].cell != NULL) {
            return false;
        }
    }

    return true;
}

static void
model_set(struct model_page *page, struct cell *cell, vm_prot_t protection,
          vm_prot_t max_protection, vm_inherit_t inheritance)
{
    cell_drop(&page->cell);
    *page = (struct model_page){
        .cell = cell,
        .protection = protection,
        .max_protection = max_protection,
        .inheritance = inheritance,
    };
}

/* -- Operations ------------------------------------------------------------ */

static void
op_allocate(void)
{
    struct range range = random_range();
    vm_offset_t address = page_address(range.first);
    int flags = random_below(4) == 0 ? VM_FLAGS_OVERWRITE : 0;
    kern_return_t kr = vm_map_allocate(range.task->map, &address,
                                       range.count * PAGE_SIZE, flags);

    if (kr == KERN_RESOURCE_SHORTAGE) {
        return;
    }

    if (flags == 0 && !range_free(&range)) {
        check(kr == KERN_NO_SPACE, "allocate over something");
        return;
    }

    check(kr == KERN_SUCCESS && address == page_address(range.first),
          "allocate");

    for (unsigned int i = 0; i < range.count; i++) {
        model_set(&range.task->pages[range.first + i], cell_new(0, 0),
                  VM_PROT_DEFAULT, VM_PROT_ALL, VM_INHERIT_DEFAULT);
    }
}

static void
op_deallocate(void)
{
    struct range range = random_range();
    kern_return_t kr = vm_map_remove(range.task->map, page_address(range.first),
                                     range.count * PAGE_SIZE);

    check(kr == KERN_SUCCESS || kr == KERN_RESOURCE_SHORTAGE, "deallocate");

    for (unsigned int i = 0; kr == KERN_SUCCESS && i < range.count; i++) {
        cell_drop(&range.task->pages[range.first + i].cell);
    }
}

static void
op_protect(void)
{
    struct range range = random_range();
    vm_prot_t protection = (vm_prot_t)random_below(8);
    bool maximum = random_below(16) == 0;
    kern_return_t want = KERN_SUCCESS;
    kern_return_t kr;

    if (random_below(2) == 0) {
        protection = VM_PROT_DEFAULT;
    }

    for (unsigned int i = 0; i < range.count && want == KERN_SUCCESS; i++) {
        struct model_page *page = &range.task->pages[range.first + i];

        if (page->cell == NULL) {
            want = KERN_INVALID_ADDRESS;
        } else if ((protection & ~page->max_protection) != 0) {
            want = KERN_PROTECTION_FAILURE;
        }
    }

    kr = vm_map_protect(range.task->map, page_address(range.first),
                        range.count * PAGE_SIZE, maximum, protection);

    if (kr == KERN_RESOURCE_SHORTAGE) {
        return;
    }

    check(kr == want, "protect");

    for (unsigned int i = 0; kr == KERN_SUCCESS && i < range.count; i++) {
        struct model_page *page = &range.task->pages[range.first + i];

        if (maximum) {
            page->max_protection = protection;
            page->protection &= protection;
        } else {
            page->protection = protection;
        }
    }
}

static void
op_inherit(void)
{
    struct range range = random_range();
    vm_inherit_t inheritance = random_below(3);
    kern_return_t kr =
        vm_map_inherit(range.task->map, page_address(range.first),
                       range.count * PAGE_SIZE, inheritance);

    if (kr == KERN_RESOURCE_SHORTAGE) {
        return;
    }

    check(kr == (range_mapped(&range) ? KERN_SUCCESS : KERN_INVALID_ADDRESS),
          "inherit");

    for (unsigned int i = 0; kr == KERN_SUCCESS && i < range.count; i++) {
        range.task->pages[range.first + i].inheritance = inheritance;
    }
}

static void
op_write(void)
{
    struct model_task *task = random_task();
    unsigned int number = random_below(PAGES);
    struct model_page *page = &task->pages[number];
    uint64_t value = random_word();
    bool last = random_below(2) == 0;
    kern_return_t kr = env_write(
        task->map, page_address(number) + (last ? LAST : FIRST), value);

    if (kr == KERN_RESOURCE_SHORTAGE) {
        return;
    }

    if (page->cell == NULL) {
        check(kr == KERN_INVALID_ADDRESS, "write to nothing");
    } else if ((page->protection & VM_PROT_WRITE) == 0) {
        check(kr == KERN_PROTECTION_FAILURE, "write to read-only");
    } else {
        check(kr == KERN_SUCCESS, "write");
        *(last ? &page->cell->last : &page->cell->first) = value;
    }
}

static void
check_page(struct model_task *task, unsigned int number)
{
    struct model_page *page = &task->pages[number];
    uint64_t first, last;
    kern_return_t kr =
        env_read(task->map, page_address(number) + FIRST, &first);

    if (kr == KERN_RESOURCE_SHORTAGE) {
        return;
    }

    if (page->cell == NULL) {
        check(kr == KERN_INVALID_ADDRESS, "read of nothing");
    } else if (page->protection == VM_PROT_NONE ||
               (page->protection & VM_PROT_READ) == 0) {
        check(kr == KERN_PROTECTION_FAILURE || kr == KERN_SUCCESS,
              "read of unreadable");
    } else {
        check(kr == KERN_SUCCESS, "read");
        check(first == page->cell->first, "first word differs");
        kr = env_read(task->map, page_address(number) + LAST, &last);
        check(kr == KERN_SUCCESS, "second read");
        check(last == page->cell->last, "last word differs");
    }
}

static void
op_read(void)
{
    check_page(random_task(), random_below(PAGES));
}

static void
check_all(void)
{
    for (unsigned int i = 0; i < TASKS; i++) {
        for (unsigned int j = 0; tasks[i].map != NULL && j < PAGES; j++) {
            check_page(&tasks[i], j);
        }
    }
}

static void
task_end(struct model_task *task)
{
    vm_map_unref(task->map);
    task->map = NULL;

    for (unsigned int i = 0; i < PAGES; i++) {
        cell_drop(&task->pages[i].cell);
    }
}

static void
op_fork(void)
{
    struct model_task *parent = random_task();
    struct model_task *child = &tasks[1 + random_below(TASKS - 1)];
    kern_return_t kr;

    if (child == parent) {
        return;
    }

    if (child->map != NULL) {
        task_end(child);
    }

    kr = vm_map_fork(parent->map, &child->map);

    if (kr != KERN_SUCCESS) {
        check(kr == KERN_RESOURCE_SHORTAGE, "fork");
        child->map = NULL;
        return;
    }

    for (unsigned int i = 0; i < PAGES; i++) {
        child->pages[i] = parent->pages[i];

        if (parent->pages[i].cell == NULL) {
            continue;
        }

        switch (parent->pages[i].inheritance) {
        case VM_INHERIT_SHARE:
            child->pages[i].cell = cell_ref(parent->pages[i].cell);
            break;
        case VM_INHERIT_COPY:
            child->pages[i].cell = cell_copy(parent->pages[i].cell);
            break;
        default:
            child->pages[i].cell = NULL;
            break;
        }
    }
}

static void
op_exit(void)
{
    struct model_task *task = &tasks[1 + random_below(TASKS - 1)];

    if (task->map != NULL && random_below(4) == 0) {
        task_end(task);
    }
}

static void
op_remap(void)
{
    struct range source = random_range();
    struct range target = random_range();
    struct vm_map_request request = {
        .address = page_address(target.first),
        .flags = VM_FLAGS_OVERWRITE,
        .inheritance = random_below(3),
        .copy = random_below(2) == 0,
    };
    struct cell *cells[PAGES];
    vm_prot_t protection = VM_PROT_ALL, max_protection = VM_PROT_ALL;
    kern_return_t kr;

    if (target.first + source.count > PAGES) {
        return;
    }

    request.size = source.count * PAGE_SIZE;
    kr = vm_map_remap(target.task->map, &request, source.task->map,
                      page_address(source.first));

    if (kr == KERN_RESOURCE_SHORTAGE) {
        return;
    }

    check(kr == (range_mapped(&source) ? KERN_SUCCESS : KERN_INVALID_ADDRESS),
          "remap");

    if (kr != KERN_SUCCESS) {
        return;
    }

    for (unsigned int i = 0; i < source.count; i++) {
        struct model_page *page = &source.task->pages[source.first + i];

        cells[i] = request.copy ? cell_copy(page->cell) : cell_ref(page->cell);
        protection &= page->protection;
        max_protection &= page->max_protection;
    }

    check(request.protection == protection &&
              request.max_protection == max_protection,
          "protection of remap");

    for (unsigned int i = 0; i < source.count; i++) {
        model_set(&target.task->pages[target.first + i], cells[i], protection,
                  max_protection, request.inheritance);
    }
}

/* -- Copies ---------------------------------------------------------------- */

static void
copy_end(struct model_copy *copy, bool discard)
{
    if (discard) {
        vm_map_copy_discard(copy->copy);
    }

    copy->copy = NULL;

    for (unsigned int i = 0; i < copy->count; i++) {
        cell_drop(&copy->cells[i]);
    }
}

static void
copy_take(struct model_copy *copy, bool destroy)
{
    struct range range = random_range();
    kern_return_t kr =
        vm_map_copyin(range.task->map, page_address(range.first),
                      range.count * PAGE_SIZE, destroy, &copy->copy);

    if (kr != KERN_SUCCESS) {
        copy->copy = NULL;
        check(kr == KERN_RESOURCE_SHORTAGE ||
                  !range_allows(&range, VM_PROT_READ),
              "copyin");
        return;
    }

    check(range_mapped(&range), "copyin of nothing");
    copy->count = range.count;

    for (unsigned int i = 0; i < range.count; i++) {
        struct model_page *page = &range.task->pages[range.first + i];

        copy->cells[i] = cell_copy(page->cell);

        if (destroy) {
            cell_drop(&page->cell);
        }
    }
}

static void
copy_check(struct model_copy *copy)
{
    uint64_t word;

    for (unsigned int i = 0; i < copy->count; i++) {
        check(vm_map_copy_read(copy->copy, i * PAGE_SIZE + FIRST, &word, 8) ==
                  KERN_SUCCESS,
              "copy read");
        check(word == copy->cells[i]->first, "copy changed");
        check(vm_map_copy_read(copy->copy, i * PAGE_SIZE + LAST, &word, 8) ==
                  KERN_SUCCESS,
              "copy read");
        check(word == copy->cells[i]->last, "copy changed at the end");
    }
}

/* To a place that the map chooses, and, if that is out of the model's sight,
 * away again. */
static void
copy_out(struct model_copy *copy)
{
    struct model_task *task = random_task();
    vm_offset_t address;
    kern_return_t kr = vm_map_copyout(task->map, &address, copy->copy);

    if (kr != KERN_SUCCESS) {
        check(kr == KERN_RESOURCE_SHORTAGE, "copyout");
        return;
    }

    for (unsigned int i = 0; i < copy->count; i++) {
        vm_offset_t at = address + i * PAGE_SIZE;
        unsigned int page = (unsigned int)((at - BASE) / PAGE_SIZE);

        if (page < PAGES) {
            check(task->pages[page].cell == NULL, "copyout over something");
            model_set(&task->pages[page], cell_copy(copy->cells[i]),
                      VM_PROT_DEFAULT, VM_PROT_ALL, VM_INHERIT_DEFAULT);
        } else {
            uint64_t word;

            kr = env_read(task->map, at + FIRST, &word);
            check(kr == KERN_RESOURCE_SHORTAGE ||
                      (kr == KERN_SUCCESS && word == copy->cells[i]->first),
                  "copyout");
            shim_fail(0);
            check(vm_map_remove(task->map, at, PAGE_SIZE) == KERN_SUCCESS,
                  "removal");
        }
    }

    copy_end(copy, false);
}

static void
copy_over(struct model_copy *copy)
{
    struct range range = random_range();
    kern_return_t kr;

    range.count = copy->count;

    if (range.first + range.count > PAGES ||
        !range_allows(&range, VM_PROT_WRITE)) {
        return;
    }

    shim_fail(0);
    kr = vm_map_copy_overwrite(range.task->map, page_address(range.first),
                               copy->copy);
    check(kr == KERN_SUCCESS, "overwrite");

    for (unsigned int i = 0; i < copy->count; i++) {
        struct cell *cell = range.task->pages[range.first + i].cell;

        cell->first = copy->cells[i]->first;
        cell->last = copy->cells[i]->last;
    }

    copy_end(copy, false);
}

static void
op_copy(void)
{
    struct model_copy *copy = &copies[random_below(COPIES)];

    if (copy->copy == NULL) {
        copy_take(copy, random_below(3) == 0);
        return;
    }

    switch (random_below(4)) {
    case 0:
        copy_out(copy);
        break;
    case 1:
        copy_over(copy);
        break;
    case 2:
        copy_end(copy, true);
        break;
    default:
        copy_check(copy);
        break;
    }
}

/* One word between tasks. */
static void
op_copy_bytes(void)
{
    struct model_task *from = random_task(), *to = random_task();
    unsigned int source = random_below(PAGES), target = random_below(PAGES);
    struct model_page *page = &from->pages[source];
    struct model_page *over = &to->pages[target];
    kern_return_t kr =
        vm_map_copy_bytes(from->map, page_address(source) + FIRST, to->map,
                          page_address(target) + FIRST, 8);

    if (kr == KERN_RESOURCE_SHORTAGE) {
        return;
    }

    if (page->cell == NULL || (page->protection & VM_PROT_READ) == 0 ||
        over->cell == NULL || (over->protection & VM_PROT_WRITE) == 0) {
        check(kr == KERN_INVALID_ADDRESS || kr == KERN_PROTECTION_FAILURE,
              "bytes of nothing");
    } else {
        check(kr == KERN_SUCCESS, "bytes");
        over->cell->first = page->cell->first;
    }
}

/* -- Memory entries -------------------------------------------------------- */

static void
entry_take(struct model_entry *entry)
{
    struct range range = random_range();
    vm_size_t size = range.count * PAGE_SIZE;
    kern_return_t kr;

    entry->protection = VM_PROT_DEFAULT;

    if (random_below(2) == 0) {
        kr = memory_entry_create(range.task->map, size, VM_PROT_DEFAULT,
                                 &entry->entry);

        for (unsigned int i = 0; kr == KERN_SUCCESS && i < range.count; i++) {
            entry->cells[i] = cell_new(0, 0);
        }
    } else {
        kr = memory_entry_create_from_map(range.task->map,
                                          page_address(range.first), &size,
                                          VM_PROT_DEFAULT, &entry->entry);

        for (unsigned int i = 0; kr == KERN_SUCCESS && i < size / PAGE_SIZE;
             i++) {
            check(range.task->pages[range.first + i].cell != NULL,
                  "entry of nothing");
            entry->cells[i] = cell_ref(range.task->pages[range.first + i].cell);
        }
    }

    if (kr != KERN_SUCCESS) {
        entry->entry = NULL;
        return;
    }

    entry->count = (unsigned int)(size / PAGE_SIZE);
}

static void
entry_end(struct model_entry *entry)
{
    memory_entry_unref(entry->entry);
    entry->entry = NULL;

    for (unsigned int i = 0; i < entry->count; i++) {
        cell_drop(&entry->cells[i]);
    }
}

static void
entry_map(struct model_entry *entry)
{
    struct range range = random_range();
    unsigned int first = random_below(entry->count);
    unsigned int count = 1 + random_below(entry->count - first);
    struct vm_map_request request = {
        .address = page_address(range.first),
        .size = count * PAGE_SIZE,
        .flags = VM_FLAGS_OVERWRITE,
        .protection = VM_PROT_DEFAULT,
        .max_protection = VM_PROT_DEFAULT,
        .inheritance = random_below(3),
        .copy = random_below(2) == 0,
    };
    kern_return_t kr;

    if (range.first + count > PAGES) {
        return;
    }

    kr = memory_entry_map(entry->entry, range.task->map, &request,
                          first * PAGE_SIZE);

    if (kr == KERN_RESOURCE_SHORTAGE) {
        return;
    }

    check(kr == KERN_SUCCESS, "map");

    for (unsigned int i = 0; i < count; i++) {
        struct cell *cell = entry->cells[first + i];

        model_set(&range.task->pages[range.first + i],
                  request.copy ? cell_copy(cell) : cell_ref(cell),
                  VM_PROT_DEFAULT, VM_PROT_DEFAULT, request.inheritance);
    }
}

static void
entry_discard(struct model_entry *entry)
{
    unsigned int first = random_below(entry->count);
    unsigned int count = 1 + random_below(entry->count - first);

    shim_fail(0);
    check(memory_entry_drop(entry->entry, first * PAGE_SIZE,
                            count * PAGE_SIZE) == KERN_SUCCESS,
          "discard");

    for (unsigned int i = 0; i < count; i++) {
        entry->cells[first + i]->first = 0;
        entry->cells[first + i]->last = 0;
    }
}

static void
op_entry(void)
{
    struct model_entry *entry = &entries[random_below(ENTRIES)];

    if (entry->entry == NULL) {
        entry_take(entry);
        return;
    }

    switch (random_below(6)) {
    case 0:
        entry_end(entry);
        break;
    case 1:
        entry_discard(entry);
        break;
    default:
        entry_map(entry);
        break;
    }
}

/* -- The run --------------------------------------------------------------- */

static const struct {
    void (*run)(void);
    unsigned int weight;
} operations[] = {
    { op_write, 40 },     { op_read, 30 },      { op_allocate, 8 },
    { op_deallocate, 4 }, { op_protect, 4 },    { op_inherit, 3 },
    { op_fork, 4 },       { op_exit, 3 },       { op_remap, 5 },
    { op_copy, 8 },       { op_copy_bytes, 4 }, { op_entry, 8 },
};

static void
run_step(void)
{
    unsigned int choice = random_below(121);

    for (unsigned int i = 0; i < ARRAY_SIZE(operations); i++) {
        if (choice < operations[i].weight) {
            operations[i].run();
            done[i]++;
            break;
        }

        choice -= operations[i].weight;
    }

    check(spin_count() == 0, "a lock is left");
}

static void
end_all(void)
{
    for (unsigned int i = 0; i < TASKS; i++) {
        if (tasks[i].map != NULL) {
            task_end(&tasks[i]);
        }
    }

    for (unsigned int i = 0; i < ENTRIES; i++) {
        if (entries[i].entry != NULL) {
            entry_end(&entries[i]);
        }
    }

    for (unsigned int i = 0; i < COPIES; i++) {
        if (copies[i].copy != NULL) {
            copy_end(&copies[i], true);
        }
    }
}

int
main(int argc, char **argv)
{
    unsigned long steps = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000000;
    uint64_t frames;
    size_t objects;

    if (argc > 2) {
        seed = strtoull(argv[2], NULL, 0);
    }

    env_setup(argc > 3 ? (unsigned int)atoi(argv[3]) : 8);
    tasks[0].map = env_map_create();
    task_end(&tasks[0]); /* leaves what is kept for the next */
    frames = vm_page_free_count();
    objects = slab_total();
    tasks[0].map = env_map_create();
    printf("# %lu steps, seed %lu\n", steps, (unsigned long)seed);

    for (step = 0; step < steps; step++) {
        shim_fail(random_below(50) == 0 ? 1 + random_below(8) : 0);
        spin_trylock_failures = random_below(20) == 0 ? random_below(3) : 0;
        run_step();
        shim_fail(0);

        if (step % 500 == 499) {
            check_all();
        }
    }

    check_all();
    ok(true, "%lu steps like the model", steps);
    end_all();
    pmap_activate(&kernel_pmap);
    is(vm_map_count(), 0, "no map is left");
    is(vm_map_entry_count(), 0, "no entry is left");
    is(vm_object_count(), 0, "no object is left");
    is(slab_total(), objects, "no kernel object is left");

    /* Up to forty tables are kept for the next pmaps. */
    ok(frames - vm_page_free_count() <= 40, "no frame is left (%ld kept)",
       (long)(frames - vm_page_free_count()));
    return tap_done();
}
