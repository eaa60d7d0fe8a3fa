#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where the instructions of one operation go.

  profile.py BUILD ROW [--inlines | --hot [SYMBOL] | --trace | --steps]

ROW is one of `./bench ipc`.  BUILD's kernel is booted under -icount with
tests/guest/ipc_bench.guest, or the whole system with /bin/bench, which do
each row once between two marks; a plugin of QEMU (trace_plugin.c) writes down
each instruction between them.  So nothing is sampled, and two runs give the
same.

Without an option: instructions and calls by function; --inlines: by function,
those that the compiler put into others told apart; --hot: by instruction;
--trace: the functions in the order in which they run; --steps: by what they
are for (steps.tsv).
"""

import argparse
import bisect
import collections
import os
import re
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))

import guest_test     # noqa: E402: found through sys.path

KERNEL = 'mach/portolan'
KERNEL_BASE = 1 << 63
GUEST = 'tests/guest/ipc_bench.guest'
CLIENT, SERVER = 'programs/bench/bench', 'servers/unix/unix'
UNIX_ROWS = ('unix_null',)      # of /bin/bench
TIMEOUT = '300'


def output_of(command, text=None):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE,
                          check=True)
    return done.stdout.decode()


class Program:
    """One program's functions; the names get a prefix."""

    def __init__(self, build, path, prefix=''):
        self.path = os.path.join(build, path)
        self.prefix = prefix
        functions = []
        for line in output_of(['nm', self.path]).splitlines():
            fields = line.split()
            if len(fields) == 3 and fields[1] in 'tTwW':
                functions.append((int(fields[0], 16), fields[2]))
        functions.sort()
        self.addresses = [address for address, name in functions]
        self.names = [name for address, name in functions]
        self.starts = set(self.addresses)

    def name(self, address):
        at = bisect.bisect(self.addresses, address) - 1
        return self.prefix + (self.names[at] if at >= 0 else '?')

    def inlines(self, addresses):
        """{address: function names, the innermost first}"""
        text = output_of(['addr2line', '-afi', '-e', self.path], '\n'.join(
            '%x' % address for address in addresses).encode())
        found = {}
        for line in text.splitlines():
            if re.match(r'0x[0-9a-f]+$', line):
                lines = found.setdefault(int(line, 16), [])
            else:
                lines.append(line)      # a name, then its place
        return {address: [self.prefix + name for name in lines[::2]]
                for address, lines in found.items()}

    def disassembly(self, name):
        """[(address, text)] of one function, or of all."""
        which = ['--disassemble=' + name] if name else ['-d']
        text = output_of(['objdump', '--no-show-raw-insn', *which,
                          self.path])
        return [(int(line.split(':')[0], 16), line.strip())
                for line in text.splitlines()
                if re.match(r'\s*[0-9a-f]+:\t', line)]


# One executed instruction.
Step = collections.namedtuple('Step', 'program address')


def attribute(addresses, kernel, users):
    """Steps of a window: user code belongs to the first of `users`, and with
    each change of address spaces to the next."""
    changes = set()
    if len(users) > 1:
        changes = {address for address, text in kernel.disassembly('')
                   if text.endswith(',%cr3')}
    steps, user = [], 0
    for address in addresses:
        steps.append(Step(
            kernel if address >= KERNEL_BASE else users[user], address))
        if address in changes:
            user = (user + 1) % len(users)
    return steps


def plugin(build):
    """The plugin's path; compiled when it is older than its source."""
    sources = [os.path.join(HERE, name)
               for name in ('trace_plugin.c', 'marks.h')]
    target = os.path.join(build, 'tools', 'bench', 'trace_plugin.so')
    if not os.path.exists(target) or os.path.getmtime(target) < max(
            os.path.getmtime(source) for source in sources):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        subprocess.run([os.environ.get('CC', 'gcc').split()[0], '-O2',
                        '-fPIC', '-shared', '-o', target, sources[0]],
                       check=True)
    return target


def windows_of(path):
    """The addresses of each window of a trace."""
    windows = []
    with open(path) as trace:
        for line in trace:
            if line == 'window\n':
                windows.append([])
            else:
                windows[-1].append(int(line, 16))
    return windows


def run_guest(build, option):
    """The rows that the kernel's own guest measures, in order."""
    text = []
    problem = guest_test.boot(build, os.path.join(build, GUEST), icount=True,
                              output=text.append, plugin=option)
    lines = b''.join(text).decode(errors='replace')
    if problem or re.search(r'^(not ok|Bail out!)', lines, re.MULTILINE):
        sys.exit('profile: %s\n%s' % (problem or 'a test failed', lines))
    return re.findall(r'^# ipc (\w+) ', lines, re.MULTILINE)


def run_system(build, option):
    output_of([sys.executable, '-B', os.path.join(TOP, 'tools', 'run.py'),
               '--build', build, '--timeout', TIMEOUT, '--icount',
               '--plugin', option, '--', '/bin/bench', *UNIX_ROWS], b'')
    return list(UNIX_ROWS)


def trace(build, unix=False):
    """{row: steps in the order of execution}"""
    if unix:
        run, users = run_system, [Program(build, CLIENT, 'user '),
                                  Program(build, SERVER, 'unix ')]
    else:
        run, users = run_guest, [Program(build, GUEST, 'user ')]
    with tempfile.TemporaryDirectory(prefix='portolan.') as folder:
        path = os.path.join(folder, 'trace')
        names = run(build, '%s,output=%s' % (plugin(build), path))
        windows = windows_of(path)
    if len(names) != len(windows):
        sys.exit('profile: %d windows for %d rows' % (
            len(windows), len(names)))
    kernel = Program(build, KERNEL)
    return {name: attribute(window, kernel, users)
            for name, window in zip(names, windows)}


def chains_of(steps):
    """{step: names of the functions that it is in, the innermost first}"""
    wanted = collections.defaultdict(set)
    for step in steps:
        wanted[step.program].add(step.address)
    return {Step(program, address): chain
            for program, addresses in wanted.items()
            for address, chain in program.inlines(addresses).items()}


def print_functions(steps, limit=None, inlines=False):
    """Instructions by function; how often it was entered, if more than
    once."""
    if inlines:
        names = {step: chain[0] for step, chain in chains_of(steps).items()}
    else:
        names = {step: step.program.name(step.address) for step in steps}
    counts = collections.Counter(names[step] for step in steps)
    calls = collections.Counter(names[step] for step in steps
                                if step.address in step.program.starts)
    kernel = sum(step.address >= KERNEL_BASE for step in steps)
    print('%6d  all: %d of the kernel, %d of the user' % (
        len(steps), kernel, len(steps) - kernel))
    for name, count in counts.most_common(limit):
        times = ' x%d' % calls[name] if calls[name] > 1 else ''
        print('%6d  %s%s' % (count, name, times))


def print_trace(steps):
    runs = []
    for step in steps:
        name = step.program.name(step.address)
        if not runs or runs[-1][0] != name:
            runs.append([name, 0])
        runs[-1][1] += 1
    for name, count in runs:
        print('%6d  %s' % (count, name))


def print_hot(steps, wanted):
    counts = collections.Counter(steps)
    totals = collections.Counter(
        (step.program, step.program.name(step.address)) for step in steps)
    for (program, name), total in totals.most_common():
        plain = name.removeprefix(program.prefix)
        if wanted in ('', plain):
            print('\n%s: %d' % (name, total))
            for address, text in program.disassembly(plain):
                if counts[Step(program, address)]:
                    print('%6d  %s' % (counts[Step(program, address)], text))


def step_rules():
    """[(pattern, step)] in order."""
    with open(os.path.join(HERE, 'steps.tsv')) as source:
        return [(re.compile(pattern), step) for pattern, step in (
            line.rstrip('\n').split('\t') for line in source
            if not line.startswith('#'))]


def kinds_of(steps):
    """{step: what it is for}: the first line of steps.tsv that fits one of
    its functions, the innermost first."""
    rules = step_rules()
    found = {}
    for step, chain in chains_of(steps).items():
        names = chain + [step.program.name(step.address)]
        found[step] = next((kind for name in names for pattern, kind in rules
                            if pattern.fullmatch(name)), 'other: ' + names[-1])
    return found


def print_steps(steps):
    kinds = kinds_of(steps)
    counts = collections.Counter(kinds[step] for step in steps)
    order = list(dict.fromkeys(kind for _, kind in step_rules()))
    others = [kind for kind, _ in counts.most_common() if kind not in order]
    for kind in order + others:
        if counts[kind]:
            print('%6d  %s' % (counts[kind], kind))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('build')
    parser.add_argument('row')
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument('--inlines', action='store_true')
    kind.add_argument('--hot', nargs='?', const='', metavar='SYMBOL')
    kind.add_argument('--trace', action='store_true')
    kind.add_argument('--steps', action='store_true')
    options = parser.parse_args()
    rows = trace(options.build, options.row in UNIX_ROWS)
    if options.row not in rows:
        parser.error('no row %s; there are: %s' % (
            options.row, ' '.join([*rows, *UNIX_ROWS])))
    steps = rows[options.row]
    if options.hot is not None:
        print_hot(steps, options.hot)
    elif options.trace:
        print_trace(steps)
    elif options.steps:
        print_steps(steps)
    else:
        print_functions(steps, inlines=options.inlines)
    return 0


if __name__ == '__main__':
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
