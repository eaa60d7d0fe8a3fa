#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Interfaces made of random arguments give C without a warning.

The types are those of rpc.defs; directions, flags and special arguments are
drawn, the same ones each time.  MIG_RANDOM=N makes N interfaces."""

import os
import random
import subprocess
import sys
import tempfile

SOURCE = os.environ['top_srcdir']
BUILD = os.environ['top_builddir']
HERE = os.path.join(SOURCE, 'tests/host/mig')
ROUNDS = int(os.environ.get('MIG_RANDOM', '4'))
ROUTINES = 20

VALUES = '''int small_t char int64_t point_t big_t mixed_t scaled_t three_t five_t
    longs_t name_t object_t mach_port_t mach_port_move_send_t
    mach_port_poly_t pair_t pair_poly_t page_t ool_three_t memory_t
    bounded_t loose_t ports_t ool_ports_t ool_moved_t'''.split()
VARIABLE = 'ints_t bytes_t wides_t points_t path_t'.split()
COUNTED = '''ints_t bytes_t wides_t points_t ports_t memory_t bounded_t
    ool_ports_t ool_moved_t'''.split()
ROOM = 'ints_t bytes_t wides_t points_t ports_t'.split()
OUT_OF_LINE = '''page_t ool_three_t memory_t bounded_t loose_t ool_ports_t
    ool_moved_t'''.split()
SPECIAL = ('sreplyport r : reply_t',
           'replyport r : mach_port_make_send_once_t',
           'ureplyport r : mach_port_make_send_once_t',
           'waittime w : natural_t', 'msgoption o : natural_t')
WARNINGS = '''-std=gnu17 -O1 -Wall -Wextra -Wshadow -Wundef -Wvla
    -Wwrite-strings -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes
    -Wold-style-definition -Wimplicit-fallthrough -Wformat=2 -fno-common
    -Werror'''.split()


def argument(dice, number, oneway, kernel, before):
    kind = dice.choice([k for k in VALUES + VARIABLE
                        if not (kernel and k == 'loose_t')])
    directions = ['in'] if oneway else ['in', 'out', 'out']
    if not oneway and kind not in VARIABLE:
        directions.append('inout')
    direction = dice.choice(directions)
    flags = ''
    if kind in OUT_OF_LINE and dice.random() < .5:
        flags += dice.choice([', dealloc', ', dealloc[]', ', physicalcopy'])
    if kind in ROOM and direction == 'out' and dice.random() < .4:
        flags += ', countinout'
    elif kind in COUNTED and before == direction and dice.random() < .5:
        flags += ', samecount'
    if direction == 'in' and dice.random() < .2:
        flags += ', const'
    if direction == 'in' and kind in OUT_OF_LINE and dice.random() < .2:
        flags += ', auto'
    text = '%s a%d : %s%s' % (direction, number, kind, flags)
    return text, direction if kind in COUNTED else before


def interface(dice, where):
    with open(os.path.join(HERE, 'rpc.defs')) as source:
        text = source.read()
    text = text[:text.index('/* Scalars and structures. */')]
    lines = [text.replace('subsystem rpc', 'subsystem %s rpc' % where)]
    for routine in range(ROUTINES):
        oneway = dice.random() < .2
        arguments = ['s : ' + dice.choice(['mach_port_t', 'object_t'])]
        before = None
        for number in range(dice.randrange(8)):
            one, before = argument(dice, number, oneway,
                                   where == 'KernelServer', before)
            arguments.append(one)
        if dice.random() < .4:
            arguments.append(dice.choice(SPECIAL))
        lines.append('%s r%d(%s);' % (
            'simpleroutine' if oneway else 'routine', routine,
            ';\n    '.join(arguments)))
    return '\n'.join(lines)


def run(words, folder):
    return subprocess.run(words, cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


def attempt(number):
    """None, or what is wrong with interface NUMBER."""
    dice = random.Random(number)
    where = ('', 'KernelUser', '', 'KernelServer')[number % 4]
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'random.defs'), 'w') as output:
            output.write(interface(dice, where))
        result = run([os.path.join(BUILD, 'mig/mig'), '-migcom',
                      os.path.join(BUILD, 'tests/host/mig/migcom'), '-q',
                      ('--ndr', '--no-ndr')[number // 4 % 2],
                      '-I' + os.path.join(SOURCE, 'include'),
                      '-sheader', 'rpc_server.h', 'random.defs'], folder)
        for name in ('rpcUser.c', 'rpcServer.c'):
            if result.returncode == 0:
                result = run(
                    os.environ.get('CC', 'cc').split() + WARNINGS +
                    ['-I' + os.path.join(SOURCE, 'include'), '-I' + HERE,
                     '-I.', '-c', '-o', 'x.o', name], folder)
        return result.stdout.decode() if result.returncode else None


def main():
    bad = 0
    for number in range(ROUNDS):
        wrong = attempt(number)
        print('%sok %d - a random interface' %
              ('not ' if wrong else '', number + 1))
        if wrong:
            bad += 1
            for line in wrong.split('\n')[:40]:
                print('# ' + line)
    print('1..%d' % ROUNDS)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
