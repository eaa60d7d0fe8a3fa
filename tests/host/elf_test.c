/* SPDX-License-Identifier: MIT */
/* The checks of executables, and the layout of the first stack. */

#include <stdlib.h>
#include <string.h>

#include <libmach/elf_load.h>
#include <libmach/stack.h>
#include <mach/vm_prot.h>

#include "tap.h"

#define FILE_SIZE 0x5000UL

/* A file as a linker makes it: headers and text, then data and bss. */
static const struct elf64_header good_header = {
    .magic = { 0x7f, 'E', 'L', 'F' },
    .class = ELF_CLASS64,
    .data = ELF_DATA_LSB,
    .ident_version = ELF_VERSION,
    .type = ELF_ET_EXEC,
    .machine = ELF_EM_X86_64,
    .version = ELF_VERSION,
    .entry = 0x401000,
    .phoff = 64,
    .ehsize = sizeof(struct elf64_header),
    .phentsize = sizeof(struct elf64_program_header),
    .phnum = 4,
};

static const struct elf64_program_header good_table[4] = {
    { ELF_PT_LOAD, ELF_PF_R, 0, 0x400000, 0x400000, 0x1000, 0x1000, 4096 },
    { ELF_PT_LOAD, ELF_PF_R | ELF_PF_X, 0x1000, 0x401000, 0x401000, 0x1234,
      0x1234, 4096 },
    { ELF_PT_LOAD, ELF_PF_R | ELF_PF_W, 0x3e10, 0x404e10, 0x404e10, 0x500,
      0x3000, 4096 },
    { ELF_PT_GNU_STACK, ELF_PF_R | ELF_PF_W, 0, 0, 0, 0, 0, 16 },
};

static struct elf64_header header;
static struct elf64_program_header table[4];
static struct mach_elf_image image;

static void
reset(void)
{
    header = good_header;
    memcpy(table, good_table, sizeof(table));
}

static enum mach_elf_error
parse(vm_size_t file_size)
{
    enum mach_elf_error error = mach_elf_parse_header(&header, file_size);

    if (error == MACH_ELF_OK) {
        error = mach_elf_parse(&header, table, file_size, &image);
    }

    return error;
}

static void
good_file(void)
{
    reset();
    is(parse(FILE_SIZE), MACH_ELF_OK, "a static executable");
    is(image.segment_count, 3, "three segments");
    is(image.entry, 0x401000, "its entry");
    is(image.phdr, 0x400040, "its program headers in memory");
    is(image.phnum, 4, "their number");
    is(image.segments[1].protection, VM_PROT_READ | VM_PROT_EXECUTE, "text");
    is(image.segments[2].address, 0x404000, "data begins with its page");
    is(image.segments[2].file_offset, 0x3000, "and so in the file");
    is(image.segments[2].file_size, 0xe10 + 0x500, "bytes from the file");
    is(image.segments[2].size, 0x4000, "and zeros up to whole pages");
    is(image.end, 0x404e10 + 0x3000, "the break");
    is(image.start, 0x400000, "the start");
}

#define BAD(error, change, name)                                               \
    do {                                                                       \
        reset();                                                               \
        change;                                                                \
        is(parse(FILE_SIZE), error, "%s", name);                               \
    } while (0)

static void
bad_files(void)
{
    BAD(MACH_ELF_NOT_ELF, header.magic[0] = '#', "no magic");
    BAD(MACH_ELF_UNSUPPORTED, header.class = 1, "32 bits");
    BAD(MACH_ELF_UNSUPPORTED, header.data = 2, "big-endian");
    BAD(MACH_ELF_UNSUPPORTED, header.machine = 183, "another machine");
    BAD(MACH_ELF_UNSUPPORTED, header.type = ELF_ET_DYN, "a shared object");
    BAD(MACH_ELF_MALFORMED, header.phnum = 0, "no program headers");
    BAD(MACH_ELF_MALFORMED, header.phnum = 65535, "too many of them");
    BAD(MACH_ELF_MALFORMED, header.phentsize = 32, "of another size");
    BAD(MACH_ELF_TRUNCATED, header.phoff = FILE_SIZE - 1, "past the end");
    BAD(MACH_ELF_TRUNCATED, header.phoff = UINT64_MAX - 8, "that wrap");
    BAD(MACH_ELF_MALFORMED, header.entry = 0x400000, "entry not in text");
    BAD(MACH_ELF_MALFORMED, header.entry = 0, "entry 0");
    BAD(MACH_ELF_INTERPRETER, table[3].type = ELF_PT_INTERP, "interpreter");
    BAD(MACH_ELF_INTERPRETER, table[3].type = ELF_PT_DYNAMIC, "dynamic");
    BAD(MACH_ELF_WX, table[1].flags |= ELF_PF_W, "text that is writable");
    BAD(MACH_ELF_MALFORMED, table[2].memsz = 0x4ff, "less in memory");
    BAD(MACH_ELF_TRUNCATED, table[2].filesz = table[2].memsz = 0x2000,
        "more than the file has");
    BAD(MACH_ELF_TRUNCATED, table[2].offset = UINT64_MAX - 0x1ef,
        "an offset that wraps");
    BAD(MACH_ELF_MALFORMED, table[2].memsz = UINT64_MAX, "a size that wraps");
    BAD(MACH_ELF_MALFORMED, table[2].vaddr = 0xffff800000000e10,
        "an address of the kernel");
    BAD(MACH_ELF_MALFORMED, table[2].vaddr = VM_MAX_ADDRESS - 0x1f0,
        "past the end of the address space");
    BAD(MACH_ELF_MALFORMED, (table[0].vaddr = 0, table[0].offset = 0),
        "page 0");
    BAD(MACH_ELF_MALFORMED, table[2].vaddr = 0x404000, "page offsets differ");
    BAD(MACH_ELF_MALFORMED, table[2].align = 3, "an odd alignment");
    BAD(MACH_ELF_MALFORMED, table[2].vaddr = 0x402e10, "segments overlap");
    BAD(MACH_ELF_MALFORMED, table[2].vaddr = 0x300e10, "out of order");
    BAD(MACH_ELF_MALFORMED, table[1].memsz = 0x1300, "text with zeros");
    BAD(MACH_ELF_TRUNCATED,
        (table[3].type = ELF_PT_NOTE, table[3].offset = FILE_SIZE,
         table[3].filesz = 1),
        "a note past the end");
    reset();
    is(mach_elf_parse_header(&header, 10), MACH_ELF_NOT_ELF, "a short file");
}

/* Any header: no report of the sanitizers, and what is taken is sound. */
static void
random_files(void)
{
    bool sound = true;

    srand(1);

    for (int round = 0; round < 200000; round++) {
        unsigned char *bytes = (unsigned char *)table;

        reset();

        for (int i = 0; i < 1 + round % 4; i++) {
            bytes[(size_t)rand() % sizeof(table)] = (unsigned char)rand();
        }

        if (parse(FILE_SIZE) != MACH_ELF_OK) {
            continue;
        }

        for (uint32_t i = 0; i < image.segment_count; i++) {
            const struct mach_elf_segment *s = &image.segments[i];

            sound = sound && s->size != 0 && (s->address & PAGE_MASK) == 0 &&
                    s->address >= VM_MIN_ADDRESS &&
                    s->address + s->size <= VM_MAX_ADDRESS &&
                    s->file_size <= s->size &&
                    s->file_offset + s->file_size <= FILE_SIZE;
        }
    }

    ok(sound, "what is taken stays in its bounds");
}

static void
stack_good(void)
{
    static const struct mach_auxv auxv[] = { { ELF_AT_PAGESZ, 4096 } };
    static const struct mach_stack_args args = {
        .strings = "prog\0-x\0A=1",
        .strings_size = 12,
        .argc = 2,
        .envc = 1,
        .auxv = auxv,
        .auxc = 1,
        .execfn = "/bin/prog",
        .random = { 1, 2, 3 },
    };
    vm_size_t size = (mach_stack_size(&args) + 15) & ~15UL;
    uint64_t top = 0x7fff0000;
    char *buffer = aligned_alloc(16, size);
    uint64_t *words;
    vm_address_t rsp;

#define AT(address) (buffer + size - (top - (address)))

    is(mach_stack_build(buffer, size, top, &args, &rsp), KERN_SUCCESS,
       "a stack is built in the size that was told");
    is(rsp % 16, 0, "the stack pointer is aligned");
    words = (uint64_t *)(void *)AT(rsp);
    is(words[0], 2, "argc");
    ok(strcmp(AT(words[1]), "prog") == 0, "argv[0]");
    ok(strcmp(AT(words[2]), "-x") == 0, "argv[1]");
    is(words[3], 0, "the end of argv");
    ok(strcmp(AT(words[4]), "A=1") == 0, "the environment");
    is(words[5], 0, "its end");
    ok(words[6] == ELF_AT_PAGESZ && words[7] == 4096, "auxv");
    ok(words[8] == ELF_AT_RANDOM && AT(words[9])[2] == 3, "random bytes");
    ok(words[10] == ELF_AT_EXECFN && strcmp(AT(words[11]), "/bin/prog") == 0,
       "the file's name");
    is(words[12], ELF_AT_NULL, "the end of auxv");
    is(mach_stack_build(buffer, size - 48, top, &args, &rsp), KERN_NO_SPACE,
       "too small a buffer is refused");
    free(buffer);
}

static void
stack_bad(void)
{
    struct mach_stack_args args = {
        .strings = "a\0b",
        .strings_size = 4,
        .argc = 2,
    };
    _Alignas(16) char buffer[512];
    vm_address_t rsp;

    is(mach_stack_build(buffer, 512, 0x10000, &args, &rsp), KERN_SUCCESS,
       "two strings");
    args.argc = 3;
    is(mach_stack_build(buffer, 512, 0x10000, &args, &rsp),
       KERN_INVALID_ARGUMENT, "fewer strings than arguments");
    args.argc = 1;
    is(mach_stack_build(buffer, 512, 0x10000, &args, &rsp),
       KERN_INVALID_ARGUMENT, "more strings than arguments");
    args.argc = 2;
    args.strings_size = 3;
    is(mach_stack_build(buffer, 512, 0x10000, &args, &rsp),
       KERN_INVALID_ARGUMENT, "the last has no end");
    args.envc = UINT32_MAX;
    is(mach_stack_build(buffer, 512, 0x10000, &args, &rsp), KERN_NO_SPACE,
       "more than fits");
    args.strings_size = UINT64_MAX;
    is(mach_stack_build(buffer, 512, 0x10000, &args, &rsp), KERN_NO_SPACE,
       "a size that wraps");
}

int
main(void)
{
    good_file();
    bad_files();
    random_files();
    stack_good();
    stack_bad();
    return tap_done();
}
