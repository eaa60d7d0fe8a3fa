/* SPDX-License-Identifier: MIT */
/* The system's log: the debug console of the machine, I/O port 0xe9. */

#ifndef SERVERS_BOOTSTRAP_LOG_H
#define SERVERS_BOOTSTRAP_LOG_H

#include <stddef.h>

#include <mach/port.h>

#define LOG_LINE_MAX 200

/* A line that is being put together, so that writers do not mix. */
struct log_line {
    const char *writer;
    size_t size;
    char text[LOG_LINE_MAX];
};

/* From here on standard output goes to the log. */
void log_setup(mach_port_t device_master);

void log_write(struct log_line *line, const char *text, size_t size);

/* Write out what has no newline yet. */
void log_flush(struct log_line *line);

#endif /* SERVERS_BOOTSTRAP_LOG_H */
