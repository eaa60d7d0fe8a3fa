#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The host's end of the channel against an agent that runs right here."""

import os
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ.get('top_srcdir', '.'), 'tools'))

import channel  # noqa: E402

WINDOW = 10000


class Agent:
    """What docs/channel.md asks of the guest, with this machine's files."""

    def __init__(self, root):
        self.root = root
        self.decoder = channel.Decoder()
        self.output = bytearray()
        self.used = self.most_used = 0
        self.run_payload = b''
        self.stdin = None
        self.put = None
        self.finished = False
        self.send(channel.HELLO, struct.pack('<II', 1, WINDOW))

    def send(self, kind, payload=b''):
        self.output += channel.frame(kind, payload)

    def result(self, error=''):
        self.send(channel.RESULT, struct.pack('<I', bool(error)) +
                  error.encode() + b'\0')

    def path(self, name):
        return os.path.join(self.root, os.fsdecode(name).lstrip('/'))

    def feed(self, data):
        for kind, flags, payload in self.decoder.feed(data):
            if kind == channel.HELLO:
                continue
            self.frame(kind, flags, payload)
            size = channel.HEADER.size + len(payload)
            self.send(channel.CREDIT, struct.pack('<I', size))

    def frame(self, kind, flags, payload):
        if kind == channel.PUT:
            self.entry(payload)
        elif kind == channel.DATA:
            if payload:
                self.put.write(payload)
            else:
                self.put.close()
                self.result()
        elif kind == channel.RUN:
            self.run_payload += payload
            if not flags & channel.MORE:
                self.stdin = b''
        elif kind == channel.STDIN and self.stdin is not None:
            self.stdin += payload
            if not payload:
                self.command()
        elif kind == channel.GET:
            self.get(payload.rstrip(b'\0'))
        elif kind == channel.SHUTDOWN:
            self.finished = True

    def entry(self, payload):
        kind, mode, _, _ = channel.ENTRY_HEAD.unpack_from(payload)
        names = payload[channel.ENTRY_HEAD.size:].split(b'\0')
        path = self.path(names[0])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if kind == channel.FILE:
            self.put = open(path, 'wb')
            os.chmod(path, mode)
            return
        if kind == channel.FOLDER:
            os.makedirs(path, exist_ok=True)
        else:
            os.symlink(names[1], path)
        self.result()

    def command(self):
        argc, envc = struct.unpack_from('<II', self.run_payload)
        words = self.run_payload[8:].split(b'\0')
        argv = words[1:1 + argc]
        environment = dict(word.split(b'=', 1)
                           for word in words[1 + argc:1 + argc + envc])
        done = subprocess.run(argv, input=self.stdin, env=environment,
                              cwd=words[0], capture_output=True)
        for kind, data in ((channel.STDOUT, done.stdout),
                           (channel.STDERR, done.stderr)):
            for at in range(0, len(data), 1000):
                self.send(kind, data[at:at + 1000])
        self.stdin = None
        self.send(channel.EXIT, struct.pack('<II', done.returncode & 0xff, 0))

    def get(self, name):
        path = self.path(name)
        if not os.path.exists(path):
            self.result('no such file')
            return
        for data in channel.put_frames(path, '.'):
            kind = channel.ENTRY if data[2] == channel.PUT else data[2]
            payload = data[channel.HEADER.size:]
            if kind == channel.ENTRY and b'/' in payload:
                payload = payload.replace(b'./', b'', 1)
            self.send(kind, payload)
        self.result()


class Rig:
    """A session and an agent with a line that carries a few bytes a turn."""

    def __init__(self, argv, puts=(), gets=(), stdin=b'', noise=b'', turn=777):
        self.folder = tempfile.TemporaryDirectory()
        self.streams = {1: b'', 2: b''}
        self.agent = Agent(os.path.join(self.folder.name, 'guest'))
        self.agent.output[:0] = noise
        self.session = channel.Session(
            argv, {'PATH': os.environ['PATH'], 'X': 'y z'}, '/', puts, gets,
            self.sink)
        self.stdin = stdin
        self.sent_end = False
        self.most = 0
        self.turn = turn

    def sink(self, descriptor, data):
        self.streams[descriptor] += data

    def go(self):
        for _ in range(100000):
            if self.agent.finished:
                return self
            self.session.feed(bytes(self.agent.output[:self.turn]))
            del self.agent.output[:self.turn]
            self.most = max(self.most, self.session.outstanding)
            data = self.session.pending()
            self.agent.feed(bytes(data[:self.turn]))
            del data[:self.turn]
            if self.session.stdin_room() and not self.sent_end:
                part, self.stdin = self.stdin[:4096], self.stdin[4096:]
                self.session.stdin(part)
                self.sent_end = not part
        raise RuntimeError('the session does not end')


count = 0


def ok(good, name):
    global count
    count += 1
    print('%s %d - %s' % ('ok' if good else 'not ok', count, name))


def same_tree(one, other):
    return subprocess.run(['diff', '-r', one, other],
                          capture_output=True).returncode == 0


def test_streams():
    data = bytes(range(256)) * 400
    rig = Rig(['cat'], stdin=data).go()
    ok(rig.streams[1] == data, 'input comes back exact')
    ok(rig.most <= WINDOW, 'the host keeps to the window')
    ok(rig.session.status == 0, 'status 0')
    rig = Rig(['sh', '-c', 'echo err >&2; echo "$X"; exit 7']).go()
    ok(rig.streams == {1: b'y z\n', 2: b'err\n'}, 'streams are apart')
    ok(rig.session.status == 7, 'status 7')
    rig = Rig(['printf', '%s'] + ['x' * 3000] * 4, noise=b'PcP\0Pc' * 9).go()
    ok(rig.streams[1] == b'x' * 12000, 'a long command, after noise')


def test_files():
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, 'source')
        os.makedirs(source + '/sub/empty')
        for name, size in (('a', 0), ('b', 1), ('sub/c', 100000)):
            with open(os.path.join(source, name), 'wb') as output:
                output.write(os.urandom(size))
        os.symlink('a', source + '/link')
        target = os.path.join(folder, 'target')
        rig = Rig(['true'], [(source, '/tmp/s'), (source + '/b', '/tmp/')],
                  [('/tmp/s', target), ('/tmp/b', target + '2')]).go()
        ok(same_tree(source, target), 'a folder there and back')
        ok(same_tree(source + '/b', target + '2'), 'a file there and back')
        ok(not rig.session.failures, 'no failures')
        rig = Rig(['true'], [], [('/nothing', target)]).go()
        ok(rig.session.failures == ['no such file'], 'a failing get')


def test_damage():
    decoder = channel.Decoder()
    list(decoder.feed(channel.frame(channel.HELLO, b'\1\0\0\0\0\0\0\0')))
    bad = bytearray(channel.frame(channel.STDOUT, b'hello'))
    bad[-1] ^= 1
    try:
        list(decoder.feed(bad))
        ok(False, 'a damaged frame is refused')
    except channel.ChannelError:
        ok(True, 'a damaged frame is refused')
    receiver = channel.Receiver('/x', '/tmp/y')
    try:
        receiver.entry(channel.ENTRY_HEAD.pack(1, 0o644, 0, 0) + b'../z\0')
        ok(False, 'a path that leaves the folder is refused')
    except channel.ChannelError:
        ok(True, 'a path that leaves the folder is refused')


def test_script():
    with tempfile.TemporaryDirectory() as folder:
        agent = Agent(os.path.join(folder, 'guest'))
        streams = {1: b'', 2: b''}

        def sink(descriptor, data):
            streams[descriptor] += data

        words = (['cat'], {'PATH': os.environ['PATH']}, '/')
        back = os.path.join(folder, 'back')
        puts, gets = [(__file__, '/tmp/f')], [('/tmp/f', back)]
        agent.feed(channel.script(*words, puts, gets, b'in' * 5000))
        session = channel.ScriptedSession(*words, puts, gets, sink)
        session.feed(bytes(agent.output))
        ok(streams[1] == b'in' * 5000, 'a scripted session: output')
        ok(session.status == 0 and agent.finished and not session.pending(),
           'a scripted session: its end')
        ok(same_tree(__file__, back), 'a scripted session: files')


test_streams()
test_files()
test_damage()
test_script()
print('1..%d' % count)
