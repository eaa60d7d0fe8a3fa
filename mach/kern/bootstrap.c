/* SPDX-License-Identifier: MIT */
/*
 * See kern/bootstrap.h. The image is a static ELF64 program; the kernel knows
 * no more of ELF than this one needs. The task starts with rights to the
 * privileged ports among its registered ports, and its stack holds an argument
 * vector: the words of the module's command line.
 */

#include <debug/assert.h>
#include <ipc/ipc_port.h>
#include <kern/boot_module.h>
#include <kern/bootstrap.h>
#include <kern/host.h>
#include <kern/string.h>
#include <kern/task.h>
#include <machine/context.h>
#include <vm/memory_entry.h>
#include <vm/vm_map.h>

#define ELF_MAGIC 0x464c457fu
#define ELF_CLASS_64_LITTLE 0x0102
#define ELF_EXECUTABLE 2
#define ELF_X86_64 62
#define ELF_LOAD 1
#define ELF_FLAG_EXECUTE 1u
#define ELF_FLAG_WRITE 2u
#define ELF_FLAG_READ 4u

#define STACK_SIZE (256 * 1024ul)
#define STACK_TOP (VM_MAX_ADDRESS - 0x100000)
#define ARGUMENTS_MAX 64

struct elf_header {
    uint32_t magic;
    uint16_t class_data;
    uint8_t rest[10];
    uint16_t type;
    uint16_t machine;
    uint32_t version;
    uint64_t entry;
    uint64_t program_offset;
    uint64_t section_offset;
    uint32_t flags;
    uint16_t header_size;
    uint16_t program_size;
    uint16_t program_count;
    uint16_t section_size;
    uint16_t section_count;
    uint16_t section_names;
};

struct elf_program {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t address;
    uint64_t physical;
    uint64_t file_size;
    uint64_t memory_size;
    uint64_t alignment;
};

static void
check(kern_return_t kr, const char *what)
{
    if (kr != KERN_SUCCESS) {
        panic("bootstrap: %s: error %d", what, kr);
    }
}

static vm_prot_t
segment_protection(uint32_t flags)
{
    return ((flags & ELF_FLAG_READ) != 0 ? VM_PROT_READ : 0) |
           ((flags & ELF_FLAG_WRITE) != 0 ? VM_PROT_WRITE : 0) |
           ((flags & ELF_FLAG_EXECUTE) != 0 ? VM_PROT_EXECUTE : 0);
}

/* Copied, not mapped: it happens once, and needs no alignment of the file. */
static void
load_segment(struct vm_map *map, const char *image, uint64_t image_size,
             const struct elf_program *segment)
{
    vm_offset_t start = segment->address & ~PAGE_MASK;
    vm_size_t size = segment->address + segment->memory_size - start;

    if (segment->file_size > segment->memory_size ||
        segment->offset > image_size ||
        segment->file_size > image_size - segment->offset) {
        panic("bootstrap: a segment lies outside the image");
    }

    check(vm_map_allocate(map, &start, size, VM_FLAGS_FIXED), "allocate");
    check(vm_map_write_kernel(map, segment->address, image + segment->offset,
                              segment->file_size),
          "write");
    check(vm_map_protect(map, start, size, false,
                         segment_protection(segment->flags)),
          "protect");
}

static uint64_t
load_image(struct vm_map *map, const struct boot_module *module)
{
    const char *image = phys_to_direct(module->physical);
    const struct elf_header *header = (const void *)image;
    const struct elf_program *segment;

    if (module->size < sizeof(*header) || header->magic != ELF_MAGIC ||
        header->class_data != ELF_CLASS_64_LITTLE ||
        header->type != ELF_EXECUTABLE || header->machine != ELF_X86_64 ||
        header->program_size != sizeof(*segment) ||
        header->program_offset > module->size ||
        header->program_count * sizeof(*segment) >
            module->size - header->program_offset) {
        panic("bootstrap: module %s is no static x86_64 program",
              module->command_line);
    }

    segment = (const void *)(image + header->program_offset);

    for (unsigned int i = 0; i < header->program_count; i++) {
        if (segment[i].type == ELF_LOAD && segment[i].memory_size != 0) {
            load_segment(map, image, module->size, &segment[i]);
        }
    }

    return header->entry;
}

/* argc, argv, an empty environment and auxiliary vector, as the System V ABI
 * has them (3.4.1); the words themselves above. */
static uint64_t
build_stack(struct vm_map *map, const char *command_line)
{
    static char words[256];
    uint64_t vector[ARGUMENTS_MAX + 6] = { 0 };
    vm_offset_t base = STACK_TOP - STACK_SIZE;
    vm_offset_t text = STACK_TOP - sizeof(words);
    unsigned int count = 0;
    vm_offset_t stack;
    bool in_word = false;

    check(vm_map_allocate(map, &base, STACK_SIZE, VM_FLAGS_FIXED), "stack");
    strzcpy(words, command_line, sizeof(words));

    for (unsigned int i = 0; words[i] != '\0'; i++) {
        if (words[i] == ' ') {
            words[i] = '\0';
            in_word = false;
        } else if (!in_word && count < ARGUMENTS_MAX) {
            vector[1 + count] = text + i;
            count++;
            in_word = true;
        }
    }

    vector[0] = count;
    stack = (text - sizeof(vector)) & ~15ul;
    check(vm_map_write_kernel(map, text, words, sizeof(words)), "arguments");
    check(vm_map_write_kernel(map, stack, vector, sizeof(vector)), "vector");
    return stack;
}

void
bootstrap_start(void)
{
    struct boot_module *module = boot_module_get(0);
    x86_thread_state64_t state = { 0 };
    struct thread *thread;
    struct task *task;

    if (module == NULL) {
        panic("bootstrap: the boot loader brought no module");
    }

    check(task_create_internal(kernel_task, false, &task), "task");
    check(thread_create(task, &thread), "thread");
    state.rip = load_image(task->map, module);
    state.rsp = build_stack(task->map, module->command_line);
    check(context_set_state(thread, x86_THREAD_STATE64, (natural_t *)&state,
                            x86_THREAD_STATE64_COUNT),
          "registers");

    task->vm_privilege = true;
    task->max_priority = THREAD_PRIORITY_MAX;
    task->priority = THREAD_PRIORITY_SERVER;
    thread->max_priority = THREAD_PRIORITY_MAX;
    thread->priority = THREAD_PRIORITY_SERVER;
    thread->sched_priority = THREAD_PRIORITY_SERVER;
    task->special[TASK_HOST_PORT] = ipc_port_make_send(host_self.port);
    task->registered[0] = ipc_port_make_send(host_self.priv_port);
    task->registered[1] = ipc_port_make_send(host_self.device_master);
    task->registered[2] = ipc_port_make_send(host_self.security_port);
    check(thread_resume(thread), "resume");
    thread_unref(thread);
    task_unref(task);
}
