#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the archive of the root file system (cpio, newc format).

  cpio.py [-b BASE] [--strip PROGRAM] -o OUTPUT SPEC...

A SPEC is one of
  /PATH/              a folder (mode 0755)
  /PATH/:MODE         a folder with this mode
  /PATH=FILE          a file or a whole folder of the host
  /PATH=FILE:MODE     a file with this mode
  /PATH->TARGET       a symbolic link
BASE is an archive to start from, PROGRAM a strip(1) for ELF files.  Everything belongs to user 0, has one
fixed time and comes sorted by path, so that equal input makes equal output.
A later SPEC replaces an earlier one.
"""

import argparse
import os
import stat
import subprocess
import sys
import tempfile

TIME = 1704067200  # 2024-01-01, what the clock shows under --icount too
TRAILER = 'TRAILER!!!'


def align(data):
    return data + b'\0' * (-len(data) % 4)


def record(inode, name, mode, data, time=TIME):
    name = os.fsencode(name) + b'\0'
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (inode, mode, 0, 0, links, time, len(data), 0, 0, 0, 0,
              len(name), 0)
    head = b'070701' + b''.join(b'%08X' % field for field in fields)
    return align(head + name) + align(data)


class Archive:
    """What will be in the archive, by path without the leading slash."""

    def __init__(self, strip=None):
        self.members = {}   # path: (mode, bytes, time)
        self.strip = strip

    def _parents(self, path):
        parent = os.path.dirname(path)
        if parent and parent not in self.members:
            self.folder(parent, 0o755)

    def folder(self, path, mode):
        self._parents(path)
        self.members[path] = (stat.S_IFDIR | mode, b'', TIME)

    def file(self, path, mode, data):
        self._parents(path)
        self.members[path] = (stat.S_IFREG | mode, data, TIME)

    def link(self, path, target):
        self._parents(path)
        self.members[path] = (stat.S_IFLNK | 0o777, os.fsencode(target),
                              TIME)

    def _content(self, host):
        """A file's bytes; of an ELF file only what it needs to run."""
        with open(host, 'rb') as source:
            data = source.read()
        if not self.strip or data[:4] != b'\x7fELF':
            return data
        with tempfile.NamedTemporaryFile(prefix='cpio.') as output:
            done = subprocess.run([self.strip, '-o', output.name, host],
                                  stderr=subprocess.DEVNULL)
            if done.returncode != 0:
                return data
            with open(output.name, 'rb') as stripped:
                return stripped.read()

    def copy(self, path, host, mode=None):
        """A file or folder of the host, links kept."""
        about = os.lstat(host)
        if stat.S_ISLNK(about.st_mode):
            self.link(path, os.readlink(host))
        elif stat.S_ISDIR(about.st_mode):
            if path:
                self.folder(path, stat.S_IMODE(about.st_mode))
            for name in os.listdir(host):
                self.copy(os.path.join(path, name), os.path.join(host, name))
        else:
            data = self._content(host)
            if mode is None:
                mode = 0o755 if about.st_mode & 0o111 else 0o644
            self.file(path, mode, data)

    def put(self, path, host):
        """As `copy`, but exact: modes and times are those of the host."""
        about = os.lstat(host)
        if stat.S_ISDIR(about.st_mode):
            self.folder(path, 0)
            for name in os.listdir(host):
                self.put(os.path.join(path, name), os.path.join(host, name))
        elif stat.S_ISLNK(about.st_mode):
            self.link(path, os.readlink(host))
        else:
            with open(host, 'rb') as source:
                self.file(path, 0, source.read())
        self.members[path] = (about.st_mode, self.members[path][1],
                              int(about.st_mtime))

    def spec(self, text):
        if '->' in text:
            path, target = text.split('->', 1)
            self.link(path.strip('/'), target)
        elif '=' in text:
            path, host = text.split('=', 1)
            mode = None
            if ':' in host:
                host, digits = host.rsplit(':', 1)
                mode = int(digits, 8)
            self.copy(path.strip('/'), host, mode)
        else:
            path, _, digits = text.partition(':')
            self.folder(path.strip('/'), int(digits or '755', 8))

    def load(self, data):
        """Take over the members of another archive."""
        at = 0
        while True:
            if data[at:at + 6] != b'070701':
                raise ValueError('not a newc archive')
            fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16)
                      for i in range(13)]
            mode, time, size, name_size = (fields[1], fields[5], fields[6],
                                           fields[11])
            at += 110
            name = os.fsdecode(data[at:at + name_size - 1])
            at += name_size + -(110 + name_size) % 4
            if name == TRAILER:
                return
            self.members[name] = (mode, data[at:at + size], time)
            at += size + -size % 4

    def dump(self):
        parts = []
        for inode, path in enumerate(sorted(self.members), 1):
            mode, data, time = self.members[path]
            parts.append(record(inode, path, mode, data, time))
        parts.append(record(0, TRAILER, 0, b''))
        return b''.join(parts)


def main():
    parser = argparse.ArgumentParser(description='write a newc archive')
    parser.add_argument('-b', '--base')
    parser.add_argument('--strip', metavar='PROGRAM')
    parser.add_argument('-o', '--output', required=True)
    parser.add_argument('specs', nargs='*', metavar='SPEC')
    arguments = parser.parse_args()
    archive = Archive(arguments.strip)
    if arguments.base:
        with open(arguments.base, 'rb') as source:
            archive.load(source.read())
    for text in arguments.specs:
        archive.spec(text)
    with open(arguments.output + '.new', 'wb') as output:
        output.write(archive.dump())
    os.replace(arguments.output + '.new', arguments.output)


if __name__ == '__main__':
    sys.exit(main())
