#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The archive writer, and the runner on kernels that hang, panic or end.

The kernels are a few bytes of machine code: what is tested is the runner.
"""

import os
import shutil
import struct
import subprocess
import sys
import tempfile

TOP = os.environ.get('top_srcdir', '.')
TOOLS = os.path.join(TOP, 'tools')
sys.path.insert(0, TOOLS)

import cpio  # noqa: E402
import iso  # noqa: E402

LOAD = 0x100000
count = failed = 0


def ok(good, name):
    global count, failed
    count += 1
    failed += not good
    print('%s %d - %s' % ('ok' if good else 'not ok', count, name), flush=True)


def test_archive():
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, 'file')
        with open(source, 'wb') as output:
            output.write(b'content')
        archive = cpio.Archive()
        for spec in ('/tmp/:1777', '/a/b/file=' + source,
                     '/a/run=' + source + ':755', '/link->a/b'):
            archive.spec(spec)
        data = archive.dump()
        other = cpio.Archive()
        other.load(data)
        ok(other.dump() == data, 'an archive read and written again')
        ok(sorted(other.members) == ['a', 'a/b', 'a/b/file', 'a/run', 'link',
                                     'tmp'], 'parents are made')
        ok(other.members['a/run'] [:2] == (0o100755, b'content'), 'a mode')
        if not shutil.which('cpio'):
            ok(True, 'cpio reads it # SKIP no cpio')
            return
        done = subprocess.run(['cpio', '-idm', '--quiet'], input=data,
                              cwd=folder)
        with open(os.path.join(folder, 'a/b/file'), 'rb') as copy:
            ok(done.returncode == 0 and copy.read() == b'content',
               'cpio reads it')


def out_bytes(port, data):
    """mov $port, %dx; then mov $byte, %al; out %al, %dx for each."""
    code = b'\x66\xba' + struct.pack('<H', port)
    return code + b''.join(b'\xb0' + bytes([byte]) + b'\xee' for byte in data)


def kernel(code):
    """A 32-bit ELF file with a Multiboot2 header."""
    header = struct.pack('<IIII', 0xe85250d6, 0, 24, -(0xe85250d6 + 24)
                         & 0xffffffff) + struct.pack('<HHI', 0, 0, 8)
    body = header + code
    start = 88      # Multiboot wants a multiple of 8
    elf = b'\x7fELF\x01\x01\x01' + bytes(9) + struct.pack(
        '<HHIIIIIHHHHHH', 2, 3, 1, LOAD + len(header), 52, 0, 0, 52, 32, 1,
        0, 0, 0)
    elf += struct.pack('<IIIIIIII', 1, start, LOAD, LOAD, len(body),
                       len(body), 7, 1)
    return elf.ljust(start, b'\0') + body


HALT = b'\xfa\xf4\xeb\xfc'
POWER_OFF = b'\x66\xba\x04\x06\x66\xb8\x00\x20\x66\xef' + HALT


def run(code, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'kernel')
        with open(path, 'wb') as output:
            output.write(kernel(code))
        image = os.path.join(folder, 'image')
        iso.make(image, path, [])
        return subprocess.run(
            [sys.executable, '-B', os.path.join(TOOLS, 'run.py'), '--image',
             image] + list(arguments), stdin=subprocess.DEVNULL,
            capture_output=True)


def test_endings():
    done = run(out_bytes(0x3f8, b'hello\n') + POWER_OFF, '--timeout', '20')
    ok(done.returncode == 0 and done.stdout == b'hello\n',
       'the console of a machine that powers off: status 0')
    done = run(HALT, '--timeout', '3', '--', 'x')
    ok(done.returncode == 124 and b'timed out' in done.stderr,
       'a machine that hangs: status 124')
    done = run(out_bytes(0xe9, b'boot\npanic: x\n  frame\n') + HALT,
               '--timeout', '20', '--', 'x')
    ok(done.returncode == 125 and b'panic: x\n  frame\n' in done.stderr and
       b'boot' not in done.stderr, 'a panic: status 125 and its text')
    done = run(POWER_OFF, '--timeout', '20', '--', 'x')
    ok(done.returncode == 125 and b'ended before' in done.stderr,
       'a machine that ends before the command: status 125')
    ok(not done.stdout, 'and nothing on standard output')


test_archive()
if shutil.which(os.environ.get('QEMU', 'qemu-system-x86_64')):
    test_endings()
print('1..%d' % count)
sys.exit(failed != 0)
