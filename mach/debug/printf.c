/* SPDX-License-Identifier: MIT */
/* See debug/printf.h. */

#include <stdbool.h>
#include <stdint.h>

#include <debug/console.h>
#include <debug/printf.h>
#include <kern/spinlock.h>
#include <kern/string.h>

/* Where characters go: a buffer, or the console when there is none. */
struct sink {
    char *buffer;
    size_t size;
    size_t length;
};

/* One conversion: what stands between % and its letter. */
struct conversion {
    unsigned int width;
    unsigned int precision;
    bool zero;
    bool left;
    bool wide; /* l, ll or z: 64 bits */
};

static struct spinlock printf_lock = { .rank = LOCK_RANK_CONSOLE };

static void
sink_put(struct sink *sink, char c)
{
    if (sink->buffer == NULL) {
        console_putc(c);
    } else if (sink->length + 1 < sink->size) {
        sink->buffer[sink->length] = c;
    }

    sink->length++;
}

static void
put_padded(struct sink *sink, const struct conversion *conv, const char *text,
           size_t length, char pad)
{
    size_t fill = conv->width > length ? conv->width - length : 0;

    for (size_t i = 0; !conv->left && i < fill; i++) {
        sink_put(sink, pad);
    }

    for (size_t i = 0; i < length; i++) {
        sink_put(sink, text[i]);
    }

    for (size_t i = 0; conv->left && i < fill; i++) {
        sink_put(sink, ' ');
    }
}

static void
put_number(struct sink *sink, const struct conversion *conv, uint64_t value,
           unsigned int base, bool negative)
{
    char digits[24];
    size_t at = sizeof(digits);

    do {
        at--;
        digits[at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);

    if (negative) {
        at--;
        digits[at] = '-';
    }

    put_padded(sink, conv, digits + at, sizeof(digits) - at,
               conv->zero ? '0' : ' ');
}

static const char *
parse_conversion(const char *format, struct conversion *conv, va_list *args)
{
    *conv = (struct conversion){ .precision = ~0u };

    for (; *format == '0' || *format == '-'; format++) {
        conv->zero |= *format == '0';
        conv->left |= *format == '-';
    }

    for (; *format >= '0' && *format <= '9'; format++) {
        conv->width = conv->width * 10 + (unsigned int)(*format - '0');
    }

    if (format[0] == '.' && format[1] == '*') {
        conv->precision = (unsigned int)va_arg(*args, int);
        format += 2;
    }

    for (; *format == 'l' || *format == 'z'; format++) {
        conv->wide = true;
    }

    return format;
}

static void
put_signed(struct sink *sink, const struct conversion *conv, int64_t value)
{
    bool negative = value < 0;

    put_number(sink, conv, negative ? -(uint64_t)value : (uint64_t)value, 10,
               negative);
}

static void
put_conversion(struct sink *sink, const struct conversion *conv, char letter,
               va_list *args)
{
    const char *text;
    char c;

    switch (letter) {
    case 'd':
        put_signed(sink, conv,
                   conv->wide ? va_arg(*args, long) : va_arg(*args, int));
        break;
    case 'u':
    case 'x':
        put_number(sink, conv,
                   conv->wide ? va_arg(*args, unsigned long)
                              : va_arg(*args, unsigned int),
                   letter == 'x' ? 16 : 10, false);
        break;
    case 'p':
        put_number(sink, conv, (uintptr_t)va_arg(*args, void *), 16, false);
        break;
    case 's':
        text = va_arg(*args, const char *);
        text = text == NULL ? "(null)" : text;
        put_padded(sink, conv, text, strnlen(text, conv->precision), ' ');
        break;
    case 'c':
        c = (char)va_arg(*args, int);
        put_padded(sink, conv, &c, 1, ' ');
        break;
    default:
        sink_put(sink, letter);
        break;
    }
}

static void
sink_format(struct sink *sink, const char *format, va_list *args)
{
    struct conversion conv;

    for (; *format != '\0'; format++) {
        if (*format != '%') {
            sink_put(sink, *format);
            continue;
        }

        format = parse_conversion(format + 1, &conv, args);

        if (*format == '\0') {
            return;
        }

        put_conversion(sink, &conv, *format, args);
    }
}

void
vprintf(const char *format, va_list args)
{
    struct sink sink = { NULL, 0, 0 };
    unsigned long flags;
    va_list copy;

    va_copy(copy, args);
    flags = spin_lock_irqsave(&printf_lock);
    sink_format(&sink, format, &copy);
    spin_unlock_irqrestore(&printf_lock, flags);
    va_end(copy);
}

void
printf(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
}

int
vsnprintf(char *buffer, size_t size, const char *format, va_list args)
{
    char none;
    struct sink sink = { size == 0 ? &none : buffer, size, 0 };
    va_list copy;

    va_copy(copy, args);
    sink_format(&sink, format, &copy);
    va_end(copy);

    if (size != 0) {
        buffer[sink.length < size ? sink.length : size - 1] = '\0';
    }

    return (int)sink.length;
}

int
snprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(buffer, size, format, args);
    va_end(args);
    return length;
}
