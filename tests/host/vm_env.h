/* SPDX-License-Identifier: MIT */
/*
 * A machine for tests of memory management: RAM that is an array, page
 * tables that the real pmap code writes there, and a memory unit that walks
 * them and remembers translations until it is told to forget.
 */

#ifndef TESTS_HOST_VM_ENV_H
#define TESTS_HOST_VM_ENV_H

#include <stdbool.h>
#include <stdint.h>

#include <mach/kern_return.h>
#include <mach/vm_types.h>

struct vm_map;

/* Bring memory management up with so many megabytes. */
void env_setup(unsigned int megabytes);

struct vm_map *env_map_create(void);

/*
 * Access 8 bytes of the map's memory as a user program would: through the
 * tables, with page faults served by vm_fault().
 */
kern_return_t
env_read(struct vm_map *map, vm_offset_t address, uint64_t *valuep);
kern_return_t
env_write(struct vm_map *map, vm_offset_t address, uint64_t value);
kern_return_t env_execute(struct vm_map *map, vm_offset_t address);

/* Page faults so far. */
extern unsigned long env_faults;

/* Called when the code under test blocks; must make the event come true. */
extern void (*shim_block_hook)(const void *event);

#endif /* TESTS_HOST_VM_ENV_H */
