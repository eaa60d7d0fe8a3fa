#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Both ends of the channel: tools/channel.py against programs/init's agent,
which for this test is a program of the host."""

import os
import select
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ.get('top_srcdir', '.'), 'tools'))

import channel  # noqa: E402

AGENT = os.path.join(os.environ.get('top_builddir', 'build'), 'tests', 'host',
                     'agent')
ENVIRONMENT = {'PATH': '/usr/bin:/bin', 'X': 'y z'}
PATIENCE = 60

count = failed = 0


def ok(good, name):
    global count, failed
    count += 1
    failed += not good
    print('%s %d - %s' % ('ok' if good else 'not ok', count, name), flush=True)


class Rig:
    """A session with an agent process at the other end of a socket pair."""

    def __init__(self, argv, puts=(), gets=(), stdin=b'', script=None,
                 actions=()):
        self.streams = {1: b'', 2: b''}
        self.stdin = stdin
        self.sent_end = False
        self.actions = list(actions)
        kind = channel.ScriptedSession if script else channel.Session
        self.session = kind(argv, ENVIRONMENT, '/', puts, gets, self.sink)
        ours, theirs = socket.socketpair()
        words = [AGENT] + ([script] if script else [])
        self.agent = subprocess.Popen(words, stdin=theirs)
        theirs.close()
        self.line = ours

    def sink(self, descriptor, data):
        self.streams[descriptor] += data

    def act(self):
        """What the test does once the command runs."""
        if self.actions and self.streams[1]:
            self.actions.pop(0)(self)

    def step(self):
        data = self.session.pending()
        writers = [self.line] if data else []
        readable, writable, _ = select.select([self.line], writers, [], 0.05)
        if writable:
            del data[:self.line.send(data)]
        if readable:
            received = self.line.recv(65536)
            if not received:
                return False
            self.session.feed(received)
        self.act()
        if self.session.stdin_room() and not self.sent_end and \
                self.stdin is not None:
            part, self.stdin = self.stdin[:4096], self.stdin[4096:]
            self.session.stdin(part)
            self.sent_end = not part
        return True

    def go(self):
        end = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < end:
                if not self.step():
                    break
        except ConnectionError:
            pass
        self.line.close()
        try:
            self.agent.wait(5)
        except subprocess.TimeoutExpired:
            self.agent.kill()
        return self


def same_tree(one, other):
    return subprocess.run(['diff', '-r', one, other],
                          capture_output=True).returncode == 0


def test_streams():
    data = os.urandom(300000)
    rig = Rig(['cat'], stdin=data).go()
    ok(rig.streams[1] == data and rig.session.status == 0,
       'input comes back exact')
    rig = Rig(['sh', '-c', 'echo err >&2; echo "$X"; exit 7']).go()
    ok(rig.streams == {1: b'y z\n', 2: b'err\n'}, 'streams are apart')
    ok(rig.session.status == 7, 'status 7')
    rig = Rig(['printf', '%s'] + ['x' * 3000] * 4).go()
    ok(rig.streams[1] == b'x' * 12000, 'a long command')
    rig = Rig(['/nothing']).go()
    ok(rig.session.status == 127 and b'/nothing' in rig.streams[2],
       'a command that is not there')
    rig = Rig(['sh', '-c', 'kill -TERM $$']).go()
    ok(rig.session.status == 143, 'a command ended by a signal')
    rig = Rig(['sh', '-c', 'exec <&-; echo done; sleep 1'], stdin=data).go()
    ok(rig.streams[1] == b'done\n' and rig.session.status == 0,
       'a command that does not read its input')
    rig = Rig(['sh', '-c', 'sleep 1000 & echo done']).go()
    ok(rig.streams[1] == b'done\n' and rig.session.status == 0,
       'a command that leaves a process behind')
    rig = Rig(['sh', '-c', 'echo up; exec sleep 1000'], stdin=None,
              actions=[lambda rig: rig.session.signal(2)]).go()
    ok(rig.session.status == 130, 'SIGINT from the host')


def make_tree(source):
    os.makedirs(source + '/sub/empty')
    for name, size in (('a', 0), ('b', 1), ('sub/c', 100000)):
        with open(os.path.join(source, name), 'wb') as output:
            output.write(os.urandom(size))
    os.symlink('a', source + '/link')
    os.chmod(source + '/b', 0o741)
    os.utime(source + '/b', (10 ** 9, 10 ** 9))


def test_files():
    with tempfile.TemporaryDirectory() as folder:
        source, target = folder + '/source', folder + '/target'
        inside = folder + '/new/guest/tree'
        make_tree(source)
        rig = Rig(['ls', inside], [(source, inside)], [(inside, target)]).go()
        ok(rig.streams[1] == b'a\nb\nlink\nsub\n', 'a folder is there')
        ok(same_tree(source, target) and not rig.session.failures,
           'and comes back the same')
        about = os.stat(target + '/b')
        ok(about.st_mode & 0o7777 == 0o741 and about.st_mtime == 10 ** 9,
           'with modes and times')
        rig = Rig(['true'], [(source + '/b', inside + '/sub/c')],
                  [(inside + '/sub/c', target + '2')]).go()
        ok(same_tree(source + '/b', target + '2'), 'a file is replaced')
        rig = Rig(['true'], [(source + '/b', inside)],
                  [('/nothing', target)]).go()
        ok(len(rig.session.failures) == 2 and rig.session.status == 0,
           'failing copies are told')


def test_script():
    with tempfile.TemporaryDirectory() as folder:
        script, source = folder + '/script', folder + '/source'
        make_tree(source)
        words = (['sh', '-c', 'cat; exit 3'], ENVIRONMENT, '/')
        puts = [(source, folder + '/in')]
        gets = [(folder + '/in', folder + '/out')]
        with open(script, 'wb') as output:
            output.write(channel.script(*words, puts, gets, b'in' * 50000))
        rig = Rig(words[0], puts, gets, script=script).go()
        ok(rig.streams[1] == b'in' * 50000 and rig.session.status == 3,
           'a script: output and status')
        ok(same_tree(source, folder + '/out') and not rig.session.failures,
           'a script: files')


test_streams()
test_files()
test_script()
print('1..%d' % count)
sys.exit(failed != 0)
