"""The same figure in the dark: what a style sheet inside of an SVG turns its colors into.

A browser applies it where the page around the figure is dark; other programs show the figure as it is.
Pictures and maps of colors stay as they are.
"""

import colorsys
import functools

from matplotlib.colors import to_hex, to_rgb

from sifting.figures.style import CYCLE, FAINT, INK, METHODS, NULL

GROUND, PAPER = "#172027", "#dfe5e7"
CONTRAST = 4.5  # least of lines and words against the ground
KNOWN = tuple(dict.fromkeys([INK, FAINT, NULL, *CYCLE, *METHODS.values()]))


@functools.cache
def bright(color: str) -> str:
    """A color, as much brighter as it takes to be seen on GROUND; ink becomes paper."""
    if color == INK:
        return PAPER
    hue, light, full = colorsys.rgb_to_hls(*to_rgb(color))
    while contrast(found := to_hex(colorsys.hls_to_rgb(hue, min(1, light), full)), GROUND) < CONTRAST:
        light += 0.01
    return found


def contrast(one: str, other: str) -> float:
    """Contrast of two colors, from 1 to 21. Source: WCAG 2.1."""
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def sheet(text: str) -> str:
    """The style sheet of an SVG: a rule for every color of the book that is in it.

    White is the ground, but in words (groups that are moved), which stand on colors. What has no color is
    black, and becomes ink.
    """
    rules = [f"svg{{fill:{bright(INK)}}}"]
    for part in ("fill", "stroke"):
        white = f'[style*="{part}: #ffffff"]'
        rules.append(f":not(g[transform]){white}{{{part}:{GROUND}!important}}")
        rules += [
            f'[style*="{part}: {color}"]{{{part}:{bright(color)}!important}}'
            for color in KNOWN
            if f"{part}: {color}" in text
        ]
    return f"<style>@media (prefers-color-scheme:dark){{{''.join(rules)}}}</style>"
