/* SPDX-License-Identifier: MIT */
/* The 64-bit little-endian ELF format, as far as an executable needs it. */

#ifndef LIBMACH_ELF64_H
#define LIBMACH_ELF64_H

#include <stdint.h>

#define ELF_MAGIC "\177ELF"
#define ELF_CLASS64 2
#define ELF_DATA_LSB 1
#define ELF_VERSION 1
#define ELF_ET_EXEC 2
#define ELF_ET_DYN 3
#define ELF_EM_X86_64 62

#define ELF_PT_LOAD 1u
#define ELF_PT_DYNAMIC 2u
#define ELF_PT_INTERP 3u
#define ELF_PT_NOTE 4u
#define ELF_PT_PHDR 6u
#define ELF_PT_TLS 7u
#define ELF_PT_GNU_STACK 0x6474e551u

#define ELF_PF_X 1u
#define ELF_PF_W 2u
#define ELF_PF_R 4u

struct elf64_header {
    uint8_t magic[4];
    uint8_t class;
    uint8_t data;
    uint8_t ident_version;
    uint8_t os_abi;
    uint8_t abi_version;
    uint8_t pad[7];
    uint16_t type;
    uint16_t machine;
    uint32_t version;
    uint64_t entry;
    uint64_t phoff;
    uint64_t shoff;
    uint32_t flags;
    uint16_t ehsize;
    uint16_t phentsize;
    uint16_t phnum;
    uint16_t shentsize;
    uint16_t shnum;
    uint16_t shstrndx;
};

struct elf64_program_header {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t vaddr;
    uint64_t paddr;
    uint64_t filesz;
    uint64_t memsz;
    uint64_t align;
};

_Static_assert(sizeof(struct elf64_header) == 64, "ELF header");
_Static_assert(sizeof(struct elf64_program_header) == 56, "program header");

/* Kinds of auxiliary vector entries on a program's first stack. */
#define ELF_AT_NULL 0
#define ELF_AT_PHDR 3
#define ELF_AT_PHENT 4
#define ELF_AT_PHNUM 5
#define ELF_AT_PAGESZ 6
#define ELF_AT_BASE 7
#define ELF_AT_FLAGS 8
#define ELF_AT_ENTRY 9
#define ELF_AT_UID 11
#define ELF_AT_EUID 12
#define ELF_AT_GID 13
#define ELF_AT_EGID 14
#define ELF_AT_CLKTCK 17
#define ELF_AT_SECURE 23
#define ELF_AT_RANDOM 25
#define ELF_AT_EXECFN 31

#endif /* LIBMACH_ELF64_H */
