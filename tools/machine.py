# SPDX-License-Identifier: MIT
"""One QEMU process and the streams that go in and out of it.

A Machine owns up to three byte streams, each a socket pair whose other end
QEMU inherits: the console (COM1), the channel (COM2) and the debug console
(port 0xe9: kernel messages, the panic text, the TAP of guest tests).  Its
`serve` moves bytes until the machine ends, or time is up, or the kernel
panicked, or the user of the class calls `stop`; the streams' meaning is
left to the handlers.
"""

import ctypes
import os
import selectors
import signal
import socket
import subprocess
import time

CPU = 'qemu64,+smep,+smap,+umip,+rdtscp,+fsgsbase'
PANIC_PREFIX = b'panic: '
PANIC_QUIET = 0.5     # seconds without a byte that end a panic's text
PANIC_LIMIT = 5.0
READ_MAX = 65536

ENDED, TIMEOUT, PANIC, STOPPED = 'ended', 'timeout', 'panic', 'stopped'


def die_with_parent():
    """No QEMU outlives its runner, however that one ends."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Stream:
    """One of QEMU's character devices.

    `received(data)` is called with what the guest wrote; `wanted()` returns
    a bytearray of what the guest shall get, from which `serve` removes what
    it could send.
    """

    def __init__(self, name, received, wanted=None):
        self.name = name
        self.received = received
        self.wanted = wanted or (lambda: b'')
        self.host, self.guest = socket.socketpair()
        self.host.setblocking(False)

    def option(self):
        return ['-chardev', 'socket,id=%s,fd=%d'
                % (self.name, self.guest.fileno())]

    def pull(self):
        """Read what there is; False at the end."""
        try:
            data = self.host.recv(READ_MAX)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        if data:
            self.received(data)
        return bool(data)

    def push(self):
        data = self.wanted()
        if data:
            try:
                del data[:self.host.send(data)]
            except BlockingIOError:
                pass
            except OSError:
                data.clear()    # the machine is gone


class PanicWatch:
    """Finds the kernel's panic line on the debug console."""

    def __init__(self, log=None):
        self.log = log
        self.line = b''
        self.text = None
        self.first = self.last = 0.0

    def feed(self, data):
        if self.log:
            self.log(data)
        if self.text is not None:
            self.text += data
            self.last = time.monotonic()
            return
        lines = (self.line + data).split(b'\n')
        for at, line in enumerate(lines):
            if line.startswith(PANIC_PREFIX):
                self.text = b'\n'.join(lines[at:])
                self.first = self.last = time.monotonic()
                return
        self.line = lines[-1][-4096:]

    def deadline(self):
        """When the text is taken to be complete, or None."""
        if self.text is None:
            return None
        return min(self.last + PANIC_QUIET, self.first + PANIC_LIMIT)


class Machine:
    def __init__(self, options, image):
        self.options = options
        self.image = image
        self.streams = []
        self.watchers = []     # (file descriptor, callback, wanted)
        self.panic = PanicWatch()
        self.process = None
        self.why = None
        self.over_at = None    # when to stop waiting for a power-off

    def add(self, stream):
        self.streams.append(stream)
        return stream

    def command(self):
        """QEMU's command line without the streams' devices."""
        options = self.options
        command = [os.environ.get('QEMU', 'qemu-system-x86_64'),
                   '-machine', 'pc', '-cpu', CPU, '-accel', 'tcg',
                   '-m', str(options.memory), '-smp', str(options.smp),
                   '-nodefaults', '-no-reboot',
                   '-cdrom', self.image, '-boot', 'd',
                   '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04']
        if options.gui:
            command += ['-vga', 'std']
        else:
            command += ['-display', 'none']
        if options.icount:
            command += ['-icount', 'shift=0,sleep=off', '-seed', '1', '-rtc',
                        'base=2024-01-01T00:00:00,clock=vm']
        if options.gdb:
            command += ['-gdb', 'tcp:localhost:1234', '-S']
        return command

    def start(self):
        command = self.command()
        for stream in self.streams:
            command += stream.option()
            if stream.name == 'debug':
                command += ['-device',
                            'isa-debugcon,iobase=0xe9,chardev=debug']
            else:
                command += ['-serial', 'chardev:' + stream.name]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL,
            pass_fds=[stream.guest.fileno() for stream in self.streams],
            preexec_fn=die_with_parent, start_new_session=True)
        for stream in self.streams:
            stream.guest.close()

    def stop(self, why=STOPPED):
        if self.why is None:
            self.why = why

    def watch(self, descriptor, callback, wanted):
        """Have `callback()` called when `descriptor` can be read, as long
        as `wanted()`; it returns False when it wants no more."""
        self.watchers.append((descriptor, callback, wanted))

    def serve(self, timeout=None):
        """Move bytes until the end; returns why it ended."""
        end = time.monotonic() + timeout if timeout else None
        selector = selectors.PollSelector()
        live = list(self.streams)
        try:
            while self.why is None and live:
                self._select(selector, live, end)
                deadline = self.panic.deadline()
                now = time.monotonic()
                if deadline is not None and now >= deadline:
                    self.stop(PANIC)
                elif end is not None and now >= end:
                    self.stop(TIMEOUT)
                elif self.over_at is not None and now >= self.over_at:
                    self.stop(STOPPED)
        finally:
            selector.close()
            self.close()
        if self.panic.text is not None:
            self.why = PANIC
        return self.why or ENDED

    def _select(self, selector, live, end):
        for key in list(selector.get_map().values()):
            selector.unregister(key.fd)
        for stream in live:
            events = selectors.EVENT_READ
            if stream.wanted():
                events |= selectors.EVENT_WRITE
            selector.register(stream.host, events, stream)
        for watcher in self.watchers:
            if watcher[2]():
                selector.register(watcher[0], selectors.EVENT_READ, watcher)
        moments = [moment for moment in (end, self.over_at,
                                         self.panic.deadline())
                   if moment is not None]
        wait = None
        if moments:
            wait = max(0.0, min(moments) - time.monotonic())
        for key, events in selector.select(wait):
            if isinstance(key.data, Stream):
                if events & selectors.EVENT_WRITE:
                    key.data.push()
                if events & selectors.EVENT_READ and not key.data.pull():
                    live.remove(key.data)
            elif not key.data[1]():
                self.watchers.remove(key.data)

    def close(self):
        """Give a machine that is powering off a moment, then end it."""
        grace = 0.0 if self.why in (TIMEOUT, PANIC, STOPPED) else 2.0
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for stream in self.streams:
            stream.host.close()
