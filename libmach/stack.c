/* SPDX-License-Identifier: MIT */
/* The first stack of a program, built in a buffer: pure, see the header. */

#include <libmach/elf64.h>
#include <libmach/stack.h>

#define STACK_ALIGN 16UL

struct stack_builder {
    uint64_t *word; /* the next word in the buffer */
    const char *strings;
    const char *end;
    uint64_t address; /* of the next string, as the program will see it */
};

static vm_size_t
stack_string_size(const char *s)
{
    vm_size_t size = 1;

    if (s == NULL) {
        return 0;
    }

    for (; *s != '\0'; s++) {
        size++;
    }

    return size;
}

static vm_size_t
stack_words(const struct mach_stack_args *args)
{
    /* argc, two nulls, AT_RANDOM, AT_EXECFN, AT_NULL. */
    return 1 + (vm_size_t)args->argc + 1 + (vm_size_t)args->envc + 1 +
           2 * ((vm_size_t)args->auxc + 3);
}

vm_size_t
mach_stack_size(const struct mach_stack_args *args)
{
    vm_size_t size = stack_words(args) * sizeof(uint64_t) +
                     sizeof(args->random) + args->strings_size +
                     stack_string_size(args->execfn);

    return (size + 2 * STACK_ALIGN) & ~(STACK_ALIGN - 1);
}

static void
stack_put(struct stack_builder *builder, uint64_t value)
{
    *builder->word = value;
    builder->word++;
}

/* Pointers to the next `count` strings, and a null. */
static kern_return_t
stack_put_strings(struct stack_builder *builder, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const char *s = builder->strings;

        stack_put(builder, builder->address);

        while (s < builder->end && *s != '\0') {
            s++;
        }

        if (s == builder->end) {
            return KERN_INVALID_ARGUMENT;
        }

        s++;
        builder->address += (uint64_t)(s - builder->strings);
        builder->strings = s;
    }

    stack_put(builder, 0);
    return KERN_SUCCESS;
}

static void
stack_copy(char *to, const void *from, vm_size_t size)
{
    const char *bytes = from;

    for (vm_size_t i = 0; i < size; i++) {
        to[i] = bytes[i];
    }
}

kern_return_t
mach_stack_build(void *buffer, vm_size_t size, vm_address_t top,
                 const struct mach_stack_args *args, vm_address_t *rspp)
{
    char *const base = buffer;
    vm_size_t execfn_size = stack_string_size(args->execfn);
    struct stack_builder builder;
    vm_size_t execfn, random, strings, words;
    kern_return_t kr;

    if (args->strings_size > size || mach_stack_size(args) > size) {
        return KERN_NO_SPACE;
    }

    /* Offsets in the buffer, from high to low. */
    execfn = size - execfn_size;
    strings = execfn - args->strings_size;
    random = (strings - sizeof(args->random)) & ~(STACK_ALIGN - 1);
    words =
        (random - stack_words(args) * sizeof(uint64_t)) & ~(STACK_ALIGN - 1);

    stack_copy(base + execfn, args->execfn, execfn_size);
    stack_copy(base + strings, args->strings, args->strings_size);
    stack_copy(base + random, args->random, sizeof(args->random));

    builder.word = (uint64_t *)(void *)(base + words);
    builder.strings = args->strings;
    builder.end = args->strings + args->strings_size;
    builder.address = top - size + strings;

    stack_put(&builder, args->argc);
    kr = stack_put_strings(&builder, args->argc);

    if (kr == KERN_SUCCESS) {
        kr = stack_put_strings(&builder, args->envc);
    }

    if (kr != KERN_SUCCESS || builder.strings != builder.end) {
        return KERN_INVALID_ARGUMENT;
    }

    for (uint32_t i = 0; i < args->auxc; i++) {
        stack_put(&builder, args->auxv[i].type);
        stack_put(&builder, args->auxv[i].value);
    }

    stack_put(&builder, ELF_AT_RANDOM);
    stack_put(&builder, top - size + random);

    if (args->execfn != NULL) {
        stack_put(&builder, ELF_AT_EXECFN);
        stack_put(&builder, top - size + execfn);
    }

    stack_put(&builder, ELF_AT_NULL);
    stack_put(&builder, 0);
    *rspp = top - size + words;
    return KERN_SUCCESS;
}
