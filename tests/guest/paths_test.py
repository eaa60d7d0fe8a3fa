#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# timeout: 600
"""The message fast path does what the general path does.

  paths_test.py [--count N] [--seed N] [--show FIRST[-LAST]]

Boots tests/guest/paths.guest on two kernels, of which one has no fast path
and all else is the same, and compares what they print of each case.  Of the
first cases that differ all that could be seen is shown, side by side.
"""

import argparse
import os
import re
import struct
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
top = os.environ.get('top_srcdir', os.path.join(here, '..', '..'))
build = os.environ.get('top_builddir', '.')
sys.path.insert(0, os.path.join(top, 'tools'))

import iso        # noqa: E402
import machine    # noqa: E402

KERNELS = ('mach/portolan', 'tests/guest/portolan-twin')
MARK = b'paths arguments\0'
SHOWN = 3       # cases that differ
LINES = 40      # of each
PATIENCE = 200  # seconds for one run


def program(arguments, folder):
    """The guest program, with its arguments written into it."""
    with open(os.path.join(build, 'tests/guest/paths.guest'), 'rb') as file:
        data = bytearray(file.read())
    at = data.index(MARK) + len(MARK)
    struct.pack_into('<4Q', data, at, *arguments)
    path = os.path.join(folder, 'paths.guest')
    with open(path, 'wb') as file:
        file.write(data)
    return path


def boot(kernel, arguments):
    """What the program prints there, a list of lines."""
    options = argparse.Namespace(memory=256, smp=1, gui=False, gdb=False,
                                 icount=True)
    output = bytearray()
    with tempfile.TemporaryDirectory(prefix='portolan.') as folder:
        image = os.path.join(folder, 'test.iso')
        iso.make(image, os.path.join(build, kernel),
                 [('bootstrap', program(arguments, folder))])
        guest = machine.Machine(options, image)
        guest.panic.log = output.extend
        guest.add(machine.Stream('console', lambda data: None))
        guest.add(machine.Stream('debug', guest.panic.feed))
        guest.start()
        guest.serve(PATIENCE)
    return output.decode(errors='replace').splitlines()


def cases(lines):
    """{number: digest}"""
    found = (re.match(r'# case (\d+) (\w+)', line) for line in lines)
    return {int(match[1]): match[2] for match in found if match}


def shown(lines, number):
    """The lines of a case that was to be shown."""
    result = []
    for line in lines:
        match = re.match(r'# case (\d+) ', line)
        if not match:
            result.append(line)
        elif int(match[1]) == number:
            return result
        else:
            result = []
    return result


def compare_case(number, count, seed):
    print('# case %d, as the two kernels have it:' % number)
    here, there = (shown(boot(kernel, (count, seed, number, number)), number)
                   for kernel in KERNELS)
    lines = 0
    for left, right in zip(here, there):
        if left != right:
            print('#   %-40s | %s' % (left[1:].strip(), right[1:].strip()))
            lines += 1
            if lines == LINES:
                break
        elif re.match(r'#  ?[^ ]', left):
            print('#  ' + left[1:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--count', type=int, default=1500)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--show')
    options = parser.parse_args()
    if options.show:
        first, _, last = options.show.partition('-')
        for kernel in KERNELS:
            print('\n'.join(boot(kernel, (options.count, options.seed,
                                          int(first), int(last or first)))))
        return
    outputs = [boot(kernel, (options.count, options.seed, 1, 0))
               for kernel in KERNELS]
    results = [cases(lines) for lines in outputs]
    for kernel, lines, result in zip(KERNELS, outputs, results):
        good = any(line.startswith('ok 1 ') for line in lines)
        print('%sok - %s: %d cases come to an end'
              % ('' if good else 'not ', kernel, len(result)))
        if not good:
            print('\n'.join('# ' + line for line in lines[-8:]))
    both = sorted(set(results[0]) & set(results[1]))
    different = [number for number in both
                 if results[0][number] != results[1][number]]
    print('%sok - %d cases of seed %d go the same on both paths'
          % ('not ' if different or not both else '', len(both),
             options.seed))
    if different:
        print('# %d differ: %s' % (len(different), different[:20]))
        for number in different[:SHOWN]:
            compare_case(number, max(number, 1), options.seed)
    print("1..3")


if __name__ == '__main__':
    main()
