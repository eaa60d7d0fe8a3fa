/* SPDX-License-Identifier: MIT */
/* /dev/channel: the second serial line, raw, for the run agent. */

#ifndef UNIX_CHANNEL_DEVICE_H
#define UNIX_CHANNEL_DEVICE_H

#include "file.h"

void channel_setup(void);

/* All that was written is in the driver's hands, or more: sent. */
bool channel_idle(void);

/* ENXIO: the machine has no such line. EAGAIN: not known yet. */
MUST_CHECK int channel_open(uint32_t flags, struct file **filep);
struct wait_queue *channel_wait_queue(void);

#endif /* UNIX_CHANNEL_DEVICE_H */
