/* SPDX-License-Identifier: MIT */
/*
 * Loading a static 64-bit executable into a task. The file is a memory entry:
 * text and read-only data are mapped straight from it and so shared by all
 * who run it, data is mapped copy-on-write, the rest is zero-filled. Nothing
 * is ever both writable and executable.
 */

#ifndef LIBMACH_ELF_LOAD_H
#define LIBMACH_ELF_LOAD_H

#include <libmach/elf64.h>
#include <mach/kern_return.h>
#include <mach/port.h>
#include <mach/vm_types.h>

#define MACH_ELF_SEGMENTS_MAX 16
#define MACH_ELF_HEADERS_MAX 64 /* program headers in a file */

/* A range of whole pages: `file_size` bytes from the file, then zeros. */
struct mach_elf_segment {
    vm_address_t address;
    vm_size_t size;
    vm_offset_t file_offset;
    vm_size_t file_size; /* bytes of the file, from address on */
    int protection;      /* VM_PROT_* */
};

/* What a file says, checked. */
struct mach_elf_image {
    vm_address_t entry;
    vm_address_t phdr; /* where the program headers will be, or 0 */
    uint32_t phnum;
    uint32_t segment_count;
    vm_address_t start;      /* of the lowest segment */
    vm_address_t end;        /* of the highest, to the byte: the break */
    vm_offset_t note_offset; /* the file's PT_NOTE segments: the first */
    vm_size_t note_size;
    struct mach_elf_segment segments[MACH_ELF_SEGMENTS_MAX];
};

/* Why a file was refused. */
enum mach_elf_error {
    MACH_ELF_OK,
    MACH_ELF_NOT_ELF,     /* no ELF file at all */
    MACH_ELF_UNSUPPORTED, /* another machine, class or type */
    MACH_ELF_INTERPRETER, /* needs a dynamic linker */
    MACH_ELF_TRUNCATED,   /* names bytes that the file does not have */
    MACH_ELF_MALFORMED,   /* contradicts itself */
    MACH_ELF_WX,          /* wants memory both writable and executable */
};

const char *mach_elf_error_string(enum mach_elf_error error);

/* The file header alone: whether it is an executable of ours, and where its
 * program headers are, all inside the file. */
enum mach_elf_error
mach_elf_parse_header(const struct elf64_header *header, vm_size_t file_size);

/* header passed mach_elf_parse_header; table: its phnum program headers. */
enum mach_elf_error
mach_elf_parse(const struct elf64_header *header,
               const struct elf64_program_header *table, vm_size_t file_size,
               struct mach_elf_image *imagep);

/*
 * Read and check the file behind a memory entry of the calling task.
 *
 * Returns: KERN_SUCCESS with *errorp and, if that is MACH_ELF_OK, the image;
 *          or what kept it from reading the file.
 */
kern_return_t
mach_elf_read(mach_port_t file, vm_size_t file_size,
              struct mach_elf_image *imagep, enum mach_elf_error *errorp);

/* Map a checked image into a task whose ranges there are free. After an
 * error some of it may be mapped. */
kern_return_t mach_elf_map(mach_port_t task, mach_port_t file,
                           const struct mach_elf_image *image);

#endif /* LIBMACH_ELF_LOAD_H */
