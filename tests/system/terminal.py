#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./run on a terminal: a prompt, line editing, ^C, ^D, exit."""

import os
import pty
import re
import select
import signal
import sys
import time

SOURCE = os.environ['top_srcdir']
BUILD = os.environ['top_builddir']
PROMPT = rb'[#$] $'


class Terminal:
    """A user at a pseudo-terminal."""

    def __init__(self):
        self.text = b''
        self.status = None
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execvp(sys.executable, [
                sys.executable, '-B', os.path.join(SOURCE, 'tools', 'run.py'),
                '--build', BUILD, '--timeout', '100'])

    def type(self, data):
        os.write(self.master, data)

    def expect(self, pattern, timeout=20.0):
        """Wait for `pattern`; what came up to its end, or None."""
        end = time.monotonic() + timeout
        while True:
            found = re.search(pattern, self.text)
            if found:
                before = self.text[:found.end()]
                self.text = self.text[found.end():]
                return before
            left = end - time.monotonic()
            if left <= 0 or not self._read(left):
                return None

    def _read(self, timeout):
        if not select.select([self.master], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.text += data
        return bool(data)

    def finish(self, timeout=20.0):
        """Wait for the end; the exit status, or None."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if select.select([self.master], [], [], 0.05)[0]:
                self._read(0.1)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        return None


count = failed = 0


def ok(good, name, seen=b''):
    global count, failed
    count += 1
    failed += not good
    print('%s %d - %s' % ('ok' if good else 'not ok', count, name))
    if not good and seen:
        print('# ' + repr(seen[-500:]))
    sys.stdout.flush()


def test_session():
    user = Terminal()
    started = time.monotonic()
    ok(user.expect(PROMPT, 30) is not None, 'a prompt', user.text)
    ok(time.monotonic() - started < 10, 'within ten seconds')
    user.type(b'echo one two\r')
    ok(user.expect(rb'\r\none two\r\n') is not None, 'a command', user.text)
    user.expect(PROMPT)
    user.type(b'echo abX\x7fc\r')
    ok(user.expect(rb'\r\nabc\r\n') is not None, 'backspace', user.text)
    user.expect(PROMPT)
    user.type(b'echo lost\x15echo kept\r')
    ok(user.expect(rb'\r\nkept\r\n') is not None, '^U', user.text)
    user.expect(PROMPT)
    user.type(b'echo first word\x17last\r')
    ok(user.expect(rb'\r\nfirst last\r\n') is not None, '^W', user.text)
    user.expect(PROMPT)
    user.type(b'false \x03')
    ok(user.expect(PROMPT) is not None, '^C drops the line', user.text)
    user.type(b'sleep 100\r')
    user.expect(rb'sleep 100\r\n')
    time.sleep(1.0)
    began = time.monotonic()
    user.type(b'\x03')
    ok(user.expect(PROMPT, 10) is not None and
       time.monotonic() - began < 5, '^C ends sleep 100', user.text)
    user.type(b'echo $?\r')
    ok(user.expect(rb'\r\n130\r\n') is not None, 'its status', user.text)
    user.expect(PROMPT)
    user.type(b'cat\r')
    user.expect(rb'cat\r\n')
    user.type(b'line\r')
    ok(user.expect(rb'line\r\nline\r\n') is not None, 'cat reads lines',
       user.text)
    user.type(b'\x04')
    ok(user.expect(PROMPT) is not None, '^D ends cat', user.text)
    user.type(b'sleep 100\r')
    user.expect(rb'sleep 100\r\n')
    time.sleep(0.5)
    user.type(b'\x1a')
    ok(user.expect(rb'Stopped.*sleep 100\r\n') is not None, '^Z stops',
       user.text)
    user.expect(PROMPT)
    user.type(b'bg\r')
    user.expect(PROMPT)
    user.type(b'jobs\r')
    ok(user.expect(rb'Running.*sleep 100\r\n') is not None, 'bg goes on',
       user.text)
    user.expect(PROMPT)
    user.type(b'fg\r')
    user.expect(rb'sleep 100\r\n')
    time.sleep(0.5)
    user.type(b'\x03')
    ok(user.expect(PROMPT, 10) is not None, '^C ends it after fg', user.text)
    user.type(b'cat &\r')
    user.expect(PROMPT)
    time.sleep(0.5)
    user.type(b'jobs\r')
    ok(user.expect(rb'tty input') is not None,
       'a job that reads from the background is stopped', user.text)
    user.expect(PROMPT)
    user.type(b'kill -9 %1\r')
    user.expect(PROMPT)
    user.type(b'ls / | wc -l\r')
    ok(user.expect(rb'\r\n *[1-9][0-9]*\r\n') is not None, 'a pipeline',
       user.text)
    user.expect(PROMPT)
    user.type(b'\x04')
    ok(user.finish() == 0, '^D powers the machine off', user.text)


def test_exit():
    user = Terminal()
    user.expect(PROMPT, 30)
    user.type(b'exit\r')
    ok(user.finish() == 0, 'exit powers the machine off', user.text)


test_session()
test_exit()
print('1..%d' % count)
sys.exit(failed != 0)
