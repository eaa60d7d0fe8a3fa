#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures suites of operations and shows them beside others' figures.

  bench.py --build BUILD [SUITE...]

`results.tsv` in the build folder gets each operation's guest instructions
(under -icount), its wall time and its bounds; `results.svg` shows the
instructions.  A suite is a module with `run(build)`.
"""

import argparse
import os
import subprocess
import sys

import calls
import ipc
import measure
import plot

SUITES = {'calls': calls, 'ipc': ipc}
HEADER = 'suite\toperation\tinstructions\twall_ns\tat_most\taim\tbound\n'


def build_name(build):
    """What was measured: the commit and how the kernel was configured."""
    commit = subprocess.run(
        ['git', '-C', measure.TOP, 'describe', '--always', '--dirty'],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    name = commit.stdout.decode().strip() or 'no commit'
    config = subprocess.run(
        [os.path.join(build, 'config.status'), '--config'],
        stdout=subprocess.PIPE)
    options = config.stdout.decode().strip()
    return '%s, configured with %s' % (name, options or 'the defaults')


def write(build, results, bars):
    path = os.path.join(build, 'results.tsv')
    with open(path, 'w') as output:
        output.writelines([HEADER] + results)
    print('\nWritten: ' + path)
    if bars:
        path = os.path.join(build, 'results.svg')
        with open(path, 'w') as output:
            output.write(plot.svg(
                ('Portolan', 'Linux 6.1', 'GNU Mach'), bars))
        print('Written: ' + path)


def main():
    parser = argparse.ArgumentParser(prog='bench')
    parser.add_argument('--build', required=True)
    parser.add_argument('suites', nargs='*', metavar='SUITE',
                        help='of: ' + ' '.join(SUITES))
    options = parser.parse_args()
    for name in options.suites:
        if name not in SUITES:
            parser.error('no suite %s' % name)
    print('Build: ' + build_name(options.build))
    print('Machine: QEMU TCG, one CPU, 512 MB; instructions with -icount '
          'shift=0,sleep=off;\nwall times plain, the median of %d runs and '
          'the minimum of all batches.' % measure.RUNS)
    results, bars, good = [], [], True
    for suite in options.suites or SUITES:
        print('\nSuite %s:' % suite)
        lines, drawn, same = SUITES[suite].run(options.build)
        results += lines
        bars += drawn
        good = good and same
    write(options.build, results, bars)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
