/* SPDX-License-Identifier: MIT */
/*
 * The password file, for several threads: newlib has the other functions.
 * Each line is name:password:uid:gid:gecos:directory:shell.
 */

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
passwd_parse(char *line, struct passwd *entry)
{
    char *fields[7];
    char *end[2];

    for (int i = 0; i < 7; i++) {
        fields[i] = strsep(&line, ":\n");

        if (fields[i] == NULL) {
            return -1;
        }
    }

    entry->pw_name = fields[0];
    entry->pw_passwd = fields[1];
    entry->pw_uid = (uid_t)strtoul(fields[2], &end[0], 10);
    entry->pw_gid = (gid_t)strtoul(fields[3], &end[1], 10);
    entry->pw_comment = fields[4];
    entry->pw_gecos = fields[4];
    entry->pw_dir = fields[5];
    entry->pw_shell = fields[6];
    return (*end[0] == '\0' && *end[1] == '\0') ? 0 : -1;
}

/* By name, or by number if there is no name. */
static int
passwd_find(const char *name, uid_t uid, struct passwd *entry, char *buf,
            size_t size, struct passwd **result)
{
    FILE *file = fopen(_PATH_PASSWD, "r");
    int error = 0;

    *result = NULL;

    if (file == NULL) {
        return 0;
    }

    while (fgets(buf, (int)size, file) != NULL) {
        if (strchr(buf, '\n') == NULL && !feof(file)) {
            error = ERANGE;
            break;
        }

        if (passwd_parse(buf, entry) == 0 &&
            ((name != NULL) ? strcmp(name, entry->pw_name) == 0
                            : uid == entry->pw_uid)) {
            *result = entry;
            break;
        }
    }

    fclose(file);
    return error;
}

int
getpwnam_r(const char *name, struct passwd *entry, char *buf, size_t size,
           struct passwd **result)
{
    return passwd_find(name, 0, entry, buf, size, result);
}

int
getpwuid_r(uid_t uid, struct passwd *entry, char *buf, size_t size,
           struct passwd **result)
{
    return passwd_find(NULL, uid, entry, buf, size, result);
}
