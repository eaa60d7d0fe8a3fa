/* SPDX-License-Identifier: MIT */
/*
 * The checks of an executable: pure, no memory is mapped here. The file comes
 * from anybody, so every sum is checked for overflow and every range against
 * the file and the address space before it is used.
 */

#include <stdbool.h>

#include <libmach/elf_load.h>
#include <mach/vm_prot.h>

const char *
mach_elf_error_string(enum mach_elf_error error)
{
    static const char *const texts[] = {
        [MACH_ELF_OK] = "no error",
        [MACH_ELF_NOT_ELF] = "not an ELF file",
        [MACH_ELF_UNSUPPORTED] = "not a static x86-64 executable",
        [MACH_ELF_INTERPRETER] = "needs a dynamic linker",
        [MACH_ELF_TRUNCATED] = "the file is too short",
        [MACH_ELF_MALFORMED] = "malformed",
        [MACH_ELF_WX] = "has a segment both writable and executable",
    };

    if (error > MACH_ELF_WX) {
        return "unknown error";
    }

    return texts[error];
}

/* Whether [offset, offset + size) lies in [0, limit). */
static bool
elf_range_ok(uint64_t offset, uint64_t size, uint64_t limit)
{
    return offset <= limit && size <= limit - offset;
}

static bool
elf_magic_ok(const struct elf64_header *header)
{
    for (unsigned int i = 0; i < sizeof(header->magic); i++) {
        if (header->magic[i] != (uint8_t)ELF_MAGIC[i]) {
            return false;
        }
    }

    return true;
}

enum mach_elf_error
mach_elf_parse_header(const struct elf64_header *header, vm_size_t file_size)
{
    if (file_size < sizeof(*header) || !elf_magic_ok(header)) {
        return MACH_ELF_NOT_ELF;
    }

    if (header->class != ELF_CLASS64 || header->data != ELF_DATA_LSB ||
        header->ident_version != ELF_VERSION ||
        header->version != ELF_VERSION || header->type != ELF_ET_EXEC ||
        header->machine != ELF_EM_X86_64) {
        return MACH_ELF_UNSUPPORTED;
    }

    if (header->ehsize < sizeof(*header) || header->phnum == 0 ||
        header->phnum > MACH_ELF_HEADERS_MAX ||
        header->phentsize != sizeof(struct elf64_program_header)) {
        return MACH_ELF_MALFORMED;
    }

    if (!elf_range_ok(header->phoff,
                      header->phnum * sizeof(struct elf64_program_header),
                      file_size)) {
        return MACH_ELF_TRUNCATED;
    }

    return MACH_ELF_OK;
}

static int
elf_protection(uint32_t flags)
{
    int protection = VM_PROT_NONE;

    if (flags & ELF_PF_R) {
        protection |= VM_PROT_READ;
    }

    if (flags & ELF_PF_W) {
        protection |= VM_PROT_READ | VM_PROT_WRITE;
    }

    if (flags & ELF_PF_X) {
        protection |= VM_PROT_READ | VM_PROT_EXECUTE;
    }

    return protection;
}

static enum mach_elf_error
elf_check_load(const struct elf64_program_header *ph, vm_size_t file_size)
{
    if (ph->filesz > ph->memsz) {
        return MACH_ELF_MALFORMED;
    }

    if (!elf_range_ok(ph->offset, ph->filesz, file_size)) {
        return MACH_ELF_TRUNCATED;
    }

    if (ph->vaddr < VM_MIN_ADDRESS ||
        !elf_range_ok(ph->vaddr, ph->memsz, VM_MAX_ADDRESS)) {
        return MACH_ELF_MALFORMED;
    }

    if (ph->align > 1 && ((ph->align & (ph->align - 1)) != 0 ||
                          ((ph->vaddr ^ ph->offset) & (ph->align - 1)) != 0)) {
        return MACH_ELF_MALFORMED;
    }

    if (ph->filesz != 0 && ((ph->vaddr ^ ph->offset) & PAGE_MASK) != 0) {
        return MACH_ELF_MALFORMED;
    }

    if ((ph->flags & ELF_PF_W) && (ph->flags & ELF_PF_X)) {
        return MACH_ELF_WX;
    }

    /* Only a writable segment's last page can be cleared to its end. */
    if ((ph->flags & ELF_PF_W) == 0 && ph->filesz != 0 &&
        ph->memsz != ph->filesz) {
        return MACH_ELF_MALFORMED;
    }

    return MACH_ELF_OK;
}

/* Segments must come in ascending order and not share a page. */
static enum mach_elf_error
elf_add_load(struct mach_elf_image *image,
             const struct elf64_program_header *ph)
{
    struct mach_elf_segment *segment;
    uint64_t skew = ph->vaddr & PAGE_MASK;
    uint64_t end = ph->vaddr + ph->memsz;

    if (image->segment_count == MACH_ELF_SEGMENTS_MAX) {
        return MACH_ELF_MALFORMED;
    }

    if (image->segment_count != 0) {
        segment = &image->segments[image->segment_count - 1];

        if (ph->vaddr - skew < segment->address + segment->size) {
            return MACH_ELF_MALFORMED;
        }
    } else {
        image->start = ph->vaddr - skew;
    }

    segment = &image->segments[image->segment_count];
    segment->address = ph->vaddr - skew;
    segment->size = ((end + PAGE_MASK) & ~PAGE_MASK) - segment->address;
    segment->file_offset = ph->filesz != 0 ? ph->offset - skew : 0;
    segment->file_size = ph->filesz != 0 ? ph->filesz + skew : 0;
    segment->protection = elf_protection(ph->flags);
    image->segment_count++;
    image->end = end;
    return MACH_ELF_OK;
}

static enum mach_elf_error
elf_add(struct mach_elf_image *image, const struct elf64_program_header *ph,
        vm_size_t file_size)
{
    enum mach_elf_error error;

    switch (ph->type) {
    case ELF_PT_INTERP:
    case ELF_PT_DYNAMIC:
        return MACH_ELF_INTERPRETER;
    case ELF_PT_NOTE:
    case ELF_PT_TLS:
        if (!elf_range_ok(ph->offset, ph->filesz, file_size)) {
            return MACH_ELF_TRUNCATED;
        }

        if (ph->type == ELF_PT_NOTE && image->note_size == 0) {
            image->note_offset = ph->offset;
            image->note_size = ph->filesz;
        }

        return MACH_ELF_OK;
    case ELF_PT_LOAD:
        if (ph->memsz == 0) {
            return MACH_ELF_OK;
        }

        error = elf_check_load(ph, file_size);
        return error != MACH_ELF_OK ? error : elf_add_load(image, ph);
    default:
        return MACH_ELF_OK;
    }
}

/* Where in memory the table of program headers will be seen, or 0. */
static vm_address_t
elf_find_table(const struct mach_elf_image *image,
               const struct elf64_header *header)
{
    uint64_t size = header->phnum * sizeof(struct elf64_program_header);

    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct mach_elf_segment *segment = &image->segments[i];

        if (header->phoff >= segment->file_offset &&
            elf_range_ok(header->phoff - segment->file_offset, size,
                         segment->file_size)) {
            return segment->address + header->phoff - segment->file_offset;
        }
    }

    return 0;
}

static bool
elf_entry_ok(const struct mach_elf_image *image)
{
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct mach_elf_segment *segment = &image->segments[i];

        if ((segment->protection & VM_PROT_EXECUTE) != 0 &&
            image->entry >= segment->address &&
            image->entry - segment->address < segment->file_size) {
            return true;
        }
    }

    return false;
}

enum mach_elf_error
mach_elf_parse(const struct elf64_header *header,
               const struct elf64_program_header *table, vm_size_t file_size,
               struct mach_elf_image *imagep)
{
    struct mach_elf_image image = { .entry = header->entry,
                                    .phnum = header->phnum };

    for (unsigned int i = 0; i < header->phnum; i++) {
        enum mach_elf_error error = elf_add(&image, &table[i], file_size);

        if (error != MACH_ELF_OK) {
            return error;
        }
    }

    if (!elf_entry_ok(&image)) {
        return MACH_ELF_MALFORMED;
    }

    image.phdr = elf_find_table(&image, header);
    *imagep = image;
    return MACH_ELF_OK;
}
