#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# timeout: 900
"""The stubs of every interface, under the harness that MIG writes for them.

  harness_test.py [NAME...]

Every .defs file of the system and of its tests is compiled as a task has it
and, where it says so, as the kernel has it; then come interfaces drawn at
random.  Each becomes a program of its stubs, its harness and tests/host/
harness, built with the address and undefined-behaviour sanitizers.

HARNESS_SEED=N draws other messages, HARNESS_ROUNDS=N more of them (100),
HARNESS_RANDOM=N more interfaces (8), HARNESS_KEEP=DIR keeps the programs:
DIR/NAME/harness -s SEED does one test again.  FUZZ_SEED and FUZZ_LENGTH (of
messages in all, about) do the same for `./check fuzz'.
"""

import concurrent.futures
import os
import random
import re
import subprocess
import sys
import tempfile

SOURCE = os.environ['top_srcdir']
BUILD = os.environ['top_builddir']
sys.path.insert(0, os.path.join(SOURCE, 'tests/host/mig'))
import random_test

ENGINE = os.path.join(SOURCE, 'tests/host/harness')
MESSAGES = 2000     # that one round comes to, over all interfaces
SEED = os.environ.get('HARNESS_SEED', os.environ.get('FUZZ_SEED', '1'))
ROUNDS = os.environ.get('HARNESS_ROUNDS', str(
    max(1, int(os.environ.get('FUZZ_LENGTH', 100 * MESSAGES)) // MESSAGES)))
RANDOM = int(os.environ.get('HARNESS_RANDOM', '8'))
SHOWN_LINES = 30

FOLDERS = ('include', 'drivers', 'programs', 'servers', 'tests')
SKIPPED = ('tests/host/mig/diag',)
COMPILER = os.environ.get('CC', 'cc').split()
FLAGS = '''-std=gnu17 -g -O1 -Wall -Wextra -Werror -fno-common
    -fsanitize=address,undefined -fno-sanitize-recover=all'''.split()
INCLUDES = ['-I' + os.path.join(SOURCE, folder) for folder in (
    'tests/host/harness', 'tests/host', 'tests/host/mig', 'include',
    'drivers/console', 'servers/bootstrap', 'servers/unix', 'tests/guest')]
KERNEL = ['-DPORTOLAN_KERNEL'] + ['-I' + os.path.join(SOURCE, folder)
                                  for folder in ('mach',
                                                 'mach/x86_64/include')]

# Types that a file leaves to whoever includes it.
EXTRA = {
    'exc_reply': ['-Dexception_reply_t=mach_port_t'],
    **{name: ['-include', os.path.join(ENGINE, 'sample_types.h')]
       for name in ('sample', 'sample-ndr', 'sample-server', 'sample-user')},
}


class Failure(Exception):
    """A command failed; its output."""


def run(words, folder):
    done = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    text = done.stdout.decode(errors='replace')
    if done.returncode:
        raise Failure('%s: status %d\n%s' % (words[0], done.returncode, text))
    return text


class Interface:
    """One interface on one side of the kernel's border.

    where: '' in a task, 'server' or 'user' if that side is in the kernel.
    """

    def __init__(self, path, where, ndr=False, text=None):
        self.stem = os.path.basename(path)[:-len('.defs')]
        self.path = path
        self.where = where
        self.ndr = ndr
        self.text = text
        self.name = '-'.join([self.stem] + ([where] if where else []) +
                             (['ndr'] if ndr else []))

    def sides(self):
        return {'': ['SERVER', 'CLIENT'], 'server': ['SERVER'],
                'user': ['CLIENT']}[self.where]

    def generate(self, folder):
        path = os.path.join(SOURCE, self.path)
        if self.text is not None:
            path = os.path.join(folder, self.path)
            with open(path, 'w') as output:
                output.write(self.text)
        outputs = {'SERVER': ['-server', 'server.c'],
                   'CLIENT': ['-user', 'user.c']}
        words = [os.path.join(BUILD, 'mig/mig'), '-q', '-DPORTOLAN',
                 '--no-default-files', '--ndr' if self.ndr else '--no-ndr',
                 '-I' + os.path.join(SOURCE, 'include')]
        if self.ndr:
            words += ['-maxonstack', '100']
        if self.where:
            words.append('-DKERNEL_%s=1' % self.where.upper())
        for side in self.sides():
            words += outputs[side]
        run(words + ['--harness', 'harness.c', path], folder)

    def compile(self, folder, engine):
        flags = INCLUDES + EXTRA.get(self.name, [])
        if self.where and self.path.startswith('include/'):
            flags = flags + KERNEL
        flags.append('-I' + os.path.dirname(os.path.join(SOURCE, self.path)))
        objects = []
        for side in self.sides():
            objects.append(side.lower() + '.o')
            run(COMPILER + FLAGS + flags +
                ['-DHARNESS_IS_' + side, '-c', 'harness.c', '-o',
                 objects[-1]], folder)
        run(COMPILER + FLAGS + objects + engine + ['-o', 'harness'], folder)

    def test(self, folder, engine):
        """(what is wrong or None, number of tests)."""
        folder = os.path.join(folder, self.name)
        os.makedirs(folder, exist_ok=True)
        try:
            self.generate(folder)
            self.compile(folder, engine)
            text = run(['./harness', '-s', SEED, '-n', ROUNDS], folder)
        except Failure as failure:
            return '\n'.join(line for line in str(failure).split('\n')
                             if not line.startswith('ok ')), 0
        return None, len(re.findall(r'^ok ', text, re.MULTILINE))


def interfaces():
    for top in FOLDERS:
        for folder, _, names in sorted(os.walk(os.path.join(SOURCE, top))):
            folder = os.path.relpath(folder, SOURCE)
            for name in sorted(names):
                if (not name.endswith('.defs') or folder in SKIPPED or
                        name.endswith('_types.defs')):
                    continue
                path = os.path.join(folder, name)
                with open(os.path.join(SOURCE, path)) as source:
                    text = source.read()
                yield Interface(path, '')
                if folder.startswith('tests/host'):
                    yield Interface(path, '', ndr=True)
                for where in ('server', 'user'):
                    if 'Kernel' + where.capitalize() in text:
                        yield Interface(path, where)
    for number in range(RANDOM):
        where = ('', 'KernelUser', '', 'KernelServer')[number % 4]
        yield Interface('random%d.defs' % number,
                        {'': '', 'KernelUser': 'user',
                         'KernelServer': 'server'}[where],
                        ndr=number // 4 % 2 == 1,
                        text=random_test.interface(random.Random(number),
                                                   where))


def build_engine(folder):
    """The objects that are the same for all."""
    sources = [os.path.join(ENGINE, name)
               for name in sorted(os.listdir(ENGINE)) if name.endswith('.c')]
    libmach = os.path.join(SOURCE, 'libmach')
    jobs = [(source, []) for source in sources]
    jobs.append((os.path.join(libmach, 'server.c'), []))
    jobs.append((os.path.join(libmach, 'mach_msg.c'), []))
    jobs.append((os.path.join(libmach, 'mach_msg_destroy.c'),
                 ['-Dmach_msg_destroy=libmach_mach_msg_destroy']))
    objects = []
    for source, more in jobs:
        objects.append(os.path.join(
            folder, 'engine%d.o' % len(objects)))
        run(COMPILER + FLAGS + INCLUDES + more +
            ['-c', source, '-o', objects[-1]], folder)
    return objects


def main(names, folder):
    engine = build_engine(folder)
    chosen = [one for one in interfaces() if not names or one.name in names]
    count = bad = 0
    print('# seed %s, %s rounds' % (SEED, ROUNDS))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for one, (wrong, tests) in zip(chosen, pool.map(
                lambda one: one.test(folder, engine), chosen)):
            count += 1
            if wrong is None:
                print('ok %d - %s: %d tests' % (count, one.name, tests))
            else:
                bad += 1
                print('not ok %d - %s' % (count, one.name))
                for line in wrong.split('\n')[:SHOWN_LINES]:
                    print('# ' + line)
            sys.stdout.flush()
    print('1..%d' % count)
    return 1 if bad or not count else 0


if __name__ == '__main__':
    kept = os.environ.get('HARNESS_KEEP')
    if kept:
        os.makedirs(kept, exist_ok=True)
        sys.exit(main(sys.argv[1:], os.path.abspath(kept)))
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(main(sys.argv[1:], scratch))
