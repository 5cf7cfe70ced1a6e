"""Curves of a figure behind those of another that is drawn alike: what is stored, behind what is new."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

BEHIND = {"color": "0.6", "linewidth": 0.9, "markersize": 3, "zorder": 0.5}
DIGITS = 5
CAPS = ("_", "|")  # markers: the ends of error bars


def kept_of(figure: Figure) -> list[dict]:
    """The curves of a figure, an entry for each of its axes; JSON can hold it.

    returns : scales and limits of both axes, and curves, each with its x, y and whether it is a line
    """
    return [
        {
            "scales": [ax.get_xscale(), ax.get_yscale()],
            "limits": [_rounded(ax.get_xlim()), _rounded(ax.get_ylim())],
            "curves": [
                [_rounded(line.get_xdata(orig=False)), _rounded(line.get_ydata(orig=False)), _is_line(line)]
                for line in ax.get_lines()
                if line.get_transform() == ax.transData
                and len(line.get_xdata()) > 1
                and (_is_line(line) or line.get_marker() not in CAPS)
            ],
        }
        for ax in figure.axes
    ]


def draw_behind(figure: Figure, stored: list[dict]) -> bool:
    """Draw curves of another figure behind those of this one, gray; returns whether there was any.

    Nothing is drawn where the two are not alike: other axes, or axes with other scales.
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
    return True


def _draw(ax: Axes, kept: dict) -> None:
    limits = [
        _widest(ax.get_xlim(), kept["limits"][0]),
        _widest(ax.get_ylim(), kept["limits"][1]),
    ]
    for x, y, is_line in kept["curves"]:
        ax.plot(x, y, "-" if is_line else ".", **BEHIND)
    ax.set(xlim=limits[0], ylim=limits[1])


def _widest(mine: tuple, other: tuple) -> tuple:
    """Limits that hold both, in the direction of mine."""
    low, high = min(*mine, *other), max(*mine, *other)
    return (low, high) if mine[0] <= mine[1] else (high, low)


def _is_line(line) -> bool:
    return line.get_linestyle() not in ("None", " ", "")


def _rounded(values) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]
