# ===- plots.py - Curves and bars on logarithmic axes -----------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""The same plot as an SVG file and as text for a terminal."""

import html
import math

# Okabe and Ito's colours, told apart by all eyes.
COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"]
MARKS = "ox+*"


def open_svg(width, height, left, title):
    """The first lines of a figure."""
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" font-family="sans-serif"'
        ' font-size="12" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{left}" y="24" font-size="15">{html.escape(title)}</text>',
    ]


class Plot:
    """Curves of points (x, y), all positive; `dashed` curves have no marks."""

    def __init__(self, title, x_label, y_label, format_x, format_y):
        self.title, self.x_label, self.y_label = title, x_label, y_label
        self.format_x, self.format_y = format_x, format_y
        self.curves = []

    def add(self, label, points, dashed=False):
        self.curves.append((label, sorted(points), dashed))

    def get_range(self, axis):
        values = [p[axis] for _, points, _ in self.curves for p in points]
        return min(values), max(values)

    # ---- SVG ----

    def svg(self):
        width, height = 720, 440
        left, right, top, bottom = 80, 20, 40, 60
        (x0, x1), (y0, y1) = self.get_range(0), self.get_range(1)
        y0, y1 = 10 ** math.floor(math.log10(y0)), 10 ** math.ceil(math.log10(y1))

        def px(x):
            t = math.log(x / x0) / math.log(x1 / x0) if x1 > x0 else 0.5
            return left + t * (width - left - right)

        def py(y):
            t = math.log(y / y0) / math.log(y1 / y0) if y1 > y0 else 0.5
            return height - bottom - t * (height - top - bottom)

        out = open_svg(width, height, left, self.title)
        # Grid: powers of 4 across, powers of 10 up.
        x = 4 ** math.ceil(math.log(x0, 4) - 1e-9)
        while x <= x1 * 1.0001:
            out.append(
                f'<path d="M{px(x):.1f} {top}V{height - bottom}" stroke="#ddd"/>'
                f'<text x="{px(x):.1f}" y="{height - bottom + 18}"'
                f' text-anchor="middle">{self.format_x(x)}</text>'
            )
            x *= 4
        y = y0
        while y <= y1 * 1.0001:
            out.append(
                f'<path d="M{left} {py(y):.1f}H{width - right}" stroke="#ddd"/>'
                f'<text x="{left - 8}" y="{py(y) + 4:.1f}" text-anchor="end">'
                f"{self.format_y(y)}</text>"
            )
            y *= 10
        out.append(
            f'<text x="{(left + width - right) / 2}" y="{height - 16}"'
            f' text-anchor="middle">{html.escape(self.x_label)}</text>'
            f'<text transform="translate(16 {(top + height - bottom) / 2})'
            f' rotate(-90)" text-anchor="middle">{html.escape(self.y_label)}</text>'
        )
        for i, (label, points, dashed) in enumerate(self.curves):
            color = COLORS[i % len(COLORS)]
            path = " ".join(f"{px(x):.1f},{py(y):.1f}" for x, y in points)
            dash = ' stroke-dasharray="6 4"' if dashed else ""
            out.append(
                f'<polyline points="{path}" fill="none" stroke="{color}"'
                f' stroke-width="2"{dash}/>'
            )
            if not dashed:
                out += [
                    f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="3.5"'
                    f' fill="{color}"/>'
                    for x, y in points
                ]
            row = top + 16 + 18 * i
            out.append(
                f'<path d="M{left + 12} {row - 4}h24" stroke="{color}"'
                f' stroke-width="2"{dash}/>'
                f'<text x="{left + 42}" y="{row}">{html.escape(label)}</text>'
            )
        return "\n".join(out + ["</svg>", ""])

    # ---- Terminal ----

    def text(self, columns=64, rows=18):
        (x0, x1), (y0, y1) = self.get_range(0), self.get_range(1)

        def place(value, low, high, count):
            if high <= low:
                return 0
            return round(math.log(value / low) / math.log(high / low) * (count - 1))

        cells = [[" "] * columns for _ in range(rows)]
        for i in reversed(range(len(self.curves))):
            _, points, dashed = self.curves[i]
            mark = "." if dashed else MARKS[i % len(MARKS)]
            for x, y in points:
                row = rows - 1 - place(y, y0, y1, rows)
                cells[row][place(x, x0, x1, columns)] = mark
        out = [self.title]
        for i, row in enumerate(cells):
            y = y0 * (y1 / y0) ** ((rows - 1 - i) / (rows - 1))
            label = self.format_y(y) if i % 3 == 0 or i == rows - 1 else ""
            out.append(f"{label:>9} |" + "".join(row).rstrip())
        out.append(" " * 10 + "+" + "-" * columns)
        first, last = self.format_x(x0), self.format_x(x1)
        gap = columns - len(first) - len(last)
        out.append(" " * 11 + first + self.x_label.center(gap) + last)
        for i, (label, _, dashed) in enumerate(self.curves):
            out.append(f"{'.' if dashed else MARKS[i % len(MARKS)]:>11} {label}")
        return "\n".join(out)


class Bars:
    """Groups of horizontal bars on a logarithmic axis, one group a label."""

    def __init__(self, title, x_label, series, format_x):
        self.title, self.x_label, self.series = title, x_label, series
        self.format_x = format_x
        self.groups = []

    def add(self, label, values):
        """A positive value for each of the series, or None."""
        self.groups.append((label, values))

    def svg(self):
        values = [v for _, vs in self.groups for v in vs if v]
        low = 10 ** math.floor(math.log10(min(values)))
        high = 10 ** math.ceil(math.log10(max(values)) + 1e-9)
        bar, gap = 7, 8
        left, right, top, bottom = 150, 60, 64, 44
        group = bar * len(self.series) + gap
        width, height = 720, top + group * len(self.groups) + bottom

        def px(x):
            t = math.log(x / low) / math.log(high / low)
            return left + t * (width - left - right)

        out = open_svg(width, height, left, self.title)
        for i, name in enumerate(self.series):
            x = left + 130 * i
            out.append(
                f'<rect x="{x}" y="38" width="10" height="10"'
                f' fill="{COLORS[i % len(COLORS)]}"/>'
                f'<text x="{x + 16}" y="47">{html.escape(name)}</text>'
            )
        tick = low
        while tick <= high * 1.0001:
            out.append(
                f'<path d="M{px(tick):.1f} {top - 8}V{height - bottom}"'
                ' stroke="#ddd"/>'
                f'<text x="{px(tick):.1f}" y="{height - bottom + 16}"'
                f' text-anchor="middle">{self.format_x(tick)}</text>'
            )
            tick *= 10
        for i, (label, values) in enumerate(self.groups):
            y = top + i * group
            out.append(
                f'<text x="{left - 8}" y="{y + (group - gap) / 2 + 4:.1f}"'
                f' text-anchor="end">{html.escape(label)}</text>'
            )
            for j, value in enumerate(values):
                if value:
                    out.append(
                        f'<rect x="{left}" y="{y + bar * j}" height="{bar - 1}"'
                        f' width="{px(value) - left:.1f}"'
                        f' fill="{COLORS[j % len(COLORS)]}"/>'
                    )
        out.append(
            f'<text x="{(left + width - right) / 2}" y="{height - 8}"'
            f' text-anchor="middle">{html.escape(self.x_label)}</text>'
        )
        return "\n".join(out + ["</svg>", ""])
