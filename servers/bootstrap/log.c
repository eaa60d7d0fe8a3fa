/* SPDX-License-Identifier: MIT */
/* The log: whole lines, each with its writer's name, to the debug console. */

#include <string.h>

#include <libmach/log.h>
#include <mach/mach.h>

#include "log.h"

#define LOG_PORT 0xe9

static struct log_line log_own = { .writer = "bootstrap" };
static boolean_t log_ready;

static void
log_putc(char c)
{
    __asm__ volatile("outb %0, %1" : : "a"(c), "Nd"((uint16_t)LOG_PORT));
}

static void
log_puts(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        log_putc(text[i]);
    }
}

void
log_flush(struct log_line *line)
{
    if (line->size == 0 || !log_ready) {
        return;
    }

    log_puts(line->writer, strlen(line->writer));
    log_puts(": ", 2);
    log_puts(line->text, line->size);
    log_putc('\n');
    line->size = 0;
}

void
log_write(struct log_line *line, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n') {
            log_flush(line);
            continue;
        }

        /* What a server writes is not trusted to be text. */
        line->text[line->size] = text[i];

        if ((unsigned char)text[i] < ' ' && text[i] != '\t') {
            line->text[line->size] = '?';
        }

        line->size++;

        if (line->size == sizeof(line->text)) {
            log_flush(line);
        }
    }
}

static void
log_write_own(const char *text, size_t size)
{
    log_write(&log_own, text, size);
}

void
log_setup(mach_port_t device_master)
{
    mach_port_t io_perm;

    machc_log = log_write_own;

    if (io_perm_create(device_master, LOG_PORT, LOG_PORT, &io_perm) !=
        KERN_SUCCESS) {
        return;
    }

    if (io_perm_modify(mach_task_self(), io_perm, TRUE) == KERN_SUCCESS) {
        log_ready = TRUE;
    }

    (void)mach_port_deallocate(mach_task_self(), io_perm);
}
