#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots the kernel with one test program as the first task.

  guest_test.py BUILD PROGRAM

The program prints TAP on the debug console and ends through QEMU's
debug-exit device.  Everything on that console is passed through; a panic or
an end by another way is said in a `Bail out!` line.
"""

import argparse
import os
import sys
import tempfile

import iso
import machine


def show(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def boot(build, program, icount=False, output=show, plugin=None):
    """Returns what was wrong with the way it ended, or None."""
    options = argparse.Namespace(
        memory=512, smp=1, gui=False, gdb=False, icount=icount, plugin=plugin)
    with tempfile.TemporaryDirectory(prefix='portolan.') as folder:
        image = os.path.join(folder, 'test.iso')
        iso.make(image, os.path.join(build, 'boot', 'portolan'),
                 [('bootstrap', program)])
        guest = machine.Machine(options, image)
        guest.panic.log = output
        guest.add(machine.Stream('console', lambda data: None))
        guest.add(machine.Stream('debug', guest.panic.feed))
        guest.start()
        why = guest.serve()
    if why == machine.PANIC:
        return 'the kernel panicked'
    # isa-debug-exit turns the value v into the exit status 2 v + 1.
    if guest.process.returncode % 2 == 0:
        return 'the machine ended (%d) without a debug exit' \
            % guest.process.returncode
    return None


def main():
    problem = boot(sys.argv[1], sys.argv[2])
    if problem:
        print('Bail out! ' + problem, flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
