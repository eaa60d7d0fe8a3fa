#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where the instructions of one operation go.

  profile.py BUILD ROW [--inlines | --hot [SYMBOL] | --trace | --steps]

ROW is one of `./bench ipc`.  BUILD's kernel is booted under -icount with
tests/guest/ipc_bench.guest, which at its end does each row once between two
marks; a plugin of QEMU (trace_plugin.c) writes down each instruction between
them.  So nothing is sampled, and two runs give the same.

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

PROGRAM = 'tests/guest/ipc_bench.guest'
KERNEL = 'mach/portolan'
KERNEL_BASE = 1 << 63


def output_of(command, text=None):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE,
                          check=True)
    return done.stdout.decode()


class Symbols:
    """The functions of one program."""

    def __init__(self, path):
        self.path = path
        functions = []
        for line in output_of(['nm', path]).splitlines():
            fields = line.split()
            if len(fields) == 3 and fields[1] in 'tTwW':
                functions.append((int(fields[0], 16), fields[2]))
        functions.sort()
        self.addresses = [address for address, name in functions]
        self.names = [name for address, name in functions]
        self.starts = set(self.addresses)

    def name(self, address):
        at = bisect.bisect(self.addresses, address) - 1
        return self.names[at] if at >= 0 else '?'

    def address(self, name):
        return self.addresses[self.names.index(name)]

    def inlines(self, addresses):
        """{address: function names, the innermost first}"""
        text = output_of(['addr2line', '-afi', '-e', self.path], '\n'.join(
            '%x' % address for address in addresses).encode())
        found = {}
        chain = None
        for number, line in enumerate(text.splitlines()):
            if re.match(r'0x[0-9a-f]+$', line):
                chain = found.setdefault(int(line, 16), [])
                first = number
            elif (number - first) % 2 == 1:
                chain.append(line)
        return found

    def disassembly(self, name):
        """[(address, text)] of one function."""
        text = output_of(['objdump', '-d', '--no-show-raw-insn',
                          '--disassemble=' + name, self.path])
        return [(int(line.split(':')[0], 16), line.strip())
                for line in text.splitlines()
                if re.match(r'\s*[0-9a-f]+:\t', line)]


class Program:
    """Kernel and guest program as one."""

    def __init__(self, build):
        self.kernel = Symbols(os.path.join(build, KERNEL))
        self.user = Symbols(os.path.join(build, PROGRAM))

    def of(self, address):
        return self.kernel if address >= KERNEL_BASE else self.user

    def name(self, address):
        return ('' if address >= KERNEL_BASE else 'user ') + \
            self.of(address).name(address)

    def entry(self, address):
        """Whether a function begins here."""
        return address in self.of(address).starts

    def inlines(self, addresses):
        """{address: the names of the functions it is in}"""
        wanted = set(addresses)
        found = self.kernel.inlines(
            address for address in wanted if address >= KERNEL_BASE)
        for address, chain in self.user.inlines(
                address for address in wanted
                if address < KERNEL_BASE).items():
            found[address] = ['user ' + name for name in chain]
        return found


def plugin(build):
    """The plugin's path; compiled when it is older than its source."""
    source = os.path.join(HERE, 'trace_plugin.c')
    target = os.path.join(build, 'tools', 'bench', 'trace_plugin.so')
    if not os.path.exists(target) or \
            os.path.getmtime(target) < os.path.getmtime(source):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        subprocess.run([os.environ.get('CC', 'gcc'), '-O2', '-fPIC',
                        '-shared', '-o', target, source], check=True)
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


def trace(build, program):
    """{row: addresses in the order of execution}"""
    text = []
    with tempfile.TemporaryDirectory(prefix='portolan.') as folder:
        path = os.path.join(folder, 'trace')
        problem = guest_test.boot(
            build, os.path.join(build, PROGRAM), icount=True,
            output=text.append, plugin='%s,begin=%x,end=%x,output=%s' % (
                plugin(build), program.user.address('profile_begin'),
                program.user.address('profile_end'), path))
        windows = windows_of(path) if not problem else []
    lines = b''.join(text).decode(errors='replace')
    names = re.findall(r'^# ipc (\w+) ', lines, re.MULTILINE)
    if problem or 'not ok' in lines or len(names) != len(windows):
        sys.exit('profile: %s, %d windows for %d rows\n%s' % (
            problem or 'the guest ended', len(windows), len(names), lines))
    return dict(zip(names, windows))


def print_functions(addresses, program, limit=None, inlines=False):
    """Instructions by function; how often it was entered, if more than
    once."""
    if inlines:
        names = {address: chain[0] for address, chain
                 in program.inlines(addresses).items()}
    else:
        names = {address: program.name(address) for address in addresses}
    counts = collections.Counter(names[address] for address in addresses)
    calls = collections.Counter(
        names[address] for address in addresses if program.entry(address))
    kernel = sum(address >= KERNEL_BASE for address in addresses)
    print('%6d  all: %d of the kernel, %d of the user' % (
        len(addresses), kernel, len(addresses) - kernel))
    for name, count in counts.most_common(limit):
        times = ' x%d' % calls[name] if calls[name] > 1 else ''
        print('%6d  %s%s' % (count, name, times))


def print_trace(addresses, program):
    runs = []
    for address in addresses:
        name = program.name(address)
        if not runs or runs[-1][0] != name:
            runs.append([name, 0])
        runs[-1][1] += 1
    for name, count in runs:
        print('%6d  %s' % (count, name))


def print_hot(addresses, program, wanted):
    counts = collections.Counter(addresses)
    totals = collections.Counter()
    for address, count in counts.items():
        totals[program.name(address)] += count
    for name, total in totals.most_common():
        plain = name.removeprefix('user ')
        if wanted not in ('', plain):
            continue
        symbols = program.user if name != plain else program.kernel
        print('\n%s: %d' % (name, total))
        for address, text in symbols.disassembly(plain):
            if counts[address]:
                print('%6d  %s' % (counts[address], text))


def step_rules():
    """[(pattern, step)] in order."""
    with open(os.path.join(HERE, 'steps.tsv')) as source:
        return [(re.compile(pattern), step) for pattern, step in (
            line.rstrip('\n').split('\t') for line in source
            if not line.startswith('#'))]


def steps_of(addresses, program):
    """{step: instructions}: the first function of the chain that has one."""
    rules = step_rules()
    chains = program.inlines(addresses)
    found = {}
    for address, chain in chains.items():
        names = chain + [program.name(address)]
        found[address] = next(
            (step for name in names for pattern, step in rules
             if pattern.fullmatch(name)), 'other: ' + names[-1])
    counts = collections.Counter(found[address] for address in addresses)
    order = list(dict.fromkeys(step for _, step in rules))
    return {step: counts[step] for step in
            [step for step in order if counts[step]] +
            [step for step, _ in counts.most_common() if step not in order]}


def print_steps(addresses, program):
    for step, count in steps_of(addresses, program).items():
        print('%6d  %s' % (count, step))


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
    program = Program(options.build)
    rows = trace(options.build, program)
    if options.row not in rows:
        parser.error('no row %s; there are: %s' % (
            options.row, ' '.join(rows)))
    addresses = rows[options.row]
    if options.hot is not None:
        print_hot(addresses, program, options.hot)
    elif options.trace:
        print_trace(addresses, program)
    elif options.steps:
        print_steps(addresses, program)
    else:
        print_functions(addresses, program, inlines=options.inlines)
    return 0


if __name__ == '__main__':
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
