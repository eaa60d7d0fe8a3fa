/* SPDX-License-Identifier: MIT */
/*
 * See vm/vm_object.h. What this file knows is how chains are made, kept short
 * and taken apart:
 *
 *   collapse  An object of which only one shadower is left gives it its pages
 *             and goes. The smaller set of pages moves to the larger, and the
 *             objects swap page trees if need be: cost goes by the smaller.
 *   bypass    A shadow that others still need is stepped over when all it has
 *             in our window is hidden by our own pages.
 *   push      A shared object's page goes to its copy object before it
 *             changes.
 *
 * Both ends of a link are locked shadower first; coming from the other end,
 * the shadower's lock is tried, and all is dropped if it can't be had.
 */

#include <debug/assert.h>
#include <kern/sched.h>
#include <kern/slab.h>
#include <kern/string.h>
#include <kern/wait.h>
#include <machine/pmap.h>
#include <vm/vm_account.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

#define PREEMPT_PAGES 64u /* freed between two preemption points */

static struct slab_cache object_cache;

void
vm_object_setup(void)
{
    slab_cache_init(&object_cache, "vm_object", sizeof(struct vm_object), 16);
}

struct vm_object *
vm_object_create(uint64_t start, uint64_t end)
{
    struct vm_object *object = slab_alloc(&object_cache);

    if (object == NULL) {
        return NULL;
    }

    object->pages = vm_page_tree_create(object);

    if (object->pages == NULL) {
        slab_free(&object_cache, object);
        return NULL;
    }

    spin_init(&object->lock, LOCK_RANK_VM_OBJECT);
    object->refs = 1;
    list_init(&object->shadowers);
    object->start = start;
    object->end = end;
    object->one_map = true;
    return object;
}

struct vm_object *
vm_object_create_device(uint64_t physical, uint64_t size)
{
    struct vm_object *object = vm_object_create(0, size >> PAGE_SHIFT);

    if (object != NULL) {
        object->device = physical;
        object->is_device = true;
        object->shared = true;
        object->one_map = false;
    }

    return object;
}

void
vm_object_ref(struct vm_object *object)
{
    spin_lock(&object->lock);
    assert(object->refs != 0);
    object->refs++;
    spin_unlock(&object->lock);
}

/* -- Pages ----------------------------------------------------------------- */

void
vm_object_free_page(struct vm_object *object, struct vm_page *page)
{
    assert((page->flags & VM_PAGE_BUSY) == 0);
    pmap_page_protect(page, VM_PROT_NONE);
    vm_page_tree_remove(object->pages, page);
    vm_page_free(page);
}

void
vm_object_page_busy(struct vm_object *object, struct vm_page *page)
{
    assert(spin_held(&object->lock) && (page->flags & VM_PAGE_BUSY) == 0);
    page->flags |= VM_PAGE_BUSY;
    object->busy++;
}

void
vm_object_page_done(struct vm_object *object, struct vm_page *page)
{
    bool wanted = (page->flags & VM_PAGE_WANTED) != 0;

    assert(spin_held(&object->lock) && (page->flags & VM_PAGE_BUSY) != 0);
    page->flags &= (uint16_t) ~(VM_PAGE_BUSY | VM_PAGE_WANTED | VM_PAGE_ABSENT);
    object->busy--;

    if (wanted) {
        thread_wakeup(page);
    }
}

struct vm_page *
vm_object_find(struct vm_object *object, uint64_t index,
               struct vm_object **holderp)
{
    struct vm_object *at = object;
    struct vm_page *page = vm_object_lookup(object, index);

    while (page == NULL && at->shadow != NULL) {
        struct vm_object *next = at->shadow;

        spin_lock(&next->lock);

        if (at != object) {
            spin_unlock(&at->lock);
        }

        at = next;
        page = vm_object_lookup(at, index);
    }

    *holderp = at;
    return page;
}

/* The front's lock keeps pages that are pushed to it from coming late, the
 * holder's keeps the page as it is. */
void
vm_object_read(struct vm_object *object, uint64_t offset, void *to,
               vm_size_t size)
{
    struct vm_object *holder;
    struct vm_page *page;

    spin_lock(&object->lock);
    page = vm_object_find(object, offset >> PAGE_SHIFT, &holder);

    if (page == NULL) {
        memset(to, 0, size);
    } else {
        memcpy(to, (char *)vm_page_address(page) + (offset & PAGE_MASK), size);
    }

    if (holder != object) {
        spin_unlock(&holder->lock);
    }

    spin_unlock(&object->lock);
}

static void
object_remove_page(struct vm_object *object, uint64_t index)
{
    struct vm_page *page;

    spin_lock(&object->lock);
    page = vm_object_lookup(object, index);

    if (page != NULL) {
        vm_object_free_page(object, page);
    }

    spin_unlock(&object->lock);
}

/* Free the pages of the window, a few at a time. */
void
vm_object_remove_pages(struct vm_object *object, uint64_t start, uint64_t end)
{
    if (end - start == 1) {
        object_remove_page(object, start);
        return;
    }

    while (start < end) {
        spin_lock(&object->lock);

        for (unsigned int i = 0; start < end && i < PREEMPT_PAGES; i++) {
            struct vm_page *page = vm_page_tree_next(object->pages, start, end);

            if (page == NULL) {
                start = end;
            } else {
                start = page->index + 1;
                vm_object_free_page(object, page);
            }
        }

        spin_unlock(&object->lock);

        if (start < end) {
            thread_preempt_point();
        }
    }
}

uint64_t
vm_object_resident(struct vm_object *object, uint64_t start, uint64_t end)
{
    struct vm_page *page;
    uint64_t count = 0;

    spin_lock(&object->lock);

    while ((page = vm_page_tree_next(object->pages, start, end)) != NULL) {
        start = page->index + 1;
        count++;
    }

    spin_unlock(&object->lock);
    return count;
}

/* -- Collapse -------------------------------------------------------------- */

/* Free what the window of the object does not cover. Locks: object. */
static void
object_trim(struct vm_object *object)
{
    struct vm_page *page;

    while ((page = vm_page_tree_next(object->pages, 0, object->start)) !=
               NULL ||
           (page = vm_page_tree_next(object->pages, object->end, UINT64_MAX)) !=
               NULL) {
        vm_object_free_page(object, page);
    }
}

/*
 * Bring the pages of both objects together in one tree, which becomes the
 * front's. Where both have a page, the front's counts. False: no memory; the
 * two read the same as before, as each page moved is still in the chain.
 */
static bool
collapse_to_back(struct vm_object *front, struct vm_object *back)
{
    struct vm_page_tree *tree = back->pages;
    struct vm_page *page, *hidden;
    uint64_t at = 0;

    while ((page = vm_page_tree_next(front->pages, at, UINT64_MAX)) != NULL) {
        at = page->index + 1;
        hidden = vm_page_tree_lookup(tree, page->index);

        if (hidden != NULL) {
            vm_object_free_page(back, hidden);
        }

        if (!vm_page_tree_move(tree, page)) {
            return false;
        }
    }

    back->pages = front->pages;
    back->pages->object = back;
    front->pages = tree;
    front->pages->object = front;

    if (back->start < front->start || back->end > front->end) {
        object_trim(front);
    }

    return true;
}

static bool
collapse_to_front(struct vm_object *front, struct vm_object *back)
{
    struct vm_page *page;
    uint64_t at = front->start;

    while ((page = vm_page_tree_next(back->pages, at, front->end)) != NULL) {
        at = page->index + 1;

        if (vm_page_tree_lookup(front->pages, page->index) == NULL &&
            !vm_page_tree_move(front->pages, page)) {
            return false;
        }
    }

    return true;
}

/* `front` becomes a shadower of `shadow`, or of nobody. Locks: front. */
static void
object_set_shadow(struct vm_object *front, struct vm_object *shadow)
{
    front->shadow = shadow;

    if (shadow != NULL) {
        spin_lock(&shadow->lock);
        list_insert_tail(&shadow->shadowers, &front->shadow_link);
        spin_unlock(&shadow->lock);
    }
}

/*
 * Nobody but `front` needs `back`: take its pages and its place. True: `back`
 * is unlinked; its one reference and its remaining pages are the caller's.
 *
 * Locks: front and back.
 */
static bool
object_collapse(struct vm_object *front, struct vm_object *back)
{
    struct vm_object *shadow = back->shadow;

    assert(front->shadow == back && back->refs == 1);

    if (front->busy != 0 || back->busy != 0 || back->is_device) {
        return false;
    }

    if (front->pages->count <= back->pages->count
            ? !collapse_to_back(front, back)
            : !collapse_to_front(front, back)) {
        return false;
    }

    list_remove(&front->shadow_link);

    if (shadow != NULL) {
        spin_lock(&shadow->lock);
        list_remove(&back->shadow_link);
        list_insert_tail(&shadow->shadowers, &front->shadow_link);

        if (shadow->copy == back) {
            shadow->copy = front;
        }

        spin_unlock(&shadow->lock);
    }

    front->shadow = shadow;
    back->shadow = NULL;
    back->copy = NULL;
    return true;
}

/* -- The end --------------------------------------------------------------- */

/* Nobody knows the object any more. Gives back its shadow, whose reference
 * is the caller's. Locks: none. */
static struct vm_object *
object_destroy(struct vm_object *object)
{
    struct vm_object *shadow = object->shadow;

    vm_object_remove_pages(object, 0, UINT64_MAX);
    vm_page_tree_destroy(object->pages);
    assert(list_empty(&object->shadowers));

    if (object->account != NULL) {
        vm_account_uncharge(object->account, object->charge);
        vm_account_unref(object->account);
    }

    slab_free(&object_cache, object);
    return shadow;
}

/* The last reference is going: nobody shall find the object through its
 * shadow. Locks: object; dropped here. */
static void
object_unlink(struct vm_object *object)
{
    struct vm_object *shadow = object->shadow;

    if (shadow != NULL) {
        spin_lock(&shadow->lock);
        list_remove(&object->shadow_link);

        if (shadow->copy == object) {
            shadow->copy = NULL;
        }

        spin_unlock(&shadow->lock);
    }

    object->refs = 0;
    spin_unlock(&object->lock);
}

/*
 * With the caller's reference gone, only one shadower has the object: merge
 * the two. The object is locked on entry, and unlocked on return.
 *
 * Returns: KERN_SUCCESS (the object is left to the caller), KERN_FAILURE
 * (can't be merged now), KERN_ABORTED (a lock is taken: try again).
 */
static kern_return_t
object_collapse_last(struct vm_object *object)
{
    struct vm_object *front = list_entry(list_first(&object->shadowers),
                                         struct vm_object, shadow_link);
    kern_return_t kr = KERN_FAILURE;

    if (!spin_trylock(&front->lock)) {
        spin_unlock(&object->lock);
        return KERN_ABORTED;
    }

    object->refs--;

    if (object_collapse(front, object)) {
        object->refs = 0;
        kr = KERN_SUCCESS;
    }

    spin_unlock(&object->lock);
    spin_unlock(&front->lock);
    return kr;
}

void
vm_object_unref(struct vm_object *object)
{
    while (object != NULL) {
        kern_return_t kr = KERN_SUCCESS;

        spin_lock(&object->lock);
        assert(object->refs != 0);

        if (object->refs == 1) {
            object_unlink(object);
        } else if (object->refs == 2 && !list_empty(&object->shadowers) &&
                   list_first(&object->shadowers) ==
                       list_last(&object->shadowers)) {
            kr = object_collapse_last(object);
        } else {
            object->refs--;
            spin_unlock(&object->lock);
            return;
        }

        if (kr == KERN_SUCCESS) {
            object = object_destroy(object);
        } else if (kr == KERN_FAILURE) {
            return;
        } else {
            cpu_pause();
        }
    }
}

/* -- Bypass ---------------------------------------------------------------- */

/* Does `front` have a page wherever `back` has one in its window? */
static bool
object_hides(struct vm_object *front, struct vm_object *back)
{
    struct vm_page *page;
    uint64_t at = front->start;

    while ((page = vm_page_tree_next(back->pages, at, front->end)) != NULL) {
        at = page->index + 1;

        if (vm_page_tree_lookup(front->pages, page->index) == NULL) {
            return false;
        }
    }

    return true;
}

/*
 * May `front` skip `back`? Not if pages may still come into `back` that the
 * front must see: pushed from its shadow, or before a change in itself.
 * Locks: front and back.
 */
static bool
object_can_bypass(struct vm_object *front, struct vm_object *back)
{
    struct vm_object *shadow = back->shadow;
    bool copy_of_shadow = false;

    if (back->copy == front || back->is_device || back->busy != 0 ||
        front->busy != 0) {
        return false;
    }

    if (shadow != NULL) {
        spin_lock(&shadow->lock);
        copy_of_shadow = shadow->copy == back;
        spin_unlock(&shadow->lock);
    }

    return !copy_of_shadow && object_hides(front, back);
}

void
vm_object_bypass(struct vm_object *front)
{
    struct vm_object *back, *shadow;

    spin_lock(&front->lock);
    back = front->shadow;

    if (back == NULL) {
        spin_unlock(&front->lock);
        return;
    }

    spin_lock(&back->lock);

    if (back->refs == 1) {
        bool collapsed = object_collapse(front, back);

        spin_unlock(&back->lock);
        spin_unlock(&front->lock);

        if (collapsed) {
            object_destroy(back);
        }

        return;
    }

    if (!object_can_bypass(front, back)) {
        spin_unlock(&back->lock);
        spin_unlock(&front->lock);
        return;
    }

    shadow = back->shadow;
    list_remove(&front->shadow_link);

    if (shadow != NULL) {
        vm_object_ref(shadow);
    }

    object_set_shadow(front, shadow);
    spin_unlock(&back->lock);
    spin_unlock(&front->lock);
    vm_object_unref(back);
}

/* -- Copies ---------------------------------------------------------------- */

struct vm_object *
vm_object_create_shadow(struct vm_object *object, uint64_t start, uint64_t end)
{
    struct vm_object *front = vm_object_create(start, end);

    if (front != NULL) {
        spin_lock(&front->lock);
        object_set_shadow(front, object);
        spin_unlock(&front->lock);
    }

    return front;
}

void
vm_object_share(struct vm_object *object)
{
    spin_lock(&object->lock);
    object->writable = object->writable || !object->shared;
    object->shared = true;
    object->one_map = false;
    spin_unlock(&object->lock);
}

/*
 * No mapping may write a page any more. All pages, so that the next copy of
 * an object that is only read, such as a program's file, costs nothing.
 * Locks: object.
 */
static void
object_write_protect(struct vm_object *object)
{
    struct vm_page *page;
    uint64_t at = 0;

    if (!object->writable) {
        return;
    }

    while ((page = vm_page_tree_next(object->pages, at, UINT64_MAX)) != NULL) {
        at = page->index + 1;
        pmap_page_protect(page, VM_PROT_READ | VM_PROT_EXECUTE);
    }

    object->writable = false;
}

/*
 * Is the copy object that is there as good as a new one? It is if nothing of
 * the window has been pushed to it, and nobody writes to it. Then its window
 * is widened as needed, and it gets one more reference.
 *
 * Returns: KERN_SUCCESS, KERN_FAILURE (no), KERN_ABORTED (lock is taken).
 * Locks: object.
 */
static kern_return_t
copy_reuse(struct vm_object *object, uint64_t start, uint64_t end)
{
    struct vm_object *copy = object->copy;

    if (copy == NULL) {
        return KERN_FAILURE;
    }

    if (!spin_trylock(&copy->lock)) {
        return KERN_ABORTED;
    }

    if (!copy->snapshot || vm_page_tree_next(copy->pages, start, end) != NULL) {
        spin_unlock(&copy->lock);
        return KERN_FAILURE;
    }

    if (start < copy->start || end > copy->end) {
        object_write_protect(object);
        copy->start = MIN(start, copy->start);
        copy->end = MAX(end, copy->end);
    }

    copy->refs++;
    spin_unlock(&copy->lock);
    return KERN_SUCCESS;
}

/*
 * Put the new copy object before the shared one. An older copy, which has
 * fallen behind, becomes a shadower of the new one: what is pushed from now
 * on is for both. Locks: object, old copy if there is one.
 */
static void
copy_link(struct vm_object *object, struct vm_object *copy)
{
    struct vm_object *old = object->copy;

    if (old != NULL) {
        copy->start = MIN(copy->start, old->start);
        copy->end = MAX(copy->end, old->end);
        list_remove(&old->shadow_link);
        list_insert_tail(&copy->shadowers, &old->shadow_link);
        old->shadow = copy;
        copy->refs++; /* the old copy's; its one to the object is ours now */
    } else {
        object->refs++;
    }

    copy->shadow = object;
    list_insert_tail(&object->shadowers, &copy->shadow_link);
    object->copy = copy;
    object_write_protect(object);
}

kern_return_t
vm_object_copy_delayed(struct vm_object *object, uint64_t start, uint64_t end,
                       struct vm_object **copyp)
{
    struct vm_object *copy = vm_object_create(start, end);
    struct vm_object *old;
    kern_return_t kr;

    if (copy == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    copy->snapshot = true;
    copy->one_map = false;

    for (;;) {
        spin_lock(&object->lock);
        kr = copy_reuse(object, start, end);

        if (kr == KERN_SUCCESS) {
            *copyp = object->copy;
            spin_unlock(&object->lock);
            vm_object_unref(copy);
            return KERN_SUCCESS;
        }

        if (kr == KERN_FAILURE &&
            (object->copy == NULL || spin_trylock(&object->copy->lock))) {
            break;
        }

        spin_unlock(&object->lock);
        cpu_pause();
    }

    old = object->copy;
    copy_link(object, copy);

    if (old != NULL) {
        spin_unlock(&old->lock);
    }

    spin_unlock(&object->lock);
    *copyp = copy;
    return KERN_SUCCESS;
}

/* Give the copy a page with the present contents. Locks: object, copy. */
static kern_return_t
push_copy(struct vm_object *copy, struct vm_page *page)
{
    struct vm_page *twin = vm_page_alloc(0);

    if (twin == NULL) {
        return KERN_RESOURCE_SHORTAGE;
    }

    page_copy(vm_page_address(twin), vm_page_address(page));

    if (!vm_object_insert(copy, twin, page->index)) {
        vm_page_free(twin);
        return KERN_RESOURCE_SHORTAGE;
    }

    return KERN_SUCCESS;
}

kern_return_t
vm_object_push(struct vm_object *object, struct vm_page *page, bool discard)
{
    struct vm_object *copy = object->copy;
    kern_return_t kr = KERN_SUCCESS;
    bool given = false;

    assert(spin_held(&object->lock));

    if (copy != NULL && page->index >= copy->start && page->index < copy->end) {
        if (!spin_trylock(&copy->lock)) {
            return KERN_ABORTED;
        }

        if (vm_object_lookup(copy, page->index) == NULL) {
            pmap_page_protect(page, VM_PROT_NONE);

            if (!discard) {
                kr = push_copy(copy, page);
            } else if (vm_page_tree_move(copy->pages, page)) {
                given = true;
            } else {
                kr = KERN_RESOURCE_SHORTAGE;
            }
        }

        spin_unlock(&copy->lock);
    }

    if (kr == KERN_SUCCESS && discard && !given) {
        vm_object_free_page(object, page);
    }

    return kr;
}

/* A new page in the object, zero or with the contents of `from`; NULL: no
 * memory. Locks: object. */
static struct vm_page *
discard_insert(struct vm_object *object, uint64_t index, struct vm_page *from)
{
    struct vm_page *page = vm_page_alloc(from == NULL ? VM_PAGE_ALLOC_ZERO : 0);

    if (page == NULL) {
        return NULL;
    }

    if (from != NULL) {
        page_copy(vm_page_address(page), vm_page_address(from));
        pmap_page_protect(from, VM_PROT_NONE);
    }

    if (!vm_object_insert(object, page, index)) {
        vm_page_free(page);
        return NULL;
    }

    return page;
}

/*
 * The object's own page at index. If it has none but its shadows do, it gets
 * a copy, for those who copied the object. Locks: object.
 */
static kern_return_t
discard_find(struct vm_object *object, uint64_t index, struct vm_page **pagep)
{
    struct vm_object *at;
    struct vm_page *page = vm_object_find(object, index, &at);

    *pagep = page;

    if (at != object) {
        if (page != NULL) {
            *pagep = discard_insert(object, index, page);
        }

        spin_unlock(&at->lock);
    }

    return page != NULL && *pagep == NULL ? KERN_RESOURCE_SHORTAGE
                                          : KERN_SUCCESS;
}

/* One page of vm_object_discard(). */
static kern_return_t
discard_index(struct vm_object *object, uint64_t index)
{
    struct vm_page *page;
    kern_return_t kr;

    do {
        spin_lock(&object->lock);
        kr = discard_find(object, index, &page);

        if (kr == KERN_SUCCESS && page != NULL) {
            kr = vm_object_push(object, page, true);
        }

        /* Hide what the shadows have. */
        if (kr == KERN_SUCCESS && object->shadow != NULL &&
            discard_insert(object, index, NULL) == NULL) {
            kr = KERN_RESOURCE_SHORTAGE;
        }

        spin_unlock(&object->lock);
    } while (kr == KERN_ABORTED);

    return kr;
}

kern_return_t
vm_object_discard(struct vm_object *object, uint64_t start, uint64_t end)
{
    kern_return_t kr = KERN_SUCCESS;

    while (kr == KERN_SUCCESS && start < end) {
        struct vm_page *page;
        uint64_t next = start;

        spin_lock(&object->lock);

        /* Without a shadow only resident pages matter. */
        if (object->shadow == NULL) {
            page = vm_page_tree_next(object->pages, start, end);
            next = page == NULL ? end : page->index;
        }

        spin_unlock(&object->lock);

        if (next < end) {
            kr = discard_index(object, next);
        }

        start = next + 1;
        thread_preempt_point();
    }

    return kr;
}

uint64_t
vm_object_count(void)
{
    return slab_count(&object_cache);
}
