/* SPDX-License-Identifier: MIT */
/* See debug/panic.h. */

#include <stdarg.h>
#include <stdatomic.h>

#include <debug/assert.h>
#include <debug/backtrace.h>
#include <debug/console.h>
#include <debug/panic.h>
#include <debug/printf.h>
#include <machine/cpu.h>

static atomic_bool panicking;

void
panic(const char *format, ...)
{
    va_list args;

    cpu_interrupts_disable();

    if (!atomic_exchange(&panicking, true)) {
        console_take_devices(true);
        printf("\npanic: ");
        va_start(args, format);
        vprintf(format, args);
        va_end(args);
        printf("\n");
        backtrace();
        printf("panic: the system has stopped\n");
    }

    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

void
assert_failed(const char *condition, const char *file, int line)
{
    panic("assertion failed: %s (%s:%d)", condition, file, line);
}

/* gcc's stack protector found its canary gone. */
NORETURN void __stack_chk_fail(void);

void
__stack_chk_fail(void)
{
    panic("stack: canary overwritten in the caller");
}
