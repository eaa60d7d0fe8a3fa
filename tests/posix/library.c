/* SPDX-License-Identifier: MIT */
/*
 * The C library over this system: streams, time, directories, users, the
 * environment, what the system says about itself.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <pwd.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

static void
test_streams(void)
{
    FILE *file = tmpfile();
    char line[64];
    char *text = NULL;
    size_t size = 0;
    double value = 0;
    int number = 0;

    ok(file != NULL, "tmpfile");
    fprintf(file, "%d %.3f %s\nsecond\n", 42, 2.5, "word");
    rewind(file);
    ok(fscanf(file, "%d %lf %63s", &number, &value, line) == 3 &&
           number == 42 && value == 2.5 && strcmp(line, "word") == 0,
       "fscanf");
    fgets(line, sizeof(line), file);
    ok(getline(&text, &size, file) == 7 && strcmp(text, "second\n") == 0,
       "getline");
    free(text);
    fclose(file);
    snprintf(line, sizeof(line), "%ld %zu %a %g", LONG_MIN, SIZE_MAX, 1.0, 0.1);
    ok(strcmp(line, "-9223372036854775808 18446744073709551615 0x1p+0 0.1") ==
           0,
       "snprintf: %s", line);
    errno = 0;
    ok(fopen("/nothing/here", "r") == NULL && errno == ENOENT, "fopen");
}

static void
test_time(void)
{
    struct timespec before, after, wait = { 0, 50000000 };
    struct rusage usage;
    struct tms tms;
    struct tm *tm;
    time_t epoch = 0;
    long ms;

    clock_gettime(CLOCK_MONOTONIC, &before);
    ok(nanosleep(&wait, NULL) == 0, "nanosleep");
    clock_gettime(CLOCK_MONOTONIC, &after);
    ms = (after.tv_sec - before.tv_sec) * 1000 +
         (after.tv_nsec - before.tv_nsec) / 1000000;
    ok(ms >= 50 && ms < 2000, "50 ms took %ld", ms);
    ok(time(NULL) > 1000000000, "time");
    tm = gmtime(&epoch);
    ok(tm->tm_year == 70 && tm->tm_mday == 1, "gmtime");
    ok(getrusage(RUSAGE_SELF, &usage) == 0, "getrusage");
    ok(times(&tms) != (clock_t)-1, "times");
    ok(clock() != (clock_t)-1, "clock");
    errno = 0;
    ok(clock_gettime(77, &before) == -1 && errno == EINVAL, "no clock 77");
}

static void
test_directories(void)
{
    char folder[] = "/tmp/libXXXXXX";
    char name[PATH_MAX];
    struct dirent **list;
    struct dirent *entry;
    int count = 0, dots = 0;
    long place = 0;
    DIR *dir;

    mkdtemp(folder);

    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "%s/entry-%03d", folder, i);
        fclose(fopen(name, "w"));
    }

    dir = opendir(folder);
    ok(dir != NULL, "opendir");

    while ((entry = readdir(dir)) != NULL) {
        dots += entry->d_name[0] == '.';
        count++;

        if (count == 100) {
            place = telldir(dir);
            snprintf(name, sizeof(name), "%s", entry->d_name);
        }
    }

    ok(count == 302 && dots == 2, "readdir finds 300 and two");
    seekdir(dir, place);
    count = 0;

    while (readdir(dir) != NULL) {
        count++;
    }

    ok(count == 202, "seekdir goes back");
    rewinddir(dir);
    ok(readdir(dir) != NULL, "rewinddir");
    closedir(dir);
    count = scandir(folder, &list, NULL, alphasort);
    ok(count == 302 && strcmp(list[2]->d_name, "entry-000") == 0 &&
           strcmp(list[301]->d_name, "entry-299") == 0,
       "scandir sorts");

    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "%s/%s", folder, list[i]->d_name);
        unlink(name);
        free(list[i]);
    }

    free(list);
    ok(rmdir(folder) == 0, "all are gone");
    errno = 0;
    ok(opendir("/etc/passwd") == NULL && errno == ENOTDIR, "ENOTDIR");
}

static void
test_system(void)
{
    struct utsname name;
    struct passwd *user;
    struct group *group;

    ok(uname(&name) == 0 && strcmp(name.sysname, "Portolan") == 0, "uname");
    ok(sysconf(_SC_PAGESIZE) == 4096 && sysconf(_SC_OPEN_MAX) >= 64, "sysconf");
    errno = 0;
    ok(sysconf(9999) == -1 && errno == EINVAL, "no such sysconf");
    ok(pathconf("/", _PC_NAME_MAX) == 255, "pathconf");
    user = getpwuid(0);
    ok(user != NULL && strcmp(user->pw_name, "root") == 0, "getpwuid");
    group = getgrgid(0);
    ok(group != NULL && strcmp(group->gr_name, "root") == 0, "getgrgid");
    ok(setenv("A_NAME", "a value", 1) == 0 &&
           strcmp(getenv("A_NAME"), "a value") == 0,
       "setenv");
    ok(system("test \"$A_NAME\" = 'a value'") == 0, "a child sees it");
}

static void
test_waiting(void)
{
    struct timeval zero = { 0, 0 };
    struct pollfd fds[2];
    fd_set set;
    int ends[2];

    pipe(ends);
    fds[0] = (struct pollfd){ ends[0], POLLIN, 0 };
    fds[1] = (struct pollfd){ ends[1], POLLOUT, 0 };
    ok(poll(fds, 2, 0) == 1 && fds[0].revents == 0 && fds[1].revents == POLLOUT,
       "poll of an empty pipe");
    write(ends[1], "x", 1);
    ok(poll(fds, 1, 1000) == 1 && (fds[0].revents & POLLIN) != 0,
       "poll of a full one");
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    ok(select(ends[0] + 1, &set, NULL, NULL, &zero) == 1 &&
           FD_ISSET(ends[0], &set),
       "select");
    close(ends[1]);
    close(ends[0]);
    FD_SET(ends[0], &set);
    errno = 0;
    ok(select(ends[0] + 1, &set, NULL, NULL, &zero) == -1 && errno == EBADF,
       "select: EBADF");
}

static int
jump_value(int value)
{
    static jmp_buf env;
    volatile int given = value;
    int result = setjmp(env);

    if (result == 0) {
        longjmp(env, given);
    }

    return result;
}

/* Memory from sbrk() is zero, also where it was used before. */
static void
test_break(void)
{
    const size_t size = 3000000;
    char *start = sbrk(0);
    int good = 1;

    memset(sbrk((ptrdiff_t)size), 'x', size);
    sbrk(-(ptrdiff_t)size);
    ok(sbrk(0) == start, "sbrk back and forth");
    sbrk((ptrdiff_t)size);

    for (size_t i = 0; i < size; i++) {
        good &= start[i] == 0;
    }

    ok(good, "memory that comes again is zero");
    sbrk(-(ptrdiff_t)size);
}

static void
test_spawn(void)
{
    char *argv[] = { (char *)"sh", (char *)"-c", (char *)"exit 5", NULL };
    posix_spawn_file_actions_t actions;
    int status = -1;
    pid_t pid;

    ok(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) == 0 &&
           waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5,
       "posix_spawn");
    ok(posix_spawn(&pid, "/nothing", NULL, NULL, argv, environ) == ENOENT,
       "posix_spawn of nothing: ENOENT");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 5, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, 5, 7);
    posix_spawn_file_actions_addclose(&actions, 5);
    argv[2] = (char *)"test ! -e /nothing; exec true <&7";
    status = -1;
    ok(posix_spawnp(&pid, "sh", &actions, NULL, argv, environ) == 0 &&
           waitpid(pid, &status, 0) == pid && status == 0,
       "posix_spawnp with file actions");
    posix_spawn_file_actions_destroy(&actions);
    errno = 0;
    ok(wait(&status) == -1 && errno == ECHILD, "no child is left");
}

static void
test_rest(void)
{
    unsigned char random[2][32];
    void *memory;

    ok(jump_value(5) == 5 && jump_value(0) == 1, "longjmp");
    ok(getentropy(random[0], 32) == 0 && getentropy(random[1], 32) == 0 &&
           memcmp(random[0], random[1], 32) != 0,
       "getentropy");
    ok(posix_memalign(&memory, 4096, 100) == 0 &&
           (unsigned long)memory % 4096 == 0,
       "posix_memalign");
    free(memory);
    ok(fabs(sin(1.0) - 0.8414709848078965) < 1e-15, "sin");
    ok(strtod("1e-320", NULL) > 0 && strtold("0.1", NULL) > 0.09L, "strtod");
}

int
main(void)
{
    test_streams();
    test_time();
    test_directories();
    test_system();
    test_waiting();
    test_break();
    test_spawn();
    test_rest();
    return tap_done();
}
