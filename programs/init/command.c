/* SPDX-License-Identifier: MIT */
/* Starting the command, feeding it, passing on what it writes. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "command.h"

#define EXIT_NOT_FOUND 127
#define EXIT_NOT_EXECUTABLE 126

/* A RUN payload taken apart: pointers into it. */
struct run {
    char *directory;
    char **argv;
    char **envp;
};

/* The next string of the payload, or null. */
static char *
run_string(char **atp, const char *end)
{
    char *string = *atp;
    char *zero = memchr(string, '\0', (size_t)(end - string));

    if (zero == NULL) {
        return NULL;
    }

    *atp = zero + 1;
    return string;
}

static char **
run_strings(char **atp, const char *end, uint32_t count)
{
    char **strings;

    if (count > (size_t)(end - *atp)) {
        return NULL;
    }

    strings = calloc(count + 1, sizeof(*strings));

    for (uint32_t i = 0; strings != NULL && i < count; i++) {
        strings[i] = run_string(atp, end);

        if (strings[i] == NULL) {
            free(strings);
            return NULL;
        }
    }

    return strings;
}

/* The strings live in a copy that is never freed: the child needs them, and
 * the agent runs one command. */
static bool
run_parse(struct run *run, const uint8_t *payload, size_t size)
{
    struct channel_run head;
    char *copy, *at;

    if (size < sizeof(head)) {
        return false;
    }

    memcpy(&head, payload, sizeof(head));
    copy = malloc(size);

    if (copy == NULL) {
        return false;
    }

    memcpy(copy, payload, size);
    at = copy + sizeof(head);
    run->directory = run_string(&at, copy + size);

    if (run->directory == NULL) {
        return false;
    }

    run->argv = run_strings(&at, copy + size, head.argc);

    if (run->argv == NULL || head.argc == 0) {
        return false;
    }

    run->envp = run_strings(&at, copy + size, head.envc);
    return run->envp != NULL;
}

static void
child_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
}

static _Noreturn void
child_run(const struct run *run, int input, int output, int error)
{
    setpgid(0, 0);
    child_signals();
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(error, STDERR_FILENO);

    if (chdir(run->directory) != 0) {
        fprintf(stderr, "run: %s: %s\n", run->directory, strerror(errno));
        _exit(EXIT_NOT_EXECUTABLE);
    }

    environ = run->envp;
    execvp(run->argv[0], run->argv);
    fprintf(stderr, "run: %s: %s\n", run->argv[0], strerror(errno));
    _exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

static bool
pipe_make(int ends[2])
{
    if (pipe(ends) != 0) {
        return false;
    }

    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return true;
}

static void
send_exit(uint32_t status, uint32_t signal_number)
{
    struct channel_exit end = { .status = status, .signal = signal_number };

    agent_send(CHANNEL_EXIT, &end, sizeof(end));
}

static void
start_failed(const char *why)
{
    agent_send(CHANNEL_STDERR, why, strlen(why));
    send_exit(EXIT_NOT_EXECUTABLE, 0);
}

static void
start_fork(struct command *command, const struct run *run, int pipes[3][2])
{
    command->pid = fork();

    if (command->pid == 0) {
        child_run(run, pipes[0][0], pipes[1][1], pipes[2][1]);
    }

    close(pipes[0][0]);
    close(pipes[1][1]);
    close(pipes[2][1]);

    if (command->pid < 0) {
        close(pipes[0][1]);
        close(pipes[1][0]);
        close(pipes[2][0]);
        start_failed("run: no process\n");
        return;
    }

    setpgid(command->pid, command->pid);
    command->input = pipes[0][1];
    command->output = pipes[1][0];
    command->error = pipes[2][0];
    command->running = true;
    fcntl(command->input, F_SETFL, O_NONBLOCK);
    fcntl(command->output, F_SETFL, O_NONBLOCK);
    fcntl(command->error, F_SETFL, O_NONBLOCK);
}

void
command_start(struct command *command, const uint8_t *payload, size_t size)
{
    struct run run;
    int pipes[3][2];

    memset(command, 0, sizeof(*command));
    command->input = command->output = command->error = -1;

    if (!run_parse(&run, payload, size)) {
        start_failed("run: malformed request\n");
        return;
    }

    for (int i = 0; i < 3; i++) {
        if (!pipe_make(pipes[i])) {
            start_failed("run: no pipes\n");
            return;
        }
    }

    start_fork(command, &run, pipes);
}

static void
input_close(struct command *command)
{
    if (command->input >= 0) {
        close(command->input);
        command->input = -1;
    }
}

void
command_input(struct command *command, const void *bytes, size_t size,
              size_t credit)
{
    memcpy(command->bytes, bytes, size);
    command->waiting = size;
    command->written = 0;
    command->credit = credit;

    if (size == 0) {
        command->input_end = true;
    }
}

size_t
command_push(struct command *command)
{
    size_t credit;

    while (command->input >= 0 && command->written < command->waiting) {
        ssize_t done = write(command->input, command->bytes + command->written,
                             command->waiting - command->written);

        if (done < 0 && errno == EINTR) {
            continue;
        }

        if (done < 0 && errno == EAGAIN) {
            return 0;
        }

        if (done < 0) {
            /* It does not read any more: what it did not read is dropped. */
            input_close(command);
            break;
        }

        command->written += (size_t)done;
    }

    if (command->input_end) {
        input_close(command);
    }

    credit = command->credit;
    command->waiting = command->written = command->credit = 0;
    return credit;
}

bool
command_pull(struct command *command, int *fdp, uint8_t type)
{
    char bytes[CHANNEL_PAYLOAD_MAX];
    ssize_t size;

    (void)command;

    if (*fdp < 0) {
        return false;
    }

    do {
        size = read(*fdp, bytes, sizeof(bytes));
    } while (size < 0 && errno == EINTR);

    if (size < 0 && errno == EAGAIN) {
        return false;
    }

    if (size <= 0) {
        close(*fdp);
        *fdp = -1;
        return false;
    }

    agent_send(type, bytes, (size_t)size);
    return true;
}

void
command_finish(struct command *command)
{
    while (command_pull(command, &command->output, CHANNEL_STDOUT)) {
    }

    while (command_pull(command, &command->error, CHANNEL_STDERR)) {
    }

    input_close(command);

    if (command->output >= 0) {
        close(command->output);
    }

    if (command->error >= 0) {
        close(command->error);
    }

    command->running = false;

    if (WIFSIGNALED(command->status)) {
        uint32_t number = (uint32_t)WTERMSIG(command->status);

        send_exit(128 + number, number);
    } else {
        send_exit((uint32_t)WEXITSTATUS(command->status), 0);
    }
}
