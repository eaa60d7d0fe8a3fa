#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What messages cost, row by row, beside their bounds and others' figures.

  ipc.py BUILD [--quick]

Boots BUILD's kernel with tests/guest/ipc_bench.guest as the first task, and
the whole system for the rows that need the Unix server: twice under -icount,
which must give the same instructions, then some times plain, for wall times.
With `--quick` it is one counted run of the former and no more, for which
`make boot/portolan tests/guest/ipc_bench.guest` is enough.
"""

import argparse
import os
import re
import statistics
import sys

import measure
import profile
from measure import Figure, number

sys.path.insert(0, os.path.dirname(measure.HERE))

import guest_test     # noqa: E402: found through sys.path

PROGRAM = 'tests/guest/ipc_bench.guest'
UNIX = ['/bin/bench', 'unix_null']
STEPS = ('rpc_null', 'unix_null')
FUNCTIONS = 12      # that are shown of a row that misses its bound
ROWS = measure.read_tsv('ipc.tsv')


def run_kernel(build, icount):
    """{row: (counter median, ns median, ns minimum)} of one operation"""
    text = []
    problem = guest_test.boot(build, os.path.join(build, PROGRAM),
                              icount=icount, output=text.append)
    lines = b''.join(text).decode(errors='replace')
    if problem or re.search(r'^(not ok|Bail out!)', lines, re.MULTILINE):
        sys.exit('bench: %s\n%s' % (problem or 'a test failed', lines))
    figures = {}
    for found in re.finditer(r'^# ipc (\w+) ([\d ]+)$', lines, re.MULTILINE):
        count, median, _, wall, minimum = map(int, found.group(2).split())
        figures[found.group(1)] = (median / count, wall / count,
                                   minimum / count)
    return figures


def run_all(build, icount):
    return {**run_kernel(build, icount),
            **measure.command(build, UNIX, icount)}


def figures_of(build):
    """{row: Figure}, and whether two counted runs were identical."""
    counted = run_all(build, True)
    again = run_all(build, True)
    runs = [run_all(build, False) for _ in range(measure.RUNS)]
    return {name: Figure(counted[name][0],
                         statistics.median(run[name][1] for run in runs),
                         min(run[name][2] for run in runs))
            for name in counted}, counted == again


def bound(text, figures):
    """What a bound of ipc.tsv stands for, or None."""
    total = 0.0
    for term in text.split('+'):
        if term in figures:
            total += figures[term].instructions
        elif term.isdigit():
            total += float(term)
        else:
            return None
    return total


def verdict(row, figures):
    """Whether the row keeps its bound, and by how much it does not."""
    cost = figures[row['operation']].instructions
    at_most = bound(row['at_most'], figures)
    aim = bound(row['aim'], figures)
    if at_most is not None and cost > at_most:
        return 'MISSED by ' + number(cost - at_most)
    if aim is not None and cost > aim:
        return 'kept; %s above the aim' % number(cost - aim)
    return 'kept'


def table(figures):
    """Instructions beside the bounds and the known figures."""
    known = [measure.column('gnumach-2026.tsv', 'noassert'),
             measure.column('gnumach-2026.tsv', 'amd64'),
             measure.column('gnumach-2026.tsv', 'osfmk'),
             measure.column('linux-6.1-qemu64.tsv', 'insn_tmpfs')]
    lines = [('operation', 'instr.', 'at most', 'aim', 'GNU Mach',
              '+asserts', 'OSF MK', 'Linux', 'bound')]
    for row in measured(figures):
        keys = [row['gnumach']] * 3 + [row['linux']]
        lines.append((
            row['operation'],
            number(figures[row['operation']].instructions),
            number(bound(row['at_most'], figures)),
            number(bound(row['aim'], figures)),
            *(number(column.get(key)) for column, key in zip(known, keys)),
            verdict(row, figures)))
    return lines


def wall_table(figures):
    """Nanoseconds, plain TCG, beside the known."""
    gnumach = measure.column('gnumach-2026.tsv', 'wall_min')
    linux = measure.column('linux-6.1-qemu64.tsv', 'wall_tmpfs_median')
    linux_min = measure.column('linux-6.1-qemu64.tsv', 'wall_tmpfs_min')
    lines = [('operation', 'median ns', 'min ns', 'GNU Mach min',
              'Linux median', 'Linux min')]
    for row in measured(figures):
        figure = figures[row['operation']]
        lines.append((row['operation'], number(figure.wall),
                      number(figure.minimum),
                      number(gnumach.get(row['gnumach'])),
                      number(linux.get(row['linux'])),
                      number(linux_min.get(row['linux']))))
    return lines


def measured(figures):
    return [row for row in ROWS if row['operation'] in figures]


def bars(figures):
    """For the drawing: ours, Linux's, GNU Mach's."""
    linux = measure.column('linux-6.1-qemu64.tsv', 'insn_tmpfs')
    gnumach = measure.column('gnumach-2026.tsv', 'noassert')
    return [(row['operation'], (figures[row['operation']].instructions,
                                linux.get(row['linux']),
                                gnumach.get(row['gnumach'])))
            for row in measured(figures)]


def results(figures):
    """Lines of results.tsv."""
    return ['ipc\t%s\t%.1f\t%.1f\t%s\t%s\t%s\n' % (
        row['operation'], figures[row['operation']].instructions,
        figures[row['operation']].wall, row['at_most'], row['aim'],
        verdict(row, figures)) for row in measured(figures)]


def show_profile(build, figures):
    """The steps of the null RPC, and where the rows that miss their bound
    spend what they spend."""
    traces = profile.trace(build)
    traces.update(profile.trace(build, unix=True))
    for name in STEPS:
        print('\nThe steps of %s:' % name)
        profile.print_steps(traces[name])
    for row in measured(figures):
        name = row['operation']
        if name in traces and verdict(row, figures).startswith('MISSED'):
            print('\n%s misses its bound; its functions:' % name)
            profile.print_functions(traces[name], FUNCTIONS)


def run(build):
    """Print the suite; returns lines of results.tsv, bars, success."""
    figures, same = figures_of(build)
    measure.show(table(figures), left=(0, 8))
    print('Two counted runs: %s.' % ('identical' if same else 'DIFFERENT'))
    print('\nThe same as wall time:')
    measure.show(wall_table(figures))
    show_profile(build, figures)
    measure.published(figures)
    return results(figures), bars(figures), same


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('build')
    parser.add_argument('--quick', action='store_true',
                        help='one counted run of the kernel alone')
    options = parser.parse_args()
    if not options.quick:
        return 0 if run(options.build)[2] else 1
    measure.show(table({
        name: Figure(numbers[0], None, None) for name, numbers
        in run_kernel(options.build, True).items()}), left=(0, 8))
    return 0


if __name__ == '__main__':
    sys.exit(main())
