/* SPDX-License-Identifier: MIT */
/* Steps of bringing up the processor, called by kern/startup.c in order. */

#ifndef MACHINE_SETUP_H
#define MACHINE_SETUP_H

#include <stdint.h>

#include <kern/macros.h>

/* gs points at struct cpu: needed by locks and the stack protector. */
void cpu_setup_gs(void);

/* Descriptor tables, system calls, protection features. Maps nothing. */
void cpu_setup(void);

/* Read GRUB's boot information at this physical address: memory ranges,
 * modules, command line, kernel symbols. */
void multiboot_setup(uint64_t information);

/* Turn the machine off, or start it anew. */
NORETURN void machine_poweroff(void);
NORETURN void machine_reboot(void);

#endif /* MACHINE_SETUP_H */
