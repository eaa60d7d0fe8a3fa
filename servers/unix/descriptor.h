/* SPDX-License-Identifier: MIT */
/* The descriptors of a process. */

#ifndef UNIX_DESCRIPTOR_H
#define UNIX_DESCRIPTOR_H

#include "file.h"
#include "process.h"

/* The file, without a reference; null: EBADF. */
struct file *descriptor_file(struct process *process, int fd);

/* The lowest free one from `least` on; takes the file's reference when it
 * succeeds. EMFILE, EINVAL. */
MUST_CHECK int descriptor_install(struct process *process, struct file *file,
                                  int least, bool close_on_exec, int *fdp);

/* At a number; what was there is closed. Takes the reference. EBADF. */
MUST_CHECK int descriptor_install_at(struct process *process, struct file *file,
                                     int fd, bool close_on_exec);

int descriptor_close(struct process *process, int fd);
void descriptor_close_all(struct process *process);
void descriptor_close_on_exec(struct process *process);
MUST_CHECK int
descriptor_copy_all(struct process *to, const struct process *from);

/* The flag: null if it is not open. */
bool *descriptor_flag(struct process *process, int fd);

#endif /* UNIX_DESCRIPTOR_H */
