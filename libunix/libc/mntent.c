/* SPDX-License-Identifier: MIT */
/*
 * Reading a table of file systems: one per line, fields set apart by blanks,
 * a blank inside a field written as its octal code (\040).
 */

#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MNTENT_LINE_MAX 4096

FILE *
setmntent(const char *path, const char *mode)
{
    return fopen(path, mode);
}

int
endmntent(FILE *file)
{
    if (file != NULL) {
        fclose(file);
    }

    return 1;
}

/* Turn \ooo into the byte, in place. */
static void
mntent_unescape(char *text)
{
    char *out = text;

    while (*text != '\0') {
        if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
            *out = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
                          (text[3] - '0'));
            text += 4;
        } else {
            *out = *text;
            text++;
        }

        out++;
    }

    *out = '\0';
}

struct mntent *
getmntent(FILE *file)
{
    static char line[MNTENT_LINE_MAX];
    static struct mntent entry;
    static char empty[1];
    char *fields[6];
    char *state;
    int i;

    for (;;) {
        if (fgets(line, sizeof(line), file) == NULL) {
            return NULL;
        }

        fields[0] = strtok_r(line, " \t\n", &state);

        if (fields[0] != NULL && fields[0][0] != '#') {
            break;
        }
    }

    for (i = 1; i < 6; i++) {
        fields[i] = strtok_r(NULL, " \t\n", &state);
    }

    for (i = 0; i < 4; i++) {
        if (fields[i] == NULL) {
            fields[i] = empty;
        }

        mntent_unescape(fields[i]);
    }

    entry.mnt_fsname = fields[0];
    entry.mnt_dir = fields[1];
    entry.mnt_type = fields[2];
    entry.mnt_opts = fields[3];
    entry.mnt_freq = (fields[4] != NULL) ? atoi(fields[4]) : 0;
    entry.mnt_passno = (fields[5] != NULL) ? atoi(fields[5]) : 0;
    return &entry;
}

char *
hasmntopt(const struct mntent *entry, const char *option)
{
    size_t length = strlen(option);
    char *at = entry->mnt_opts;

    while ((at = strstr(at, option)) != NULL) {
        if ((at == entry->mnt_opts || at[-1] == ',') &&
            (at[length] == '\0' || at[length] == ',' || at[length] == '=')) {
            return at;
        }

        at += length;
    }

    return NULL;
}
