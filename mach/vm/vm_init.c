/* SPDX-License-Identifier: MIT */
/* See vm/vm_init.h. */

#include <vm/memory_entry.h>
#include <vm/vm_account.h>
#include <vm/vm_copy.h>
#include <vm/vm_init.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page_tree.h>

void
vm_setup(void)
{
    vm_account_setup();
    vm_page_tree_setup();
    vm_object_setup();
    vm_map_setup();
    vm_copy_setup();
    memory_entry_setup();
}
