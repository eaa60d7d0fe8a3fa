/* SPDX-License-Identifier: MIT */
/* Circular doubly linked lists of nodes embedded in structures. */

#ifndef UNIX_LIST_H
#define UNIX_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *prev;
};

#define list_entry(node, type, member)                                         \
    ((type *)(void *)((char *)(node)-offsetof(type, member)))

#define list_first_entry(list, type, member)                                   \
    list_entry((list)->next, type, member)

#define list_for_each(list, node)                                              \
    for ((node) = (list)->next; (node) != (list); (node) = (node)->next)

/* The body may remove the node. */
#define list_for_each_safe(list, node, following)                              \
    for ((node) = (list)->next, (following) = (node)->next; (node) != (list);  \
         (node) = (following), (following) = (node)->next)

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

static inline void
list_insert_tail(struct list *list, struct list *node)
{
    node->next = list;
    node->prev = list->prev;
    list->prev->next = node;
    list->prev = node;
}

/* The node is an empty list afterwards, so removing twice does no harm. */
static inline void
list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

#endif /* UNIX_LIST_H */
