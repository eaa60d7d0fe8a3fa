/* SPDX-License-Identifier: MIT */
/*
 * Doubly linked circular lists whose links live inside the members. An empty
 * head and an unlinked member point at themselves.
 */

#ifndef KERN_LIST_H
#define KERN_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *prev;
};

#define list_entry(link, type, member)                                         \
    ((type *)(void *)((char *)(link)-offsetof(type, member)))

#define list_for_each(head, link)                                              \
    for (struct list *link = (head)->next; link != (head); link = link->next)

/* The same when the body may remove the current member. */
#define list_for_each_safe(head, link, following)                              \
    for (struct list *link = (head)->next, *following = link->next;            \
         link != (head); link = following, following = link->next)

static inline void
list_init(struct list *list)
{
    list->next = list;
    list->prev = list;
}

static inline bool
list_empty(const struct list *list)
{
    return list->next == list;
}

static inline struct list *
list_first(const struct list *list)
{
    return list->next;
}

static inline struct list *
list_last(const struct list *list)
{
    return list->prev;
}

static inline void
list_insert_after(struct list *at, struct list *link)
{
    struct list *next = at->next;

    link->next = next;
    link->prev = at;
    next->prev = link;
    at->next = link;
}

static inline void
list_insert_head(struct list *head, struct list *link)
{
    list_insert_after(head, link);
}

static inline void
list_insert_tail(struct list *head, struct list *link)
{
    struct list *last = head->prev;

    link->next = head;
    link->prev = last;
    last->next = link;
    head->prev = link;
}

static inline void
list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* The same for a link that nobody looks at before it is inserted again. */
static inline void
list_unlink(struct list *link)
{
    struct list *next = link->next;
    struct list *prev = link->prev;

    prev->next = next;
    next->prev = prev;
}

/* Move all members of `from`, in order, to the empty head `to`. */
static inline void
list_move(struct list *to, struct list *from)
{
    if (list_empty(from)) {
        list_init(to);
        return;
    }

    *to = *from;
    to->next->prev = to;
    to->prev->next = to;
    list_init(from);
}

#endif /* KERN_LIST_H */
