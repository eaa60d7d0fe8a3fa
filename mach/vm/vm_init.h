/* SPDX-License-Identifier: MIT */
/* Bringing up the memory system: kern/startup.c calls these in order. */

#ifndef VM_VM_INIT_H
#define VM_VM_INIT_H

/* After vm_page_setup(), pmap_setup() and slab_setup(). */
void vm_setup(void);

#endif /* VM_VM_INIT_H */
