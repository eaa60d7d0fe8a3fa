#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./run after its set-up: boots the image and connects it to the user.

Without a command the terminal is the machine's console.  With one, the
command runs in the guest and this program behaves as if it were the
command: same output, same exit status.  Its own failures say so on standard
error: 124 time-out, 125 panic or a machine that ended by itself, 123 files
that could not be copied or a channel that broke.
"""

import argparse
import os
import select
import signal
import sys
import tempfile
import termios
import time
import tty

import channel
import cpio
import iso
import machine

EXIT_FILES, EXIT_TIMEOUT, EXIT_PANIC = 123, 124, 125
ESCAPE = 0x1d           # ^]
SHUTDOWN_GRACE = 3.0    # seconds for the power-off after a command
CONSOLE_TAIL = 4096
PUT_BY_BOOT = 65536     # more bytes of --put than this come by the archive


def complain(text):
    sys.stderr.write('run: ' + text + '\n')
    sys.stderr.flush()


def write_all(descriptor, data):
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view):]
        except BlockingIOError:
            select.select([], [descriptor], [])


def parse(argv):
    parser = argparse.ArgumentParser(
        prog='run', usage='run [options] [-- COMMAND ARG...]',
        description='Boot Portolan; without a command: a shell on the '
        'terminal (^] ends the machine).')
    parser.add_argument('--put', action='append', default=[],
                        metavar='HOST:GUEST', help='copy a file or folder in')
    parser.add_argument('--get', action='append', default=[],
                        metavar='GUEST:HOST',
                        help='copy a file or folder out after the command')
    parser.add_argument('--env', action='append', default=[],
                        metavar='NAME=VALUE',
                        help='add to the command\'s environment')
    parser.add_argument('--cwd', default='/', metavar='FOLDER',
                        help='the command\'s working directory (/)')
    parser.add_argument('--memory', type=int, default=512, metavar='MB')
    parser.add_argument('--smp', type=int, default=1, metavar='N')
    parser.add_argument('--icount', action='store_true',
                        help='count instructions: 1 ns each, repeatable')
    parser.add_argument('--gui', action='store_true',
                        help='show the machine\'s screen')
    parser.add_argument('--gdb', action='store_true',
                        help='wait for gdb on localhost:1234')
    parser.add_argument('--timeout', type=float, metavar='S')
    parser.add_argument('--log', metavar='FILE',
                        help='write kernel messages and console there')
    parser.add_argument('--build', default='build', help=argparse.SUPPRESS)
    parser.add_argument('--image', help=argparse.SUPPRESS)
    parser.add_argument('--plugin', help=argparse.SUPPRESS)
    parser.add_argument('command', nargs='*', metavar='COMMAND')
    options = parser.parse_args(argv)
    for name in ('put', 'get'):
        pairs = [text.rsplit(':', 1) if name == 'put' else text.split(':', 1)
                 for text in getattr(options, name)]
        if any(len(pair) != 2 or not all(pair) for pair in pairs):
            parser.error('--%s wants two names with a colon' % name)
        setattr(options, name, pairs)
    if any('=' not in text for text in options.env):
        parser.error('--env wants NAME=VALUE')
    if (options.put or options.get) and not options.command:
        parser.error('--put and --get need a command')
    for host, _ in options.put:
        if not os.path.lexists(host):
            parser.error('%s: no such file' % host)
    if options.image is None:
        options.image = os.path.join(options.build, 'portolan.iso')
    return options


class Log:
    """--log FILE; also keeps the console's tail for complaints."""

    def __init__(self, path):
        self.file = open(path, 'wb') if path else None
        self.tail = b''

    def write(self, data):
        if self.file:
            self.file.write(data)
            self.file.flush()

    def console(self, data):
        self.write(data)
        self.tail = (self.tail + data)[-CONSOLE_TAIL:]

    def show_tail(self):
        if self.tail.strip():
            complain('the console said last:')
            sys.stderr.buffer.write(self.tail.replace(b'\r', b''))
            sys.stderr.buffer.write(b'\n')
            sys.stderr.flush()


def machine_failure(guest, why, options):
    """The exit status for an end that is the machine's fault, or None."""
    if why == machine.TIMEOUT:
        complain('timed out after %g s' % options.timeout)
        return EXIT_TIMEOUT
    if why == machine.PANIC:
        sys.stderr.buffer.write(guest.panic.text.rstrip(b'\n') + b'\n')
        complain('the kernel panicked')
        return EXIT_PANIC
    return None


# The console.

class Terminal:
    """The user's side of the console; raw while the machine runs."""

    def __init__(self, guest):
        self.guest = guest
        self.to_guest = bytearray()
        self.saved = None
        self.is_tty = os.isatty(0)

    def __enter__(self):
        if self.is_tty:
            self.saved = termios.tcgetattr(0)
            tty.setraw(0)
            # What the guest prints comes as it is to be shown.
        return self

    def __exit__(self, *_):
        if self.saved:
            termios.tcsetattr(0, termios.TCSADRAIN, self.saved)

    def show(self, data):
        write_all(1, data)

    def has_room(self):
        return len(self.to_guest) < 4096

    def typed(self):
        """A pipe's end is the ^D that a user would type."""
        data = os.read(0, 4096)
        if not data:
            self.to_guest += b'\x04'
            return False
        if self.is_tty and ESCAPE in data:
            self.guest.stop()
            return False
        self.to_guest += data
        return True


def interactive(options):
    guest = machine.Machine(options, options.image)
    log = Log(options.log)
    guest.panic.log = log.write
    with Terminal(guest) as terminal:
        guest.add(machine.Stream('console', terminal.show,
                                 lambda: terminal.to_guest))
        guest.add(machine.Stream('debug', guest.panic.feed))
        guest.watch(0, terminal.typed, terminal.has_room)
        signal.signal(signal.SIGTERM, lambda *_: guest.stop())
        signal.signal(signal.SIGHUP, lambda *_: guest.stop())
        guest.start()
        why = guest.serve(options.timeout)
    status = machine_failure(guest, why, options)
    if status is not None:
        return status
    if why == machine.STOPPED:
        complain('ended the machine')
        return 130
    return 0 if guest.process.returncode == 0 else EXIT_PANIC


# A command.

class Command:
    """Connects our own standard streams and signals with a session."""

    def __init__(self, guest, session):
        self.guest = guest
        self.session = session
        self.broken = None
        self.interrupts = 0

    def received(self, data):
        try:
            self.session.feed(data)
        except (channel.ChannelError, OSError) as error:
            self.broken = str(error)
            self.guest.stop()
        if self.session.shut_down and self.guest.over_at is None:
            self.guest.over_at = time.monotonic() + SHUTDOWN_GRACE

    def read_stdin(self):
        try:
            data = os.read(0, channel.PAYLOAD_MAX)
        except OSError:
            data = b''
        self.session.stdin(data)
        return bool(data)

    def interrupt(self, number, _):
        """The first one is the command's, the second one ours."""
        self.interrupts += 1
        if self.interrupts > 1 or self.session.status is not None:
            self.guest.stop()
        else:
            self.session.signal(number)


def environment(options):
    values = {'PATH': '/bin:/usr/bin', 'HOME': '/', 'TERM': 'dumb'}
    values.update(text.split('=', 1) for text in options.env)
    return values


def put_size(path):
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(put_size(os.path.join(path, name))
               for name in os.listdir(path)
               if os.path.exists(os.path.join(path, name)))


def image_with(options, folder, change):
    """A boot image like the usual one but for its archive, on which
    `change` is called."""
    with open(os.path.join(options.build, 'boot', 'list')) as listing:
        kernel, *modules = listing.read().split()
    modules = [module.split('=', 1) for module in modules]
    archive = cpio.Archive()
    for module in modules:
        if module[0] == 'root.cpio':
            with open(module[1], 'rb') as source:
                archive.load(source.read())
            module[1] = os.path.join(folder, 'root.cpio')
    change(archive)
    with open(os.path.join(folder, 'root.cpio'), 'wb') as output:
        output.write(archive.dump())
    image = os.path.join(folder, 'portolan.iso')
    iso.make(image, kernel, modules)
    return image


def put_in_archive(options, archive):
    """The serial line carries some 100 KB a second: much comes by boot."""
    for host, guest in options.put:
        guest = channel.put_destination(host, guest)
        archive.put(os.path.normpath(guest).strip('/'), host)
    options.put = []


def add_script(options, archive):
    """All input as a file (docs/channel.md)."""
    words = (options.command, environment(options), options.cwd)
    stdin = b'' if sys.stdin is None else sys.stdin.buffer.read()
    script = channel.script(*words, options.put, options.get, stdin)
    archive.file('run/channel', 0o600, script)


def command(options):
    def change(archive):
        if big:
            put_in_archive(options, archive)
        if options.icount:
            add_script(options, archive)

    big = sum(put_size(host) for host, _ in options.put) > PUT_BY_BOOT
    kind = channel.ScriptedSession if options.icount else channel.Session
    if not big and not options.icount:
        return command_in(options, options.image, kind)
    with tempfile.TemporaryDirectory(prefix='portolan.') as folder:
        return command_in(options, image_with(options, folder, change), kind)


def command_in(options, image, kind):
    guest = machine.Machine(options, image)
    log = Log(options.log)
    guest.panic.log = log.write
    session = kind(options.command, environment(options), options.cwd,
                   options.put, options.get, write_all)
    mine = Command(guest, session)
    guest.add(machine.Stream('console', log.console))
    guest.add(machine.Stream('channel', mine.received, session.pending))
    guest.add(machine.Stream('debug', guest.panic.feed))
    if not options.icount:
        guest.watch(0, mine.read_stdin, session.stdin_room)
    signal.signal(signal.SIGINT, mine.interrupt)
    signal.signal(signal.SIGTERM, lambda *_: guest.stop())
    signal.signal(signal.SIGHUP, lambda *_: guest.stop())
    guest.start()
    try:
        why = guest.serve(options.timeout)
    except BrokenPipeError:
        # Nobody reads our output: end as any filter would.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    return command_status(guest, why, mine, log, options)


def command_status(guest, why, mine, log, options):
    status = machine_failure(guest, why, options)
    if status is not None:
        if why == machine.TIMEOUT:
            log.show_tail()
        return status
    session = mine.session
    if mine.broken:
        complain(mine.broken)
        return EXIT_FILES
    if session.status is None:
        if why == machine.STOPPED:
            return 128 + signal.SIGINT
        complain('the machine ended before the command')
        log.show_tail()
        return EXIT_PANIC
    for text in session.failures:
        complain(text)
    if session.failures or session.gets or session.receiver:
        return EXIT_FILES
    return session.status


def main():
    options = parse(sys.argv[1:])
    if options.gdb:
        complain('waiting for gdb: gdb -x tools/gdb/portolan.py %s/mach/'
                 'portolan' % options.build)
    if options.command:
        return command(options)
    return interactive(options)


if __name__ == '__main__':
    sys.exit(main())
