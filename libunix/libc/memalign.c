/* SPDX-License-Identifier: MIT */
/*
 * posix_memalign() over newlib's memalign().
 */

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

int
posix_memalign(void **memp, size_t alignment, size_t size)
{
    int saved = errno;
    void *mem;

    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) {
        return EINVAL;
    }

    mem = memalign(alignment, size);
    errno = saved;

    if (mem == NULL) {
        return ENOMEM;
    }

    *memp = mem;
    return 0;
}
