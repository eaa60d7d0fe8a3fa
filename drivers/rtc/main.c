/* SPDX-License-Identifier: MIT */
/*
 * The real-time clock: reads the CMOS clock of the PC once (Motorola
 * MC146818), tells the kernel what time it is, and ends. The clock is taken
 * to run in universal time.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <mach/bootstrap.h>
#include <mach/mach.h>

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71

#define REG_SECOND 0x00
#define REG_MINUTE 0x02
#define REG_HOUR 0x04
#define REG_DAY 0x07
#define REG_MONTH 0x08
#define REG_YEAR 0x09
#define REG_A 0x0a
#define REG_B 0x0b
#define REG_CENTURY 0x32 /* where ACPI's FADT puts it on a PC */

#define A_UPDATING 0x80
#define B_24_HOURS 0x02
#define B_BINARY 0x04
#define HOUR_PM 0x80

#define TRIES 1000000

struct rtc_time {
    unsigned int second;
    unsigned int minute;
    unsigned int hour;
    unsigned int day;
    unsigned int month;
    unsigned int year;
    unsigned int century;
};

static unsigned int
cmos_read(unsigned int reg)
{
    uint8_t value;

    __asm__ volatile("outb %0, %1"
                     :
                     : "a"((uint8_t)reg), "Nd"((uint16_t)CMOS_INDEX));
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"((uint16_t)CMOS_DATA));
    return value;
}

static void
rtc_read_registers(struct rtc_time *time)
{
    memset(time, 0, sizeof(*time));
    time->second = cmos_read(REG_SECOND);
    time->minute = cmos_read(REG_MINUTE);
    time->hour = cmos_read(REG_HOUR);
    time->day = cmos_read(REG_DAY);
    time->month = cmos_read(REG_MONTH);
    time->year = cmos_read(REG_YEAR);
    time->century = cmos_read(REG_CENTURY);
}

/* The registers change while they are read: take what is the same twice. */
static bool
rtc_read_stable(struct rtc_time *time)
{
    for (int i = 0; i < TRIES; i++) {
        struct rtc_time again;

        if (cmos_read(REG_A) & A_UPDATING) {
            continue;
        }

        rtc_read_registers(time);
        rtc_read_registers(&again);

        if (memcmp(time, &again, sizeof(again)) == 0) {
            return true;
        }
    }

    return false;
}

static unsigned int
from_bcd(unsigned int value)
{
    return (value >> 4) * 10 + (value & 0x0f);
}

static void
rtc_decode(struct rtc_time *time)
{
    unsigned int mode = cmos_read(REG_B);
    bool pm = (mode & B_24_HOURS) == 0 && (time->hour & HOUR_PM) != 0;

    if ((mode & B_24_HOURS) == 0) {
        time->hour &= ~(unsigned int)HOUR_PM;
    }

    if ((mode & B_BINARY) == 0) {
        time->second = from_bcd(time->second);
        time->minute = from_bcd(time->minute);
        time->hour = from_bcd(time->hour);
        time->day = from_bcd(time->day);
        time->month = from_bcd(time->month);
        time->year = from_bcd(time->year);
        time->century = from_bcd(time->century);
    }

    if ((mode & B_24_HOURS) == 0) {
        time->hour = time->hour % 12 + (pm ? 12 : 0);
    }

    if (time->century >= 19 && time->century <= 30) {
        time->year += 100 * time->century;
    } else {
        time->year += time->year < 70 ? 2000 : 1900;
    }
}

/* Days from 1970-01-01, by the Gregorian calendar; years begin in March. */
static int64_t
rtc_days(const struct rtc_time *time)
{
    int64_t year = (int64_t)time->year - (time->month <= 2 ? 1 : 0);
    int64_t month = (time->month + 9) % 12;
    int64_t day_of_year = (153 * month + 2) / 5 + (int64_t)time->day - 1;

    return 365 * year + year / 4 - year / 100 + year / 400 + day_of_year -
           719468;
}

int
main(void)
{
    time_value_t now = { 0 };
    struct rtc_time time;
    mach_port_t host_priv;
    kern_return_t kr;

    kr = bootstrap_host_priv(bootstrap_port, &host_priv);

    if (kr != KERN_SUCCESS) {
        printf("no privilege: %s\n", mach_error_string(kr));
        return 1;
    }

    if (!rtc_read_stable(&time)) {
        printf("the clock does not answer\n");
        return 1;
    }

    rtc_decode(&time);
    now.seconds = rtc_days(&time) * 86400 + (int64_t)time.hour * 3600 +
                  (int64_t)time.minute * 60 + (int64_t)time.second;
    kr = host_set_time(host_priv, now);

    if (kr != KERN_SUCCESS) {
        printf("the time cannot be set: %s\n", mach_error_string(kr));
        return 1;
    }

    return 0;
}
