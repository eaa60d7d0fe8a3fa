#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No input makes migcom crash.

Mutations of real interfaces, the same ones each time; MIG_FUZZ=N makes N of
them instead.  migcom runs under the sanitizers, which turn a wrong step into
a status that is neither 0 nor 1."""

import os
import random
import re
import subprocess
import sys
import tempfile

SOURCE = os.environ['top_srcdir']
MIGCOM = os.path.join(os.environ['top_builddir'], 'tests/host/mig/migcom')
HERE = os.path.join(SOURCE, 'tests/host/mig')
ROUNDS = int(os.environ.get('MIG_FUZZ', '300'))
WORDS = '''subsystem type routine simpleroutine skip array struct of c_string ^
    ( ) [ ] { } ; : , * + - / = | ~ < > in out inout requestport replyport
    sreplyport ureplyport waittime msgoption msgseqno sectoken audittoken
    polymorphic dealloc dealloc[] countinout samecount const auto servercopy
    intran outtran destructor ctype cusertype intranpayload import uimport
    "x.h" <y.h> serverprefix userprefix kernelsender KernelServer KernelUser
    consumeonsenderror rcsid 0 1 4 8 4294967295 99999999999999999999 0x7fffffff
    int char mach_port_t MACH_MSG_TYPE_MOVE_SEND MACH_MSG_TYPE_STRING
    MACH_MSG_TYPE_POLYMORPHIC PointerTo x y z'''.split()


def preprocess(path):
    compiler = os.environ.get('CC', 'cc').split()
    return subprocess.run(
        compiler + ['-E', '-x', 'c', '-Uunix', '-I' + SOURCE + '/include',
                    path], stdout=subprocess.PIPE, check=False).stdout


def mutate(text, dice):
    tokens = re.findall(rb'[A-Za-z_0-9]+|\s+|.', text, re.DOTALL)
    for _ in range(dice.randint(1, 3)):
        place = dice.randrange(len(tokens))
        kind = dice.randrange(7)
        if kind == 0:
            del tokens[place:place + dice.randint(1, 8)]
        elif kind == 1:
            tokens.insert(place, dice.choice(WORDS).encode() + b' ')
        elif kind == 2:
            tokens[place] = dice.choice(WORDS).encode()
        elif kind == 3:
            other = dice.randrange(len(tokens))
            tokens[place], tokens[other] = tokens[other], tokens[place]
        elif kind == 4:
            tokens[place] = bytes(dice.randrange(256)
                                  for _ in range(dice.randint(1, 4)))
        elif kind == 5:
            tokens[place:place] = tokens[place:place + dice.randint(1, 40)]
        else:
            del tokens[place:]
        tokens = tokens or [b';']
    return b''.join(tokens)


def run(text, folder):
    names = ('user', 'server', 'header', 'sheader', 'list')
    words = [MIGCOM, '--json', os.path.join(folder, 'json')]
    for name in names:
        words += ['-' + name, os.path.join(folder, name)]
    return subprocess.run(words, input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, check=False)


def main():
    seeds = [os.path.join(HERE, 'rpc.defs')]
    seeds += [os.path.join(HERE, 'diag', name)
              for name in sorted(os.listdir(os.path.join(HERE, 'diag')))
              if name.endswith('.defs')]
    texts = [text for text in map(preprocess, seeds) if text]
    dice = random.Random(1)
    good = bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            text = mutate(dice.choice(texts), dice)
            result = run(text, folder)
            good += result.returncode == 0
            if result.returncode not in (0, 1):
                bad += 1
                print('# mutation %d: status %d' %
                      (number, result.returncode))
                for line in result.stderr.decode(errors='replace').split(
                        '\n')[-30:]:
                    print('# ' + line)
    print('%sok 1 - %d mutations, %d of them still good' %
          ('not ' if bad else '', ROUNDS, good))
    for number, text in enumerate((b'', b'\0', b'"', b'#', b'# 1', b'(' * 20000,
                                   b'type a = ' + b'^' * 9000 + b'int;',
                                   b'x' * 100000, b'\xff' * 50)):
        with tempfile.TemporaryDirectory() as folder:
            status = run(text, folder).returncode
        print('%sok %d - a strange file (%d bytes)' %
              ('' if status == 1 else 'not ', number + 2, len(text)))
        bad += status != 1
    print('1..%d' % (number + 2))
    return 1 if bad else 0


sys.exit(main())
