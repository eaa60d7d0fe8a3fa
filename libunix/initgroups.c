/* SPDX-License-Identifier: MIT */
/*
 * The supplementary groups of a user.
 */

#include <grp.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static int
group_has(const struct group *group, const char *user)
{
    for (char **member = group->gr_mem; *member != NULL; member++) {
        if (strcmp(*member, user) == 0) {
            return 1;
        }
    }

    return 0;
}

int
initgroups(const char *user, gid_t gid)
{
    gid_t groups[NGROUPS_MAX];
    const struct group *group;
    int count = 1;

    groups[0] = gid;
    setgrent();

    while (count < NGROUPS_MAX && (group = getgrent()) != NULL) {
        if (group->gr_gid != gid && group_has(group, user)) {
            groups[count] = group->gr_gid;
            count++;
        }
    }

    endgrent();
    return setgroups(count, groups);
}
