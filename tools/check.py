#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs parts of `make check` and counts what they say.

  check.py BUILD [PART...]
  check.py BUILD fuzz [LENGTH [SEED]]
  check.py BUILD mutants [PATCH...]

The part fuzz runs only when it is named: its tests, which are short in the
other parts, get the length in FUZZ_LENGTH (calls, inputs: whatever they make)
and the seed in FUZZ_SEED.  So does mutants (tests/mutants/mutants.py), which
gets the names of patches in MUTANTS.

Automake's harness runs the tests and leaves a .log (the TAP) and a .trs
(the results) for each; this program reads those.  Everything that is not a
pass, a skip or an expected failure counts as failed.
"""

import os
import re
import subprocess
import sys

PARTS = ('host', 'guest', 'tree', 'system')
NAMED = ('fuzz', 'mutants')   # parts that run only when they are named
FUZZ_LENGTH = '10000000'
FUZZ_TIMEOUT = '21600'
GOOD = ('PASS', 'SKIP', 'XFAIL')
SHOWN_LINES = 60    # of one failing test's log


def tests_of(build, words):
    """The tests that the words name, in the Makefile's order."""
    lists = {}
    for part in PARTS + NAMED:
        name = part.upper() + '_TESTS'
        done = subprocess.run(
            ['make', '-s', '--no-print-directory', '-C', build,
             'print-tests', 'LIST=' + name], stdout=subprocess.PIPE,
            check=True)
        lists[part] = done.stdout.decode().split()
    tests = []
    for word in words or PARTS:
        if word in lists:
            tests += lists[word]
        else:
            tests.append(os.path.normpath(word))
    return list(dict.fromkeys(tests))


def base_of(test):
    """The stem of a test's .log and .trs."""
    stem, extension = os.path.splitext(test)
    return stem if extension in ('.guest', '.py', '.sh') else test


def results(path):
    try:
        with open(path) as trs:
            return re.findall(r'^:test-result: (\w+)', trs.read(),
                              re.MULTILINE)
    except FileNotFoundError:
        return ['ERROR']


def failures(log):
    """The lines of a log that tell of failures, with the comments."""
    shown = []
    telling = False
    for line in log:
        line = line.rstrip('\n')
        if re.match(r'(not ok|Bail out!|ERROR:)', line):
            telling = True
            shown.append(line)
        elif line.startswith('ok '):
            telling = False
        elif telling and not re.match(r'(PASS|FAIL):', line):
            shown.append(line)
    return shown


def report(build, test):
    """Print one test's failures; returns (passed, failed)."""
    base = os.path.join(build, base_of(test))
    found = results(base + '.trs')
    passed = found.count('PASS')
    bad = sum(1 for result in found if result not in GOOD)
    print('%-6s %s (%d passed, %d failed)'
          % ('FAILED' if bad else 'ok', test, passed, bad))
    if bad and os.path.exists(base + '.log'):
        with open(base + '.log', errors='replace') as log:
            for line in failures(log)[:SHOWN_LINES]:
                print('       ' + line)
    return passed, bad


def part_words(words):
    """Take what is behind the words fuzz and mutants to the environment."""
    if words[:1] == ['mutants']:
        os.environ['MUTANTS'] = ' '.join(words[1:])
        return words[:1]
    if words[:1] != ['fuzz']:
        return words
    numbers = [word for word in words[1:] if word.isdigit()]
    os.environ['FUZZ_LENGTH'] = (numbers + [FUZZ_LENGTH])[0]
    os.environ['FUZZ_SEED'] = (numbers + ['1', '1'])[1]
    os.environ['TEST_TIMEOUT'] = FUZZ_TIMEOUT
    return [word for word in words if not word.isdigit()]


def main():
    build, words = sys.argv[1], part_words(sys.argv[2:])
    tests = tests_of(build, words)
    for test in tests:
        for suffix in ('.log', '.trs'):
            path = os.path.join(build, base_of(test) + suffix)
            if os.path.exists(path):
                os.unlink(path)
    environment = {name: value for name, value in os.environ.items()
                   if name not in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL')}
    if tests:
        subprocess.run(['make', '-k', '--no-print-directory', '-C', build,
                        'check', 'TESTS=' + ' '.join(tests)],
                       stdin=subprocess.DEVNULL, env=environment)
    print()
    counts = [report(build, test) for test in tests]
    passed = sum(count[0] for count in counts)
    failed = sum(count[1] for count in counts)
    print('%d passed, %d failed' % (passed, failed))
    return 0 if passed and not failed else 1


if __name__ == '__main__':
    sys.exit(main())
