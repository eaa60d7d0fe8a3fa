#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# timeout: 7200
"""libFuzzer looks for a text that makes migcom crash, hang or grow.

Where clang has libFuzzer, migcom is built as a function of bytes
(fuzz_target.c) under the sanitizers, and runs on mutations of the interfaces
in this folder and in include/.  That takes some seconds; `./check fuzz' gives
it ten minutes, `./check fuzz LENGTH' that in proportion to ten million.
FUZZ_SEED chooses other mutations.  A text that does harm is kept in
tests/host/mig/fuzz of the build tree: `fuzz FILE' there does it again."""

import glob
import os
import subprocess
import sys
import tempfile

SOURCE = os.environ['top_srcdir']
BUILD = os.environ['top_builddir']
HERE = os.path.join(SOURCE, 'tests/host/mig')
FOLDER = os.path.join(BUILD, 'tests/host/mig/fuzz')
PROGRAM = os.path.join(FOLDER, 'fuzz')
LENGTH = int(os.environ.get('FUZZ_LENGTH', '0'))
SEED = os.environ.get('FUZZ_SEED', '1')
SHORT = 5                       # seconds of a plain ./check
LONG = 600                      # seconds of ten million
TEN_MILLION = 10000000
INPUT_MAX = 4096                # bytes; real interfaces have more
FLAGS = '''-std=gnu17 -O1 -g -fno-omit-frame-pointer
    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all'''.split()
WORDS = '''subsystem type routine simpleroutine skip import msgoption waittime
    array[ array[*: array[] struct[ struct{ c_string[ c_string[*: ^ polymorphic
    in out inout requestport replyport sreplyport ureplyport msgseqno retcode
    sectoken audittoken servercontexttoken dealloc dealloc[] countinout
    samecount overwrite auto servercopy intran: outtran: destructor:
    intranpayload: ctype: PointerTo( ValueOf( PointerToIfNot( UserTypeLimit
    MACH_MSG_TYPE_MOVE_SEND MACH_MSG_TYPE_STRING_C KernelServer KernelUser
    kernelsender'''.split()


def skip(reason):
    print('1..0 # SKIP ' + reason)
    sys.exit(0)


def sources():
    own = [name for name in glob.glob(os.path.join(SOURCE, 'mig/*.c'))
           if os.path.basename(name) != 'main.c']
    made = [os.path.join(BUILD, 'mig', name)
            for name in ('lexer.c', 'parser.c')]
    return sorted(own) + made + [os.path.join(HERE, 'fuzz_target.c')]


def is_old():
    if not os.path.exists(PROGRAM):
        return True
    parts = sources() + glob.glob(os.path.join(SOURCE, 'mig/*.h'))
    return os.path.getmtime(PROGRAM) < max(map(os.path.getmtime, parts))


def build():
    os.makedirs(FOLDER, exist_ok=True)
    probe = os.path.join(FOLDER, 'probe.c')
    with open(probe, 'w') as stream:
        stream.write('int LLVMFuzzerTestOneInput(const char *d, long n);\n'
                     'int LLVMFuzzerTestOneInput(const char *d, long n)\n'
                     '{ (void)d; (void)n; return 0; }\n')
    try:
        subprocess.run(['clang'] + FLAGS + [probe, '-o', PROGRAM],
                       stderr=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.CalledProcessError):
        skip('no clang with libFuzzer')
    os.unlink(PROGRAM)
    subprocess.run(['clang'] + FLAGS + ['-I' + os.path.join(SOURCE, 'mig'),
                                        '-I' + os.path.join(BUILD, 'mig')] +
                   sources() + ['-o', PROGRAM], check=True)


def write_seeds(folder):
    """The interfaces, preprocessed; large ones in pieces."""
    patterns = ('tests/host/mig/*.defs', 'tests/host/mig/*/*.defs',
                'tests/host/mig/dialect/*.mig', 'include/*/*.defs')
    compiler = os.environ.get('CC', 'cc').split()
    for pattern in patterns:
        for path in glob.glob(os.path.join(SOURCE, pattern)):
            text = subprocess.run(
                compiler + ['-E', '-P', '-x', 'c', '-Uunix', '-DRPC_MORE',
                            '-I' + os.path.join(SOURCE, 'include'), path],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                check=False).stdout
            for place in range(0, len(text), INPUT_MAX - 40):
                piece = text[place:place + INPUT_MAX - 40]
                name = '%s-%d' % (os.path.basename(path), place)
                head = b'\0' if place == 0 else b'\xffsubsystem s 1;'
                with open(os.path.join(folder, name), 'wb') as stream:
                    stream.write(head + piece)
    with open(os.path.join(FOLDER, 'words'), 'w') as stream:
        for word in WORDS:
            stream.write('"%s"\n' % word)


def fuzz(corpus):
    seconds = max(1, LONG * LENGTH // TEN_MILLION) if LENGTH else SHORT
    return subprocess.run(
        [PROGRAM, '-max_total_time=%d' % seconds, '-seed=' + SEED,
         '-max_len=%d' % INPUT_MAX, '-timeout=20', '-rss_limit_mb=2000',
         '-close_fd_mask=2', '-print_final_stats=1',
         '-dict=' + os.path.join(FOLDER, 'words'),
         '-artifact_prefix=' + FOLDER + '/', corpus],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def explain(lines):
    for line in lines[-30:]:
        print('# ' + line)
    for path in glob.glob(os.path.join(FOLDER, '*-*')):
        print('# kept: ' + path)
        again = subprocess.run([PROGRAM, path], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, check=False)
        for line in again.stdout.decode(errors='replace').split('\n')[:40]:
            print('# ' + line)


def main():
    if is_old():
        build()
    for path in glob.glob(os.path.join(FOLDER, '*-*')):
        os.unlink(path)
    with tempfile.TemporaryDirectory() as corpus:
        write_seeds(corpus)
        done = fuzz(corpus)
    lines = done.stdout.decode(errors='replace').split('\n')
    runs = [line.split()[-1] for line in lines
            if line.startswith('stat::number_of_executed_units')]
    print('%sok 1 - %s texts, seed %s'
          % ('not ' if done.returncode else '', (runs or ['?'])[0], SEED))
    print('1..1')
    if done.returncode:
        explain(lines)
    return 1 if done.returncode else 0


sys.exit(main())
