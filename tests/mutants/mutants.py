#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# timeout: 7200
"""Takes guards out, one by one, and demands that their tests fail.

Each .patch here removes the guard of one row of the hazards.  Its header says

  Row: the row's number
  Guard: what is taken out
  Test: the test that must fail: a program for the guest, or a host test
  Words: for the guest's program (GUEST_WORDS) or the script, if any
  Build: what else the test needs to be built, if anything

The patches are applied to a copy of the tree in mutants/ of the build folder,
which is configured like the tree itself; only what the test needs is built.
Without a patch each test must pass.  MUTANTS in the environment names some of
the patches; without it all are tried.
"""

import filecmp
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ['top_srcdir']
BUILT = os.environ['top_builddir']
TREE = os.path.join(BUILT, 'mutants', 'tree')
BUILD = os.path.join(BUILT, 'mutants', 'build')
MADE = ('configure', 'aclocal.m4', 'Makefile.in', 'config.h.in', 'build-aux')
SHOWN_LINES = 20
TEST_TIMEOUT = '120'    # seconds: to wait for ever is to fail, too


class Failure(Exception):
    """What kept a mutant from being tried."""


def run(command, cwd, environment=None):
    """(status, output)"""
    done = subprocess.run(command, cwd=cwd, env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors='replace')


def must(what, command, cwd):
    status, output = run(command, cwd)
    if status != 0:
        tail = '\n'.join(output.splitlines()[-SHOWN_LINES:])
        raise Failure('%s\n%s' % (what, tail))


# -- The copy ----------------------------------------------------------------

def source_files():
    status, output = run(['git', 'ls-files', '-co', '--exclude-standard'],
                         SOURCE)
    if status == 0:
        names = output.split('\n')
    else:
        names = [os.path.relpath(os.path.join(folder, name), SOURCE)
                 for folder, _, files in os.walk(SOURCE) for name in files
                 if not os.path.join(folder, name).startswith(BUILT)]
    for made in MADE:
        path = os.path.join(SOURCE, made)
        if os.path.isdir(path):
            names += [os.path.join(made, name) for name in os.listdir(path)]
        elif os.path.exists(path):
            names.append(made)
    return sorted(set(name for name in names if name))


def copy_file(name, now=False):
    """Make the copy's file what the tree's is; its time that, or now."""
    source, target = os.path.join(SOURCE, name), os.path.join(TREE, name)
    if not os.path.isfile(source) or os.path.islink(source):
        return
    if os.path.exists(target) and filecmp.cmp(source, target, shallow=False):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    now = now or os.path.exists(target)
    shutil.copy2(source, target)
    if now:
        os.utime(target)


def remove_others(names):
    """What the tree has no more."""
    for folder, _, files in os.walk(TREE):
        for name in files:
            path = os.path.join(folder, name)
            if os.path.relpath(path, TREE) not in names:
                os.unlink(path)


def prepare():
    names = source_files()
    remove_others(set(names))
    for name in names:
        copy_file(name)
    if os.path.exists(os.path.join(BUILD, 'Makefile')):
        return
    os.makedirs(BUILD, exist_ok=True)
    status, options = run([os.path.join(BUILT, 'config.status'), '--config'],
                          BUILT)
    if status != 0:
        options = ''
    # A mutant may leave something unused.
    must('configure fails',
         [os.path.join(TREE, 'configure')] + shlex.split(options) +
         ['--disable-werror'], BUILD)


# -- Mutants -----------------------------------------------------------------

class Mutant:
    def __init__(self, path):
        self.path = path
        self.name = os.path.splitext(os.path.basename(path))[0]
        with open(path) as text:
            lines = text.read().split('\n')
        self.header = {}
        for line in lines:
            if line.startswith('--- '):
                break
            field = re.match(r'(Row|Guard|Test|Words|Build): (.*)', line)
            if field:
                self.header[field.group(1)] = field.group(2)
        self.files = [line[6:].split('\t')[0] for line in lines
                      if line.startswith('+++ b/')]
        for field in ('Row', 'Guard', 'Test'):
            if field not in self.header:
                raise Failure('%s has no %s' % (self.name, field))

    @property
    def key(self):
        return (self.header['Test'], self.header.get('Words', ''),
                self.header.get('Build', ''))

    def apply(self):
        self.kept = {}
        for name in self.files:
            with open(os.path.join(TREE, name), 'rb') as original:
                self.kept[name] = original.read()
        must('the patch does not apply',
             ['patch', '-p1', '--no-backup-if-mismatch', '-s', '-i',
              self.path], TREE)

    def undo(self):
        for name, data in self.kept.items():
            path = os.path.join(TREE, name)
            with open(path, 'wb') as original:
                original.write(data)
            if os.path.exists(path + '.rej'):
                os.unlink(path + '.rej')


def test_environment(words):
    environment = dict(os.environ, top_srcdir=TREE, top_builddir=BUILD)
    for name in ('FUZZ_LENGTH', 'FUZZ_SEED', 'MAKEFLAGS', 'MFLAGS',
                 'MAKELEVEL'):
        environment.pop(name, None)
    environment['TEST_TIMEOUT'] = TEST_TIMEOUT
    environment['GUEST_WORDS'] = words
    return environment


def test_fails(key):
    """Build and run one test: whether it fails, and what it says."""
    test, words, more = key
    targets = more.split()
    if os.path.splitext(test)[1] not in ('.py', '.sh'):
        targets.append(test)
    guest = test.endswith('.guest')
    if guest:
        targets.append('boot/portolan')
    must('it does not build', ['make', '-s', 'gen-headers'] + targets, BUILD)
    script = os.path.splitext(test)[1] in ('.py', '.sh')
    command = [sys.executable, '-B', os.path.join(TREE, 'tools', 'tap.py')]
    if guest:
        command += ['--guest', BUILD]
    command.append(os.path.join(TREE if script else BUILD, test))
    if script:
        command += words.split()
    _, output = run(command, BUILD, test_environment(words))
    bad = re.search(r'^(not ok\b(?!.*# (TODO|SKIP))|Bail out!)', output,
                    re.MULTILINE)
    return bad is not None, output


def telling(output):
    """The lines that say what failed."""
    lines = [line for line in output.split('\n')
             if re.match(r'not ok|Bail out!|panic:', line)]
    return lines[0] if lines else 'nothing'


# -- All of them -------------------------------------------------------------

class Report:
    def __init__(self):
        self.count = 0

    def say(self, good, name, why=None):
        self.count += 1
        print('%sok %d - %s' % ('' if good else 'not ', self.count, name))
        for line in (why or '').split('\n'):
            if line:
                print('# ' + line)
        sys.stdout.flush()


def try_clean(report, keys):
    """The tests must pass as long as nothing is taken out."""
    good = set()
    for key in keys:
        name = '%s %s passes' % (key[0], key[1])
        try:
            fails, output = test_fails(key)
        except Failure as failure:
            report.say(False, name, str(failure))
            continue
        report.say(not fails, name, telling(output) if fails else None)
        if not fails:
            good.add(key)
    return good


def try_mutant(report, mutant):
    name = '%s: row %s, without %s' % (mutant.name, mutant.header['Row'],
                                       mutant.header['Guard'])
    try:
        mutant.apply()
        fails, output = test_fails(mutant.key)
        report.say(fails, name, telling(output) if fails
                   else '%s does not notice' % mutant.header['Test'])
    except Failure as failure:
        report.say(False, name, str(failure))
    finally:
        mutant.undo()


def main():
    names = os.environ.get('MUTANTS', '').split()
    report = Report()
    try:
        mutants = [Mutant(path) for path in
                   sorted(glob.glob(os.path.join(HERE, '*.patch')))]
        mutants = [mutant for mutant in mutants
                   if not names or mutant.name in names]
        prepare()
    except Failure as failure:
        print('Bail out! %s' % failure)
        return 1
    keys = sorted(set(mutant.key for mutant in mutants))
    good = try_clean(report, keys)
    for mutant in mutants:
        if mutant.key in good:
            try_mutant(report, mutant)
    print('1..%d' % report.count)
    return 0


if __name__ == '__main__':
    sys.exit(main())
