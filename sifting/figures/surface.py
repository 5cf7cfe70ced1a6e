"""Figures about accuracy between networks."""

import numpy as np
from matplotlib.patches import Polygon
from matplotlib.patheffects import withStroke

from sifting.figures.style import (
    CYCLE,
    INK,
    NULL,
    ON_LIGHT,
    WIDTH,
    accuracy_axis,
    band,
    looks,
    percent,
    ranked,
    subplots,
)

# the pretrained, the pruned and the retrained network -> marker
NETWORKS = {"$W^*$, pretrained": "o", "$W_p$, pruned": "^", "$W_r$, retrained": "s"}
HEIGHT = "viridis"  # as in the explorer
CONTOURS = np.arange(0.1, 1, 0.1)  # accuracies


def planes(table: dict):
    """Accuracy on planes through three networks, in rows and columns: ES6, ES16.

    Lines between the three enclose what is a mixture of them. Each axis has a scale of its own, in units of
    the weights; its ticks are where the pretrained and the pruned network are (across), and the pretrained
    and the retrained one (up).

    table : row -> column -> plane, from tables.surface.plane
    """
    columns = list(next(iter(table.values())))
    side = min(2.0, 0.86 * WIDTH / len(columns))
    highest = max(plane["accuracy"].max() for found in table.values() for plane in found.values())
    top = np.ceil(10 * highest) / 10
    figure, axes = subplots(len(table), len(columns), (0.86 * side + 0.12) * len(table) + 0.6)
    for row, (title, found) in zip(axes, table.items()):
        row[0].set_ylabel(title.replace(", ", ",\n"), fontsize=8.5)
        for ax, column in zip(row, columns):
            drawn = _plane(ax, found[column], 4 + side, top)
    for ax, column in zip(axes[0], columns):
        ax.set_title(column, fontsize=8.5)
    bar = figure.colorbar(drawn, ax=axes, shrink=min(1, 1.8 / len(table)), aspect=18, pad=0.015)
    percent(bar.ax.yaxis)
    bar.set_label("training accuracy")
    marks = axes[0, 0].get_legend_handles_labels()
    figure.legend(*marks, loc="outside upper center", ncols=3, handlelength=1)
    return figure


def _plane(ax, found: dict, size: float, top: float):
    x, y, accuracy, points = (found[name] for name in ("x", "y", "accuracy", "points"))
    drawn = ax.pcolormesh(x, y, accuracy, cmap=HEIGHT, vmin=0, vmax=top, shading="nearest", rasterized=True)
    inside = CONTOURS[(accuracy.min() < CONTOURS) & (accuracy.max() > CONTOURS)]
    if inside.size:
        colors = [ON_LIGHT if level > 0.55 * top else "white" for level in inside]
        ax.contour(x, y, accuracy, inside, colors=colors, linewidths=0.5, alpha=0.6)
    outline = {
        "edgecolor": INK,
        "linewidth": 0.8,
        "path_effects": [withStroke(linewidth=2, foreground="white")],
    }
    ax.add_patch(Polygon(points, fill=False, alpha=0.7, **outline))
    marker = {"color": "white", "markeredgecolor": INK, "markeredgewidth": 1.2, "linestyle": "none"}
    for (name, form), place in zip(NETWORKS.items(), points):
        ax.plot(*place, form, label=name, markersize=size, **marker)
    for axis, places in ((ax.xaxis, points[[0, 1], 0]), (ax.yaxis, points[[0, 2], 1])):
        axis.set_ticks(places, [f"{value:.2g}" if abs(value) < 9.95 else f"{value:.0f}" for value in places])
    ax.tick_params(labelsize=7, length=2, pad=1.5)
    ax.spines[:].set_visible(False)
    return drawn


def between(table: dict, control: str = "", ordered: tuple[str, ...] = ()):
    """Accuracy along a line between networks, a panel for each kind of batch-norm statistics.

    Mean and standard deviation over runs.

    table   : statistics -> condition -> (runs, points), from tables.surface.between
    control : the condition that is drawn gray
    ordered : conditions that are in an order, to be seen in their colors
    """
    figure, axes = subplots(1, len(table), 2.9, sharey=True)
    for ax, (title, conditions) in zip(axes[0], table.items()):
        forms = looks(name for name in conditions if name != control)
        for number, (name, rows) in enumerate(conditions.items()):
            color = NULL if name == control else forms[name][0]
            if name in ordered:
                color = ranked(ordered.index(name), len(ordered))
            line = ":" if name == control else ("-", "--")[number % 2]
            band(ax, np.linspace(0, 1, rows.shape[1]), rows, name, color, linestyle=line)
        ax.set_title(title)
        ax.set_xticks([0, 0.5, 1], ["$W^*$", "half way", "$W_r$"])
    accuracy_axis(axes[0, 0])
    low, high = axes[0, 0].get_ylim()
    axes[0, 0].set(ylim=(max(low, 0), min(high, 1.02)), ylabel="training accuracy")
    lines, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper center", ncols=3)
    return figure


def leaving(
    table: dict, words: dict[int, str], label: str, control: str = "trained anew", level: float | None = None
):
    """Barriers against the share of the channels that is pruned, a line a length of training.

    Mean and standard deviation over runs; dots: runs. Each panel has a scale of its own.

    table   : from tables.surface.leaving
    words   : length of training -> its name; label : of the barriers
    control : the condition that is told in the title, being far above; others that stand beside are
              horizontal
    level   : of a gray line
    """
    figure, axes = subplots(1, len(table), 3.1)
    for ax, (title, found) in zip(axes[0], table.items()):
        ends = np.array([-0.06, 0.06]) + found["share"][[0, -1]]
        for name, values in found["beside"].items():
            if name != control:
                band(ax, ends, np.repeat(values[:, None], 2, 1), name, CYCLE[2], linestyle=":")
        for place, (length, rows) in enumerate(found["lengths"].items()):
            x, color = found["share"] + 0.012 * (place - 0.5), CYCLE[place]
            band(ax, x, rows, words[length], color)
            ax.plot(x, rows.T, "osD^"[place], color=color, markersize=3, alpha=0.8)
        if level is not None:
            ax.axhline(level, color=NULL, linewidth=0.9, linestyle="--")
        ax.set_title(f"{title}\n({control}: {found['beside'][control].mean():.2g})")
        ax.set_xticks(found["share"])
        percent(ax.xaxis)
        ax.set_xlim(ends)
        ax.set_ylim(bottom=min(0, -0.02 * ax.get_ylim()[1]))
    axes[0, len(table) // 2].set_xlabel("channels pruned at once")
    axes[0, 0].set_ylabel(label)
    lines, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper center", ncols=4)
    return figure
