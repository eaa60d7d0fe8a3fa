/* SPDX-License-Identifier: MIT */
/* The Unix server's small pure parts: ring, timers, archive, arguments. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../servers/unix/cpio.h"
#include "../../servers/unix/exec_args.h"
#include "../../servers/unix/ring.h"
#include "../../servers/unix/timer.h"
#include "tap.h"

static void
rings(void)
{
    uint8_t store[16];
    uint8_t next_in = 0;
    uint8_t next_out = 0;
    struct ring ring;
    bool good = true;
    int i;

    ring_init(&ring, store, sizeof(store));
    is(ring_room(&ring), 16, "an empty ring has all its room");
    is(ring_put(&ring, "0123456789abcdefXYZ", 19), 16, "it takes no more");
    is(ring_room(&ring), 0, "it is full");
    ring_consume(&ring, 16);

    for (i = 0; i < 10000; i++) {
        uint8_t data[16];
        size_t size = (size_t)(i * 7 % 16);
        size_t n;
        size_t j;

        for (j = 0; j < size; j++) {
            data[j] = (uint8_t)(next_in + j);
        }

        next_in = (uint8_t)(next_in + ring_put(&ring, data, size));
        n = ring_get(&ring, data, (size_t)(i * 5 % 13));

        for (j = 0; j < n; j++) {
            good = good && data[j] == next_out;
            next_out++;
        }
    }

    ok(good, "bytes come out as they went in");
}

#define TIMERS 500

static struct timer timers[TIMERS];
static uint64_t timer_now;
static uint64_t timer_last;
static bool timer_order;
static int timer_expired;

static void
expire(struct timer *timer)
{
    timer_expired++;
    timer_order = timer_order && timer->deadline >= timer_last &&
                  timer->deadline <= timer_now && timer->index == 0;
    timer_last = timer->deadline;
}

static void
heap(void)
{
    unsigned int seed = 7;
    int set = 0;
    int i;

    timer_order = true;
    is(timer_next() == UINT64_MAX, 1, "no timer, no deadline");

    for (i = 0; i < TIMERS; i++) {
        seed = seed * 1103515245 + 12345;
        timer_init(&timers[i], expire);
        timer_order = timer_set(&timers[i], 1 + seed % 10000) && timer_order;

        if (i > 20) {
            seed = seed * 1103515245 + 12345;

            if (seed & 0x10000) {
                timer_cancel(&timers[seed % 20]);
            } else if (seed & 0x20000) {
                (void)timer_set(&timers[seed % 20], seed % 10000 + 1);
            }
        }
    }

    for (i = 0; i < TIMERS; i++) {
        set += timers[i].index != 0;
    }

    for (timer_now = 0; timer_now <= 10001; timer_now += 13) {
        timer_run(timer_now);
    }

    timer_now = 20000;
    timer_run(timer_now);
    is(timer_expired, set, "all that were set expired, once");
    ok(timer_order, "in order, and not early");
    is(timer_next() == UINT64_MAX, 1, "none is left");
}

/* -- Archives -------------------------------------------------------------- */

static char archive[4096];
static size_t archive_size;

static void
add(const char *name, uint32_t mode, const char *data)
{
    size_t size = strlen(data);

    archive_size += (size_t)sprintf(
        archive + archive_size,
        "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s", 1u,
        mode, 0u, 0u, 1u, 0x12345678u, (unsigned int)size, 0u, 0u, 0u, 0u,
        (unsigned int)strlen(name) + 1, 0u, name);
    archive[archive_size++] = '\0';
    archive_size = (archive_size + 3) & ~(size_t)3;
    memcpy(archive + archive_size, data, size);
    archive_size = (archive_size + size + 3) & ~(size_t)3;
}

static void
archives(void)
{
    struct cpio_entry entry;
    size_t offset = 0;
    size_t cut;
    bool safe = true;

    add("bin", 040755, "");
    add("bin/x", 0100755, "hello");
    add("TRAILER!!!", 0, "");
    is(cpio_next(archive, archive_size, &offset, &entry), CPIO_ENTRY, "first");
    ok(strcmp(entry.name, "bin") == 0 && entry.mode == 040755, "a folder");
    is(cpio_next(archive, archive_size, &offset, &entry), CPIO_ENTRY, "next");
    ok(entry.size == 5 && memcmp(entry.data, "hello", 5) == 0, "a file");
    is(entry.mtime, 0x12345678, "its time");
    is(cpio_next(archive, archive_size, &offset, &entry), CPIO_END, "the end");

    /* Cut off anywhere, in memory of that size: ASan watches. */
    for (cut = 0; cut < archive_size; cut++) {
        char *copy = malloc(cut + 1);
        enum cpio_result result;

        memcpy(copy, archive, cut);
        offset = 0;

        do {
            result = cpio_next(copy, cut, &offset, &entry);
        } while (result == CPIO_ENTRY);

        safe = safe && result == (cut < archive_size - 4 ? CPIO_BAD : result);
        free(copy);
    }

    ok(safe, "cut off at every byte");

    for (cut = 0; cut < 20000; cut++) {
        char copy[512];

        memcpy(copy, archive, archive_size);
        copy[rand() % archive_size] = (char)rand();
        copy[rand() % 110] = "0123456789abcdef"[rand() % 16];
        offset = 0;

        while (cpio_next(copy, archive_size, &offset, &entry) == CPIO_ENTRY) {
        }
    }

    ok(true, "20,000 damaged archives");
}

/* -- Arguments ------------------------------------------------------------- */

static void
arguments(void)
{
    struct exec_args args = { NULL, 0, 0, 0 };
    struct exec_script script;
    char strings[] = "prog\0one\0A=1";

    args.strings = strings;
    args.size = sizeof(strings);
    args.argc = 2;
    args.envc = 1;
    ok(exec_args_valid(&args), "three strings");
    args.envc = 2;
    ok(!exec_args_valid(&args), "four were promised");
    args.argc = 0xffffffff;
    args.envc = 4;
    ok(!exec_args_valid(&args), "the sum does not wrap");
    args.size--;
    args.argc = 2;
    args.envc = 0;
    ok(!exec_args_valid(&args), "the last is not ended");

    ok(exec_script_parse("#! /bin/sh -x y \nrest", 21, &script), "a script");
    ok(strcmp(script.interpreter, "/bin/sh") == 0, "its interpreter");
    ok(strcmp(script.argument, "-x y") == 0, "one argument");
    ok(exec_script_parse("#!/bin/sh", 9, &script), "without an end of line");
    ok(script.argument == NULL, "without argument");
    ok(!exec_script_parse("#!  \n", 5, &script), "naming nothing");
    ok(!exec_script_parse("#", 1, &script), "too short");

    args.size = sizeof(strings);
    args.argc = 2;
    args.envc = 1;
    args.strings = malloc(args.size);
    memcpy(args.strings, strings, args.size);
    (void)exec_script_parse("#!/bin/sh -e\n", 13, &script);
    is(exec_args_for_script(&args, &script, "/tmp/s", 4096), 0, "for a script");
    is(args.argc, 4, "four arguments");
    ok(args.size == 26 &&
           memcmp(args.strings, "/bin/sh\0-e\0/tmp/s\0one\0A=1", 26) == 0,
       "interpreter, argument, script, the others");
    ok(exec_args_valid(&args), "still well-formed");
    is(exec_args_for_script(&args, &script, "/tmp/s", 20), E2BIG, "too long");
    free(args.strings);

    args.strings = malloc(1);
    args.size = 0;
    args.argc = 0;
    args.envc = 0;
    is(exec_args_for_script(&args, &script, "/tmp/s", 4096), 0, "no argv[0]");
    is(args.argc, 3, "three arguments");
    ok(exec_args_valid(&args), "well-formed");
    free(args.strings);
}

int
main(void)
{
    rings();
    heap();
    archives();
    arguments();
    return tap_done();
}
