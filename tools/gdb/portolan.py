# SPDX-License-Identifier: MIT
"""Portolan for gdb: the kernel's objects, and whose code every thread is in.

Terminal 1:  ./run --gdb
Terminal 2:  gdb -x tools/gdb/portolan.py build/mach/portolan

Commands:
  tasks            all tasks, each with the program that it runs
  threads [TASK]   threads: state, what they wait for, where they are
  ports TASK       the names in a task's port space
  backtrace-thread THREAD    kernel and user frames of one thread
  backtrace-all    the same for all threads

TASK is a task's number, THREAD the address that `threads` prints.  A program
is recognised by the code at its entry point, its symbols come from the files
in the build folder.  User memory is read through the page tables and the
kernel's direct map, so it does not matter which task runs.
"""

import bisect
import os
import struct
import subprocess

import gdb

DIRECT_MAP = 0xffff800000000000
PAGE = 4096
FRAME_MASK = 0x000ffffffffff000
DEPTH_MAX = 40
STATES = ('new', 'running', 'ready', 'waiting', 'halted')
RIGHTS = ((1, 'send'), (2, 'receive'), (4, 'send-once'), (8, 'set'),
          (16, 'dead'))


def value(text):
    return gdb.parse_and_eval(text)


def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def word(address):
    return struct.unpack('<Q', read(address, 8))[0]


def pointer(number, name):
    kind = gdb.lookup_type('struct ' + name).pointer()
    return gdb.Value(int(number)).cast(kind)


def members(head, name, link):
    """The structures on one of the kernel's lists."""
    kind = gdb.lookup_type('struct ' + name)
    offset = next(field.bitpos // 8 for field in kind.fields()
                  if field.name == link)
    at = head['next']
    while at != head.address:
        yield pointer(int(at) - offset, name)
        at = at['next']


def kernel_symbol(address):
    text = gdb.execute('info symbol 0x%x' % address, to_string=True)
    if text.startswith('No symbol'):
        return '?'
    return text.split(' in section')[0].replace(' + ', '+')


class UserMemory:
    """A task's memory, by its page tables."""

    def __init__(self, task):
        self.root = int(task['map']['pmap']['root']) if task['map'] else 0

    def frame(self, address):
        """The direct-map address of a user address, or None."""
        table = self.root & FRAME_MASK
        for shift in (39, 30, 21, 12):
            index = address >> shift & 511
            entry = word(DIRECT_MAP + table + 8 * index)
            if not entry & 1:
                return None
            size = 1 << shift
            if shift == 12 or (shift < 39 and entry & 0x80):
                base = entry & FRAME_MASK & ~(size - 1)
                return DIRECT_MAP + base + (address & (size - 1))
            table = entry & FRAME_MASK
        return None

    def read(self, address, size):
        data = b''
        while len(data) < size:
            at = address + len(data)
            count = min(size - len(data), PAGE - at % PAGE)
            frame = self.frame(at) if at < 1 << 47 else None
            if frame is None:
                return None
            data += read(frame, count)
        return data


class Program:
    """One executable of the build folder, and its symbols."""

    HEAD = 64

    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path)
        self.symbols = None
        with open(path, 'rb') as source:
            data = source.read()
        self.entry, at = struct.unpack_from('<QQ', data, 24)
        count = struct.unpack_from('<H', data, 56)[0]
        self.code = b''
        for index in range(count):
            kind, _, offset, address, _, size = struct.unpack_from(
                '<IIQQQQ', data, at + 56 * index)
            if kind == 1 and address <= self.entry < address + size:
                start = offset + self.entry - address
                self.code = data[start:start + self.HEAD]

    def runs_in(self, memory):
        return self.code and \
            memory.read(self.entry, len(self.code)) == self.code

    def symbol(self, address):
        if self.symbols is None:
            listing = subprocess.run(
                ['nm', '-n', '--defined-only', self.path],
                stdout=subprocess.PIPE).stdout.decode()
            self.symbols = [
                (int(line.split()[0], 16), line.split()[2])
                for line in listing.splitlines()
                if len(line.split()) == 3 and line.split()[1] in 'tTwW']
        at = bisect.bisect(self.symbols, (address, '\x7f')) - 1
        if at < 0:
            return '?'
        start, name = self.symbols[at]
        return '%s+%d' % (name, address - start)


def find_programs():
    """All target executables beside the kernel."""
    kernel = gdb.current_progspace().filename
    build = os.path.dirname(os.path.dirname(os.path.realpath(kernel)))
    found = []
    for part in ('servers', 'drivers', 'programs', 'ports', 'tests/guest'):
        for folder, _, names in os.walk(os.path.join(build, part)):
            for name in names:
                path = os.path.join(folder, name)
                if name.endswith('.o') or not os.access(path, os.X_OK):
                    continue
                with open(path, 'rb') as source:
                    if source.read(18)[:4] != b'\x7fELF':
                        continue
                found.append(Program(path))
    return found


class System:
    """What the commands share."""

    programs = None

    @classmethod
    def program(cls, task):
        if cls.programs is None:
            cls.programs = find_programs()
        memory = UserMemory(task)
        for program in cls.programs:
            if memory.root and program.runs_in(memory):
                return program
        return None

    @staticmethod
    def tasks():
        return members(value('task_list'), 'task', 'link')

    @classmethod
    def task(cls, text):
        for task in cls.tasks():
            if int(task['number']) == int(text):
                return task
        raise gdb.GdbError('no task ' + text)

    @staticmethod
    def threads(task):
        return members(task['threads'], 'thread', 'task_link')


def wait_text(thread):
    """What a waiting thread waits for."""
    receive = thread['msg']
    if int(thread['state']) != STATES.index('waiting'):
        return ''
    if receive['port']:
        return 'message at port 0x%x' % int(receive['port'])
    if receive['pset']:
        return 'message at set 0x%x' % int(receive['pset'])
    event = int(thread['wait_event'])
    return 'event 0x%x %s' % (event, kernel_symbol(event)) if event else ''


def place_text(thread, program):
    """Where a thread is: its kernel continuation and its user code."""
    parts = []
    if int(thread['continuation']):
        parts.append(kernel_symbol(int(thread['continuation'])))
    rip = int(thread['frame']['rip'])
    if 0 < rip < 1 << 47:
        parts.append(program.symbol(rip) if program else '0x%x' % rip)
    return ' < '.join(parts)


def show_threads(task):
    program = System.program(task)
    for thread in System.threads(task):
        state = int(thread['state'])
        print('  0x%x  %-8s priority %2d  suspended %d  %s%s' % (
            int(thread), STATES[state], int(thread['sched_priority']),
            int(thread['suspend_count']), place_text(thread, program),
            '  [%s]' % wait_text(thread) if wait_text(thread) else ''))


def show_task(task):
    program = System.program(task)
    print('task %d (0x%x) %s: %d threads, priority %d%s' % (
        int(task['number']), int(task),
        program.name if program else
        'the kernel' if task == value('kernel_task') else '?',
        int(task['thread_count']), int(task['priority']),
        '' if task['active'] else ', ending'))


def user_frames(thread, task):
    """Return addresses by the chain of frame pointers."""
    memory = UserMemory(task)
    yield int(thread['frame']['rip'])
    base = int(thread['frame']['rbp'])
    for _ in range(DEPTH_MAX):
        data = memory.read(base, 16) if base and base % 8 == 0 else None
        if data is None:
            return
        following, rip = struct.unpack('<QQ', data)
        if not 0 < rip < 1 << 47:
            return
        yield rip
        if following <= base:
            return
        base = following


def kernel_frames(thread):
    """A waiting thread's kernel frames: its own stack, if it keeps one."""
    if not int(thread['stack_top']) or not int(thread['saved_rsp']):
        return
    # context_switch_stacks pushed rbx rbp r12 r13 r14 r15.
    at = int(thread['saved_rsp'])
    base, rip = word(at + 32), word(at + 48)
    top = int(thread['stack_top'])
    for _ in range(DEPTH_MAX):
        yield rip
        if not at < base < top:
            return
        at = base
        base, rip = word(at), word(at + 8)


def show_backtrace(thread):
    task = thread['task'].dereference().address
    program = System.program(task)
    print('thread 0x%x of task %d %s, %s %s' % (
        int(thread), int(task['number']), program.name if program else '',
        STATES[int(thread['state'])], wait_text(thread)))
    if int(thread['state']) == STATES.index('running'):
        gdb.execute('backtrace')
    for rip in kernel_frames(thread):
        print('  kernel 0x%x %s' % (rip, kernel_symbol(rip)))
    if int(thread['continuation']):
        print('  kernel, goes on in %s'
              % kernel_symbol(int(thread['continuation'])))
    for rip in user_frames(thread, task):
        if rip:
            print('  user   0x%x %s' % (
                rip, program.symbol(rip) if program else '?'))


class Tasks(gdb.Command):
    """All tasks, each with the program that it runs."""

    def __init__(self):
        super().__init__('tasks', gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        for task in System.tasks():
            show_task(task)


class Threads(gdb.Command):
    """threads [TASK]: state, what they wait for, where they are."""

    def __init__(self):
        super().__init__('threads', gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        tasks = [System.task(argument)] if argument else System.tasks()
        for task in tasks:
            show_task(task)
            show_threads(task)


class Ports(gdb.Command):
    """ports TASK: the names in its port space."""

    def __init__(self):
        super().__init__('ports', gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        space = System.task(argument)['space']
        chunk = gdb.lookup_type('struct ipc_chunk')
        per_chunk = chunk.sizeof // gdb.lookup_type('struct ipc_entry').sizeof
        for index in range(int(space['size'])):
            entry = space['chunks'][index // per_chunk]['entries'][
                index % per_chunk]
            kind = int(entry['type'])
            if kind:
                self.show(index, entry, kind)

    def show(self, index, entry, kind):
        rights = [name for bit, name in RIGHTS if kind & bit]
        text = '  0x%-8x %-14s refs %-3d' % (
            index << 8 | int(entry['generation']), ' '.join(rights),
            int(entry['urefs']))
        if kind & 7:
            text += self.port_text(pointer(int(entry['object']), 'ipc_port'))
        print(text)

    @staticmethod
    def port_text(port):
        kobject = int(port['kobject_type'])
        text = ' port 0x%x' % int(port)
        if kobject:
            name = gdb.Value(kobject).cast(
                gdb.lookup_type('enum ipc_kobject_type'))
            text += ' %s 0x%x' % (name, int(port['kobject']))
        elif not port['active']:
            text += ' dead'
        else:
            receiver = port['receiver']
            if receiver and receiver['task']:
                text += ' received by task %d' % int(
                    receiver['task']['number'])
            text += ', %d messages, %d send rights' % (
                int(port['msgcount']), int(port['srights']))
        return text


class BacktraceThread(gdb.Command):
    """backtrace-thread THREAD: its kernel and user frames."""

    def __init__(self):
        super().__init__('backtrace-thread', gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        show_backtrace(pointer(int(value(argument)), 'thread'))


class BacktraceAll(gdb.Command):
    """The kernel and user frames of all threads."""

    def __init__(self):
        super().__init__('backtrace-all', gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for task in System.tasks():
            for thread in System.threads(task):
                show_backtrace(thread)


for command in (Tasks, Threads, Ports, BacktraceThread, BacktraceAll):
    command()

gdb.execute('set pagination off')
gdb.execute('set confirm off')
try:
    gdb.execute('target remote localhost:1234')
except gdb.error as error:
    print('portolan: %s (start ./run --gdb first)' % error)
