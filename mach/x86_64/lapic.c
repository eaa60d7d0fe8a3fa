/* SPDX-License-Identifier: MIT */
/* See machine/lapic.h. */

#include <debug/assert.h>
#include <kern/clock.h>
#include <machine/cpu.h>
#include <machine/lapic.h>
#include <machine/layout.h>
#include <machine/trap.h>

#define LAPIC_PHYSICAL 0xfee00000ul

#define LAPIC_ID 0x020
#define LAPIC_EOI 0x0b0
#define LAPIC_SPURIOUS 0x0f0
#define LAPIC_ENABLE 0x100
#define LAPIC_TIMER 0x320
#define LAPIC_LINT0 0x350
#define LAPIC_LINT1 0x360
#define LAPIC_ERROR 0x370
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_CURRENT 0x390
#define LAPIC_TIMER_DIVIDE 0x3e0
#define LAPIC_DIVIDE_BY_16 3
#define LAPIC_MASKED 0x10000u

/* 8254 timer, channel 2, which counts only while its gate is open. */
#define PIT_FREQUENCY 1193182u
#define PIT_CHANNEL_2 0x42
#define PIT_COMMAND 0x43
#define PIT_GATE 0x61
#define PIT_SAMPLE_MS 10

static volatile uint32_t *lapic;
static uint64_t lapic_ticks_per_ms;

static uint32_t
lapic_read(unsigned int reg)
{
    return lapic[reg / 4];
}

static void
lapic_write(unsigned int reg, uint32_t value)
{
    lapic[reg / 4] = value;
}

void
lapic_eoi(void)
{
    lapic_write(LAPIC_EOI, 0);
}

/* Let channel 2 run once through PIT_SAMPLE_MS (mode 0: OUT rises at 0). */
static void
pit_start(void)
{
    uint16_t count = PIT_FREQUENCY / 1000 * PIT_SAMPLE_MS;

    cpu_out8(PIT_GATE, (cpu_in8(PIT_GATE) & 0xfc) | 1);
    cpu_out8(PIT_COMMAND, 0xb0);
    cpu_out8(PIT_CHANNEL_2, (uint8_t)count);
    cpu_out8(PIT_CHANNEL_2, (uint8_t)(count >> 8));
}

static uint64_t
lapic_calibrate(void)
{
    uint64_t tsc;
    uint32_t left;

    lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_DIVIDE_BY_16);
    lapic_write(LAPIC_TIMER, LAPIC_MASKED | VECTOR_TIMER);
    pit_start();
    tsc = cpu_tsc();
    lapic_write(LAPIC_TIMER_INITIAL, ~0u);

    while ((cpu_in8(PIT_GATE) & 0x20) == 0) {
        cpu_pause();
    }

    left = lapic_read(LAPIC_TIMER_CURRENT);
    tsc = cpu_tsc() - tsc;
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    lapic_ticks_per_ms = (~0u - left) / PIT_SAMPLE_MS;
    assert(lapic_ticks_per_ms != 0);
    return tsc * (1000 / PIT_SAMPLE_MS);
}

uint64_t
lapic_setup(void)
{
    uint64_t frequency;

    lapic = phys_to_direct(LAPIC_PHYSICAL);
    cpu_self()->lapic_id = lapic_read(LAPIC_ID) >> 24;
    lapic_write(LAPIC_LINT0, LAPIC_MASKED);
    lapic_write(LAPIC_LINT1, 0x400); /* NMI */
    lapic_write(LAPIC_ERROR, LAPIC_MASKED | VECTOR_SPURIOUS);
    lapic_write(LAPIC_SPURIOUS, LAPIC_ENABLE | VECTOR_SPURIOUS);
    frequency = lapic_calibrate();
    lapic_write(LAPIC_TIMER, VECTOR_TIMER);
    return frequency;
}

void
lapic_timer_arm(uint64_t deadline)
{
    uint64_t now = clock_uptime();
    uint64_t ticks = 1;

    if (deadline > now) {
        /* A deadline beyond the counter's range comes in steps. */
        uint64_t left = MIN(deadline - now, 1000000000ul);

        ticks = left * lapic_ticks_per_ms / 1000000 + 1;
    }

    lapic_write(LAPIC_TIMER_INITIAL, (uint32_t)MIN(ticks, 0xfffffffful));
}
