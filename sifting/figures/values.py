"""What a figure shows, in numbers and in words: from what is drawn, whatever drew it."""

import csv
import io
import re

import numpy as np
from matplotlib.collections import PathCollection, PolyCollection, QuadMesh
from matplotlib.patches import Polygon, Rectangle, StepPatch
from matplotlib.ticker import FixedLocator

from sifting.figures.style import HOLLOW
from sifting.tables.basics import NEARLY_ALL

HEAD = ("panel", "horizontal", "vertical", "series", "x", "y", "low", "high")
MOST = 5_000  # rows; more are those of maps, which are pictures: their numbers are in the stored results
CELL = re.compile(r"row \d+")  # what the row of a map is called
CAPS = ("_", "|")  # markers: the ends of error bars
OVER_RUNS = "mean and standard deviation over runs"
WORDS = 700  # characters of a description


def table(figure) -> str:
    """The numbers of a figure as CSV, with HEAD; "" where it shows pictures alone.

    horizontal, vertical : names of the axes; low, high : ends of a band or bar; a map has its value as y, and
    its place as series and x; where there are more than MOST numbers, those of maps are left out
    """
    shown = [(number, ax) for number, ax in enumerate(figure.axes, 1) if ax.axison]
    rows = [row for number, ax in shown for row in _rows(ax, number)]
    if len(rows) > MOST:
        rows = [row for row in rows if not CELL.fullmatch(row[3])]
    if not 0 < len(rows) <= MOST:
        return ""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([HEAD, *rows])
    return file.getvalue()


def _rows(ax, number: int) -> list[tuple]:
    head = plain(ax.get_title()) or f"panel {number}", plain(ax.get_xlabel()), plain(ax.get_ylabel())
    across, up = _named(ax.xaxis), _named(ax.yaxis)
    return [(*head, name, across(x), up(y), *map(_said, ends)) for name, x, y, *ends in _points(ax)]


def _points(ax):
    """(series, x, y, low, high) of all that is drawn in an axes; low and high may be missing."""
    bands = [_band(part) for part in ax.collections if isinstance(part, PolyCollection)]
    bands = [band for band in bands if band is not None]
    for line in _lines(ax):
        x, y = _places(line)
        ends, there = np.full((2, len(x)), np.nan), np.isfinite(y)
        if bands and np.array_equal(bands[0][0], x[there]):  # the band of the line, which is drawn after it
            ends[:, there] = bands.pop(0)[1:]
        yield from zip([_name(line)] * len(x), x, y, *ends)
    for part in ax.collections:
        if isinstance(part, PathCollection):
            yield from ((_name(part), x, y, np.nan, np.nan) for x, y in part.get_offsets())
        if isinstance(part, QuadMesh):
            yield from _map(part.get_array())
    for part in ax.patches:
        if isinstance(part, Rectangle) and part.get_transform() != ax.transAxes:
            (x, y), wide, high = part.get_xy(), part.get_width(), part.get_height()
            lies = y + high / 2 == round(y + high / 2) and x == 0
            yield ("bar", wide, y + high / 2, 0, wide) if lies else ("bar", x + wide / 2, high, x, x + wide)
        if (steps := _steps(part)) is not None:
            heights, edges = steps
            yield from zip(
                [_name(part)] * len(heights), (edges[1:] + edges[:-1]) / 2, heights, edges, edges[1:]
            )
    for part in ax.images:
        if np.ndim(part.get_array()) == 2:
            yield from _map(part.get_array())


def _steps(part):
    """Heights and edges of a histogram; None for another form, and for the ground below one."""
    if isinstance(part, StepPatch):
        return part.get_data()[:2]
    if isinstance(part, Polygon) and not part.get_fill():
        return part.get_xy()[1:-1:2, 1], part.get_xy()[::2, 0]
    return None


def _map(values):
    for (row, column), value in np.ndenumerate(np.ma.filled(np.ma.asarray(values, float), np.nan)):
        yield f"row {row}", column, value, np.nan, np.nan


def _band(part):
    """x, low and high of a band that fill_between drew; None for another form."""
    if len(part.get_paths()) != 1:
        return None
    points = part.get_paths()[0].vertices
    half = (len(points) - 3) // 2
    low, high = points[1 : half + 1], points[half + 2 : 2 * half + 2][::-1]
    return (low[:, 0], low[:, 1], high[:, 1]) if half > 0 and np.allclose(low[:, 0], high[:, 0]) else None


def _lines(ax) -> list:
    return [
        line
        for line in ax.get_lines()
        if line.get_transform() == ax.transData
        and (line.get_linestyle() not in ("None", " ", "") or line.get_marker() not in CAPS)
    ]


def _places(line) -> tuple[np.ndarray, np.ndarray]:
    x, y = line.get_xdata(orig=False), line.get_ydata(orig=False)
    return np.asarray(x, float), np.asarray(y, float)


def _name(part) -> str:
    name = str(part.get_label())
    return "" if name.startswith("_") else plain(name)


def _named(axis):
    """A function that says the name of a place on an axis with words for ticks, or else the number."""
    words = {}
    if isinstance(axis.get_major_locator(), FixedLocator):
        places = axis.get_majorticklocs()
        words = dict(zip(np.round(places, 9), axis.get_major_formatter().format_ticks(places)))
        if all(re.fullmatch(r"[\d.,%−–\s]*", word) for word in words.values()):
            words = {}
    return lambda value: plain(words.get(np.round(value, 9), "")) or _said(value)


def _said(value: float) -> str:
    return f"{value:.6g}" if np.isfinite(value) else ""


def plain(text: str) -> str:
    """A label without the signs of mathematics."""
    text = re.sub(r"\\math[a-z]+|\\,|[${}]", "", str(text))
    named = {r"\Lambda": "Λ", r"\sigma": "σ", r"\times": "×", r"\theta": "θ", r"\lambda": "λ"}
    for sign, letter in named.items():
        text = text.replace(sign, letter)
    return re.sub(r"\s+", " ", text).strip()


def hollows(figure) -> str:
    """What hollow markers of a figure mean, for its caption; "" where it has none."""
    lines = [line for ax in figure.axes for line in ax.get_lines() if line.get_label() == HOLLOW]
    if not any(np.isfinite(line.get_ydata()).any() for line in lines):
        return ""
    return f" Hollow markers: less than {NEARLY_ALL:.0%} of the units have a value.".replace("%", " %")


def of_one(caption: str) -> str:
    """The caption of a figure of one run of each kind, which has neither mean nor deviation."""
    return caption.replace(OVER_RUNS, "one run").replace(OVER_RUNS.capitalize(), "One run")


def described(figure) -> str:
    """What is seen in a figure, in words: panel by panel, from where to where each line goes."""
    panels = [said for ax in figure.axes if ax.axison and (said := _panel(ax))]
    text = " ".join(panels)
    return text if len(text) <= WORDS else text[:WORDS].rpartition(". ")[0] + "."


def _panel(ax) -> str:
    across, up = plain(ax.get_xlabel()), plain(ax.get_ylabel())
    lines = [_course(ax, line) for line in _lines(ax) if _name(line) and len(line.get_xdata()) > 1]
    if not lines:
        return ""
    title = plain(ax.get_title())
    return f"{title}{': ' * bool(title)}{up or 'value'} against {across or 'place'}: {'; '.join(lines)}."


def _course(ax, line) -> str:
    x, y = _places(line)
    (left, right), (low, high) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    there = (left <= x) & (x <= right) & (low <= y) & (y <= high)
    if not there.any():
        return f"{_name(line)}, no value"
    x, y = x[there], y[there]
    places = list(dict.fromkeys((0, int(y.argmax()), len(y) - 1)))
    return f"{_name(line)} " + ", ".join(
        f"{_tick(ax.yaxis, y[n])} at {_tick(ax.xaxis, x[n])}" for n in sorted(places)
    )


def _tick(axis, value: float) -> str:
    """A number as its axis says it."""
    said = plain(axis.get_major_formatter()(float(f"{value:.3g}")))
    return said if re.search(r"\d", said) and not re.search(r"\d{5}", said) else f"{value:.3g}"
