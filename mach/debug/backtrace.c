/* SPDX-License-Identifier: MIT */
/* See debug/backtrace.h. */

#include <stdbool.h>

#include <debug/backtrace.h>
#include <debug/printf.h>
#include <machine/layout.h>

#define BACKTRACE_DEPTH 24
#define SYMBOL_FUNCTION 2

struct elf_symbol {
    uint32_t name;
    uint8_t info;
    uint8_t other;
    uint16_t section;
    uint64_t value;
    uint64_t size;
};

extern char __text_start[], __text_end[];

static const struct elf_symbol *symbols;
static size_t symbol_count;
static const char *strings;
static size_t strings_size;

void
backtrace_setup(const void *table, size_t table_size, const char *names,
                size_t names_size)
{
    symbols = table;
    symbol_count = table_size / sizeof(struct elf_symbol);
    strings = names;
    strings_size = names_size;
}

/* The symbol with the highest address up to rip: assembly has no sizes. */
static const struct elf_symbol *
symbol_find(uint64_t rip)
{
    const struct elf_symbol *best = NULL;

    for (size_t i = 0; i < symbol_count; i++) {
        const struct elf_symbol *symbol = &symbols[i];

        if ((symbol->info & 0xf) <= SYMBOL_FUNCTION && symbol->value <= rip &&
            symbol->value >= (uint64_t)(uintptr_t)__text_start &&
            symbol->name != 0 && symbol->name < strings_size &&
            (best == NULL || symbol->value > best->value)) {
            best = symbol;
        }
    }

    return best;
}

static void
print_frame(uint64_t rip)
{
    const struct elf_symbol *symbol = symbol_find(rip);

    if (symbol == NULL) {
        printf("  %016lx\n", rip);
        return;
    }

    printf("  %016lx %s+0x%lx\n", rip, strings + symbol->name,
           rip - symbol->value);
}

/* Frame pointers are believed only while they climb within kernel memory. */
static bool
frame_valid(uint64_t rbp, uint64_t below)
{
    return rbp > below && (rbp & 7) == 0 && rbp - below < KERNEL_STACK_SIZE &&
           rbp >= DIRECT_MAP_BASE;
}

void
backtrace_from(uint64_t rip, uint64_t rbp)
{
    const uint64_t *frame;
    uint64_t below = rbp - 8;

    printf("backtrace:\n");

    for (unsigned int i = 0; i < BACKTRACE_DEPTH; i++) {
        if (rip < (uint64_t)(uintptr_t)__text_start ||
            rip >= (uint64_t)(uintptr_t)__text_end) {
            return;
        }

        print_frame(rip);

        if (!frame_valid(rbp, below)) {
            return;
        }

        frame = (const uint64_t *)(uintptr_t)rbp;
        below = rbp;
        rip = frame[1];
        rbp = frame[0];
    }
}

void
backtrace(void)
{
    backtrace_from((uint64_t)(uintptr_t)__builtin_return_address(0),
                   *(const uint64_t *)__builtin_frame_address(0));
}
