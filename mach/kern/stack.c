/* SPDX-License-Identifier: MIT */
/* See kern/stack.h. Freed stacks are kept mapped, for the next. */

#include <debug/assert.h>
#include <kern/spinlock.h>
#include <kern/stack.h>
#include <kern/string.h>
#include <machine/cpu.h>
#include <machine/layout.h>
#include <machine/pmap.h>
#include <vm/vm_page.h>

#define STACK_PAGES (KERNEL_STACK_SIZE / 4096)
#define STACK_STRIDE (KERNEL_STACK_SIZE + 4096)

/* A free stack's link lies at its very top. */
struct stack_free {
    uint64_t next;
};

static struct spinlock stack_lock;
static uint64_t stack_list;      /* (stack_lock) top of the first free one */
static unsigned int stack_stock; /* (stack_lock) free ones */
static uint64_t stack_made;      /* (stack_lock) */

static struct stack_free *
stack_link(uint64_t top)
{
    return (struct stack_free *)(uintptr_t)(top - sizeof(struct stack_free));
}

void
stack_setup(void)
{
    spin_init(&stack_lock, LOCK_RANK_STACK);
}

/* Map one more stack. It stands at the number-th stride of the area. */
static void
stack_make(void)
{
    struct vm_page *pages[STACK_PAGES];
    uint64_t number, base;

    for (unsigned int i = 0; i < STACK_PAGES; i++) {
        pages[i] = vm_page_alloc(VM_PAGE_ALLOC_KERNEL);

        if (pages[i] == NULL) {
            panic("stack: no memory for kernel stack %lu", stack_made);
        }
    }

    spin_lock(&stack_lock);
    number = stack_made;
    stack_made++;
    spin_unlock(&stack_lock);
    base = STACK_AREA_BASE + number * STACK_STRIDE + 4096;
    assert(base + KERNEL_STACK_SIZE <= STACK_AREA_BASE + STACK_AREA_SIZE);

    for (unsigned int i = 0; i < STACK_PAGES; i++) {
        if (pmap_kernel_map(base + i * 4096ul, vm_page_phys(pages[i])) !=
            KERN_SUCCESS) {
            panic("stack: no memory for page tables");
        }
    }

    stack_free(base + KERNEL_STACK_SIZE);
}

void
stack_reserve(void)
{
    /* One for each processor that may be between here and stack_alloc(). */
    while (stack_stock < cpu_count) {
        stack_make();
    }
}

uint64_t
stack_alloc(void)
{
    uint64_t top;

    spin_lock(&stack_lock);
    top = stack_list;
    assert(top != 0);
    stack_list = stack_link(top)->next;
    stack_stock--;
    spin_unlock(&stack_lock);
    return top;
}

void
stack_free(uint64_t top)
{
    spin_lock(&stack_lock);
    stack_link(top)->next = stack_list;
    stack_list = top;
    stack_stock++;
    spin_unlock(&stack_lock);
}

uint64_t
stack_count(void)
{
    return stack_made;
}
