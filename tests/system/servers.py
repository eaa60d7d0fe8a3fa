#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# timeout: 120
"""Bootstrap with manifests of our own: grants, names, deaths, mistakes.

The TAP of tests/servers/watcher.c comes through bootstrap's log; the watcher
is essential, so that its end ends the machine.
"""

import argparse
import os
import re
import sys
import tempfile
import time

TOP = os.environ.get('top_srcdir', '.')
BUILD = os.environ.get('top_builddir', 'build')
sys.path.insert(0, os.path.join(TOP, 'tools'))

import iso      # noqa: E402
import machine  # noqa: E402

MANIFEST = '''
server forbidding
    module victim
    arguments never
    check-in forbidden
server victim
    arguments "of this test"
    restart always
    check-in victim
    wait check-in
server watcher
    essential
    check-in mine
    look-up victim mine
    read-module manifest
'''

count = failed = 0


def ok(good, name):
    global count, failed
    count += 1
    failed += not good
    print('%s %d - %s' % ('ok' if good else 'not ok', count, name), flush=True)


def boot(manifest, modules=('victim', 'watcher')):
    """The debug console's text of one boot."""
    text = bytearray()
    options = argparse.Namespace(memory=512, smp=1, gui=False, gdb=False,
                                 icount=False)
    with tempfile.TemporaryDirectory(prefix='portolan.') as folder:
        image = os.path.join(folder, 'test.iso')
        listed = [('bootstrap', BUILD + '/boot/bootstrap')]
        if manifest is not None:
            path = os.path.join(folder, 'manifest')
            with open(path, 'w') as output:
                output.write(manifest)
            listed.append(('manifest', path))
        for name in modules:
            listed.append((name, '%s/tests/servers/%s' % (BUILD, name)))
        iso.make(image, BUILD + '/boot/portolan', listed)
        guest = machine.Machine(options, image)
        guest.panic.log = text.extend
        guest.add(machine.Stream('console', lambda data: None))
        guest.add(machine.Stream('debug', guest.panic.feed))
        guest.start()
        guest.serve(40)
    return text.decode(errors='replace')


def test_watcher():
    text = boot(MANIFEST)
    planned = 0
    for line in text.split('\n'):
        found = re.match(r'watcher: (not )?ok \d+ - (.*)', line)
        if found:
            ok(not found.group(1), found.group(2))
        elif re.match(r'watcher: 1\.\.', line):
            planned += 1
        else:
            print('# ' + line)
    ok(planned == 1, 'the watcher came to its end')
    ok(text.count('victim: exception 1 ') == 3, 'crashes are in the log')
    ok(text.count('victim has ended: starting it again') >= 4,
       'and so are restarts')
    ok('watcher, which is essential, has ended' in text,
       'the end of an essential server ends the machine')


KILLER = '''
server killer
    arguments 1 %d
    privilege host
'''


class Typist:
    """Types lines on the console, each when the one before was answered."""

    def __init__(self, guest, lines):
        self.guest = guest
        self.lines = lines
        self.typed = bytearray()
        self.seen = bytearray()
        self.good = []

    def received(self, data):
        self.seen += data
        if self.lines and self.lines[0][0] in self.seen:
            _, answer = self.lines.pop(0)
            del self.seen[:]
            if answer is None:
                self.guest.stop()
            else:
                self.typed += answer
                self.good.append(answer)


def test_driver():
    """The console's driver is ended while the shell sleeps."""
    text = bytearray()
    options = argparse.Namespace(memory=512, smp=1, gui=False, gdb=False,
                                 icount=False)
    with open(TOP + '/servers/bootstrap/manifest') as source:
        manifest = source.read() + KILLER % 3000
    with tempfile.TemporaryDirectory(prefix='portolan.') as folder:
        image = os.path.join(folder, 'test.iso')
        path = os.path.join(folder, 'manifest')
        with open(path, 'w') as output:
            output.write(manifest)
        with open(BUILD + '/boot/list') as listing:
            listed = [line.split('=', 1)
                      for line in listing.read().split()[1:]]
        for module in listed:
            if module[0] == 'manifest':
                module[1] = path
        listed.append(['killer', BUILD + '/tests/servers/killer'])
        iso.make(image, BUILD + '/boot/portolan', listed)
        guest = machine.Machine(options, image)
        guest.panic.log = text.extend
        typist = Typist(guest, [
            (b'# ', b'echo be""fore; sleep 6; echo after""wards\r'),
            (b'before', b''),
            (b'afterwards', b'echo still a""live\r'),
            (b'alive', None)])
        guest.add(machine.Stream('console', typist.received,
                                 lambda: typist.typed))
        guest.add(machine.Stream('debug', guest.panic.feed))
        guest.start()
        start = time.monotonic()
        guest.serve(60)
    for line in text.decode(errors='replace').split('\n'):
        print('# ' + line)
    ok(b'console has ended: starting it again' in text,
       'a driver that is ended is started again')
    ok(not typist.lines, 'the shell goes on (%.1f s, %r)'
       % (time.monotonic() - start, bytes(typist.seen[-80:])))


MISTAKES = (
    (None, 'there is no boot module `manifest\''),
    ('server x\n  colour blue\n', 'manifest:2: unknown word `colour\''),
    ('server x\n  essential\n', 'there is no boot module `x\''),
    ('server manifest\n  essential\n', 'its module: not an ELF file'),
)


def main():
    test_watcher()
    test_driver()
    for manifest, message in MISTAKES:
        text = boot(manifest, ())
        if message not in text:
            print('# ' + text.replace('\n', '\n# '))
        ok('bootstrap: ' in text and message in text,
           'a mistake is told: ' + message)
    print('1..%d' % count)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
