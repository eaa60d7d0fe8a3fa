#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the fuzzer's table of the kernel's routines.

  fuzz_table.py [-o OUTPUT] INTERFACE.json...

Each file is what `mig --json` says of an interface.  The output is two C
arrays for tests/guest/fuzz_messages.c: the fields of all requests, and the
routines, each with its own piece of the first.
"""

import argparse
import json

# What the fuzzer takes a value from, by the type in the interface.
SOURCES = {
    'mach_port_name_t': 'FUZZ_NAME',
    'mach_port_right_t': 'FUZZ_RIGHT',
    'mach_port_delta_t': 'FUZZ_DELTA',
    'mach_msg_id_t': 'FUZZ_NOTIFICATION',
    'boolean_t': 'FUZZ_BOOLEAN',
    'vm_address_t': 'FUZZ_ADDRESS',
    'vm_offset_t': 'FUZZ_ADDRESS',
    'vm_size_t': 'FUZZ_SIZE',
    'memory_object_offset_t': 'FUZZ_SIZE',
    'vm_prot_t': 'FUZZ_PROTECTION',
    'exception_mask_t': 'FUZZ_MASK',
}
KINDS = {
    'port': 'FUZZ_PORT',
    'ool': 'FUZZ_MEMORY',
    'ool_ports': 'FUZZ_PORT_ARRAY',
    'array': 'FUZZ_ARRAY',
    'capacity': 'FUZZ_SMALL',
}
# What stands behind the request port.
TARGETS = {
    'mach_host': 'FUZZ_TO_HOST',
    'thread_act': 'FUZZ_TO_THREAD',
    'memory_entry': 'FUZZ_TO_OBJECT',
    'device_grant': 'FUZZ_TO_OBJECT',
    'exc_reply': 'FUZZ_TO_OBJECT',
}


def fields_of(request):
    """(offset, size, source, where the count stands, bytes of an item)."""
    counts = {field['name']: field['offset'] for field in request['fields']
              if field['kind'] == 'count'}
    for field in request['fields']:
        if field['kind'] == 'count':
            continue
        source = KINDS.get(field['kind']) or \
            SOURCES.get(field.get('type'), 'FUZZ_SMALL')
        yield (field['offset'], field['size'], source,
               counts.get(field.get('counted_by'), 0),
               max(1, field.get('unit', 1)))


def tables(paths):
    fields, routines = [], []
    for path in paths:
        with open(path) as text:
            interface = json.load(text)
        for routine in interface['routines']:
            request = routine['request']
            own = list(fields_of(request))
            routines.append((
                '"%s"' % routine['name'], request['id'],
                request['min_size'], request['max_size'],
                request['descriptors'], len(fields), len(own),
                TARGETS.get(interface['subsystem'], 'FUZZ_TO_TASK')))
            fields += own
    return fields, routines


def table(kind, name, rows):
    text = 'static const struct %s %s[] = {\n' % (kind, name)
    for row in rows:
        text += '    { %s },\n' % ', '.join(map(str, row))
    return text + '};\n'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('-o', '--output', required=True)
    parser.add_argument('interfaces', nargs='+')
    arguments = parser.parse_args()
    fields, routines = tables(arguments.interfaces)
    with open(arguments.output, 'w') as output:
        output.write('/* Made by tests/guest/fuzz_table.py. */\n\n')
        output.write(table('fuzz_field', 'fuzz_fields', fields))
        output.write('\n')
        output.write(table('fuzz_routine', 'fuzz_routines', routines))


if __name__ == '__main__':
    main()
