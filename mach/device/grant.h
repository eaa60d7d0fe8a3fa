/* SPDX-License-Identifier: MIT */
/* Hardware granted to drivers: I/O ports, device memory, DMA memory. */

#ifndef DEVICE_GRANT_H
#define DEVICE_GRANT_H

struct io_perm;

void grant_setup(void);

/* The port of a range of I/O ports has no senders any more. */
void io_perm_destroy(struct io_perm *perm);

#endif /* DEVICE_GRANT_H */
