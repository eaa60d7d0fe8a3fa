/* SPDX-License-Identifier: MIT */
/*
 * Support for guest tests: programs that the kernel starts as the privileged
 * first task. A test defines guest_main and includes this header; the support
 * code makes a stack, asks for the privileged ports, grants itself the two
 * I/O ports of the test machine and runs it. Results are TAP on I/O port
 * 0xe9, the end is told to QEMU's isa-debug-exit device.
 */

#ifndef TESTS_GUEST_TAP_H
#define TESTS_GUEST_TAP_H

#include <stdbool.h>

#include <libmach/thread.h>
#include <mach/mach.h>

/* What a test defines. */
void guest_main(void);

/* The privileged ports. */
extern mach_port_t guest_host_priv;
extern mach_port_t guest_device_master;
extern mach_port_t guest_host_security;

/* One result. The format knows %d %u %x %ld %lu %lx %p %s %c %%. */
bool tap_ok(bool good, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool tap_is(long got, long want, const char *file, int line, const char *format,
            ...) __attribute__((format(printf, 5, 6)));
void tap_skip(const char *reason, const char *name);
void tap_diag(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void
tap_bail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define ok(good, ...) tap_ok((good), __FILE__, __LINE__, __VA_ARGS__)
#define is(got, want, ...)                                                     \
    tap_is((long)(got), (long)(want), __FILE__, __LINE__, __VA_ARGS__)

/* Let a child say something, too. */
void guest_let_print(mach_port_t task);

/* Print the plan and end the machine: exit status 33 if all passed. */
_Noreturn void tap_done(void);

/*
 * Counts of kernel objects before and after: what stands between the calls
 * must leave none behind. Run it once before begin, so that what is made at
 * first use (reply ports, slabs) is there already. Pages may differ by
 * `pages`, as slabs keep some.
 */
struct guest_counts {
    host_object_counts_data_t counts;
    uint64_t resident_pages; /* of this task */
};
void guest_counts_get(struct guest_counts *before);
void guest_counts_check(const struct guest_counts *before, const char *name);

/* Wait until the counts are the same again, but for a few memory objects; if
 * they are not after so many looks, that is a failed test. */
bool guest_counts_settle(const struct guest_counts *before, unsigned int looks);

/* The number in the word NAME=NUMBER of the kernel's command line. */
uint64_t guest_argument(const char *name, uint64_t otherwise);

/* A port with a receive and a send right under one name. */
mach_port_t guest_port(void);

/* A thread of this task on a stack of its own. */
mach_port_t guest_thread(void (*function)(void *), void *argument);

/* Wait until one of the last sixteen has ended; then nothing of it is left. */
void guest_thread_join(mach_port_t thread);

/* Wait until a thread waits, for what it was made to wait for. */
void guest_until_waiting(mach_port_t thread);

/*
 * A child task made of a copy of this one, with one thread in `function`;
 * `port`, a send right, becomes its bootstrap port. Its start calls
 * mach_init_child; when the function returns the task ends. The ports may be
 * null.
 */
mach_port_t guest_child(void (*function)(mach_port_t), mach_port_t port,
                        mach_port_t *threadp);

/* For tests of traps: any number, any arguments. */
long guest_trap(long number, long a, long b, long c, long d, long e, long f);

#endif /* TESTS_GUEST_TAP_H */
