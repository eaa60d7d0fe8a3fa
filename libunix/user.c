/* SPDX-License-Identifier: MIT */
/*
 * Who uses the terminal.
 */

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

char *
getlogin(void)
{
    const struct passwd *entry = getpwuid(getuid());

    return (entry != NULL) ? entry->pw_name : NULL;
}

int
getlogin_r(char *buf, size_t size)
{
    const char *name = getlogin();

    if (name == NULL) {
        return ENXIO;
    }

    return (strlcpy(buf, name, size) < size) ? 0 : ERANGE;
}
