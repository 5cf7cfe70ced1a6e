"""What all figures share: colours, sizes, percent axes."""

import itertools
import re
import warnings
from collections import Counter
from collections.abc import Iterable

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from sifting.tables.basics import NEARLY_ALL
from sifting.tables.words import share

INK, FAINT = "#22303c", "#9aa7b1"
ON_LIGHT = "#22303d"  # ink on what is light in the dark, too: as INK, but in the dark it stays
IMP, NULL, ACCENT, COOL = "#c2410c", "#7b8794", "#0f766e", "#1d4ed8"
CYCLE = (IMP, COOL, ACCENT, "#a16207", "#7c3aed", "#be185d")
# A method has one color in the whole book: `looks` gives it, and `strangers` finds lines that have another.
RULES = {  # by which weights are removed
    "IMP": IMP, "magnitude (IMP)": IMP, "L1 unstructured": IMP,
    "one pool": COOL, "one-shot": ACCENT, "SNIP": "#a16207", "SynFlow": "#7c3aed",
    "random": NULL, "random pruning": NULL, "random unstructured": NULL, "at random": NULL,
    "cavity score": "#be185d", "cavity score after training": "#db2777",
    "hybrid": "#0284c7", "fc-only": "#4d7c0f", "L1 structured": "#86198f", "L2 structured": "#be123c",
    "L−∞ structured": "#b07d04", "random structured": "#475569",
}  # fmt: skip
TREATMENTS = {"rewound": IMP, "fine-tuned": COOL, "σ · sign": ACCENT, "sign": "#a16207"}  # of what is left
METHODS = RULES | TREATMENTS
LINES = "-", "--", ":", "-."
WIDTH = 7.6  # inches: the text column of the page
ALONE = 4.6  # inches: a lone panel, which a phone shows without scrolling, too
SMALL = 3.7  # inches: a phone shows it without scrolling
HEAT = "magma"
HOLLOW = "_hollow"  # markers of means over too few units
BELOW = 0.1  # of an axis of accuracy, that is left below the line of guessing, for words
MARK = 2.5  # pixels: half of a mark on a line
ROOM = 0.4  # of an axis of accuracy, that it may grow by to show what guessing gives

STYLE = {
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "savefig.bbox": "tight",
    "svg.fonttype": "path",
    "svg.hashsalt": "sifting",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.handlelength": 3.2,  # room for dashes
    "lines.linewidth": 1.8,
    "axes.prop_cycle": matplotlib.cycler(color=CYCLE),
    "image.interpolation": "nearest",
}


def subplots(rows: int, columns: int, height: float, width: float = WIDTH, **keywords):
    """A figure and its axes as a 2-D array. height, width : inches."""
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, height), squeeze=False, layout="constrained", **keywords
    )
    plt.close(figure)
    return figure, axes


def method(name: str) -> str:
    """The method that a condition is of, as IMP of "IMP, short"; "" for one of none, or of several rules.

    What follows a comma says more of the condition: "random, new weights" is random pruning. Whatever else
    begins with the name of a method, as "random classes", is none.
    """
    first, *others = re.split(", | and ", name)
    return first if first in METHODS and not RULES.keys() & others else ""


def looks(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Color and line of every condition of a figure.

    Methods have their own colors; other conditions those of CYCLE that no method here has, by their places.
    Conditions of one color differ in their lines.
    """
    found, times = {}, Counter()
    names = list(dict.fromkeys(names))
    taken = {METHODS[method(name)] for name in names if method(name)}
    free = itertools.cycle([color for color in CYCLE if color not in taken] or CYCLE)
    for name in names:
        color = METHODS[method(name)] if method(name) else next(free)
        found[name] = color, LINES[times[color] % len(LINES)]
        times[color] += 1
    return found


def strangers(figure) -> list[str]:
    """Names of the methods that a figure draws in another color than the book does."""
    drawn = [part for ax in figure.axes for part in (*ax.get_lines(), *ax.patches)]
    return [
        name
        for part in drawn
        if method(name := str(part.get_label()))
        if to_hex(part.get_color() if hasattr(part, "get_color") else part.get_facecolor())
        != METHODS[method(name)]
    ]


def ranked(number: int, count: int) -> tuple:
    """The color of one of `count` conditions in an order, the first one bright."""
    return matplotlib.colormaps["viridis"](0.9 - 0.9 * number / max(1, count - 1))


def evenly(count: int, most: int) -> int:
    """How many of `count` things to put in a row, at most `most`: in few and even rows."""
    return -(-count // -(-count // most))


def percent(axis, digits: int = 2) -> None:
    """Show fractions as percent on a matplotlib axis, with at most so many decimals."""
    words = FuncFormatter(lambda value, _: f"{round(100 * value, digits) or 0:g} %".replace("-", "−"))
    axis.set_major_formatter(words)


def accuracy_axis(ax) -> None:
    """Show the accuracies of networks, in percent; `guessing` finds the axis by it."""
    percent(ax.yaxis)
    ax.set_gid("accuracy")


def guesses(figure) -> list:
    """The axes of accuracy of a figure, see `accuracy_axis`."""
    return [ax for ax in figure.axes if ax.get_gid() == "accuracy"]


def guessing(figure, classes: Iterable[int]) -> None:
    """A thin line where the accuracy of guessing is, 1 / classes, on every axis of accuracy.

    The first axis says what it is. Where it would take more than ROOM of an axis, words say so at its end.
    """
    lines = sorted({1 / count: count for count in classes}.items())
    for number, ax in enumerate(guesses(figure)):
        (low, high), words, before = sorted(ax.get_ylim()), [], _drawn(ax)
        for level, count in lines:
            said = f"chance: {round(100 * level, 1):g} % ({count} classes)"
            style = {"fontsize": 7.5, "color": INK, "zorder": 6}
            style |= {"xytext": (0, 1), "textcoords": "offset points"}
            style |= {"path_effects": [withStroke(linewidth=2, foreground="white")]}
            if low - level > ROOM * (high - low):
                words.append(ax.annotate(f"{said}, below", (1, 0), xycoords=ax.transAxes, **style))
                continue
            low = min(low, level - BELOW * (high - low))
            ax.axhline(level, color=INK, linewidth=0.7, linestyle=(0, (1, 2)), zorder=0.4)
            if not number:
                side = ax.get_yaxis_transform()
                words.append(ax.annotate(said, (1, level), xycoords=side, **style))
        if low < min(ax.get_ylim()):
            ax.set_ylim(*((low, high) if ax.get_ylim()[0] < ax.get_ylim()[1] else (high, low)))
        if words:
            _settle(ax, words, before)


def _drawn(ax) -> list:
    """Lines of an axes, and whatever else is drawn as lines."""
    return [*ax.get_lines(), *(part for part in ax.collections if isinstance(part, LineCollection))]


def _settle(ax, words: list, parts: list) -> None:
    """Move words along the horizontal lines that they stand on, above or below, to where least is drawn.

    parts : what is drawn. Words that stand on no line may be moved up from the lower end of the axes
    """
    ax.figure.draw_without_rendering()
    paths = [
        part.get_transform().transform_path(path)
        for part in parts
        for path in (part.get_paths() if hasattr(part, "get_paths") else [part.get_path()])
    ]
    drawn = np.concatenate([path.interpolated(50).vertices for path in paths])
    legend = ax.get_legend()
    boxes = [part.get_window_extent() for part in (legend, *ax.texts) if part and part not in words]

    def lies(word, rise: float, x: float, side: str) -> float:
        """How much is drawn where a word is put."""
        word.xy = (x, word.xy[1])
        word.set(ha=side, va="bottom" if rise > 0 else "top", position=(0, rise))
        box = word.get_window_extent()
        near = box.padded(MARK)
        inside = (near.min < drawn).all(1) & (drawn < near.max).all(1)
        out = not (ax.bbox.y0 <= box.y0 and box.y1 <= ax.bbox.y1)
        return inside.sum() + len(drawn) * (out + sum(box.overlaps(other) for other in boxes))

    for word in words:
        rises = range(1, 150, 9) if word.xycoords is ax.transAxes else (1, -1, 4, -4)
        ways = itertools.product(rises, ((1, "right"), (0, "left"), (0.5, "center")))
        best = min(([rise, *end] for rise, end in ways), key=lambda way: lies(word, *way))
        lies(word, *best)
        boxes.append(word.get_window_extent())


def density_axis(ax, ticks=(1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)) -> None:
    """Logarithmic density axis, dense network at the left as in the papers."""
    ax.set_xscale("log")
    ax.invert_xaxis()
    ax.set_xlabel("weights kept in the layer (density)")
    dense, sparse = ax.get_xlim()
    ax.set_xticks([tick for tick in ticks if sparse <= tick <= dense], minor=False)
    ax.set_xticks([], minor=True)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: share(value)))


def log_axis(axis) -> None:
    """Round numbers as ticks of a logarithmic axis: 1, 2, 5, 10, or closer where it is short."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high > 5 * low else (1, 1.5, 2, 3, 4, 5, 6, 8)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def band(ax, x, rows: np.ndarray, label: str, color: str, **line) -> None:
    """Mean of `rows` (runs, points) as a line, and one standard deviation each way as a band.

    One run has no band.
    """
    mean = np.nanmean(rows, 0)
    ax.plot(x, mean, color=color, label=label, **line)
    if len(rows) > 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of points that a single run has
            sd = np.nanstd(rows, 0, ddof=1)
        ax.fill_between(x, mean - sd, mean + sd, color=color, alpha=0.18, linewidth=0)


def hollow(ax, fair: np.ndarray) -> None:
    """White markers over those of the last line where a mean is over too few units to compare it."""
    line = ax.get_lines()[-1]
    x, y = line.get_data()
    style = {"marker": line.get_marker(), "markersize": line.get_markersize(), "color": line.get_color()}
    ax.plot(x[~fair], y[~fair], linestyle="", markerfacecolor="white", label=HOLLOW, **style)


def measured_axis(ax) -> None:
    """The axis of the share of units that means over units are over, with what is enough of them."""
    ax.axhline(NEARLY_ALL, color=NULL, linewidth=0.8, linestyle="--")
    ax.set_ylim(0, 1.05)
    percent(ax.yaxis)
    ax.set_ylabel("units with $\\Lambda$\nand a width")


def image(ax, values: np.ndarray, title: str = "", **keywords):
    """A picture without axes.

    values : (height, width), or (1 or 3, height, width) of bool, uint8 or [0, 1]
    """
    if values.ndim == 3:
        values = np.repeat(values, 3, 0) if len(values) == 1 else values
        values = np.moveaxis(values, 0, -1)
        values = values / 255 if values.dtype == np.uint8 else values.astype(float)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.set_title(title, fontsize=8)
    return ax.imshow(values, **keywords)


def mosaic(pictures: np.ndarray, columns: int, gap: int = 1) -> np.ndarray:
    """Many pictures as one, with gray gaps.

    pictures : (n, 1 or 3, height, width), bool, uint8 or in [0, 1]
    returns  : (3, rows, columns)
    """
    count, channels, height, width = pictures.shape
    values = pictures / 255 if pictures.dtype == np.uint8 else pictures.astype(float)
    rows = -(-count // columns)
    sheet = np.full((3, rows * (height + gap) + gap, columns * (width + gap) + gap), 0.87)
    for n, picture in enumerate(values):
        top, left = (n // columns) * (height + gap) + gap, (n % columns) * (width + gap) + gap
        sheet[:, top : top + height, left : left + width] = picture
    sheet[:, :, (count - 1) % columns * (width + gap) + width + 2 * gap :][
        :, (rows - 1) * (height + gap) + gap :
    ] = 1
    return sheet


def signed(weights: np.ndarray) -> np.ndarray:
    """Weights to [0, 1] for display: 0 becomes mid grey, the largest magnitude black or white."""
    return 0.5 + 0.5 * weights / (np.abs(weights).max() or 1)
