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


MISTAKES = (
    (None, 'there is no boot module `manifest\''),
    ('server x\n  colour blue\n', 'manifest:2: unknown word `colour\''),
    ('server x\n  essential\n', 'there is no boot module `x\''),
    ('server manifest\n  essential\n', 'its module: not an ELF file'),
)


def main():
    test_watcher()
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
