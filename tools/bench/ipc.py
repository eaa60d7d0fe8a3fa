#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What messages cost, row by row, beside their bounds and others' figures.

  ipc.py BUILD [--quick]

Boots BUILD's kernel with tests/guest/ipc_bench.guest as the first task:
twice under -icount, which must give the same instructions, then RUNS times
plain, for wall times.  `--quick` does one counted run and no more, and needs
only `make boot/portolan tests/guest/ipc_bench.guest` to be up to date.
"""

import argparse
import collections
import os
import re
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))

import guest_test     # noqa: E402: found through sys.path

PROGRAM = 'tests/guest/ipc_bench.guest'
RUNS = 5

Figure = collections.namedtuple('Figure', 'instructions wall minimum')
Row = collections.namedtuple('Row', 'operation what at_most aim gnumach linux')


def read_tsv(name):
    """The lines of a data file as lists, without comments and header."""
    with open(os.path.join(HERE, name)) as source:
        lines = [line.rstrip('\n').split('\t') for line in source
                 if not line.startswith('#')]
    return lines[0], lines[1:]


def table_rows():
    return [Row(*fields) for fields in read_tsv('ipc.tsv')[1]]


def column(name, key, value):
    """{first field: number} of one column of a data file."""
    header, lines = read_tsv(name)
    at = header.index(value)
    return {fields[header.index(key)]: float(fields[at])
            for fields in lines if fields[at] != '-'}


def run_once(build, icount):
    """{row: [per operation: counter median, minimum, ns median, minimum]}"""
    text = []
    problem = guest_test.boot(build, os.path.join(build, PROGRAM),
                              icount=icount, output=text.append)
    lines = b''.join(text).decode(errors='replace')
    if problem:
        sys.exit('bench: %s\n%s' % (problem, lines))
    figures = {}
    for line in lines.splitlines():
        if re.match(r'not ok|Bail out!', line):
            sys.exit('bench: the guest says:\n' + lines)
        found = re.match(r'# ipc (\w+) ([\d ]+)$', line)
        if found:
            count, *numbers = map(int, found.group(2).split())
            figures[found.group(1)] = [n / count for n in numbers]
    return figures


def measure(build, quick=False):
    """{row: Figure}; whether two counted runs were identical."""
    counted = run_once(build, True)
    if quick:
        return {name: Figure(numbers[0], None, None)
                for name, numbers in counted.items()}, None
    same = run_once(build, True) == counted
    runs = [run_once(build, False) for _ in range(RUNS)]
    return {name: Figure(counted[name][0],
                         statistics.median(run[name][2] for run in runs),
                         min(run[name][3] for run in runs))
            for name in counted}, same


def bound(text, figures):
    """What an expression of the table stands for, or None."""
    if text == '-':
        return None
    total = 0.0
    for term in text.split('+'):
        if term in figures:
            total += figures[term].instructions
        elif term.isdigit():
            total += float(term)
        else:
            return None
    return total


def verdict(figure, at_most, aim):
    if at_most is not None and figure.instructions > at_most:
        return 'MISSED by %s' % number(figure.instructions - at_most)
    if aim is not None and figure.instructions > aim:
        return 'kept, %s above the aim' % number(figure.instructions - aim)
    return 'kept'


def number(value):
    return '-' if value is None else '{:,.0f}'.format(value)


def table(figures):
    """Rows of text: the measured beside the bounds and the known."""
    gnumach = column('gnumach-2026.tsv', 'operation', 'noassert')
    gnumach_asserts = column('gnumach-2026.tsv', 'operation', 'amd64')
    osfmk = column('gnumach-2026.tsv', 'operation', 'osfmk')
    linux = column('linux-6.1-qemu64.tsv', 'test', 'insn_tmpfs')
    lines = [('operation', 'instr.', 'at most', 'aim', 'GNU Mach',
              'with asserts', 'OSF MK', 'Linux', 'wall ns', 'min ns', '')]
    for row in table_rows():
        figure = figures.get(row.operation)
        if figure is None:
            continue
        at_most = bound(row.at_most, figures)
        aim = bound(row.aim, figures)
        lines.append((row.operation, number(figure.instructions),
                      number(at_most), number(aim),
                      number(gnumach.get(row.gnumach)),
                      number(gnumach_asserts.get(row.gnumach)),
                      number(osfmk.get(row.gnumach)),
                      number(linux.get(row.linux)),
                      number(figure.wall), number(figure.minimum),
                      verdict(figure, at_most, aim)))
    return lines


def show(lines):
    widths = [max(len(line[at]) for line in lines)
              for at in range(len(lines[0]))]
    for line in lines:
        print('  '.join(
            cell.ljust(width) if at in (0, len(widths) - 1)
            else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths))).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('build')
    parser.add_argument('--quick', action='store_true',
                        help='one run under -icount, no wall times')
    options = parser.parse_args()
    figures, same = measure(options.build, options.quick)
    show(table(figures))
    if same is not None:
        print('Two counted runs: %s.' % ('identical' if same else 'DIFFERENT'))
    return 0 if same in (None, True) else 1


if __name__ == '__main__':
    sys.exit(main())
