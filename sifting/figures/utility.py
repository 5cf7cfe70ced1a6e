"""Figures about what sets of weights are worth."""

import numpy as np
from matplotlib.ticker import LogLocator

from sifting.figures.style import (
    ALONE,
    FAINT,
    IMP,
    INK,
    NULL,
    WIDTH,
    accuracy_axis,
    evenly,
    log_axis,
    looks,
    percent,
    ranked,
    subplots,
)


def taken_out(table: dict):
    """Accuracy without random sets of weights, and without windows of weights by rank: ES1.

    table : sets, from tables.utility.ablations; and title -> condition -> rank and value, from
            tables.utility.windows
    """
    sets, windows = table["sets"], {title: lines for title, lines in table.items() if title != "sets"}
    figure, axes = subplots(1, 1 + len(windows), 3.1, sharey=True)
    ax = axes[0, 0]
    low, mean, high = (sets[name].mean(0) for name in ("lowest", "mean", "highest"))
    ax.vlines(sets["ratio"], low, high, color=FAINT, linewidth=3.5)
    ax.plot(sets["ratio"], mean, "o-", color=INK, markersize=3.5, linewidth=1.3)
    ax.set(xlabel="weights taken out at random", ylabel="training accuracy", title="random sets")
    percent(ax.xaxis)
    accuracy_axis(ax)
    ax.set_ylim(-0.03, 1.03)
    for ax, (title, lines) in zip(axes[0, 1:], windows.items()):
        for number, (name, line) in enumerate(lines.items()):
            color = ranked(number, len(lines))
            ax.plot(line["rank"], line["value"].mean(0), color=color, label=name, linewidth=1.3)
        ax.set(xlabel="size of the weights", title=title)
        ax.set_xticks([0, 0.5, 1], ["smallest", "half", "largest"])
        for label, side in zip(ax.get_xticklabels(), ("left", "center", "right")):
            label.set_horizontalalignment(side)
    axes[0, -1].legend(title="taken out", loc="lower left", fontsize=7, title_fontsize=7)
    return figure


def spectra(table: dict, columns: int = 3, bins: int = 40, null: float | None = None):
    """Histograms of the utility of sets of weights, from tables.utility.spectra: ES4, ES14.

    table : title -> condition -> (values,)
    null  : a gray line, as what a network loses that says nothing any more
    """
    columns = evenly(len(table), columns)
    rows = -(-len(table) // columns)
    figure, axes = subplots(rows, columns, 2.2 * rows + 0.4, WIDTH if columns > 1 else ALONE)
    for ax, (title, conditions) in zip(axes.flat, table.items()):
        values = np.concatenate(list(conditions.values()))
        values = values[np.isfinite(values) & (values > 0)]
        edges = np.geomspace(values.min(), values.max() * 1.0001, bins + 1)
        for (name, some), (color, _) in zip(conditions.items(), looks(conditions).values()):
            some = some[np.isfinite(some)]
            ax.hist(some, edges, histtype="stepfilled", color=color, alpha=0.1)
            ax.hist(some, edges, histtype="step", color=color, linewidth=1.2, label=name)
        ax.set(title=title, xscale="log", yticks=[])
        log_axis(ax.xaxis)
        if edges[-1] > 50 * edges[0]:
            ax.xaxis.set_major_locator(LogLocator())
        ax.spines["left"].set_visible(False)
        if null is not None:
            ax.axvline(null, color=NULL, linewidth=0.9, linestyle="--")
    for ax in axes[-1]:
        ax.set_xlabel("utility (nats)", fontsize=8)
    for ax in axes.flat[len(table) :]:
        ax.axis("off")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def bars(table: dict, label: str, null: float | None = None):
    """A bar a condition, from its values in every run: dots.

    table : condition -> (runs,); null : a gray line
    """
    figure, axes = subplots(1, 1, 0.5 + 0.24 * len(table), ALONE)
    ax = axes[0, 0]
    for place, values in enumerate(table.values()):
        ax.barh(place, np.nanmean(values), color=IMP, alpha=0.3)
        ax.plot(values, [place] * len(values), "o", markersize=3, color=IMP)
    ax.set_yticks(range(len(table)), list(table), fontsize=7.5)
    ax.invert_yaxis()
    ax.set_xlabel(label)
    if null is not None:
        ax.axvline(null, color=NULL, linewidth=0.9, linestyle="--")
    return figure


def scatter(
    table: dict,
    x: str,
    y: str,
    labels: tuple[str, str],
    columns: int = 3,
    logx: bool = False,
    logy: bool = False,
):
    """A dot a unit, a panel a condition, from tables.worth.units.

    table  : title -> arrays x and y (units,); labels : of the axes
    logx   : whether the axis is logarithmic, without what is 0; logy likewise
    """
    columns = evenly(len(table), columns)
    rows = -(-len(table) // columns)
    figure, axes = subplots(rows, columns, 2.5 * rows + 0.2, sharex=True, sharey=True)
    for ax, (title, found) in zip(axes.flat, table.items()):
        ax.plot(found[x], found[y], "o", markersize=2.6, alpha=0.5, color=IMP, markeredgewidth=0)
        ax.set_title(title)
        ax.set_xlabel(labels[0])
        ax.set(xscale="log" if logx else "linear", yscale="log" if logy else "linear")
    for ax in axes[:, 0]:
        ax.set_ylabel(labels[1])
    for ax in axes.flat[len(table) :]:
        ax.axis("off")
    return figure
