/* SPDX-License-Identifier: MIT */
/*
 * The string helpers of generated code, which work in words, against what
 * they mean byte by byte: every length, every alignment, at the end of a page
 * with nothing behind it.
 */

#include <string.h>
#include <sys/mman.h>

#include <mach/mig_support.h>

#include "tap.h"

#define LENGTH_MAX 40
#define PAGE 4096

static char *
guarded_page(void)
{
    char *page;

    page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED || mprotect(page + PAGE, PAGE, PROT_NONE) != 0) {
        return NULL;
    }

    return page;
}

/* A string without zeros that ends right before the place. */
static char *
put_string(char *end, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++) {
        end[-1 - (ptrdiff_t)length + (ptrdiff_t)i] = (char)(0x80 + i * 7 % 127);
    }

    end[-1] = '\0';
    return end - length - 1;
}

static bool
copies(const char *from, size_t length, size_t size)
{
    char to[LENGTH_MAX + 16];
    size_t kept;

    memset(to, 0x55, sizeof(to));
    kept = (length < size) ? length : size - 1;

    return mig_string_copy(to, from, (mach_msg_size_t)size) == kept + 1 &&
           memcmp(to, from, kept) == 0 && to[kept] == '\0' && to[size] == 0x55;
}

static bool
fills(const char *from, size_t length, size_t size)
{
    char to[LENGTH_MAX + 16];
    size_t kept, i;

    memset(to, 0x55, sizeof(to));
    kept = (length < size) ? length : size - 1;

    if (mig_string_fill(to, from, (mach_msg_size_t)size) != kept + 1 ||
        memcmp(to, from, kept) != 0 || to[size] != 0x55) {
        return false;
    }

    for (i = kept; i < size; i++) {
        if (to[i] != '\0') {
            return false;
        }
    }

    return true;
}

static bool
measures(const char *string, size_t length, size_t size)
{
    return mig_string_size(string, (mach_msg_size_t)size) ==
           ((length < size) ? length + 1 : 0);
}

static bool
seals(const char *string, size_t length, size_t size)
{
    char buffer[LENGTH_MAX + 16];
    size_t kept, i;

    memset(buffer, 0x55, sizeof(buffer));
    memcpy(buffer, string, (length + 1 < size) ? length + 1 : size);
    kept = (length < size) ? length : size - 1;

    if (mig_string_seal(buffer, (mach_msg_size_t)size) != kept + 1 ||
        memcmp(buffer, string, kept) != 0) {
        return false;
    }

    for (i = kept; i < size; i++) {
        if (buffer[i] != '\0') {
            return false;
        }
    }

    return buffer[size] == 0x55;
}

int
main(void)
{
    bool copied = true, filled = true, measured = true, sealed = true;
    size_t length, size, back;
    char *page, *string;

    page = guarded_page();

    if (page == NULL) {
        printf("Bail out! no memory\n");
        return 1;
    }

    for (length = 0; length <= LENGTH_MAX; length++) {
        for (back = 0; back < 9; back++) {
            string = put_string(page + PAGE - back, length);

            for (size = 1; size <= LENGTH_MAX + 8; size++) {
                copied = copied && copies(string, length, size);
                filled = filled && fills(string, length, size);
                sealed = sealed && seals(string, length, size);

                if (size <= length + 1 + back) {
                    measured = measured && measures(string, length, size);
                }
            }
        }
    }

    ok(copied, "strings are copied up to their end or the buffer's");
    ok(filled, "what is left of the buffer is cleared");
    ok(measured, "strings are measured");
    ok(sealed, "buffers are sealed");
    return tap_done();
}
