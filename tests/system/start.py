#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The boot image: how soon it shows a prompt, and in a bare QEMU."""

import os
import re
import select
import statistics
import subprocess
import sys
import time

BUILD = os.environ['top_builddir']
IMAGE = os.path.join(BUILD, 'portolan.iso')
QEMU = os.environ.get('QEMU', 'qemu-system-x86_64')
PROMPT = rb'[#$] $'
LIMIT = 3.0

sys.path.insert(0, os.path.join(os.environ['top_srcdir'], 'tools'))

import machine  # noqa: E402

count = failed = 0


def ok(good, name):
    global count, failed
    count += 1
    failed += not good
    print('%s %d - %s' % ('ok' if good else 'not ok', count, name), flush=True)


def time_to_prompt(options, patience):
    """Seconds from QEMU's start to the prompt on COM1, or None."""
    began = time.monotonic()
    process = subprocess.Popen(
        [QEMU, '-cdrom', IMAGE, '-display', 'none', '-serial', 'stdio',
         '-monitor', 'none'] + options,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, preexec_fn=machine.die_with_parent)
    text = b''
    found = None
    while found is None and time.monotonic() < began + patience:
        if select.select([process.stdout], [], [], 0.1)[0]:
            data = os.read(process.stdout.fileno(), 4096)
            if not data:
                break
            text += data
            if re.search(PROMPT, text):
                found = time.monotonic() - began
    process.kill()
    process.wait()
    if found is None:
        print('# ' + repr(text[-300:]))
    return found


def main():
    usual = ['-machine', 'pc', '-cpu', machine.CPU, '-accel', 'tcg',
             '-m', '512', '-nodefaults']
    times = [time_to_prompt(usual, 30) for _ in range(5)]
    ok(None not in times, 'a prompt')
    if None not in times:
        middle = statistics.median(times)
        print('# %s' % ' '.join('%.2f s' % value for value in times))
        ok(middle <= LIMIT, 'the prompt after %.2f s of at most %g s'
           % (middle, LIMIT))
    ok(time_to_prompt([], 60) is not None,
       'a prompt in QEMU with nothing but -cdrom')
    print('1..%d' % count)
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
