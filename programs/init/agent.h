/* SPDX-License-Identifier: MIT */
/* The run agent: serves the channel until it is told to shut down. */

#ifndef PROGRAMS_INIT_AGENT_H
#define PROGRAMS_INIT_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* input: the device, or the script that stands for it; output: the device.
 * Returns when the machine is to be powered off. */
void agent_serve(int input, int output, bool scripted);

/* For the other files: send a frame to the host, whole. */
void agent_send(uint8_t type, const void *payload, size_t size);

/* The command ended, or init was told that some child did. */
void agent_reap(void);

#endif /* PROGRAMS_INIT_AGENT_H */
