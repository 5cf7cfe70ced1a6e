"""Figures about one network pruned in many ways."""

import itertools
import re
import textwrap

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from sifting.figures.style import (
    ALONE,
    FAINT,
    IMP,
    INK,
    NULL,
    ON_LIGHT,
    WIDTH,
    accuracy_axis,
    band,
    density_axis,
    evenly,
    image,
    log_axis,
    looks,
    mosaic,
    percent,
    ranked,
    signed,
    subplots,
)

LETTERS = 28  # of a label beside a panel


def accuracy(table: dict):
    """Test accuracy against the weights kept, a panel a title: PF1, PF2, PF10, PF12.

    table : title -> condition -> density (points,) and test (runs, points), of tables.methods.accuracy
    """
    return panels(table, y="test", label="test accuracy", x="density", columns=2, shares=True)


def distance(table: dict, **how):
    """Jaccard distance by level, dotted: by chance, a panel a title: PF3, PF4, PF9, PF11.

    table : title -> condition -> arrays, of tables.similarity.by_layer; how : as for `panels`
    """
    return panels(table, y="distance", label="Jaccard distance", null="chance", **how)


def panels(
    table: dict,
    y: str,
    label: str,
    x: str = "level",
    columns: int = 3,
    null: str = "",
    shares: bool = False,
    sharey: bool = True,
    logx: bool = False,
    logy: bool = False,
    ordered: bool = False,
    control: str = "",
    level: tuple[str, float] | None = None,
):
    """A panel a title, a line a condition: mean and deviation over runs, where all have a value.

    table   : title -> condition -> arrays x (points,) and y (runs, points); x may be density
    null    : name of a further array, (runs, points), dotted in the color of its condition
    shares  : whether y are shares, in percent; logx, logy : whether levels, or y, are on a logarithmic axis
    ordered : whether conditions are in an order, to be seen in their colors
    control : a condition that is drawn in ink, dashed
    level   : a title, and the y of a gray line in panels whose titles begin so
    """
    columns, order = evenly(len(table), columns), list(dict.fromkeys(itertools.chain(*table.values())))
    rows, forms = -(-len(table) // columns), looks(order)
    figure, axes = subplots(rows, columns, 2.5 * rows + 0.5, WIDTH if columns > 1 else ALONE, sharey=sharey)
    for ax, (title, conditions) in zip(axes.flat, table.items()):
        for name, found in conditions.items():
            number, (color, line) = order.index(name), forms[name]
            if ordered:
                color, line = ranked(number, len(order) - bool(control)), "-"
            if name == control:
                color, line = INK, "--"
            there = ~np.isnan(found[y]).any(0)
            style = {"linestyle": line, "marker": "osD^vP"[number % 6], "markersize": 2.8, "linewidth": 1.3}
            band(ax, found[x][there], found[y][:, there], name, color, **style)
            if null and np.isfinite(found[null]).any():
                chance = np.nanmean(found[null][:, there], 0)
                ax.plot(found[x][there], chance, ":", color=color, linewidth=1, alpha=0.8)
        _x_axis(ax, x, logx)
        if logy:
            ax.set_yscale("log")
            log_axis(ax.yaxis)
        if re.fullmatch(r"(\w+ )?accuracy", label) or (title.startswith("accuracy") and not sharey):
            accuracy_axis(ax)
        elif shares:
            percent(ax.yaxis)
        if level and title.startswith(level[0]):
            ax.axhline(level[1], color=NULL, linewidth=0.9, linestyle="--", zorder=0)
        ax.set_title(title, fontsize=6.5 if columns > 3 else None)
    drawn = list(zip(axes.flat, table.values()))
    for seen in [drawn] if sharey else [[one] for one in drawn]:
        values = np.concatenate([np.ravel(found[y]) for _, some in seen for found in some.values()])
        # shares: bands end where they can be
        if not logy and np.nanmin(values) >= 0 and np.nanmax(values) <= 1:
            low, high = seen[0][0].get_ylim()
            seen[0][0].set_ylim(max(low, -0.03), min(high, 1.03))
    for ax in axes[:, 0]:
        ax.set_ylabel(textwrap.fill(label, LETTERS))
    for ax in axes.flat[len(table) :]:
        ax.remove()
    names = {}
    for ax in axes.flat:
        names |= dict(zip(*reversed(ax.get_legend_handles_labels())))
    figure.legend(names.values(), names.keys(), loc="outside upper center", ncols=evenly(len(names), 4))
    return figure


def _x_axis(ax, x: str, logx: bool):
    """Label and ticks for levels, densities, shares or whatever else x is."""
    if x == "density":
        density_axis(ax)
        ax.set_xlabel("weights kept")
        return
    ax.set_xlabel(x)
    most = max((line.get_xdata().max(initial=0) for line in ax.lines), default=2)
    if most <= 1:
        percent(ax.xaxis)
    else:
        ax.xaxis.set_major_locator(MaxNLocator(5 if most > 99 else "auto", integer=True))
    if logx and any(line.get_xdata().size for line in ax.lines):
        ax.set_xscale("log")
        log_axis(ax.xaxis)


def filters(table: dict, columns: int = 2):
    """Weights of a convolution, inputs down and outputs across, gray where pruned: PF5, PF13.

    table : title -> weights (outputs, inputs, height, width), 0 where pruned
    """
    return _sheets({name: _filters(weights) for name, weights in table.items()}, columns)


def kernels(table: dict, columns: int = 2):
    """Share of every kernel that is kept, inputs down and outputs across: PF15.

    table : title -> mask of a convolution, (outputs, inputs, height, width)
    """
    shares = {name: mask.mean((2, 3)).T for name, mask in table.items()}
    return _sheets(shares, columns, cmap="magma_r", vmin=0)


def _sheets(pictures: dict, columns: int, **how):
    columns = evenly(len(pictures), columns)
    rows = -(-len(pictures) // columns)
    high = max(picture.shape[-2] / picture.shape[-1] for picture in pictures.values())
    figure, axes = subplots(rows, columns, rows * (WIDTH / columns * min(high, 1.2) + 0.35))
    for ax, (name, picture) in zip(axes.flat, pictures.items()):
        image(ax, picture, name, **how)
    for ax in axes[-1]:
        ax.set_xlabel("outputs", fontsize=8)
    for ax in axes[:, 0]:
        ax.set_ylabel("inputs", fontsize=8)
    for ax in axes.flat[len(pictures) :]:
        ax.remove()
    return figure


def _filters(weights: np.ndarray) -> np.ndarray:
    """(3, rows, columns): kernels in a sheet, from blue through white to red, gray where pruned."""
    outputs, inputs, height, width = weights.shape
    rows = weights.swapaxes(0, 1).reshape(inputs * outputs, height, width)
    value = 2 * signed(rows) - 1
    low, high = np.array([0.11, 0.31, 0.85]), np.array([0.76, 0.25, 0.05])
    ends = np.where(value[..., None] > 0, high, low)
    colored = 1 + (ends - 1) * np.abs(value)[..., None] ** 0.6
    colored[rows == 0] = 0.8
    return mosaic(np.moveaxis(colored, -1, 1), outputs)


def evolution(table: dict, columns: int = 3, label: str = "weight"):
    """Every weight of a layer from level to level, ending where it is pruned: PF6, PF7, PF16.

    table : title -> (1 + levels, weights), the first row before any training, of tables.stability.evolution
    """
    columns = evenly(len(table), columns)
    rows = -(-len(table) // columns)
    figure, axes = subplots(rows, columns, 2.3 * rows + 0.2, sharey="row")
    for ax, (name, values) in zip(axes.flat, table.items()):
        steps = np.arange(-1, len(values) - 1)
        last = np.flatnonzero(np.isfinite(values).any(1))[-1]
        for there, color in ((False, FAINT), (True, IMP)):
            lines = values[:, np.isfinite(values[last]) == there].T
            alpha = min(0.7, max(0.08, 60 / max(1, len(lines))))
            lines = np.stack([np.broadcast_to(steps, lines.shape), lines], -1)
            # as pixels: thousands of lines are more than a page should draw
            ax.add_collection(
                LineCollection(lines, colors=color, linewidths=0.5, alpha=alpha, rasterized=True)
            )
        ax.autoscale()
        ax.set_title(name)
        ax.set_xticks([-1, *range(5, len(values) - 1, 5)], ["start", *map(str, range(5, len(values) - 1, 5))])
    for ax in axes[-1]:
        ax.set_xlabel("level")
    for ax in axes[:, 0]:
        ax.set_ylabel(label)
    for ax in axes.flat[len(table) :]:
        ax.remove()
    return figure


def matrices(table: dict, columns: int = 2):
    """Square matrices of shares with their numbers, in percent: PF14.

    table : title -> (names, values), of tables.ensembles.agreement or tables.similarity.distances_at
    """
    columns = evenly(len(table), columns)
    rows = -(-len(table) // columns)
    figure, axes = subplots(rows, columns, rows * (WIDTH / columns + 0.3))
    for ax, (title, (names, values)) in zip(axes.flat, table.items()):
        ax.imshow(values, cmap="viridis", vmin=0, vmax=1)
        ax.set_title(title)
        ax.set_xticks(range(len(names)), names, rotation=50, ha="right", fontsize=7)
        ax.set_yticks(range(len(names)), names, fontsize=7)
        ax.spines[:].set_visible(False)
        for (row, column), value in np.ndenumerate(values):
            text = f"{100 * value:.0f}" if np.isfinite(value) else "–"
            ink = ON_LIGHT if value > 0.6 or not np.isfinite(value) else "white"
            ax.text(column, row, text, ha="center", va="center", fontsize=6.5, color=ink)
    for ax in axes.flat[len(table) :]:
        ax.remove()
    return figure


def changes(table: dict, label: str):
    """A bar a method, a panel a layer, from tables.stability.changes: PF8. Dots: runs."""
    layers = list(next(iter(table.values())))
    figure, axes = subplots(1, len(layers), 2.9, sharey=True)
    for ax, layer in zip(axes[0], layers):
        for place, (found, (color, _)) in enumerate(zip(table.values(), looks(table).values())):
            values = found[layer]
            ax.barh(place, np.nanmean(values), color=color, alpha=0.35)
            ax.plot(values, [place] * len(values), "o", markersize=3, color=color)
        ax.set_title(layer)
        ax.axvline(0, color=NULL, linewidth=0.8)
        ax.set_yticks(range(len(table)), list(table), fontsize=7.5)
        ax.invert_yaxis() if ax is axes[0, 0] else None
        ax.set_xlabel(label, fontsize=8)
    return figure
