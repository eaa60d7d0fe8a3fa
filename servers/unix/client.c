/* SPDX-License-Identifier: MIT */
/* Moving bytes between the server and its clients. */

#include <string.h>

#include <mach/mach.h>

#include "client.h"
#include "io.h"
#include "process.h"

int
client_read(struct process *process, uint64_t address, void *data, size_t size)
{
    vm_size_t done = 0;
    kern_return_t kr;

    kr = syscall_vm_read_overwrite(process->task, address, size,
                                   (vm_address_t)data, &done);
    return kr == KERN_SUCCESS && done == size ? 0 : EFAULT;
}

int
client_write(struct process *process, uint64_t address, const void *data,
             size_t size)
{
    kern_return_t kr;

    kr = syscall_vm_write(process->task, address, (vm_address_t)data, size);
    return kr == KERN_SUCCESS ? 0 : EFAULT;
}

int
io_put(struct io *io, const void *data, size_t size)
{
    int error = 0;

    if (io->buffer != NULL) {
        memcpy(io->buffer + io->done, data, size);
    } else {
        error = client_write(io->process, io->address + io->done, data, size);
    }

    if (error == 0) {
        io->done += size;
    }

    return error;
}

int
io_get(struct io *io, void *data, size_t size)
{
    int error = 0;

    if (io->buffer != NULL) {
        memcpy(data, io->buffer + io->done, size);
    } else {
        error = client_read(io->process, io->address + io->done, data, size);
    }

    if (error == 0) {
        io->done += size;
    }

    return error;
}
