/* SPDX-License-Identifier: MIT */
/*
 * The record of who is logged in. Nothing writes it yet; programs that read
 * it find no file.
 */

#ifndef SYS_UTMP_H
#define SYS_UTMP_H

#include <sys/time.h>
#include <sys/types.h>

#define UTMP_FILE "/var/run/utmp"
#define _PATH_UTMP UTMP_FILE

#define EMPTY 0
#define RUN_LVL 1
#define BOOT_TIME 2
#define NEW_TIME 3
#define OLD_TIME 4
#define INIT_PROCESS 5
#define LOGIN_PROCESS 6
#define USER_PROCESS 7
#define DEAD_PROCESS 8

struct utmp {
    short ut_type;
    pid_t ut_pid;
    char ut_line[32];
    char ut_id[4];
    char ut_user[32];
    char ut_host[64];
    struct timeval ut_tv;
};

#define ut_name ut_user
#define ut_time ut_tv.tv_sec

#endif /* SYS_UTMP_H */
