/* SPDX-License-Identifier: MIT */
/*
 * rawsyscall.c - cost of the SYSCALL instruction alone, x86-64.
 *
 * usage: rawsyscall [number [count]]      (number: 4095, which Linux rejects)
 *
 * Prints, in clock_gettime ns, the mean of a loop of system calls and of the
 * empty loop, and, in TSC ticks, the least cost of one system call between
 * two RDTSCs and of two RDTSCs alone.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline long system_call(long number)
{
        long result;

        __asm__ volatile("syscall" : "=a"(result) : "a"(number)
                         : "rcx", "r11", "memory");
        return result;
}

static inline uint64_t ticks(void)
{
        uint32_t low, high;

        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
        return (uint64_t)high << 32 | low;
}

static uint64_t now_ns(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int main(int argc, char **argv)
{
        long number = argc > 1 ? atol(argv[1]) : 4095;
        long count = argc > 2 ? atol(argv[2]) : 200000;
        uint64_t empty = 0, calls = 0, least_empty = UINT64_MAX, least = UINT64_MAX;
        long result = 0;

        for (int pass = 0; pass < 2; pass++) {  /* the first warms up */
                empty = now_ns();
                for (long i = 0; i < count; i++)
                        __asm__ volatile("" : : : "rcx", "r11", "memory");
                empty = now_ns() - empty;
                calls = now_ns();
                for (long i = 0; i < count; i++)
                        result = system_call(number);
                calls = now_ns() - calls;
        }
        for (long i = 0; i < 10000; i++) {
                uint64_t t0 = ticks(), t1, t2;

                t1 = ticks();
                system_call(number);
                t2 = ticks();
                if (t1 - t0 < least_empty)
                        least_empty = t1 - t0;
                if (t2 - t1 < least)
                        least = t2 - t1;
        }
        printf("# raw syscall %ld returned %ld; least ticks: call %llu, two rdtsc alone %llu\n",
               number, result, (unsigned long long)least, (unsigned long long)least_empty);
        printf("raw_syscall_%ld\t%ld\t%llu\t%.2f\n", number, count,
               (unsigned long long)calls, (double)calls / count);
        printf("raw_empty_loop\t%ld\t%llu\t%.2f\n", count,
               (unsigned long long)empty, (double)empty / count);
        return 0;
}
