"""Figures of how layers build on each other."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from sifting.figures.style import (
    COOL,
    CYCLE,
    FAINT,
    IMP,
    NULL,
    WIDTH,
    accuracy_axis,
    band,
    density_axis,
    image,
    mosaic,
    signed,
    subplots,
)


def composition(table: dict):
    """Second-layer units, images that drive them and first-layer units that feed them: PB15.

    table : of tables.hierarchy.composition
    """
    size = table["masks"].shape[1:]
    inputs = max([1, *map(len, table["weights"])])
    rows = []
    for mask, images, weights in zip(table["masks"], table["images"], table["weights"]):
        shown = [signed(unit) for unit in weights] + [np.full(size, 0.87)] * (inputs - len(weights))
        rows += [mask.astype(float), *(images / 255), *shown]
    columns, pitch = 1 + table["images"].shape[1] + inputs, size[2] + 1
    height = WIDTH * len(table["units"]) * (size[1] + 1) / (columns * pitch)
    figure, axes = subplots(1, 1, height + 0.5)
    ax = axes[0, 0]
    image(ax, mosaic(np.stack(rows), columns))
    middle = (0.5, 1 + table["images"].shape[1] / 2, columns - inputs / 2)
    words = ("effective\nmask", "images that drive it most", "weights of the first-layer units that feed it")
    ax.xaxis.tick_top()
    ax.set_xticks([pitch * place for place in middle], words, fontsize=8)
    ax.set_yticks(
        [(size[1] + 1) * (n + 0.5) for n in range(len(table["units"]))],
        [f"unit {unit}" for unit in table["units"]],
        fontsize=7,
    )
    ax.tick_params(length=0)
    return figure


def feeding(table: dict):
    """How near and how alike units are that feed one unit, beside random connections: PB15.

    table : of tables.hierarchy.feeding
    """
    figure, axes = subplots(1, 3, 2.6)
    titles = {
        "distance": "distance of centers (pixels)",
        "form": "likeness of form",
        "overlap": "overlap (Jaccard index)",
    }
    for ax, (name, title) in zip(axes[0], titles.items()):
        band(ax, table["density"], table[name], "IMP", IMP, marker="o", markersize=3.5)
        band(ax, table["density"], table[f"{name}_random"], "connections at random", NULL, linestyle="--")
        density_axis(ax)
        ax.set(xlabel="weights kept in the layer", ylabel=title)
    axes[0, 2].set_yscale("log")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def turns(table: list[list[dict]]):
    """Accuracy against density of each layer as it is pruned: PB16. A white dot: frozen there.

    table : of tables.hierarchy.turns
    """
    figure, axes = subplots(1, len(table), 2.9, sharey=True)
    for number, (ax, runs) in enumerate(zip(axes[0], table), 1):
        for run, color in zip(runs, CYCLE * len(runs)):
            x, y, at = run["density"], run["best"], run["frozen"]
            ax.axhline(run["dense"], color=color, linewidth=0.8, linestyle=":")
            ax.plot(x, y, color=color, marker="o", markersize=3, linewidth=1.3)
            ax.plot(
                x[at], y[at], "o", color=color, markersize=8, markerfacecolor="white", markeredgewidth=1.5
            )
        density_axis(ax, ticks=(1, 0.1, 0.01, 0.001, 0.0001))
        accuracy_axis(ax)
        ax.set_title(f"layer {number}")
        ax.set_xlabel("its weights kept")
    axes[0, 0].set_ylabel("validation accuracy, early stopped")
    return figure


def tree(table: list[dict]):
    """One unit and what feeds it, layer by layer: PB16.

    Every mask stands above those that feed it; they are effective ones, as colors.

    table : of tables.hierarchy.tree
    """
    places = _places(table)
    room = [np.diff(row).min() if len(row) > 1 else np.inf for row in places]
    sides = [min(0.9 + 0.6 * (len(table) - 1 - n), 0.92 * gap) for n, gap in enumerate(room)]
    tops = -np.cumsum([0, *(side + 0.5 for side in sides)])
    wide = max(2 * sides[0], len(places[-1]))
    figure, axes = subplots(1, 1, min(6.5, WIDTH * -tops[-1] / (wide + 1.2)))
    ax = axes[0, 0]
    ax.axis("off")
    for n, row in enumerate(table):
        side, top = sides[n], tops[n]
        ax.text(-0.75, top - side / 2, f"layer {row['layer']}", ha="right", va="center", fontsize=8.5)
        for x, parent, mask in zip(places[n], row["parent"], row["masks"]):
            if n:
                above = places[n - 1][parent], tops[n - 1] - sides[n - 1]
                ax.plot([above[0], x], [above[1], top], color=FAINT, linewidth=0.9, zorder=0)
            image(ax, mask, extent=(x - side / 2, x + side / 2, top - side, top))
    middle = np.mean([places[-1].min(), places[-1].max()])
    ax.set(
        xlim=(min(middle - wide / 2, -0.7) - 0.6, middle + wide / 2 + 0.1),
        ylim=(tops[-1] + 0.4, 0.1),
        aspect="equal",
    )
    return figure


def _places(table: list[dict]) -> list[np.ndarray]:
    """Where the nodes of a tree stand from left to right.

    Leaves are one apart, all others above the middle of theirs.
    """
    places, leaves = [np.full(len(row["units"]), np.nan) for row in table], 0

    def place(n, node):
        nonlocal leaves
        below = np.flatnonzero(table[n + 1]["parent"] == node) if n + 1 < len(table) else []
        if len(below):
            places[n][node] = np.mean([place(n + 1, other) for other in below])
        else:
            places[n][node], leaves = leaves, leaves + 1
        return places[n][node]

    for node in range(len(places[0])):
        place(0, node)
    return places


def growth(tables: dict[str, dict]):
    """Inputs that reach a unit and radius of its receptive field, layer by layer: PB16.

    tables : of tables.hierarchy.growth
    """
    figure, axes = subplots(1, 2, 2.8)
    for ax, (name, title) in zip(
        axes[0],
        {"inputs": "inputs reaching a unit", "radius": "radius of its mask (pixels)"}.items(),
    ):
        for (label, table), color in zip(tables.items(), (IMP, COOL)):
            layers = np.arange(1, table[name].shape[1] + 1)
            band(ax, layers, table[name], label, color, marker="o", markersize=4)
            random = table[f"{name}_random"][:, 1:]
            band(
                ax,
                layers[1:],
                random,
                f"{label}, connections at random",
                color,
                linestyle="--",
                linewidth=1.1,
            )
        ax.set(xlabel="layer", ylabel=title)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0, 0].set_yscale("log")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure
