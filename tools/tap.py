#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs one test and sees to it that its output is whole TAP.

  tap.py [--guest BUILD] TEST [ARG...]

The test's lines pass through.  Whatever ending is not the ending of a TAP
test (a time-out, a signal, no plan, fewer tests than planned, a failing exit
status with no failing test) becomes `Bail out!`.  The time allowed is 300
seconds, or what a line `# timeout: SECONDS` near the top of a script says;
TEST_TIMEOUT in the environment overrules both.

With --guest the test is a program for the guest, which is booted as the
first task (`guest_test.py`); without QEMU it is skipped.
"""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time

DEFAULT_TIMEOUT = 300


def allowed_time(path):
    if 'TEST_TIMEOUT' in os.environ:
        return int(os.environ['TEST_TIMEOUT'])
    with open(path, 'rb') as script:
        head = script.read(2048)
    if not head.startswith(b'#!'):
        return DEFAULT_TIMEOUT
    found = re.search(rb'^# timeout: (\d+)$', head, re.MULTILINE)
    return int(found.group(1)) if found else DEFAULT_TIMEOUT


class Tally:
    """Follows the TAP that goes by."""

    def __init__(self):
        self.planned = None
        self.seen = 0
        self.failed = 0
        self.bailed = False

    def line(self, text):
        plan = re.match(r'1\.\.(\d+)', text)
        if plan and self.planned is None:
            self.planned = int(plan.group(1))
        elif text.startswith('Bail out!'):
            self.bailed = True
        elif re.match(r'(not )?ok\b', text):
            self.seen += 1
            if text.startswith('not') and not re.search(
                    r'#\s*(TODO|SKIP)', text, re.IGNORECASE):
                self.failed += 1

    def verdict(self, status):
        """What is wrong with this ending, or None."""
        if status < 0:
            return 'ended by signal %d' % -status
        if self.planned is None:
            return 'no plan (exit status %d)' % status
        if self.seen < self.planned:
            return '%d of %d tests (exit status %d)' % (
                self.seen, self.planned, status)
        if status != 0 and not self.failed:
            return 'exit status %d' % status
        return None


def out(text):
    sys.stdout.write(text)
    sys.stdout.flush()


class Follower:
    """Copies a child's output line by line into our own and a Tally."""

    def __init__(self, child):
        self.child = child
        self.tally = Tally()
        self.rest = b''

    def until(self, end):
        """True at the end of the output, False when time is up."""
        while True:
            wait = max(0.0, end - time.monotonic())
            if not select.select([self.child.stdout], [], [], wait)[0]:
                return False
            data = os.read(self.child.stdout.fileno(), 65536)
            lines = (self.rest + data).split(b'\n')
            self.rest = lines.pop()
            for line in lines:
                self._line(line)
            if not data:
                if self.rest:
                    self._line(self.rest)
                return True

    def _line(self, line):
        text = line.decode(errors='replace').rstrip('\r')
        self.tally.line(text)
        out(text + '\n')


def run(command, timeout):
    child = subprocess.Popen(command, stdout=subprocess.PIPE,
                             stdin=subprocess.DEVNULL,
                             start_new_session=True)
    follower = Follower(child)
    end = time.monotonic() + timeout
    finished = follower.until(end)
    if finished:
        try:
            child.wait(max(1.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            finished = False
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    status = child.wait()
    tally = follower.tally
    if tally.bailed:
        return
    problem = tally.verdict(status)
    if not finished:
        problem = 'timed out after %d s' % timeout
    if problem:
        out('Bail out! %s\n' % problem)


def main():
    arguments = sys.argv[1:]
    here = os.path.dirname(os.path.abspath(__file__))
    guest = None
    if arguments[0] == '--guest':
        guest = arguments[1]
        arguments = arguments[2:]
    timeout = allowed_time(arguments[0])
    if guest is not None:
        qemu = os.environ.get('QEMU', 'qemu-system-x86_64')
        if not shutil.which(qemu):
            out('1..0 # SKIP no QEMU\n')
            return
        arguments = [sys.executable, '-B',
                     os.path.join(here, 'guest_test.py'), guest] + arguments
    run(arguments, timeout)


if __name__ == '__main__':
    main()
