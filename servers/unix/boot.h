/* SPDX-License-Identifier: MIT */
/* The root file system and the first process. */

#ifndef UNIX_BOOT_H
#define UNIX_BOOT_H

/* Fill the root from the boot archive, mount /dev. */
void boot_file_systems(void);

/* Start number 1; with the server's lock held. */
void boot_init(void);

#endif /* UNIX_BOOT_H */
