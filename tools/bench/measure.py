# SPDX-License-Identifier: MIT
"""What the suites share: running a guest's measurements, the data files."""

import collections
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
RUNS = 5        # plain ones, for wall times
TIMEOUT = 600

Figure = collections.namedtuple('Figure', 'instructions wall minimum')


def read_tsv(name):
    """The lines of a data file as dictionaries."""
    with open(os.path.join(HERE, name)) as source:
        lines = [line.rstrip('\n').split('\t') for line in source
                 if not line.startswith('#')]
    return [dict(zip(lines[0], fields)) for fields in lines[1:]]


def column(name, value):
    """{first field: number} of one column of a data file."""
    found = {}
    for row in read_tsv(name):
        key = next(iter(row.values()))
        if row.get(value, '-') not in ('', '-'):
            found.setdefault(key, float(row[value]))
    return found


def command(build, words, icount):
    """Run a guest command that prints `operation, counter, median ns, minimum
    ns`; {operation: (counter, median ns, minimum ns)}."""
    line = [sys.executable, '-B', os.path.join(TOP, 'tools', 'run.py'),
            '--build', build, '--timeout', str(TIMEOUT)]
    if icount:
        line.append('--icount')
    done = subprocess.run(line + ['--'] + words, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit('bench: the guest ended with status %d' % done.returncode)
    figures = {}
    for text in done.stdout.decode().splitlines():
        if text.startswith('#'):
            print(text)
        else:
            name, *numbers = text.split('\t')
            figures[name] = tuple(float(number) for number in numbers)
    return figures


def number(value):
    """A figure for a table; '-' when there is none."""
    if value in (None, '', '-'):
        return '-'
    value = float(value)
    return '{:,.1f}'.format(value) if value < 100 else \
        '{:,.0f}'.format(value)


def published(names):
    """Print the literature's figures for these operations."""
    print('\nPublished (more in docs/figures.md):')
    for row in read_tsv('published.tsv'):
        if row['operation'] in names:
            print('  %-10s %s [%s, %s]' % (
                row['operation'], row['figure'], row['source'],
                row['state']))


def show(lines, left=(0,)):
    """Print a table; the columns of `left` are set flush left."""
    widths = [max(len(line[at]) for line in lines)
              for at in range(len(lines[0]))]
    for line in lines:
        print('  '.join(
            cell.ljust(width) if at in left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths))).rstrip())
