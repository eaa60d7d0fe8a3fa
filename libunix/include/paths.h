/* SPDX-License-Identifier: MIT */
/*
 * Where things are.
 */

#ifndef PATHS_H
#define PATHS_H

#define _PATH_BSHELL "/bin/sh"
#define _PATH_CONSOLE "/dev/console"
#define _PATH_DEFPATH "/bin:/usr/bin"
#define _PATH_STDPATH "/bin:/usr/bin"
#define _PATH_DEV "/dev/"
#define _PATH_DEVNULL "/dev/null"
#define _PATH_DEVZERO "/dev/zero"
#define _PATH_TMP "/tmp/"
#define _PATH_TTY "/dev/tty"

#endif /* PATHS_H */
