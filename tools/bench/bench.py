#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures suites of operations and shows them beside others' figures.

  bench.py --build BUILD [SUITE...]

Each suite is one guest command that prints `operation, counter, median ns,
minimum ns`.  It runs once under -icount, where the counter counts guest
instructions, and RUNS times plain, where the times are wall time.
`results.tsv` in the build folder gets both, `results.svg` shows the
instructions.
"""

import argparse
import collections
import os
import statistics
import subprocess
import sys

import plot

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
RUNS = 5
TIMEOUT = 600

# Operation -> the name in the Linux file, the name in the GNU Mach file.
CALLS = {
    'null_trap': (None, 'null_trap'),
    'rpc_null': (None, 'rpc_2tasks_mig_shape'),
    'unix_null': ('getppid', None),
    'getppid': ('getppid', None),
    'pipe_rtt_1': ('pipe_rtt_1', None),
    'fork_exit': ('fork_exit', None),
}
SUITES = {'calls': (['/bin/bench'], CALLS)}

Figure = collections.namedtuple('Figure', 'instructions wall minimum')


def read_tsv(name):
    """Rows of a data file by their first column."""
    rows = {}
    header = None
    with open(os.path.join(HERE, name)) as source:
        for line in source:
            if line.startswith('#'):
                continue
            fields = line.rstrip('\n').split('\t')
            if header is None:
                header = fields
            else:
                rows.setdefault(fields[0], []).append(
                    dict(zip(header, fields)))
    return rows


def guest(build, command, icount):
    """Run a suite once; {operation: (counter, median ns, minimum ns)}."""
    words = [sys.executable, '-B', os.path.join(TOP, 'tools', 'run.py'),
             '--build', build, '--timeout', str(TIMEOUT)]
    if icount:
        words.append('--icount')
    done = subprocess.run(words + ['--'] + command, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit('bench: the guest ended with status %d' % done.returncode)
    figures = {}
    for line in done.stdout.decode().splitlines():
        if line.startswith('#'):
            print(line)
        else:
            name, *numbers = line.split('\t')
            figures[name] = [float(number) for number in numbers]
    return figures


def measure(build, command):
    """{operation: Figure} of one suite."""
    counted = guest(build, command, True)
    runs = [guest(build, command, False) for _ in range(RUNS)]
    figures = {}
    for name in counted:
        if all(name in run for run in runs):
            figures[name] = Figure(
                counted[name][0],
                statistics.median(run[name][1] for run in runs),
                min(run[name][2] for run in runs))
    return figures


def number(text):
    """A figure for the table; '-' when there is none."""
    if text in (None, '', '-'):
        return '-'
    value = float(text)
    return '{:,.1f}'.format(value) if value < 100 else \
        '{:,.0f}'.format(value)


def table(names, figures, linux, mach):
    head = ('operation', 'instr.', 'wall ns', 'min ns', 'Linux instr.',
            'lean', 'wall ns', 'GNU Mach instr.', 'min ns')
    rows = [head]
    for name, figure in figures.items():
        linux_name, mach_name = names.get(name, (None, None))
        linux_row = linux.get(linux_name, [{}])[0]
        mach_row = mach.get(mach_name, [{}])[0]
        rows.append((name, number(figure.instructions), number(figure.wall),
                     number(figure.minimum),
                     number(linux_row.get('insn_tmpfs')),
                     number(linux_row.get('insn_lean')),
                     number(linux_row.get('wall_tmpfs_median')),
                     number(mach_row.get('amd64')),
                     number(mach_row.get('wall_min'))))
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    for row in rows:
        print('  '.join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths))).rstrip())


def published(figures, rows):
    print('\nPublished (more in docs/figures.md):')
    for name in figures:
        for row in rows.get(name, []):
            print('  %-10s %s [%s, %s]' % (name, row['figure'],
                                           row['source'], row['state']))


def value(text):
    return None if text in (None, '', '-') else float(text)


def plot_row(name, figure, names, linux, mach):
    linux_name, mach_name = names.get(name, (None, None))
    return (name, (figure.instructions,
                   value(linux.get(linux_name, [{}])[0].get('insn_tmpfs')),
                   value(mach.get(mach_name, [{}])[0].get('amd64'))))


def build_name(build):
    """What was measured: the commit and how the kernel was configured."""
    commit = subprocess.run(
        ['git', '-C', TOP, 'describe', '--always', '--dirty'],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    name = commit.stdout.decode().strip() or 'no commit'
    config = subprocess.run(
        [os.path.join(build, 'config.status'), '--config'],
        stdout=subprocess.PIPE)
    options = config.stdout.decode().strip()
    return '%s, configured with %s' % (name, options or 'the defaults')


def main():
    parser = argparse.ArgumentParser(prog='bench')
    parser.add_argument('--build', required=True)
    parser.add_argument('suites', nargs='*', metavar='SUITE',
                        help='of: ' + ' '.join(SUITES))
    options = parser.parse_args()
    for name in options.suites:
        if name not in SUITES:
            parser.error('no suite %s' % name)
    linux = read_tsv('linux-6.1-qemu64.tsv')
    mach = read_tsv('gnumach-2026.tsv')
    rows = read_tsv('published.tsv')
    print('Build: ' + build_name(options.build))
    print('Machine: QEMU TCG, one CPU, 512 MB; instructions with -icount '
          'shift=0,sleep=off;\nwall times plain, the median of %d runs and '
          'the minimum of all batches.' % RUNS)
    bars = []
    results = ['suite\toperation\tinstructions\twall_ns\n']
    for suite in options.suites or SUITES:
        command, names = SUITES[suite]
        print('\nSuite %s:' % suite)
        figures = measure(options.build, command)
        table(names, figures, linux, mach)
        published(figures, rows)
        for name, figure in figures.items():
            results.append('%s\t%s\t%.1f\t%.1f\n' % (
                suite, name, figure.instructions, figure.wall))
            bars.append(plot_row(name, figure, names, linux, mach))
    path = os.path.join(options.build, 'results.tsv')
    with open(path, 'w') as output:
        output.writelines(results)
    print('\nWritten: ' + path)
    if bars:
        path = os.path.join(options.build, 'results.svg')
        with open(path, 'w') as output:
            output.write(plot.svg(
                ('Portolan', 'Linux 6.1', 'GNU Mach'), bars))
        print('Written: ' + path)
    return 0


if __name__ == '__main__':
    sys.exit(main())
