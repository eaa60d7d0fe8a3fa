/* SPDX-License-Identifier: MIT */
/*
 * exec. The program gets a new task and the process a new port: nothing that
 * was known of the old ones has power over the new program. All that can fail
 * is done before the old task is touched.
 */

#include <stdlib.h>
#include <string.h>

#include <mach/mach.h>

#include <libmach/elf_load.h>
#include <libmach/stack.h>
#include <unix/unix_process_server.h>

#include "client.h"
#include "descriptor.h"
#include "exec.h"
#include "io.h"
#include "process.h"
#include "signal_delivery.h"
#include "vnode.h"

#define SCRIPTS_MAX 4
#define NOTE_MAX 4096

/* What becomes of a process, until it is done. */
struct exec_state {
    struct process *process;
    struct exec_args *args;
    const char *path;    /* what the program was called by: AT_EXECFN */
    struct vnode *vnode; /* reference: the program */
    struct mach_elf_image image;
    mach_port_t entry;
    mach_port_t task;
    mach_port_t thread;
    mach_port_t port;
    uint64_t rsp;
    struct credentials cred; /* what they will be */
};

/* -- The file -------------------------------------------------------------- */

static int
exec_open(struct process *process, const struct walk_context *context,
          const char *path, struct vnode **vnodep)
{
    struct vnode *vnode;
    int error;

    error = walk_vnode(context, path, WALK_FOLLOW, &vnode);

    if (error != 0) {
        return error;
    }

    if (vnode_type(vnode) != UNIX_S_IFREG) {
        error = EACCES;
    } else {
        error = vnode_access(vnode, &process->cred, UNIX_X_OK);
    }

    if (error == 0 && vnode->writers != 0) {
        error = ETXTBSY;
    }

    if (error != 0) {
        vnode_unref(vnode);
        return error;
    }

    *vnodep = vnode;
    return 0;
}

/* Bytes of the file into the server's memory: how many there are. */
static int
exec_read(struct process *process, struct vnode *vnode, uint64_t offset,
          void *data, size_t *sizep)
{
    struct io io = {
        .process = process,
        .buffer = data,
        .size = *sizep,
        .offset = (int64_t)offset,
    };
    int error = vnode->ops->read(vnode, &io);

    *sizep = io.done;
    return error;
}

/*
 * Find the program: the file itself, or through scripts their interpreter.
 * path[] is where the name of the last one is kept.
 */
static int
exec_find(struct exec_state *state, const struct walk_context *context,
          char *path)
{
    int depth;

    for (depth = 0; depth <= SCRIPTS_MAX; depth++) {
        struct exec_script script;
        char head[EXEC_SCRIPT_LINE];
        size_t size = sizeof(head);
        int error;

        error = exec_open(state->process, context, path, &state->vnode);

        if (error != 0) {
            return error;
        }

        error = exec_read(state->process, state->vnode, 0, head, &size);

        if (error != 0 || !exec_script_parse(head, size, &script)) {
            return error;
        }

        vnode_unref(state->vnode);
        state->vnode = NULL;
        error = exec_args_for_script(state->args, &script, path, UNIX_ARG_MAX);

        if (error != 0) {
            return error;
        }

        strcpy(path, script.interpreter);
    }

    return ELOOP;
}

static int
exec_image_error(enum mach_elf_error error)
{
    return error == MACH_ELF_OK ? 0 : ENOEXEC;
}

/* Does the program say that it is made for another ABI? */
static bool
exec_note_refuses(const uint8_t *data, size_t size)
{
    size_t at = 0;

    while (size - at >= 12) {
        uint32_t words[3]; /* size of name, of desc; type */
        struct unix_note note;
        size_t name;
        size_t desc;

        memcpy(words, data + at, sizeof(words));
        at += sizeof(words);
        name = ((size_t)words[0] + 3) & ~(size_t)3;
        desc = ((size_t)words[1] + 3) & ~(size_t)3;

        if (name > size - at || desc > size - at - name) {
            return false;
        }

        if (words[0] == sizeof(UNIX_NOTE_NAME) &&
            memcmp(data + at, UNIX_NOTE_NAME, sizeof(UNIX_NOTE_NAME)) == 0 &&
            words[2] == UNIX_NOTE_ABI && words[1] >= sizeof(note)) {
            memcpy(&note, data + at + name, sizeof(note));
            return note.major != UNIX_ABI_VERSION;
        }

        at += name + desc;
    }

    return false;
}

static int
exec_check_note(struct exec_state *state)
{
    uint8_t *data;
    size_t size = state->image.note_size;
    int error;

    if (size == 0) {
        return 0;
    }

    if (size > NOTE_MAX) {
        size = NOTE_MAX;
    }

    data = malloc(size);

    if (data == NULL) {
        return ENOMEM;
    }

    error = exec_read(state->process, state->vnode, state->image.note_offset,
                      data, &size);

    if (error == 0 && exec_note_refuses(data, size)) {
        error = ENOEXEC;
    }

    free(data);
    return error;
}

/* Make sure that it is a program that can be run. */
static int
exec_check(struct exec_state *state)
{
    enum mach_elf_error elf_error = MACH_ELF_OK;
    kern_return_t kr;
    int error;

    error = state->vnode->ops->entry(state->vnode, &state->entry);

    if (error != 0) {
        return error;
    }

    kr = mach_elf_read(state->entry, state->vnode->size, &state->image,
                       &elf_error);

    if (kr != KERN_SUCCESS) {
        return state->vnode->size == 0 ? ENOEXEC : error_from_kernel(kr);
    }

    error = exec_image_error(elf_error);
    return error != 0 ? error : exec_check_note(state);
}

/* -- The new task ---------------------------------------------------------- */

/* The clock page is the same in all, and children inherit it. */
static int
exec_map_clock(mach_port_t task)
{
    vm_address_t address = UNIX_CLOCK_PAGE;
    kern_return_t kr;

    kr =
        vm_map(task, &address, PAGE_SIZE, 0, VM_FLAGS_FIXED, clock_page_entry(),
               0, FALSE, VM_PROT_READ, VM_PROT_READ, VM_INHERIT_SHARE);
    return kr == KERN_SUCCESS ? 0 : error_from_kernel(kr);
}

#define EXEC_AUXV_MAX 16

static uint32_t
exec_auxv(const struct exec_state *state, struct mach_auxv *auxv)
{
    const struct credentials *cred = &state->process->cred;
    const struct mach_auxv values[] = {
        { UNIX_AT_PHDR, state->image.phdr },
        { UNIX_AT_PHENT, sizeof(struct elf64_program_header) },
        { UNIX_AT_PHNUM, state->image.phnum },
        { UNIX_AT_PAGESZ, PAGE_SIZE },
        { UNIX_AT_BASE, 0 },
        { UNIX_AT_ENTRY, state->image.entry },
        { UNIX_AT_UID, cred->uid },
        { UNIX_AT_EUID, state->cred.euid },
        { UNIX_AT_GID, cred->gid },
        { UNIX_AT_EGID, state->cred.egid },
        { UNIX_AT_SECURE,
          cred->uid != state->cred.euid || cred->gid != state->cred.egid },
        { UNIX_AT_PROCESS_PORT, UNIX_PROCESS_PORT },
        { UNIX_AT_PROCESS_PAGE, UNIX_PROCESS_PAGE },
        { UNIX_AT_CLOCK_PAGE, UNIX_CLOCK_PAGE },
    };

    _Static_assert(sizeof(values) / sizeof(values[0]) <= EXEC_AUXV_MAX,
                   "room for the vector");
    memcpy(auxv, values, sizeof(values));
    return sizeof(values) / sizeof(values[0]);
}

/* Write the first stack into a task. */
static int
exec_write_stack(struct exec_state *state, const struct mach_stack_args *args)
{
    vm_size_t size = mach_stack_size(args);
    vm_address_t rsp = 0;
    kern_return_t kr;
    char *buffer;

    buffer = malloc(size);

    if (buffer == NULL) {
        return ENOMEM;
    }

    kr = mach_stack_build(buffer, size, UNIX_STACK_TOP, args, &rsp);

    if (kr == KERN_SUCCESS) {
        uint64_t used = UNIX_STACK_TOP - rsp;

        kr = syscall_vm_write(state->task, rsp,
                              (vm_address_t)buffer + size - used, used);
    }

    free(buffer);
    state->rsp = rsp;
    return kr == KERN_SUCCESS ? 0 : error_from_kernel(kr);
}

static int
exec_build_stack(struct exec_state *state)
{
    vm_address_t address = UNIX_STACK_TOP - UNIX_STACK_SIZE + PAGE_SIZE;
    struct mach_auxv auxv[EXEC_AUXV_MAX];
    struct mach_stack_args args;
    kern_return_t kr;

    kr = vm_allocate(state->task, &address, UNIX_STACK_SIZE - PAGE_SIZE,
                     VM_FLAGS_FIXED);

    if (kr != KERN_SUCCESS) {
        return error_from_kernel(kr);
    }

    memset(&args, 0, sizeof(args));
    args.strings = state->args->strings;
    args.strings_size = state->args->size;
    args.argc = state->args->argc;
    args.envc = state->args->envc;
    args.auxv = auxv;
    args.auxc = exec_auxv(state, auxv);
    args.execfn = state->path;
    random_fill(args.random, sizeof(args.random));
    return exec_write_stack(state, &args);
}

static int
exec_create_thread(struct exec_state *state)
{
    x86_thread_state64_t registers;
    kern_return_t kr;

    kr = thread_create(state->task, &state->thread);

    if (kr != KERN_SUCCESS) {
        return error_from_kernel(kr);
    }

    memset(&registers, 0, sizeof(registers));
    registers.rip = state->image.entry;
    registers.rsp = state->rsp;
    registers.rflags = 0x202;
    kr = thread_set_state(state->thread, x86_THREAD_STATE64,
                          (thread_state_t)&registers, x86_THREAD_STATE64_COUNT);
    return kr == KERN_SUCCESS ? 0 : error_from_kernel(kr);
}

/* Everything that the new program needs, beside the old one. */
static int
exec_prepare(struct exec_state *state)
{
    struct process *process = state->process;
    bool first = !MACH_PORT_VALID(process->task);
    bool fresh = first || state->cred.euid != process->cred.euid ||
                 state->cred.egid != process->cred.egid;
    kern_return_t kr;
    int error;

    /* What the caller made of its task - special ports, limits - must not
     * reach a program with other rights. */
    kr = task_create(fresh ? mach_task_self() : process->task, FALSE,
                     &state->task);

    if (kr != KERN_SUCCESS) {
        return error_from_kernel(kr);
    }

    if (fresh) {
        /* Neither this server's priority nor its identity to bootstrap. */
        (void)task_priority(state->task, THREAD_PRIORITY_USER, TRUE);
        kr = task_set_special_port(state->task, TASK_BOOTSTRAP_PORT,
                                   MACH_PORT_NULL);

        if (kr != KERN_SUCCESS) {
            return error_from_kernel(kr);
        }
    }

    kr = mach_elf_map(state->task, state->entry, &state->image);

    if (kr != KERN_SUCCESS) {
        return kr == KERN_INVALID_ADDRESS || kr == KERN_NO_SPACE
                   ? ENOEXEC
                   : error_from_kernel(kr);
    }

    error = exec_build_stack(state);

    if (error == 0) {
        error = exec_map_clock(state->task);
    }

    if (error == 0) {
        error = process_create_port(process, &state->port);
    }

    if (error == 0) {
        error = process_bind_task(process, state->task, state->port);
    }

    if (error == 0) {
        error = process_identify(process, state->task, &state->cred);
    }

    return error == 0 ? exec_create_thread(state) : error;
}

static void
exec_credentials(struct credentials *cred, const struct credentials *old,
                 const struct vnode *vnode)
{
    *cred = *old;

    if ((vnode->mode & UNIX_S_ISUID) != 0) {
        cred->euid = vnode->uid;
    }

    if ((vnode->mode & UNIX_S_ISGID) != 0) {
        cred->egid = vnode->gid;
    }

    cred->suid = cred->euid;
    cred->sgid = cred->egid;
}

/* -- Commit ---------------------------------------------------------------- */

static void
exec_set_name(struct process *process, const char *path)
{
    const char *slash = strrchr(path, '/');

    strncpy(process->name, slash != NULL ? slash + 1 : path,
            sizeof(process->name) - 1);
}

/* Nothing here can fail. */
static void
exec_commit(struct exec_state *state)
{
    struct process *process = state->process;
    mach_port_t task = process->task;
    mach_port_t thread = process->thread;
    mach_port_t port = process->port;

    process_usage(process, &process->usage);
    call_destroy_all(process);
    process->task = state->task;
    process->thread = state->thread;
    process->port = state->port;
    process_destroy_port(port);
    process_terminate_task(task, thread);

    descriptor_close_on_exec(process);
    signal_state_exec(&process->signals);
    process->trampoline = 0;
    process->cred = state->cred;

    if (process->program != NULL) {
        process->program->programs--;
        vnode_unref(process->program);
    }

    process->program = vnode_ref(state->vnode);
    process->program->programs++;
    process->execed = true;
    exec_set_name(process, state->path);
    process_publish(process);
    signal_deliver(process);
    (void)thread_resume(process->thread);
}

static void
exec_abandon(struct exec_state *state)
{
    process_destroy_port(state->port);
    process_terminate_task(state->task, state->thread);
}

int
exec_program(struct process *process, const struct walk_context *context,
             const char *path, struct exec_args *args)
{
    struct exec_state *state;
    char *name;
    int error;

    state = calloc(1, sizeof(*state));
    name = malloc(UNIX_PATH_MAX);

    if (state == NULL || name == NULL) {
        free(state);
        free(name);
        return ENOMEM;
    }

    state->process = process;
    state->args = args;
    state->path = path;
    strncpy(name, path, UNIX_PATH_MAX - 1);
    name[UNIX_PATH_MAX - 1] = '\0';
    error = exec_find(state, context, name);

    if (error == 0) {
        const struct vnode *vnode = state->vnode;

        exec_credentials(&state->cred, &process->cred, vnode);
        error = exec_check(state);
    }

    if (error == 0) {
        error = exec_prepare(state);
    }

    if (error == 0) {
        exec_commit(state);
    } else {
        exec_abandon(state);
    }

    vnode_unref(state->vnode);
    free(name);
    free(state);
    return error;
}

/* -- The routine ----------------------------------------------------------- */

/* The caller's strings. */
static int
exec_copy_args(process_t process, uint64_t address, struct exec_args *args)
{
    int error;

    if (args->size > UNIX_ARG_MAX ||
        (uint64_t)args->argc + args->envc > args->size) {
        return E2BIG;
    }

    args->strings = malloc(args->size + 1);

    if (args->strings == NULL) {
        return ENOMEM;
    }

    error = args->size == 0
                ? 0
                : client_read(process, address, args->strings, args->size);

    if (error == 0 && !exec_args_valid(args)) {
        error = EINVAL;
    }

    return error;
}

kern_return_t
do_unix_exec(process_t process, mach_port_t reply,
             mach_msg_type_name_t replyPoly, int32_t directory,
             uint64_t args_address, uint64_t args_size, uint32_t argc,
             uint32_t envc, unix_path_t path)
{
    struct exec_args args = { NULL, args_size, argc, envc };
    struct walk_context context;
    int error;

    (void)replyPoly;
    process_walk_context(process, &context);

    if (directory != UNIX_AT_FDCWD && path[0] != '/') {
        struct file *file = descriptor_file(process, directory);

        if (file == NULL || file->vnode == NULL) {
            return unix_result(EBADF);
        }

        context.start = file->vnode;
    }

    error = exec_copy_args(process, args_address, &args);

    if (error == 0) {
        error = exec_program(process, &context, path, &args);
    }

    free(args.strings);

    if (error != 0) {
        return unix_result(error);
    }

    /* Who called is no more. */
    (void)syscall_mach_port_deallocate(mach_task_self(), reply);
    return MIG_NO_REPLY;
}
