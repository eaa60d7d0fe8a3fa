/* SPDX-License-Identifier: MIT */
/* The command that the host asked for: its process and its three pipes. */

#ifndef PROGRAMS_INIT_COMMAND_H
#define PROGRAMS_INIT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <unix/channel.h>

struct command {
    bool running; /* from RUN to EXIT */
    pid_t pid;
    bool ended; /* reaped: status holds */
    int status;
    int input; /* our ends of the pipes, or -1 */
    int output;
    int error;
    bool input_end; /* STDIN's end came: close when all is written */
    size_t waiting; /* bytes that wait for room in the pipe */
    size_t written; /* of them */
    size_t credit;  /* what the frame counts when it is written */
    char bytes[CHANNEL_PAYLOAD_MAX];
};

/* Begin: a payload as in CHANNEL_RUN. What fails is told like a command that
 * could not be executed. */
void
command_start(struct command *command, const uint8_t *payload, size_t size);

/* Bytes for its standard input; size 0: the end. There must be none waiting.
 * credit: what is to be acknowledged when they are written. */
void command_input(struct command *command, const void *bytes, size_t size,
                   size_t credit);

/* Write what waits; what may be acknowledged now. */
size_t command_push(struct command *command);

/* Pass on what it wrote: false when there was nothing. */
bool command_pull(struct command *command, int *fdp, uint8_t type);

/* Pass on all that is there, and say how it ended. */
void command_finish(struct command *command);

#endif /* PROGRAMS_INIT_COMMAND_H */
