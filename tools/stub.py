# SPDX-License-Identifier: MIT
"""Looks into a machine that stands still, through QEMU's gdb stub.

The stub listens on a socket and changes nothing until somebody comes; then
the machine stops.
"""

import bisect
import re
import socket
import subprocess

RIP = 16    # which of the registers, eight bytes each
TIMEOUT = 10.0


class Stub:
    """A connection to the stub on the socket at `path`."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(path)
        self.rest = b''

    def ask(self, text):
        """The answer to one packet."""
        data = text.encode()
        self.socket.sendall(b'$%s#%02x' % (data, sum(data) % 256))
        while True:
            answer = self._packet()
            if not answer.startswith(('T', 'S')):   # that the machine stopped
                return answer

    def _packet(self):
        while True:
            found = re.search(rb'\$([^#]*)#..', self.rest, re.DOTALL)
            if found:
                self.rest = self.rest[found.end():]
                self.socket.sendall(b'+')
                return found.group(1).decode()
            more = self.socket.recv(65536)
            if not more:
                raise OSError('it is gone')
            self.rest += more

    def words(self, address, count):
        """Words of memory, as the processor sees it now; or none."""
        answer = self.ask('m%x,%x' % (address, 8 * count))
        if answer.startswith('E') or len(answer) != 16 * count:
            return []
        data = bytes.fromhex(answer)
        return [int.from_bytes(data[8 * i:8 * i + 8], 'little')
                for i in range(count)]

    def rip(self):
        registers = bytes.fromhex(self.ask('g'))
        return int.from_bytes(registers[8 * RIP:8 * RIP + 8], 'little')


def symbol(program, address):
    """The function in which the address lies, as far as nm knows it."""
    done = subprocess.run(['nm', '-n', program], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    symbols = [(int(line.split()[0], 16), line.split()[2])
               for line in done.stdout.decode().split('\n')
               if len(line.split()) == 3]
    at = bisect.bisect_right(symbols, (address, '\x7f')) - 1
    return symbols[at][1] if at >= 0 else '?'
