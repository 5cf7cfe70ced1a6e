"""Curves of a figure behind those of another that is drawn alike: what is stored, behind what is new."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.transforms import Transform

GRAY, TINT = 0.66, 0.3  # of curves behind; how much they have of the color of the curve of the same name
BEHIND = {"linewidth": 0.9, "markersize": 2.6, "zorder": 0.5}
DIGITS = 5
CAPS = ("_", "|")  # markers: the ends of error bars
SHARE = 0.6  # of an axis across, at least, is of the figure that is new
ROOM = 0.05  # of an axis up, above and below curves


def kept_of(figure: Figure) -> list[dict]:
    """The curves of a figure, an entry for each of its axes; JSON can hold it.

    returns : scales and limits of both axes, and curves, each with x, y, name, line and marker
    """
    return [
        {
            "scales": [ax.get_xscale(), ax.get_yscale()],
            "limits": [_rounded(ax.get_xlim()), _rounded(ax.get_ylim())],
            "curves": [
                {
                    "x": _rounded(line.get_xdata(orig=False)),
                    "y": _rounded(line.get_ydata(orig=False)),
                    "name": line.get_label(),
                    "line": line.get_linestyle() if _is_line(line) else "",
                    "marker": line.get_marker() if isinstance(line.get_marker(), str) else "",
                }
                for line in ax.get_lines()
                if line.get_transform() == ax.transData
                and len(line.get_xdata()) > 1
                and (_is_line(line) or line.get_marker() not in CAPS)
            ],
        }
        for ax in figure.axes
    ]


def draw_behind(figure: Figure, stored: list[dict], of: str = "the book") -> bool:
    """Draw curves of another figure behind those of this one, pale; returns whether there was any.

    A curve has some of the color of that of the same name, or else its name. Where the other goes on across,
    it is cut off before it leaves this one too little room. Nothing is drawn where the two are not alike:
    other axes, or axes with other scales.

    of : what the other is a figure of, in words
    """
    pairs = list(zip(figure.axes, stored))
    alike = len(figure.axes) == len(stored) and all(
        [ax.get_xscale(), ax.get_yscale()] == kept["scales"] for ax, kept in pairs
    )
    if not alike or not any(kept["curves"] for kept in stored):
        return False
    for ax, kept in pairs:
        if kept["curves"]:
            _draw(ax, kept)
    figure.text(1, 0, f"pale: {of}", ha="right", va="top", fontsize=7.5, color=str(GRAY - 0.2))
    return True


def _draw(ax: Axes, kept: dict) -> None:
    colors = {line.get_label(): line.get_color() for line in ax.get_lines()}
    across, up = _held(ax.get_xlim(), kept["limits"][0], ax.xaxis.get_transform()), ax.get_ylim()
    x, y = (np.concatenate([curve[of] for curve in kept["curves"]]) for of in "xy")
    seen = y[(min(across) <= x) & (x <= max(across)) & np.isfinite(y)]
    if seen.size:
        up = _with(up, seen, kept["limits"][1], ax.yaxis.get_transform())
    for curve in kept["curves"]:
        name, color = curve["name"], _pale(colors.get(curve["name"], "black"))
        look = {"linestyle": curve["line"], "marker": curve["marker"]} | BEHIND
        ax.plot(curve["x"], curve["y"], color=color, **look)
        if name not in colors and not name.startswith("_"):
            begin = curve["x"][0], curve["y"][0]
            ax.annotate(name, begin, (3, 3), textcoords="offset points", fontsize=6.5, color=color)
    ax.set(xlim=across, ylim=up)


def _held(mine: tuple, other: tuple, scale: Transform) -> tuple:
    """Limits that hold mine, and of the other as much as leaves mine its SHARE; scale : of their axis."""
    (first, last), ends = scale.transform(mine), scale.transform(sorted(other))
    low, high = min(first, last), max(first, last)
    more = np.maximum(0, [low - ends[0], ends[1] - high])
    more *= min(1, (high - low) * (1 / SHARE - 1) / max(more.sum(), 1e-12))
    found = scale.inverted().transform([low - more[0], high + more[1]])
    return tuple(found if first <= last else found[::-1])


def _with(mine: tuple, values: np.ndarray, other: tuple, scale: Transform) -> tuple:
    """Limits that hold mine and values, with some room inside of the other limits; scale : of their axis."""
    low, high = scale.transform([values.min(), values.max()])
    ends = scale.transform(sorted(other))
    room = ROOM * (ends[1] - ends[0])
    found = scale.inverted().transform([max(low - room, ends[0]), min(high + room, ends[1])])
    found = min(*mine, found[0]), max(*mine, found[1])
    return found if mine[0] <= mine[1] else found[::-1]


def _pale(color) -> tuple:
    """A color, washed out to gray."""
    return tuple(TINT * part + (1 - TINT) * GRAY for part in to_rgb(color))


def _is_line(line) -> bool:
    return line.get_linestyle() not in ("None", " ", "")


def _rounded(values) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]
