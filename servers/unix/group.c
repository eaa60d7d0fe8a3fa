/* SPDX-License-Identifier: MIT */
/* Process groups and sessions. */

#include <stdlib.h>

#include "process.h"
#include "signal_delivery.h"
#include "tty.h"

static struct list groups = { &groups, &groups };

struct group *
group_lookup(int pgid)
{
    struct list *link;

    list_for_each(&groups, link)
    {
        struct group *group = list_entry(link, struct group, link);

        if (group->pgid == pgid) {
            return group;
        }
    }

    return NULL;
}

static void
session_unref(struct session *session)
{
    session->refs--;

    if (session->refs == 0) {
        if (session->tty != NULL) {
            tty_release_session(session->tty);
        }

        free(session);
    }
}

static void
group_leave(struct process *process)
{
    struct group *group = process->group;

    if (group == NULL) {
        return;
    }

    list_remove(&process->group_link);
    process->group = NULL;

    if (list_empty(&group->members)) {
        list_remove(&group->link);
        session_unref(group->session);
        free(group);
    }
}

void
group_join(struct process *process, struct group *group)
{
    if (process->group == group) {
        return;
    }

    group_leave(process);

    if (group != NULL) {
        process->group = group;
        list_insert_tail(&group->members, &process->group_link);
    }
}

int
group_create(struct process *process, struct session *session)
{
    struct group *group;

    group = malloc(sizeof(*group));

    if (group == NULL) {
        return ENOMEM;
    }

    group->pgid = process->pid;
    group->session = session;
    session->refs++;
    list_init(&group->members);
    list_insert_tail(&groups, &group->link);
    group_join(process, group);
    return 0;
}

int
session_create(struct process *process)
{
    struct session *session;
    int error;

    session = calloc(1, sizeof(*session));

    if (session == NULL) {
        return ENOMEM;
    }

    session->sid = process->pid;
    error = group_create(process, session);

    if (error != 0) {
        free(session);
    }

    return error;
}

bool
group_orphaned(const struct group *group)
{
    struct list *link;

    list_for_each(&group->members, link)
    {
        struct process *member = list_entry(link, struct process, group_link);
        struct process *parent = member->parent;

        if (member->state != PROCESS_ZOMBIE && parent != NULL &&
            parent->group != group &&
            parent->group->session == group->session) {
            return false;
        }
    }

    return true;
}

void
group_signal(struct group *group, int signo)
{
    struct list *link;
    struct list *next;

    /* A signal ends a process at most, which stays in its group until it is
     * waited for, or goes at once: only itself. */
    list_for_each_safe(&group->members, link, next)
    {
        struct process *member = list_entry(link, struct process, group_link);

        signal_post_kernel(member, signo);
    }
}
