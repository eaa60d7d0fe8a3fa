# SPDX-License-Identifier: MIT
"""The host's end of the framed channel (docs/channel.md).

This module knows frames and what they mean for one session: which requests
to send, what to do with what comes back.  It does no input or output on the
line itself: `Session.feed` takes bytes that came from the guest,
`Session.pending` holds bytes to send.  So it can be driven by a serial line,
by a test, or write everything into a file beforehand (`script`).

Numbers are those of include/unix/channel.h.
"""

import os
import stat
import struct
import zlib

VERSION = 1
MAGIC = b'Pc'
PAYLOAD_MAX = 4096

HELLO, DATA = 0x01, 0x02
RUN, STDIN, SIGNAL, PUT, GET, SHUTDOWN = range(0x10, 0x16)
CREDIT, STDOUT, STDERR, EXIT, ENTRY, RESULT = range(0x20, 0x26)

MORE = 0x01

FILE, FOLDER, SYMLINK = 1, 2, 3

HEADER = struct.Struct('<2sBBII')
ENTRY_HEAD = struct.Struct('<IIQq')


class ChannelError(Exception):
    """The session cannot go on."""


def frame(kind, payload=b'', flags=0):
    middle = struct.pack('<BBI', kind, flags, len(payload))
    checksum = zlib.crc32(payload, zlib.crc32(middle))
    return MAGIC + middle + struct.pack('<I', checksum) + payload


class Decoder:
    """Cuts a byte stream into frames; skips noise before the first HELLO."""

    def __init__(self):
        self.buffer = bytearray()
        self.synced = False

    def feed(self, data):
        """Add bytes; yield each complete (kind, flags, payload)."""
        self.buffer += data
        while True:
            found = self._next()
            if found is None:
                return
            yield found

    def _next(self):
        while True:
            if not self.synced and not self._seek():
                return None
            if len(self.buffer) < HEADER.size:
                return None
            magic, kind, flags, length, checksum = HEADER.unpack_from(
                self.buffer)
            good = magic == MAGIC and length <= PAYLOAD_MAX
            if good and not self.synced:
                good = kind == HELLO
            end = HEADER.size + length
            if good and len(self.buffer) < end:
                return None
            if good:
                payload = bytes(self.buffer[HEADER.size:end])
                good = checksum == zlib.crc32(
                    payload, zlib.crc32(self.buffer[2:8]))
            if good:
                self.synced = True
                del self.buffer[:end]
                return kind, flags, payload
            if self.synced:
                raise ChannelError('a damaged frame on the channel')
            del self.buffer[:1]

    def _seek(self):
        at = self.buffer.find(MAGIC)
        if at < 0:
            del self.buffer[:-1]
            return False
        del self.buffer[:at]
        return True


def cstring(text):
    return os.fsencode(text) + b'\0'


def run_frames(argv, environment, cwd):
    payload = struct.pack('<II', len(argv), len(environment)) + cstring(cwd)
    payload += b''.join(cstring(word) for word in argv)
    payload += b''.join(cstring(name + '=' + value)
                        for name, value in environment.items())
    while len(payload) > PAYLOAD_MAX:
        yield frame(RUN, payload[:PAYLOAD_MAX], MORE)
        payload = payload[PAYLOAD_MAX:]
    yield frame(RUN, payload)


def file_frames(path):
    with open(path, 'rb') as source:
        while True:
            data = source.read(PAYLOAD_MAX)
            yield frame(DATA, data)
            if not data:
                return


def put_frames(host, guest):
    """The frames that copy a file or folder in, parents first."""
    about = os.lstat(host) if os.path.islink(host) else os.stat(host)
    mode = stat.S_IMODE(about.st_mode)
    if stat.S_ISDIR(about.st_mode):
        head = ENTRY_HEAD.pack(FOLDER, mode, 0, int(about.st_mtime))
        yield frame(PUT, head + cstring(guest))
        for name in sorted(os.listdir(host)):
            yield from put_frames(os.path.join(host, name),
                                  guest.rstrip('/') + '/' + name)
    elif stat.S_ISLNK(about.st_mode):
        head = ENTRY_HEAD.pack(SYMLINK, mode, 0, int(about.st_mtime))
        yield frame(PUT, head + cstring(guest) + cstring(os.readlink(host)))
    elif stat.S_ISREG(about.st_mode):
        head = ENTRY_HEAD.pack(FILE, mode, about.st_size,
                               int(about.st_mtime))
        yield frame(PUT, head + cstring(guest))
        yield from file_frames(host)
    else:
        raise ChannelError(host + ' is no file, folder or link')


def put_destination(host, guest):
    """A destination that ends in a slash is the folder to copy into."""
    if guest.endswith('/'):
        guest += os.path.basename(os.path.abspath(host))
    return guest


class Receiver:
    """Writes what a GET brings to the host's file system."""

    def __init__(self, guest, host):
        if host.endswith('/'):
            host += os.path.basename(guest.rstrip('/'))
        self.host = host
        self.output = None
        self.times = []

    def entry(self, payload):
        kind, mode, _, mtime = ENTRY_HEAD.unpack_from(payload)
        names = payload[ENTRY_HEAD.size:].split(b'\0')
        relative = os.fsdecode(names[0])
        if relative.startswith('/') or '..' in relative.split('/'):
            raise ChannelError('the guest sent the path ' + repr(relative))
        path = os.path.normpath(os.path.join(self.host, relative))
        if kind == FOLDER:
            os.makedirs(path, exist_ok=True)
            self.times.append((path, mode, mtime))
        elif kind == SYMLINK:
            if os.path.lexists(path):
                os.unlink(path)
            os.symlink(names[1], path)
        elif kind == FILE:
            if os.path.lexists(path):
                os.unlink(path)
            self.output = open(path, 'wb')
            self.times.append((path, mode, mtime))
        else:
            raise ChannelError('the guest sent an entry of kind %d' % kind)

    def data(self, payload):
        if self.output is None:
            raise ChannelError('the guest sent data of no file')
        if payload:
            self.output.write(payload)
        else:
            self.output.close()
            self.output = None

    def finish(self):
        """Folders last: writing into one changes its time."""
        for path, mode, mtime in reversed(self.times):
            os.chmod(path, mode)
            os.utime(path, (mtime, mtime))


class Session:
    """One `./run -- COMMAND`: puts, the command, gets, shutdown.

    `sink(fd, data)` takes the command's output.  Standard input is pushed
    in with `stdin`, as long as `stdin_room` says that there is room for it.
    """

    def __init__(self, argv, environment, cwd, puts, gets, sink):
        self.decoder = Decoder()
        self.sink = sink
        self.window = 0
        self.outstanding = 0
        self.status = None
        self.greeted = False
        self.shut_down = False
        self.failures = []
        self.puts = puts
        self.gets = list(gets)
        self.receiver = None
        self.waiting_puts = 0
        self.running = False
        self.ready = bytearray()      # may be sent now
        self.queue = self._start_frames(argv, environment, cwd)
        self.head = None              # the frame that waits for the window

    def _start_frames(self, argv, environment, cwd):
        for host, guest in self.puts:
            for data in put_frames(host, put_destination(host, guest)):
                if data[2] == PUT:
                    self.waiting_puts += 1
                yield data
        yield from run_frames(argv, environment, cwd)
        self.running = True

    # What goes out.

    def pending(self):
        """Bytes to send now; the caller drops what it sent."""
        while self.greeted:
            if self.head is None:
                self.head = next(self.queue, None)
            if self.head is None:
                break
            if self.outstanding + len(self.head) > self.window:
                break
            self.outstanding += len(self.head)
            self.ready += self.head
            self.head = None
        return self.ready

    def stdin_room(self):
        return (self.running and self.status is None and self.head is None and
                not self.ready and
                self.outstanding + HEADER.size + PAYLOAD_MAX <= self.window)

    def stdin(self, data):
        """Pass at most PAYLOAD_MAX bytes on; none mean the end."""
        self._send(frame(STDIN, data))

    def signal(self, number):
        if self.running and self.status is None:
            self._send(frame(SIGNAL, struct.pack('<I', number)))

    def _send(self, data):
        self.outstanding += len(data)
        self.ready += data

    # What comes in.

    def feed(self, data):
        for kind, _, payload in self.decoder.feed(data):
            self._frame(kind, payload)

    def _frame(self, kind, payload):
        if kind == HELLO:
            self._hello(payload)
        elif kind == STDOUT:
            self.sink(1, payload)
        elif kind == STDERR:
            self.sink(2, payload)
        elif kind == CREDIT:
            self.outstanding -= struct.unpack('<I', payload)[0]
        elif kind == EXIT:
            self.status = struct.unpack_from('<I', payload)[0] & 0xff
            self._next_get()
        elif kind == RESULT:
            self._result(payload)
        elif kind == ENTRY and self.receiver:
            self.receiver.entry(payload)
        elif kind == DATA and self.receiver:
            self.receiver.data(payload)
        else:
            raise ChannelError('an unexpected frame of type 0x%02x' % kind)

    def _hello(self, payload):
        version, window = struct.unpack_from('<II', payload)
        if version != VERSION:
            raise ChannelError('the guest speaks version %d of the channel'
                               % version)
        if self.greeted:
            raise ChannelError('the guest greets twice')
        self.window = window or 1 << 62
        self.greeted = True
        self.ready += frame(HELLO, struct.pack('<II', VERSION, 0))

    def _result(self, payload):
        failed = struct.unpack_from('<I', payload)[0]
        text = payload[4:].split(b'\0')[0].decode(errors='replace')
        if failed:
            self.failures.append(text)
        if self.waiting_puts:
            self.waiting_puts -= 1
        elif self.receiver:
            if not failed:
                self.receiver.finish()
            self.receiver = None
            self._next_get()
        else:
            raise ChannelError('an answer to nothing')

    def _next_get(self):
        if self.gets:
            guest, host = self.gets.pop(0)
            self.receiver = Receiver(guest, host)
            self._send(frame(GET, cstring(guest)))
        elif not self.shut_down:
            self.shut_down = True
            self._send(frame(SHUTDOWN))


class ScriptedSession(Session):
    """A session whose input was given to the guest as a file (`script`)."""

    def _hello(self, payload):
        super()._hello(payload)
        self.running = True
        self.waiting_puts = sum(
            1 for host, guest in self.puts
            for data in put_frames(host, guest) if data[2] == PUT)

    def pending(self):
        return b''

    def stdin_room(self):
        return False

    def signal(self, number):
        pass

    def _send(self, data):
        pass


def script(argv, environment, cwd, puts, gets, stdin):
    """All that the host will ever say, as one byte string."""
    parts = [frame(HELLO, struct.pack('<II', VERSION, 0))]
    for host, guest in puts:
        parts.extend(put_frames(host, put_destination(host, guest)))
    parts.extend(run_frames(argv, environment, cwd))
    for at in range(0, len(stdin), PAYLOAD_MAX):
        parts.append(frame(STDIN, stdin[at:at + PAYLOAD_MAX]))
    parts.append(frame(STDIN))
    for guest, _ in gets:
        parts.append(frame(GET, cstring(guest)))
    parts.append(frame(SHUTDOWN))
    return b''.join(parts)
