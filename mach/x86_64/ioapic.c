/* SPDX-License-Identifier: MIT */
/*
 * See machine/ioapic.h. The PC's two 8259s are silenced. Lines map one to one
 * but the PIT's, which no driver uses here; ACPI tables are not read for it
 * since the legacy lines of drivers (serial port, keyboard) are never moved.
 */

#include <kern/spinlock.h>
#include <machine/cpu.h>
#include <machine/ioapic.h>
#include <machine/layout.h>
#include <machine/trap.h>

#define IOAPIC_PHYSICAL 0xfec00000ul
#define IOAPIC_SELECT 0
#define IOAPIC_WINDOW 4
#define IOAPIC_REDIRECTION 0x10
#define IOAPIC_MASKED 0x10000u

#define PIC_MASTER 0x20
#define PIC_SLAVE 0xa0

static volatile uint32_t *ioapic;
static struct spinlock ioapic_lock; /* select and window belong together */

static void
ioapic_write(unsigned int reg, uint32_t value)
{
    ioapic[IOAPIC_SELECT] = reg;
    ioapic[IOAPIC_WINDOW] = value;
}

static void
pic_disable(void)
{
    static const uint8_t words[] = { 0x11, 0xf0, 0, 0x01 };

    for (unsigned int i = 0; i < 2; i++) {
        uint16_t port = i == 0 ? PIC_MASTER : PIC_SLAVE;

        cpu_out8(port, words[0]);
        cpu_out8(port + 1, (uint8_t)(words[1] + i * 8));
        cpu_out8(port + 1, i == 0 ? 4 : 2);
        cpu_out8(port + 1, words[3]);
        cpu_out8(port + 1, 0xff);
    }
}

void
ioapic_setup(void)
{
    spin_init(&ioapic_lock, LOCK_RANK_CONSOLE);
    pic_disable();
    ioapic = phys_to_direct(IOAPIC_PHYSICAL);

    for (unsigned int line = 0; line < IOAPIC_LINES; line++) {
        ioapic_write(IOAPIC_REDIRECTION + 2 * line + 1,
                     cpu_self()->lapic_id << 24);
        ioapic_write(IOAPIC_REDIRECTION + 2 * line,
                     IOAPIC_MASKED | (VECTOR_IRQ_BASE + line));
    }
}

void
ioapic_mask(unsigned int line, bool masked)
{
    unsigned long flags = spin_lock_irqsave(&ioapic_lock);

    ioapic_write(IOAPIC_REDIRECTION + 2 * line,
                 (masked ? IOAPIC_MASKED : 0) | (VECTOR_IRQ_BASE + line));
    spin_unlock_irqrestore(&ioapic_lock, flags);
}
