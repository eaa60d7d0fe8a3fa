/* SPDX-License-Identifier: MIT */
/*
 * The framed channel between `./run -- COMMAND` on the host and the agent in
 * the guest (programs/init), on the second serial line.
 *
 * This header holds the constants and the layouts that go over the line;
 * docs/channel.md says who sends what and when.  All integers are
 * little-endian, nothing is padded, strings end in a zero byte.  It needs
 * nothing but <stdint.h> and compiles for host and guest.
 */
#ifndef UNIX_CHANNEL_H
#define UNIX_CHANNEL_H

#include <stdint.h>

#define CHANNEL_VERSION 1

/* The two bytes that every frame starts with: "Pc". */
#define CHANNEL_MAGIC_0 0x50
#define CHANNEL_MAGIC_1 0x63

/* A frame's payload is never longer. */
#define CHANNEL_PAYLOAD_MAX 4096

/*
 * Bytes of frames, headers included, that the host may have sent and the
 * guest not yet acknowledged by CHANNEL_CREDIT.
 */
#define CHANNEL_WINDOW 16384

/* Frame types, host to guest. */
#define CHANNEL_RUN 0x10      /* struct channel_run, then strings */
#define CHANNEL_STDIN 0x11    /* bytes; none: the end of standard input */
#define CHANNEL_SIGNAL 0x12   /* struct channel_signal: to the command */
#define CHANNEL_PUT 0x13      /* struct channel_entry, then its path */
#define CHANNEL_GET 0x14      /* a path */
#define CHANNEL_SHUTDOWN 0x15 /* nothing: power the machine off */

/* Frame types, guest to host. */
#define CHANNEL_CREDIT 0x20 /* struct channel_credit */
#define CHANNEL_STDOUT 0x21 /* bytes */
#define CHANNEL_STDERR 0x22 /* bytes */
#define CHANNEL_EXIT 0x23   /* struct channel_exit: the command ended */
#define CHANNEL_ENTRY 0x24  /* struct channel_entry, then its path */
#define CHANNEL_RESULT 0x25 /* struct channel_result, then a text */

/* Frame types, both ways. */
#define CHANNEL_HELLO 0x01 /* struct channel_hello */
#define CHANNEL_DATA 0x02  /* a file's bytes; none: the end of the file */

/* Frame flags. */
#define CHANNEL_MORE 0x01 /* CHANNEL_RUN: its payload goes on in the next */

/*
 * What stands before each payload.  The checksum is the CRC-32 of IEEE 802.3
 * (zlib's crc32) of the header's bytes 2 to 7 and the payload.
 */
struct channel_header {
    uint8_t magic[2];
    uint8_t type;
    uint8_t flags;
    uint32_t length; /* of the payload */
    uint32_t checksum;
} __attribute__((packed));

struct channel_hello {
    uint32_t version;
    uint32_t window; /* what the sender can take; the host says 0: no limit */
} __attribute__((packed));

/*
 * A command.  The strings follow: the working directory, argc arguments
 * (the first is looked up in the PATH of the environment given here), envc
 * "NAME=VALUE".
 */
struct channel_run {
    uint32_t argc;
    uint32_t envc;
} __attribute__((packed));

/* Numbers that every Unix agrees on. */
#define CHANNEL_SIGHUP 1
#define CHANNEL_SIGINT 2
#define CHANNEL_SIGTERM 15

struct channel_signal {
    uint32_t signal;
} __attribute__((packed));

struct channel_credit {
    uint32_t bytes;
} __attribute__((packed));

struct channel_exit {
    uint32_t status; /* 0-255; 128 + signal when a signal ended it */
    uint32_t signal; /* 0 if it exited by itself */
} __attribute__((packed));

#define CHANNEL_ENTRY_FILE 1 /* CHANNEL_DATA frames follow */
#define CHANNEL_ENTRY_FOLDER 2
#define CHANNEL_ENTRY_SYMLINK 3 /* after the path stands the target */

struct channel_entry {
    uint32_t kind;
    uint32_t mode; /* the lower 12 bits of st_mode */
    uint64_t size; /* a hint; the empty CHANNEL_DATA frame ends the file */
    int64_t mtime; /* seconds since 1970 */
} __attribute__((packed));

/* The answer to CHANNEL_PUT (one for each) and CHANNEL_GET. */
struct channel_result {
    uint32_t failed; /* 0 or 1; the text says what failed */
} __attribute__((packed));

_Static_assert(sizeof(struct channel_header) == 12, "channel header");
_Static_assert(sizeof(struct channel_entry) == 24, "channel entry");

#endif /* UNIX_CHANNEL_H */
