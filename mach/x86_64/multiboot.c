/* SPDX-License-Identifier: MIT */
/*
 * GRUB's boot information (Multiboot2 specification 2.0, 3.4 to 3.6): memory
 * map, modules, command line, and the kernel's own symbols for backtraces.
 * It lies in memory that GRUB chose, so everything is noted as a reserved
 * range before any frame is given out.
 */

#include <debug/assert.h>
#include <debug/backtrace.h>
#include <kern/boot_module.h>
#include <kern/string.h>
#include <machine/layout.h>
#include <machine/setup.h>
#include <vm/vm_page.h>

#define TAG_END 0
#define TAG_COMMAND_LINE 1
#define TAG_MODULE 3
#define TAG_MEMORY_MAP 6
#define TAG_ELF_SECTIONS 9

#define MEMORY_AVAILABLE 1

#define SECTION_SYMBOLS 2
#define SECTION_STRINGS 3

#define RANGES_MAX 128

struct tag {
    uint32_t type;
    uint32_t size;
};

struct tag_module {
    struct tag tag;
    uint32_t start;
    uint32_t end;
    char command_line[];
};

struct tag_memory_map {
    struct tag tag;
    uint32_t entry_size;
    uint32_t entry_version;
    char entries[];
};

struct memory_map_entry {
    uint64_t base;
    uint64_t length;
    uint32_t type;
    uint32_t reserved;
};

struct tag_elf_sections {
    struct tag tag;
    uint32_t number;
    uint32_t entry_size;
    uint32_t names;
    char headers[];
};

struct elf_section {
    uint32_t name;
    uint32_t type;
    uint64_t flags;
    uint64_t address;
    uint64_t offset;
    uint64_t size;
    uint32_t link;
    uint32_t info;
    uint64_t alignment;
    uint64_t entry_size;
};

extern char __kernel_end[];

static struct boot_range ranges[RANGES_MAX];
static unsigned int range_count;

static void
range_add(uint64_t start, uint64_t end, enum boot_range_type type)
{
    if (range_count == RANGES_MAX) {
        panic("multiboot: more than %d memory ranges", RANGES_MAX);
    }

    ranges[range_count] = (struct boot_range){ start, end, type };
    range_count++;
}

static void
read_memory_map(const struct tag_memory_map *map)
{
    const char *end = (const char *)map + map->tag.size;
    const struct memory_map_entry *entry;

    for (const char *at = map->entries; at < end; at += map->entry_size) {
        entry = (const void *)at;
        range_add(entry->base, entry->base + entry->length,
                  entry->type == MEMORY_AVAILABLE ? BOOT_RANGE_USABLE
                                                  : BOOT_RANGE_RESERVED);
    }
}

static void
read_module(const struct tag_module *module)
{
    range_add(module->start, (module->end + PAGE_MASK) & ~PAGE_MASK,
              BOOT_RANGE_MODULE);
    boot_module_add(module->command_line, module->start,
                    module->end - module->start);
}

/* The first symbol table and the strings that it links to. */
static void
read_sections(const struct tag_elf_sections *sections)
{
    const struct elf_section *section, *strings;

    for (uint32_t i = 0; i < sections->number; i++) {
        section = (const void *)(sections->headers +
                                 i * (size_t)sections->entry_size);

        if (section->type != SECTION_SYMBOLS ||
            section->link >= sections->number) {
            continue;
        }

        strings = (const void *)(sections->headers +
                                 section->link * (size_t)sections->entry_size);
        range_add(section->address & ~PAGE_MASK,
                  (section->address + section->size + PAGE_MASK) & ~PAGE_MASK,
                  BOOT_RANGE_RESERVED);
        range_add(strings->address & ~PAGE_MASK,
                  (strings->address + strings->size + PAGE_MASK) & ~PAGE_MASK,
                  BOOT_RANGE_RESERVED);
        backtrace_setup(phys_to_direct(section->address), section->size,
                        phys_to_direct(strings->address), strings->size);
        return;
    }
}

static void
read_tag(const struct tag *tag)
{
    switch (tag->type) {
    case TAG_COMMAND_LINE:
        boot_command_line_set((const char *)(tag + 1));
        break;
    case TAG_MODULE:
        read_module((const void *)tag);
        break;
    case TAG_MEMORY_MAP:
        read_memory_map((const void *)tag);
        break;
    case TAG_ELF_SECTIONS:
        read_sections((const void *)tag);
        break;
    default:
        break;
    }
}

void
multiboot_setup(uint64_t information)
{
    const uint32_t *head = phys_to_direct(information);
    const char *at = (const char *)(head + 2);
    const struct tag *tag;

    /* The first page: interrupt vectors and BIOS data, and a null that
     * somebody takes for an address should hit nothing. */
    range_add(0, PAGE_SIZE, BOOT_RANGE_RESERVED);
    range_add(0xa0000, 0x100000, BOOT_RANGE_RESERVED);
    range_add(KERNEL_LOAD_ADDRESS, image_to_phys(__kernel_end),
              BOOT_RANGE_RESERVED);
    range_add(information & ~PAGE_MASK,
              (information + head[0] + PAGE_MASK) & ~PAGE_MASK,
              BOOT_RANGE_RESERVED);

    for (;;) {
        tag = (const void *)at;

        if (tag->type == TAG_END) {
            break;
        }

        read_tag(tag);
        at += (tag->size + 7) & ~7u;
    }

    vm_page_bootstrap(ranges, range_count);
}
