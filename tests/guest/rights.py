#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes C of the tables of docs/port-rights.md, for tests/guest/rights.c.

  rights.py PAGE HEADER

A table's first column is an operation, the others are states; a cell is what
the operation does to a name in that state: a new state; `.` for no change;
`!` and an error, after which nothing has changed or, behind `>`, a new state;
`-` where there is nothing to try.
"""

import re
import sys

KINDS = {
    'none': 'MACH_PORT_TYPE_NONE', 'send': 'MACH_PORT_TYPE_SEND',
    'once': 'MACH_PORT_TYPE_SEND_ONCE', 'recv': 'MACH_PORT_TYPE_RECEIVE',
    'both': 'MACH_PORT_TYPE_SEND_RECEIVE', 'set': 'MACH_PORT_TYPE_PORT_SET',
    'dead': 'MACH_PORT_TYPE_DEAD_NAME',
}
ERRORS = {
    'argument': 'KERN_INVALID_ARGUMENT', 'body': 'MACH_RCV_BODY_ERROR',
    'capability': 'KERN_INVALID_CAPABILITY',
    'dest': 'MACH_SEND_INVALID_DEST', 'exists': 'KERN_NAME_EXISTS',
    'header': 'MACH_SEND_INVALID_HEADER', 'known': 'KERN_RIGHT_EXISTS',
    'name': 'KERN_INVALID_NAME', 'not-in-set': 'KERN_NOT_IN_SET',
    'nothing': 'MACH_RCV_TIMED_OUT', 'reply': 'MACH_SEND_INVALID_REPLY',
    'right': 'KERN_INVALID_RIGHT', 'rname': 'MACH_RCV_INVALID_NAME',
    'sright': 'MACH_SEND_INVALID_RIGHT', 'urefs': 'KERN_UREFS_OVERFLOW',
    'value': 'KERN_INVALID_VALUE',
}
ARGUMENTS = {
    'send': 'MACH_PORT_RIGHT_SEND', 'receive': 'MACH_PORT_RIGHT_RECEIVE',
    'once': 'MACH_PORT_RIGHT_SEND_ONCE', 'set': 'MACH_PORT_RIGHT_PORT_SET',
    'dead': 'MACH_PORT_RIGHT_DEAD_NAME', 'bad': 'MACH_PORT_RIGHT_NUMBER',
    'null': '0', 'limits': 'MACH_PORT_LIMITS_INFO',
    'status': 'MACH_PORT_RECEIVE_STATUS',
    'dead-name': 'MACH_NOTIFY_DEAD_NAME',
    'no-senders': 'MACH_NOTIFY_NO_SENDERS',
    'port-destroyed': 'MACH_NOTIFY_PORT_DESTROYED',
    'send-possible': 'MACH_NOTIFY_SEND_POSSIBLE',
}
for verb in ('move-receive', 'move-send', 'move-send-once', 'copy-send',
             'make-send', 'make-send-once'):
    ARGUMENTS[verb.replace('send-once', 'once')] = \
        'MACH_MSG_TYPE_' + verb.upper().replace('-', '_')

# Where an operation is tried, if not on both tasks.
PLACES = {'HERE': ('send-to', 'reply-to', 'send-to-and-reply', 'carry',
                   'receive-from', 'arrive', 'task-dies'),
          'THERE': ('insert-same', 'insert-new', 'extract',
                    'receiver-moves', 'senders-die')}


def fail(what):
    sys.exit('rights.py: ' + what)


def state(text):
    """A C initializer of what a state's name says: kind, user references (M:
    the most there can be), and G for a guard."""
    found = re.match(r'([a-z]+)(\d+|M(-\d+)?)?(G)?$', text)
    if not found or found.group(1) not in KINDS:
        fail('no state: ' + text)
    kind, count, less, guard = found.groups()
    if count is None:
        count = '1' if kind == 'once' else '0'
    elif count.startswith('M'):
        count = 'MACH_PORT_UREFS_MAX' + (' ' + less if less else '')
    return '{ %s, %s, %s }' % (KINDS[kind], count,
                               'true' if guard else 'false')


def cell(text, before):
    if text == '-':
        return '{ false, 0, { 0, 0, false } }'
    result, after = 'KERN_SUCCESS', text
    if text.startswith('!'):
        error, _, after = text[1:].partition('>')
        if error not in ERRORS:
            fail('no error: ' + text)
        result, after = ERRORS[error], after or before
    elif text == '.':
        after = before
    return '{ true, %s, %s }' % (result, state(after))


def row(label, cells, columns):
    name, _, arguments = label.rstrip(')').partition('(')
    words = [word.strip() for word in arguments.split(',') if word]
    values = [ARGUMENTS.get(word, word) for word in words]
    place = [where for where, names in PLACES.items() if name in names]
    return '    { "%s", op_%s, %s, { %s },\n      { %s } },' % (
        label, name.replace('-', '_'), ' | '.join(place or PLACES),
        ', '.join('(int)' + value for value in values) or '0',
        ',\n        '.join(cell(text, before)
                           for text, before in zip(cells, columns)))


def tables(page):
    """(columns, [(label, cells)])"""
    columns, rows, inside = None, [], False
    with open(page) as source:
        for line in source:
            cells = [text.strip() for text in line.strip().split('|')[1:-1]]
            if cells and cells[0] == 'operation':
                if columns not in (None, cells[1:]):
                    fail('two tables have different states')
                columns, inside = cells[1:], True
            elif not cells:
                inside = False
            elif inside and not cells[0].startswith('-'):
                if len(cells) != len(columns) + 1:
                    fail('cells are missing: ' + line)
                rows.append((cells[0].strip('`'), cells[1:]))
    return columns, rows


def main():
    columns, rows = tables(sys.argv[1])
    lines = ['/* Made of docs/port-rights.md by tests/guest/rights.py. */', '',
             'static const struct column {', '    const char *name;',
             '    struct state state;', '} columns[] = {']
    lines += ['    { "%s", %s },' % (name, state(name)) for name in columns]
    lines += ['};', '', 'static const struct row rows[] = {']
    lines += [row(label, cells, columns) for label, cells in rows]
    lines += ['};', '']
    with open(sys.argv[2], 'w') as output:
        output.write('\n'.join(lines))


if __name__ == '__main__':
    main()
