# SPDX-License-Identifier: MIT
"""The suite of calls: a null trap, an RPC, and what programs call often.

/bin/bench runs once under -icount, where its counter counts guest
instructions, and some times plain, where its times are wall time.
"""

import statistics

import measure
from measure import Figure, number

COMMAND = ['/bin/bench']

# Operation -> the name in the Linux file, the name in the GNU Mach file.
NAMES = {
    'null_trap': (None, 'null_trap'),
    'rpc_null': (None, 'rpc_2tasks_mig_shape'),
    'unix_null': ('getppid', None),
    'getppid': ('getppid', None),
    'pipe_rtt_1': ('pipe_rtt_1', None),
    'fork_exit': ('fork_exit', None),
}


def figures_of(build):
    """{operation: Figure}"""
    counted = measure.command(build, COMMAND, True)
    runs = [measure.command(build, COMMAND, False)
            for _ in range(measure.RUNS)]
    return {name: Figure(counted[name][0],
                         statistics.median(run[name][1] for run in runs),
                         min(run[name][2] for run in runs))
            for name in counted if all(name in run for run in runs)}


def table(figures):
    known = [measure.column('linux-6.1-qemu64.tsv', name) for name in
             ('insn_tmpfs', 'insn_lean', 'wall_tmpfs_median')]
    known += [measure.column('gnumach-2026.tsv', name) for name in
              ('amd64', 'wall_min')]
    lines = [('operation', 'instr.', 'wall ns', 'min ns', 'Linux instr.',
              'lean', 'wall ns', 'GNU Mach instr.', 'min ns')]
    for name, figure in figures.items():
        linux, gnumach = NAMES.get(name, (None, None))
        keys = [linux] * 3 + [gnumach] * 2
        lines.append((name, *map(number, figure),
                      *(number(column.get(key))
                        for column, key in zip(known, keys))))
    return lines


def bars(figures):
    """For the drawing: ours, Linux's, GNU Mach's."""
    linux = measure.column('linux-6.1-qemu64.tsv', 'insn_tmpfs')
    gnumach = measure.column('gnumach-2026.tsv', 'amd64')
    return [(name, (figure.instructions, linux.get(NAMES[name][0]),
                    gnumach.get(NAMES[name][1])))
            for name, figure in figures.items() if name in NAMES]


def run(build):
    """Print the suite; returns lines of results.tsv, bars, success."""
    figures = figures_of(build)
    measure.show(table(figures))
    measure.published(figures)
    return ['calls\t%s\t%.1f\t%.1f\t-\t-\t-\n' % (
        name, figure.instructions, figure.wall)
        for name, figure in figures.items()], bars(figures), True
