/* SPDX-License-Identifier: MIT */
/* Files that come and go over the channel. */

#ifndef PROGRAMS_INIT_FILES_H
#define PROGRAMS_INIT_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <unix/channel.h>

/* A PUT under way: data frames belong to it until its end. */
struct put {
    bool active;
    bool failed;
    int fd; /* -1 after a failure */
    mode_t mode;
    int64_t mtime;
    char path[CHANNEL_PAYLOAD_MAX];
    char why[256];
};

void put_start(struct put *put, const uint8_t *payload, size_t size);
void put_data(struct put *put, const uint8_t *bytes, size_t size);

/* Send a file or folder, and the result. */
void get_send(const uint8_t *payload, size_t size);

#endif /* PROGRAMS_INIT_FILES_H */
