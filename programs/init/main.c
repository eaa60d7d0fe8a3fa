/* SPDX-License-Identifier: MIT */
/*
 * The first process. If the machine has the channel of `./run -- COMMAND`, it
 * is the agent at its end; otherwise it runs a shell on the console, and
 * powers the machine off when the shell ends. It is also the parent of all
 * whose own parent has gone.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unix/abi.h>
#include <unix/process.h>
#include <unix/unix_process.h>

#include "agent.h"

static const char *const shell_argv[] = { "-sh", NULL };
static const char *const shell_envp[] = { "HOME=/",        "PATH=/bin",
                                          "SHELL=/bin/sh", "TERM=vt100",
                                          "USER=root",     NULL };

static _Noreturn void
power_off(void)
{
    sync();

    for (;;) {
        (void)unix_reboot(UNIX_PROCESS_PORT, UNIX_REBOOT_POWEROFF);
        sleep(1);
    }
}

/* Messages go to the console, whoever has it. */
static void
open_console(void)
{
    int fd = open("/dev/console", O_RDWR | O_NOCTTY);

    if (fd < 0) {
        return;
    }

    dup2(fd, STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);

    if (fd > STDERR_FILENO) {
        close(fd);
    }
}

/* A session of its own, with the console as its terminal. */
static _Noreturn void
shell_run(void)
{
    sigset_t none;
    int fd;

    setsid();
    fd = open("/dev/console", O_RDWR);

    if (fd < 0) {
        _exit(1);
    }

    (void)ioctl(fd, TIOCSCTTY, 0);
    dup2(fd, STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);

    if (fd > STDERR_FILENO) {
        close(fd);
    }

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve("/bin/sh", (char *const *)shell_argv, (char *const *)shell_envp);
    fprintf(stderr, "init: /bin/sh: %s\n", strerror(errno));
    _exit(127);
}

static void
run_shell(void)
{
    pid_t shell, pid;

    shell = fork();

    if (shell == 0) {
        shell_run();
    }

    if (shell < 0) {
        fprintf(stderr, "init: no process for the shell: %s\n",
                strerror(errno));
        return;
    }

    do {
        pid = wait(NULL);
    } while (pid != shell && (pid >= 0 || errno == EINTR));
}

static bool
run_agent(void)
{
    int script = open("/run/channel", O_RDONLY | O_CLOEXEC);
    int line = open("/dev/channel",
                    (script < 0 ? O_RDWR : O_WRONLY) | O_NOCTTY | O_CLOEXEC);

    if (line < 0) {
        return false;
    }

    agent_serve(script < 0 ? line : script, line, script >= 0);
    return true;
}

int
main(void)
{
    open_console();

    if (!run_agent()) {
        run_shell();
    }

    power_off();
}
