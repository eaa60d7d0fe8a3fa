#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the boot image: GRUB, the kernel and its boot modules.

  iso.py -o IMAGE [--append WORDS] KERNEL NAME=FILE...

GRUB's core image carries its few commands as an embedded script and only
the four modules that these need, instead of grub-mkrescue's whole set and a
configuration file: that is most of a second of boot time.  Modules are
loaded in the order given; the first word of a module's command line is its
NAME.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

GRUB_MODULES = ['biosdisk', 'iso9660', 'multiboot2', 'boot']


def tool(name):
    """GRUB_MKIMAGE=... in the environment names another grub-mkimage."""
    return os.environ.get(name.upper().replace('-', '_'), name)


def run(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.stderr.write(done.stdout.decode(errors='replace'))
        sys.exit('iso: %s failed' % command[0])


def place(source, target):
    """A link does where the two are on one file system."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copyfile(source, target)


def make(image, kernel, modules, append=''):
    """Write IMAGE; `modules` is a list of (name, file)."""
    with tempfile.TemporaryDirectory(
            prefix='iso.', dir=os.path.dirname(os.path.abspath(image))) as top:
        boot = os.path.join(top, 'tree', 'boot')
        os.makedirs(boot)
        place(kernel, os.path.join(boot, 'portolan'))
        script = [('multiboot2 /boot/portolan ' + append).rstrip()]
        for name, path in modules:
            place(path, os.path.join(boot, name))
            script.append('module2 /boot/%s %s' % (name, name))
        script.append('boot')
        config = os.path.join(top, 'grub.cfg')
        with open(config, 'w') as output:
            output.write('\n'.join(script) + '\n')
        run([tool('grub-mkimage'), '-O', 'i386-pc-eltorito', '-p', '/boot',
             '-c', config, '-o', os.path.join(boot, 'grub.img')] +
            GRUB_MODULES)
        run([tool('xorriso'), '-as', 'mkisofs', '-quiet', '-R',
             '-V', 'PORTOLAN', '-b', 'boot/grub.img', '-no-emul-boot',
             '-boot-load-size', '4', '-boot-info-table',
             '-o', os.path.join(top, 'image'), os.path.join(top, 'tree')])
        os.replace(os.path.join(top, 'image'), image)


def main():
    parser = argparse.ArgumentParser(description='make the boot image')
    parser.add_argument('-o', '--output', required=True)
    parser.add_argument('--append', default='', help='the kernel\'s words')
    parser.add_argument('kernel')
    parser.add_argument('modules', nargs='*', metavar='NAME=FILE')
    arguments = parser.parse_args()
    modules = [module.split('=', 1) for module in arguments.modules]
    make(arguments.output, arguments.kernel, modules, arguments.append)


if __name__ == '__main__':
    sys.exit(main())
