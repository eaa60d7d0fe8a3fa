/* SPDX-License-Identifier: MIT */
/* Who a process is, and what it may do to a file. */

#ifndef UNIX_CREDENTIALS_H
#define UNIX_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include <unix/abi.h>

struct credentials {
    uint32_t uid;
    uint32_t euid;
    uint32_t suid;
    uint32_t gid;
    uint32_t egid;
    uint32_t sgid;
    uint32_t group_count;
    uint32_t groups[UNIX_GROUPS_MAX];
};

static inline bool
credentials_root(const struct credentials *cred)
{
    return cred->euid == 0;
}

static inline bool
credentials_in_group(const struct credentials *cred, uint32_t gid)
{
    uint32_t i;

    if (cred->egid == gid) {
        return true;
    }

    for (i = 0; i < cred->group_count; i++) {
        if (cred->groups[i] == gid) {
            return true;
        }
    }

    return false;
}

#endif /* UNIX_CREDENTIALS_H */
