/* SPDX-License-Identifier: MIT */
/*
 * What newlib's start and end of a program expect of crti.o: nothing is done
 * there, constructors stand in .init_array.
 */

void _init(void);
void _fini(void);

void
_init(void)
{
}

void
_fini(void)
{
}
