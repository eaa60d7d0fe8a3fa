/* SPDX-License-Identifier: MIT */
/*
 * The table of mounted file systems.
 */

#ifndef MNTENT_H
#define MNTENT_H

#include <stdio.h>
#include <sys/cdefs.h>

__BEGIN_DECLS

#define MNTTAB "/etc/fstab"
#define MOUNTED "/etc/mtab"

#define MNTTYPE_IGNORE "ignore"
#define MNTTYPE_SWAP "swap"
#define MNTOPT_DEFAULTS "defaults"
#define MNTOPT_RO "ro"
#define MNTOPT_RW "rw"

struct mntent {
    char *mnt_fsname;
    char *mnt_dir;
    char *mnt_type;
    char *mnt_opts;
    int mnt_freq;
    int mnt_passno;
};

FILE *setmntent(const char *, const char *);
struct mntent *getmntent(FILE *);
int endmntent(FILE *);
char *hasmntopt(const struct mntent *, const char *);

__END_DECLS

#endif /* MNTENT_H */
