/* SPDX-License-Identifier: MIT */
/*
 * User and group ids.
 */

#include <errno.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <unix/unix_process.h>

#include "call.h"

#define KEEP (~0u)

uid_t
getuid(void)
{
    return unix_page->uid;
}

uid_t
geteuid(void)
{
    return unix_page->euid;
}

gid_t
getgid(void)
{
    return unix_page->gid;
}

gid_t
getegid(void)
{
    return unix_page->egid;
}

static int
set_uids(uid_t uid, uid_t euid, uid_t suid)
{
    return unix_result(UNIX_CALL(unix_setresuid(unix_port, uid, euid, suid)));
}

static int
set_gids(gid_t gid, gid_t egid, gid_t sgid)
{
    return unix_result(UNIX_CALL(unix_setresgid(unix_port, gid, egid, sgid)));
}

/* Root changes all three; others only the effective one. */
int
setuid(uid_t uid)
{
    return (geteuid() == 0) ? set_uids(uid, uid, uid)
                            : set_uids(KEEP, uid, KEEP);
}

int
setgid(gid_t gid)
{
    return (geteuid() == 0) ? set_gids(gid, gid, gid)
                            : set_gids(KEEP, gid, KEEP);
}

int
seteuid(uid_t euid)
{
    return set_uids(KEEP, euid, KEEP);
}

int
setegid(gid_t egid)
{
    return set_gids(KEEP, egid, KEEP);
}

/* The saved id follows the effective one when the real one is set, or the
 * effective one to something else than the real one. */
int
setreuid(uid_t uid, uid_t euid)
{
    uid_t new_euid = (euid == KEEP) ? geteuid() : euid;
    bool save = uid != KEEP || (euid != KEEP && euid != getuid());

    return set_uids(uid, euid, save ? new_euid : KEEP);
}

int
setregid(gid_t gid, gid_t egid)
{
    gid_t new_egid = (egid == KEEP) ? getegid() : egid;
    bool save = gid != KEEP || (egid != KEEP && egid != getgid());

    return set_gids(gid, egid, save ? new_egid : KEEP);
}

int
getgroups(int size, gid_t *groups)
{
    uint32_t list[UNIX_GROUPS_MAX];
    mach_msg_type_number_t count = UNIX_GROUPS_MAX;
    kern_return_t kr;

    kr = UNIX_CALL(unix_getgroups(unix_port, list, &count));

    if (kr != KERN_SUCCESS) {
        return (int)unix_fail(kr);
    }

    if (size == 0) {
        return (int)count;
    }

    if (size < (int)count) {
        errno = EINVAL;
        return -1;
    }

    for (mach_msg_type_number_t i = 0; i < count; i++) {
        groups[i] = list[i];
    }

    return (int)count;
}

int
setgroups(int size, const gid_t *groups)
{
    uint32_t list[UNIX_GROUPS_MAX];

    if (size < 0 || size > UNIX_GROUPS_MAX) {
        errno = EINVAL;
        return -1;
    }

    for (int i = 0; i < size; i++) {
        list[i] = groups[i];
    }

    return unix_result(
        UNIX_CALL(unix_setgroups(unix_port, list, (unsigned int)size)));
}

mode_t
umask(mode_t mask)
{
    uint32_t old;

    if (UNIX_CALL(unix_umask(unix_port, mask & 0777, &old)) != KERN_SUCCESS) {
        return unix_page->umask;
    }

    return old;
}

int
issetugid(void)
{
    return unix_secure;
}
