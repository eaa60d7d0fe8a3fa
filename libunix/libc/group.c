/* SPDX-License-Identifier: MIT */
/*
 * The group file. Each line is name:password:gid:member,member,...
 */

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_FILE "/etc/group"
#define GROUP_LINE_MAX 1024
#define GROUP_MEMBERS_MAX 64

/* Room for one entry, as the *_r functions are given it. */
struct group_store {
    char line[GROUP_LINE_MAX];
    char *members[GROUP_MEMBERS_MAX + 1];
};

static FILE *group_file;
static struct group group_entry;
static struct group_store group_store;

static int
group_parse(char *line, struct group *group, char **members)
{
    char *fields[4];
    char *end;
    int count = 0;

    for (int i = 0; i < 4; i++) {
        fields[i] = strsep(&line, ":\n");

        if (fields[i] == NULL) {
            return -1;
        }
    }

    group->gr_name = fields[0];
    group->gr_passwd = fields[1];
    group->gr_gid = (gid_t)strtoul(fields[2], &end, 10);
    group->gr_mem = members;

    if (end == fields[2] || *end != '\0') {
        return -1;
    }

    while (fields[3] != NULL && *fields[3] != '\0' &&
           count < GROUP_MEMBERS_MAX) {
        members[count] = strsep(&fields[3], ",");
        count++;
    }

    members[count] = NULL;
    return 0;
}

static int
group_next(FILE *file, struct group *group, struct group_store *store)
{
    while (fgets(store->line, sizeof(store->line), file) != NULL) {
        if (group_parse(store->line, group, store->members) == 0) {
            return 0;
        }
    }

    return -1;
}

/* By name, or by number if there is no name. */
static int
group_find(const char *name, gid_t gid, struct group *group,
           struct group_store *store)
{
    FILE *file = fopen(GROUP_FILE, "r");
    int result = -1;

    if (file == NULL) {
        return -1;
    }

    while (group_next(file, group, store) == 0) {
        if ((name != NULL) ? strcmp(name, group->gr_name) == 0
                           : gid == group->gr_gid) {
            result = 0;
            break;
        }
    }

    fclose(file);
    return result;
}

struct group *
getgrnam(const char *name)
{
    return (group_find(name, 0, &group_entry, &group_store) == 0) ? &group_entry
                                                                  : NULL;
}

struct group *
getgrgid(gid_t gid)
{
    return (group_find(NULL, gid, &group_entry, &group_store) == 0)
               ? &group_entry
               : NULL;
}

static int
group_find_r(const char *name, gid_t gid, struct group *group, char *buf,
             size_t size, struct group **result)
{
    size_t pad = -(size_t)buf % sizeof(char *);

    *result = NULL;

    if (size < pad + sizeof(struct group_store)) {
        return ERANGE;
    }

    if (group_find(name, gid, group,
                   (struct group_store *)(void *)(buf + pad)) == 0) {
        *result = group;
    }

    return 0;
}

int
getgrnam_r(const char *name, struct group *group, char *buf, size_t size,
           struct group **result)
{
    return group_find_r(name, 0, group, buf, size, result);
}

int
getgrgid_r(gid_t gid, struct group *group, char *buf, size_t size,
           struct group **result)
{
    return group_find_r(NULL, gid, group, buf, size, result);
}

void
endgrent(void)
{
    if (group_file != NULL) {
        fclose(group_file);
        group_file = NULL;
    }
}

void
setgrent(void)
{
    endgrent();
    group_file = fopen(GROUP_FILE, "r");
}

struct group *
getgrent(void)
{
    if (group_file == NULL) {
        setgrent();
    }

    if (group_file == NULL ||
        group_next(group_file, &group_entry, &group_store) != 0) {
        return NULL;
    }

    return &group_entry;
}
