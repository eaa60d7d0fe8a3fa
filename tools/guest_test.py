#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots the kernel with one test program as the first task.

  guest_test.py BUILD PROGRAM

The program prints TAP on the debug console and ends through QEMU's
debug-exit device.  Everything on that console is passed through; a panic or
an end by another way is said in a `Bail out!` line, after the last line that
began with `# replay: `.  A line `# look: ADDRESS COUNT` names words of memory
that are shown after a panic, and when the machine has said nothing for long.

GUEST_WORDS in the environment goes to the kernel's command line, where the
program finds it; FUZZ_LENGTH and FUZZ_SEED as fuzz.calls and fuzz.seed.
"""

import argparse
import os
import re
import sys
import tempfile
import time

import iso
import machine
import stub


# Programs with these words in their names run under instruction counting.
COUNTED = ('icount', 'fuzz')
SILENCE = 600   # seconds that a program may be silent which says where to look
# A name that ends in _64mb is about a machine with so much memory.
MEMORY = re.compile(r'_(\d+)mb\.guest$')


def show(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def words():
    """What the environment has for the program."""
    text = [os.environ.get('GUEST_WORDS', '')]
    for name, word in (('FUZZ_LENGTH', 'fuzz.calls'),
                       ('FUZZ_SEED', 'fuzz.seed')):
        if name in os.environ:
            text.append('%s=%s' % (word, os.environ[name]))
    return ' '.join(filter(None, text))


class Replay:
    """Shows what comes, and keeps what the program says of repeating it."""

    def __init__(self, build):
        self.kernel = os.path.join(build, 'mach', 'portolan')
        self.guest = None
        self.rest = b''
        self.last = None
        self.look = None

    def show(self, data):
        show(data)
        lines = (self.rest + data).split(b'\n')
        self.rest = lines.pop()
        for line in lines:
            if line.startswith(b'# replay: '):
                self.last = line
            found = re.match(rb'# look: ([0-9a-f]+) (\d+)', line)
            if found:
                self.look = int(found.group(1), 16), int(found.group(2))
        if self.look:
            self.guest.over_at = time.monotonic() + SILENCE

    def autopsy(self):
        """What there is to see of a machine that goes on no more."""
        try:
            looker = stub.Stub(self.guest.stub)
            rip = looker.rip()
            lines = ['at %x: %s' % (rip, stub.symbol(self.kernel, rip))]
            if self.look:
                lines += ['word %d: %d' % word for word in
                          enumerate(looker.words(*self.look))]
        except (OSError, ValueError) as error:
            lines = ['the stub is silent: %s' % error]
        for line in lines:
            show(b'# %s\n' % line.encode())


def boot(build, program, icount=False, output=show, plugin=None, memory=512,
         replay=None):
    """Returns what was wrong with the way it ended, or None."""
    options = argparse.Namespace(
        memory=memory, smp=1, gui=False, gdb=False, icount=icount, plugin=plugin)
    with tempfile.TemporaryDirectory(prefix='portolan.') as folder:
        image = os.path.join(folder, 'test.iso')
        iso.make(image, os.path.join(build, 'boot', 'portolan'),
                 [('bootstrap', program)],
                 append=words())
        guest = machine.Machine(options, image)
        guest.panic.log = output
        if replay:
            replay.guest = guest
            guest.at_end = replay.autopsy
            guest.panic.log = replay.show
        guest.add(machine.Stream('console', lambda data: None))
        guest.add(machine.Stream('debug', guest.panic.feed))
        guest.start()
        why = guest.serve()
    if why == machine.PANIC:
        return 'the kernel panicked'
    if why == machine.STOPPED:
        return 'the machine said nothing for %d seconds' % SILENCE
    # isa-debug-exit turns the value v into the exit status 2 v + 1.
    if guest.process.returncode % 2 == 0:
        return 'the machine ended (%d) without a debug exit' \
            % guest.process.returncode
    return None


def main():
    replay = Replay(sys.argv[1])
    name = os.path.basename(sys.argv[2])
    memory = MEMORY.search(name)
    problem = boot(sys.argv[1], sys.argv[2],
                   icount=any(word in name for word in COUNTED),
                   replay=replay,
                   memory=int(memory.group(1)) if memory else 512)
    if problem:
        if replay.last:
            show(replay.last + b'\n')
        print('Bail out! ' + problem, flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
