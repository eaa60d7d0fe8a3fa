# SPDX-License-Identifier: MIT
"""A bar chart of instructions per operation, as an SVG file.

One group of bars for each operation, one bar for each system, on a
logarithmic axis: the figures span four decades.
"""

import math

LEFT, WIDTH, BAR, GAP = 120, 640, 14, 18
COLOURS = ('#1f5a99', '#c77d1e', '#7a7a7a')


def text(x, y, words, anchor='start'):
    return ('<text x="%d" y="%d" text-anchor="%s" font-size="12" '
            'font-family="sans-serif">%s</text>' % (x, y, anchor, words))


def scale(value, decades):
    return WIDTH * math.log10(max(value, 1)) / decades


def axis(decades, bottom):
    parts = []
    for power in range(decades + 1):
        x = LEFT + WIDTH * power // decades
        parts.append('<line x1="%d" y1="30" x2="%d" y2="%d" stroke="#ddd"/>'
                     % (x, x, bottom))
        parts.append(text(x, bottom + 16, '{:,}'.format(10 ** power),
                          'middle'))
    return parts


def svg(systems, rows):
    """`rows`: (operation, a value or None for each of the systems)."""
    highest = max(value for _, values in rows for value in values if value)
    decades = max(1, math.ceil(math.log10(highest)))
    bottom = 40 + sum(BAR * len(systems) + GAP for _ in rows)
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" '
             'height="%d">' % (LEFT + WIDTH + 90, bottom + 30),
             '<rect width="100%" height="100%" fill="white"/>']
    parts += axis(decades, bottom)
    for at, name in enumerate(systems):
        parts.append('<rect x="%d" y="8" width="10" height="10" fill="%s"/>'
                     % (LEFT + 160 * at, COLOURS[at]))
        parts.append(text(LEFT + 14 + 160 * at, 17, name))
    y = 40
    for operation, values in rows:
        parts.append(text(LEFT - 8, y + BAR + 4, operation, 'end'))
        for at, value in enumerate(values):
            if value:
                width = scale(value, decades)
                parts.append(
                    '<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>'
                    % (LEFT, y, max(1, width), BAR - 2, COLOURS[at]))
                parts.append(text(LEFT + width + 5, y + BAR - 3,
                                  '{:,.0f}'.format(value)))
            y += BAR
        y += GAP
    return '\n'.join(parts + ['</svg>', ''])
