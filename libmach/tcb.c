/* SPDX-License-Identifier: MIT */
/*
 * Thread control blocks. One region holds, from low to high, the thread's
 * copy of the program's TLS segment, the control block at an address aligned
 * for that segment, and nothing else:
 *
 *     region ... [ .tdata .tbss ] [ struct mach_tcb, the library's fields ]
 *                                 ^ fs base
 *
 * The program's own headers say where the segment is; the linker's symbol
 * __ehdr_start finds them in any static program.
 */

#include <libmach/elf64.h>
#include <libmach/thread.h>
#include <mach/mach_traps.h>
#include <mach/mig_support.h>

extern const struct elf64_header __ehdr_start
    __attribute__((weak, visibility("hidden")));

struct tls_layout {
    const void *image;
    size_t image_size;
    size_t offset; /* of the control block in the region */
    size_t below;  /* of the control block down to the first variable */
    size_t size;   /* of the region */
};

static size_t tcb_size = sizeof(struct mach_tcb);
static void (*tcb_setup)(struct mach_tcb *tcb);

void
mach_tcb_configure(size_t size, void (*setup)(struct mach_tcb *tcb))
{
    tcb_size = size;
    tcb_setup = setup;
}

static size_t
tls_round(size_t size, size_t align)
{
    return (size + align - 1) & ~(align - 1);
}

static const struct elf64_program_header *
tls_segment(void)
{
    const struct elf64_header *header = &__ehdr_start;
    const struct elf64_program_header *segment;

    if (header == NULL) {
        return NULL;
    }

    segment = (const void *)((const char *)header + header->phoff);

    for (unsigned int i = 0; i < header->phnum; i++) {
        if (segment[i].type == ELF_PT_TLS) {
            return &segment[i];
        }
    }

    return NULL;
}

static void
tls_layout_init(struct tls_layout *layout)
{
    const struct elf64_program_header *segment = tls_segment();
    size_t align = 64;

    layout->image = NULL;
    layout->image_size = 0;
    layout->below = 0;

    if (segment != NULL) {
        if (segment->align > align) {
            align = segment->align;
        }

        /* Variant II: the segment's end, rounded up to its own alignment,
         * is the control block. */
        layout->image = (const void *)segment->vaddr;
        layout->image_size = segment->filesz;
        layout->below =
            tls_round(segment->memsz, segment->align != 0 ? segment->align : 1);
    }

    layout->offset = tls_round(layout->below, align);
    layout->size = tls_round(layout->offset + tcb_size, PAGE_SIZE);
}

/* Not a secret of cryptographic worth: it differs by thread and by boot. */
static uint64_t
tcb_canary(const struct mach_tcb *tcb)
{
    uint32_t low, high;
    uint64_t x;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    x = low ^ ((uint64_t)high << 32) ^ (uint64_t)tcb;
    x *= 0x9e3779b97f4a7c15UL;
    x ^= x >> 29;
    return x & ~0xffUL; /* a 0 byte stops string overruns */
}

struct mach_tcb *
mach_tcb_create(void)
{
    struct tls_layout layout;
    struct mach_tcb *tcb;
    vm_address_t region;
    char *to;

    tls_layout_init(&layout);

    if (mig_allocate(&region, layout.size) != KERN_SUCCESS) {
        return NULL;
    }

    tcb = (struct mach_tcb *)(region + layout.offset);
    to = (char *)tcb - layout.below;

    for (size_t i = 0; i < layout.image_size; i++) {
        to[i] = ((const char *)layout.image)[i];
    }

    tcb->self = tcb;
    tcb->canary = tcb_canary(tcb);

    if (tcb_setup != NULL) {
        tcb_setup(tcb);
    }

    return tcb;
}

void
mach_tcb_destroy(struct mach_tcb *tcb)
{
    struct tls_layout layout;

    tls_layout_init(&layout);
    mig_deallocate((vm_address_t)tcb - layout.offset, layout.size);
}
