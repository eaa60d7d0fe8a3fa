/* SPDX-License-Identifier: MIT */
/*
 * Turning the machine off and starting it anew. The sleep register of the
 * PIIX4 power management device, as QEMU's pc machine sets it up; nothing
 * here interprets ACPI.
 */

#include <machine/cpu.h>
#include <machine/setup.h>

#define PIIX4_SLEEP 0x604
#define SLEEP_OFF 0x2000
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_RESET 0xfe

NORETURN static void
machine_halt(void)
{
    cpu_interrupts_disable();

    for (;;) {
        __asm__ volatile("hlt");
    }
}

void
machine_poweroff(void)
{
    cpu_out16(PIIX4_SLEEP, SLEEP_OFF);
    machine_halt();
}

void
machine_reboot(void)
{
    cpu_out8(KEYBOARD_COMMAND, KEYBOARD_RESET);
    machine_halt();
}
