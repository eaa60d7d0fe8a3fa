/* SPDX-License-Identifier: MIT */
/* Data representation record of OSF messages; optional in our interfaces. */

#ifndef MACH_NDR_H
#define MACH_NDR_H

typedef struct {
    unsigned char mig_vers;
    unsigned char if_vers;
    unsigned char reserved1;
    unsigned char mig_encoding;
    unsigned char int_rep;
    unsigned char char_rep;
    unsigned char float_rep;
    unsigned char reserved2;
} NDR_record_t;

extern NDR_record_t NDR_record;

#endif /* MACH_NDR_H */
