# SPDX-License-Identifier: MIT
"""One QEMU process and the streams that go in and out of it.

A Machine owns up to three byte streams: the console (COM1), the channel
(COM2) and the debug console (port 0xe9: kernel messages, the panic text, the
TAP of guest tests).  Its `serve` moves bytes until the machine ends, or time
is up, or the kernel panicked, or the user of the class calls `stop`; the
streams' meaning is left to the handlers.

QEMU writes each byte of a serial line by itself.  So a stream is a pair of
FIFOs, which keep bytes and not packets; under -icount it is a file, which
never makes the guest wait: nothing that the host does may change what the
guest counts.
"""

import ctypes
import fcntl
import os
import selectors
import signal
import subprocess
import tempfile
import time

CPU = 'qemu64,+smep,+smap,+umip,+rdtscp,+fsgsbase'
PANIC_PREFIX = b'panic: '
PANIC_QUIET = 0.5     # seconds without a byte that end a panic's text
PANIC_LIMIT = 5.0
READ_MAX = 65536
FIFO_SIZE = 1 << 20
FILE_PERIOD = 0.02   # seconds between looks at a stream that is a file

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
        self.output = self.input = None   # descriptors: from and to QEMU
        self.keep = None                  # so that the FIFO has a writer
        self.backend = None

    def open_fifo(self, folder):
        path = os.path.join(folder, self.name)
        for end in ('.in', '.out'):
            os.mkfifo(path + end)
        self.output = os.open(path + '.out', os.O_RDONLY | os.O_NONBLOCK)
        self.keep = os.open(path + '.out', os.O_WRONLY | os.O_CLOEXEC)
        self.input = os.open(path + '.in', os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.fcntl(self.output, fcntl.F_SETPIPE_SZ, FIFO_SIZE)
        except (AttributeError, OSError):
            pass    # an older Python, or the user's limit: smaller will do
        self.backend = 'pipe,id=%s,path=%s' % (self.name, path)

    def open_file(self, folder):
        path = os.path.join(folder, self.name)
        self.output = os.open(path, os.O_RDONLY | os.O_CREAT, 0o600)
        self.backend = 'file,id=%s,path=%s' % (self.name, path)

    def pull(self):
        """Take what there is now; whether there was something."""
        try:
            data = os.read(self.output, READ_MAX)
        except BlockingIOError:
            return False
        if data:
            self.received(data)
        return bool(data)

    def push(self):
        data = self.wanted()
        if data and self.input is not None:
            try:
                del data[:os.write(self.input, data)]
            except BlockingIOError:
                pass

    def close(self):
        for descriptor in (self.output, self.input, self.keep):
            if descriptor is not None:
                os.close(descriptor)


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
        self.folder = tempfile.TemporaryDirectory(prefix='portolan.')
        self.streams = []
        self.watchers = []     # (file descriptor, callback, wanted)
        self.panic = PanicWatch()
        self.process = None
        self.why = None
        self.over_at = None    # when to stop waiting for a power-off
        self.at_end = None     # called before a machine that hangs is ended
        self.stub = os.path.join(self.folder.name, 'stub')   # for it

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
        if getattr(options, 'plugin', None):
            command += ['-plugin', options.plugin]
        if self.at_end:
            command += ['-gdb', 'unix:%s,server=on,wait=off' % self.stub]
        if options.gdb:
            command += ['-gdb', 'tcp:localhost:1234', '-S']
        return command

    def start(self):
        command = self.command()
        for stream in self.streams:
            if self.options.icount:
                stream.open_file(self.folder.name)
            else:
                stream.open_fifo(self.folder.name)
            command += ['-chardev', stream.backend]
            if stream.name == 'debug':
                command += ['-device',
                            'isa-debugcon,iobase=0xe9,chardev=debug']
            else:
                command += ['-serial', 'chardev:' + stream.name]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent,
            start_new_session=True)

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
        exited = os.pidfd_open(self.process.pid)
        selector.register(exited, selectors.EVENT_READ)
        # A signal's handler may leave something to send: end the wait.
        self.wake, notify = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        previous = signal.set_wakeup_fd(notify, warn_on_full_buffer=False)
        selector.register(self.wake, selectors.EVENT_READ)
        try:
            while self.why is None:
                if self._step(selector, exited, end):
                    self.why = ENDED
                self._look_at_clock(end)
            if self.why != ENDED and self.at_end:
                self.at_end()
        finally:
            signal.set_wakeup_fd(previous)
            selector.close()
            for descriptor in (exited, self.wake, notify):
                os.close(descriptor)
            self.close()
        if self.panic.text is not None:
            self.why = PANIC
        return self.why

    def _look_at_clock(self, end):
        now = time.monotonic()
        deadline = self.panic.deadline()
        if deadline is not None and now >= deadline:
            self.stop(PANIC)
        elif end is not None and now >= end:
            self.stop(TIMEOUT)
        elif self.over_at is not None and now >= self.over_at:
            self.stop(STOPPED)

    def _step(self, selector, exited, end):
        """One round; True when QEMU has ended and all is read."""
        self._register(selector)
        gone = False
        for key, events in selector.select(self._patience(end)):
            if key.fd == exited:
                gone = True
            elif key.fd == self.wake:
                os.read(self.wake, READ_MAX)
            elif key.data and key.data[0] == 'watcher':
                if not key.data[1][1]():
                    self.watchers.remove(key.data[1])
            elif events & selectors.EVENT_WRITE:
                key.data[1].push()
        for stream in self.streams:
            while stream.pull() and (gone or self.options.icount):
                continue
        return gone

    def _register(self, selector):
        """What to wait for in this round."""
        for key in list(selector.get_map().values()):
            if key.data:
                selector.unregister(key.fd)
        for stream in self.streams:
            if not self.options.icount:
                selector.register(stream.output, selectors.EVENT_READ,
                                  ('output', stream))
            if stream.input is not None and stream.wanted():
                selector.register(stream.input, selectors.EVENT_WRITE,
                                  ('input', stream))
        for watcher in self.watchers:
            if watcher[2]():
                selector.register(watcher[0], selectors.EVENT_READ,
                                  ('watcher', watcher))

    def _patience(self, end):
        """How long a round may last, in seconds; None: as long as it may."""
        now = time.monotonic()
        waits = [moment - now for moment in (end, self.over_at,
                                             self.panic.deadline())
                 if moment is not None]
        if self.options.icount:
            waits.append(FILE_PERIOD)
        return max(0.0, min(waits)) if waits else None

    def close(self):
        """Give a machine that is powering off a moment, then end it."""
        grace = 0.0 if self.why in (None, TIMEOUT, PANIC, STOPPED) else 2.0
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for stream in self.streams:
            stream.close()
        self.folder.cleanup()
