/* SPDX-License-Identifier: MIT */
/* TAP for guest tests: a small printf to the debug port, counts, the end. */

#include <stdarg.h>

#include "tap.h"

#define PORT_DEBUGCON 0xe9
#define PORT_EXIT 0xf4
#define EXIT_PASS 0x10
#define EXIT_FAIL 0x11

mach_port_t guest_host_priv;
mach_port_t guest_host_security;
mach_port_t guest_device_master;

static unsigned int tap_count;
static unsigned int tap_failed;

void guest_start(void);

static void
tap_outb(unsigned short port, unsigned char value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void
tap_putc(char c)
{
    tap_outb(PORT_DEBUGCON, (unsigned char)c);
}

static void
tap_puts(const char *s)
{
    for (; *s != '\0'; s++) {
        tap_putc(*s);
    }
}

static void
tap_number(unsigned long value, unsigned int base, bool negative)
{
    char digits[24];
    unsigned int i = sizeof(digits) - 1;

    digits[i] = '\0';

    do {
        i--;
        digits[i] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);

    if (negative) {
        tap_putc('-');
    }

    tap_puts(&digits[i]);
}

static void
tap_signed(long value)
{
    tap_number(value < 0 ? -(unsigned long)value : (unsigned long)value, 10,
               value < 0);
}

static const char *
tap_long(const char *format, va_list *args)
{
    switch (*format) {
    case 'd':
        tap_signed(va_arg(*args, long));
        break;
    case 'x':
        tap_number(va_arg(*args, unsigned long), 16, false);
        break;
    default:
        tap_number(va_arg(*args, unsigned long), 10, false);
        break;
    }

    return format;
}

static const char *
tap_conversion(const char *format, va_list *args)
{
    switch (*format) {
    case 'd':
        tap_signed(va_arg(*args, int));
        break;
    case 'u':
        tap_number(va_arg(*args, unsigned int), 10, false);
        break;
    case 'x':
        tap_number(va_arg(*args, unsigned int), 16, false);
        break;
    case 'p':
        tap_number((unsigned long)va_arg(*args, void *), 16, false);
        break;
    case 's':
        tap_puts(va_arg(*args, const char *));
        break;
    case 'c':
        tap_putc((char)va_arg(*args, int));
        break;
    case 'l':
        return tap_long(format + 1, args);
    default:
        tap_putc(*format);
        break;
    }

    return format;
}

static void
tap_vprintf(const char *format, va_list *args)
{
    for (; *format != '\0'; format++) {
        if (*format == '%' && format[1] != '\0') {
            format = tap_conversion(format + 1, args);
        } else {
            tap_putc(*format);
        }
    }
}

static __attribute__((format(printf, 1, 2))) void
tap_printf(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tap_vprintf(format, &args);
    va_end(args);
}

static bool
tap_result(bool good, const char *file, int line, const char *format,
           va_list *args)
{
    tap_count++;
    tap_printf("%sok %u - ", good ? "" : "not ", tap_count);
    tap_vprintf(format, args);
    tap_putc('\n');

    if (!good) {
        tap_failed++;
        tap_printf("# failed at %s:%d\n", file, line);
    }

    return good;
}

bool
tap_ok(bool good, const char *file, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tap_result(good, file, line, format, &args);
    va_end(args);
    return good;
}

bool
tap_is(long got, long want, const char *file, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tap_result(got == want, file, line, format, &args);
    va_end(args);

    if (got != want) {
        tap_printf("# got %ld (0x%lx: %s), want %ld (0x%lx: %s)\n", got,
                   (unsigned long)got, mach_error_string((int)got), want,
                   (unsigned long)want, mach_error_string((int)want));
    }

    return got == want;
}

void
tap_skip(const char *reason, const char *name)
{
    tap_count++;
    tap_printf("ok %u - %s # SKIP %s\n", tap_count, name, reason);
}

void
tap_diag(const char *format, ...)
{
    va_list args;

    tap_puts("# ");
    va_start(args, format);
    tap_vprintf(format, &args);
    va_end(args);
    tap_putc('\n');
}

static _Noreturn void
tap_exit(unsigned char value)
{
    tap_outb(PORT_EXIT, value);

    for (;;) {
        (void)host_reboot(guest_host_priv, HOST_REBOOT_POWEROFF);
    }
}

void
tap_bail(const char *format, ...)
{
    va_list args;

    tap_puts("Bail out! ");
    va_start(args, format);
    tap_vprintf(format, &args);
    va_end(args);
    tap_putc('\n');
    tap_exit(EXIT_FAIL);
}

void
tap_done(void)
{
    tap_printf("1..%u\n", tap_count);
    tap_exit(tap_failed == 0 ? EXIT_PASS : EXIT_FAIL);
}

/* Without a place to print, the only sign left is an exception. */
static void
guest_require(kern_return_t kr)
{
    if (kr != KERN_SUCCESS) {
        __asm__ volatile("ud2" : : "a"(kr));
    }
}

static void
guest_grant(mach_port_t task, natural_t port)
{
    mach_port_t io_perm;

    guest_require(io_perm_create(guest_device_master, port, port, &io_perm));
    guest_require(io_perm_modify(task, io_perm, TRUE));
    guest_require(mach_port_deallocate(mach_task_self(), io_perm));
}

void
guest_let_print(mach_port_t task)
{
    guest_grant(task, PORT_DEBUGCON);
}

void
guest_start(void)
{
    mach_port_array_t ports;
    mach_msg_type_number_t count;

    mach_init();
    guest_require(mach_ports_lookup(mach_task_self(), &ports, &count));

    if (count < 2) {
        guest_require(KERN_FAILURE);
    }

    guest_host_priv = ports[0];
    guest_device_master = ports[1];
    guest_host_security = count < 3 ? MACH_PORT_NULL : ports[2];
    mig_deallocate((vm_address_t)ports, count * sizeof(*ports));
    guest_let_print(mach_task_self());
    guest_grant(mach_task_self(), PORT_EXIT);
    guest_main();
    tap_done();
}
