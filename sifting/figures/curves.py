"""Figures made of lines and bars."""

import textwrap

import numpy as np

from sifting.figures.style import (
    ACCENT,
    ALONE,
    COOL,
    FAINT,
    IMP,
    INK,
    NULL,
    WIDTH,
    accuracy_axis,
    band,
    density_axis,
    evenly,
    hollow,
    log_axis,
    looks,
    measured_axis,
    percent,
    share,
    subplots,
)
from sifting.tables.basics import fair

PER_UNIT = {"localization", "unit_width", "width_x", "width_y"}  # means over the units that have one


def accuracy(table: dict, marked: list[int] = (), longer: float | None = None):
    """Accuracy against density, mean and standard deviation over runs: PB1a.

    table  : of tables.learning.accuracy
    marked : levels to circle
    longer : early-stopped validation accuracy of a dense network that is trained longer, a second line
    """
    figure, axes = subplots(1, 1, 3.0, ALONE)
    ax = axes[0, 0]
    x = table["density"]
    band(ax, x, table["best"], "validation, early stopped", IMP, marker="o", markersize=4)
    band(ax, x, table["test"], "test, at the same step", COOL, marker="s", markersize=3)
    band(ax, x, table["last"], "validation, last step", FAINT, linestyle="--", linewidth=1.2)
    lines = {"dense": table["best"][:, 0].mean()} | ({} if longer is None else {"dense, longer": longer})
    for name, value in lines.items():
        ax.axhline(value, color=INK, linewidth=0.8, linestyle=":", zorder=0)
        ax.annotate(name, (x[len(x) // 4], value), xytext=(0, 3), textcoords="offset points", fontsize=8)
    mean = table["best"].mean(0)
    ax.plot(
        x[list(marked)], mean[list(marked)], "o", markersize=11, markerfacecolor="none", markeredgecolor=INK
    )
    density_axis(ax)
    accuracy_axis(ax)
    ax.set_ylabel("accuracy")
    ax.legend()
    return figure


def in_degree(table: dict):
    """Histograms of in-degree with the binomial of random pruning: PB1b.

    table : of tables.connectivity.in_degree
    """
    import seaborn  # here, since it takes most of a second, and few pages need it

    figure, axes = subplots(1, len(table["levels"]), 2.5)
    for ax, degrees, (counts, expected), density in zip(
        axes[0], table["degrees"], table["expected"], table["density"]
    ):
        bins = np.histogram_bin_edges(degrees, bins=min(40, degrees.max() + 1))
        seaborn.histplot(x=degrees, bins=bins, color=IMP, alpha=0.85, linewidth=0, label="IMP", ax=ax)
        ax.plot(
            counts,
            expected * np.diff(bins).mean(),
            color=NULL,
            linewidth=1.4,
            linestyle="--",
            label="random pruning",
        )
        ax.plot(degrees.mean(), 0.7, "v", color=INK, markersize=6, clip_on=False)
        ax.set_yscale("log")
        most = max(np.histogram(degrees, bins)[0].max(), expected.max() * np.diff(bins).mean())
        ax.set_ylim(0.7, 15 * most)  # room for the legend
        ax.set_title(f"{share(density)} kept")
        ax.set(xlabel="inputs kept by a unit, $C^{in,1}$", ylabel="")
    axes[0, 0].set_ylabel("units")
    axes[0, 0].legend(loc="upper right")
    return figure


def ablation(table: dict):
    """Relative accuracy against units removed, in three orders, and against their weights: PB1c.

    table : of tables.units.ablation
    """
    figure, axes = subplots(1, 2, 3.1)
    labels = ("most connected first", "at random", "least connected first")
    sides = {"removed": ("relative", "first-layer units removed"),
             "weights": ("by_weights", "first-layer weights removed with them")}  # fmt: skip
    for ax, (x, (y, title)) in zip(axes[0], sides.items()):
        for n, (label, color) in enumerate(zip(labels, (IMP, NULL, ACCENT))):
            band(ax, table[x], table[y][:, n], label, color, marker="o", markersize=3.5)
        percent(ax.xaxis)
        percent(ax.yaxis)
        ax.set_xlabel(title)
    axes[0, 0].set_ylabel("accuracy relative to the whole network")
    axes[0, 0].legend()
    return figure


def compare(table: dict, panels: tuple[str, ...] = ("test", "localization", "enrichment", "dead")):
    """Accuracy and measures of locality of several conditions against density.

    Under means over units, of PER_UNIT, the share of units that they are over; markers are hollow where it is
    too small to compare them (tables.basics.fair).

    table : of tables.conditions.compare; panels: which of its arrays
    """
    titles = {
        "test": "test accuracy",
        "train": "training accuracy",
        "gain": "test accuracy minus dense",
        "localization": "localization $\\Lambda$",
        "enrichment": "enrichment of near pairs",
        "width": "width of $S(d)$ (pixels)",
        "unit_width": "median width of a unit (pixels)",
        "width_x": "width $\\sigma_x$ of a unit (pixels)",
        "width_y": "width $\\sigma_y$ of a unit (pixels)",
        "excess": "variance of in-degree\nover that of random pruning",
        "dead": "units without inputs",
        "mean": "kurtosis, mean over units",
        "median": "kurtosis, median over units",
        "class_mean": "kurtosis within classes,\nmean",
        "pair_median": "kurtosis within classes,\nmedian",
        "distance": "distance from Gaussian\n|K − 3|, mean over units",
        "trained": "kurtosis after training,\nmean over units",
        "class_trained": "kurtosis within classes\nafter training, mean",
    }
    rows, under = -(-len(panels) // 2), bool(PER_UNIT & set(panels))
    heights = [2.6] * rows + [1.2] * under
    width, ratios = WIDTH if len(panels) > 1 else ALONE, {"height_ratios": heights}
    figure, axes = subplots(len(heights), min(2, len(panels)), sum(heights), width, gridspec_kw=ratios)
    shown = [*zip(axes[:rows].flat, panels)]
    if under:
        shown.append((axes[rows, 0], "measured"))
    for ax, name in shown:
        for (condition, values), (color, form), marker in zip(
            table.items(), looks(table).values(), "osD^vP" * len(table)
        ):
            there = ~np.isnan(values[name]).all(0)
            line = {"marker": marker, "markersize": 3.5, "linestyle": form}
            band(ax, values["density"][there], values[name][:, there], condition, color, **line)
            if name in PER_UNIT:
                hollow(ax, fair(values["measured"])[there])
        density_axis(ax)
        ax.set_xlabel("density")
        ax.set_ylabel(titles.get(name, ""))
        if name == "measured":
            measured_axis(ax)
        if name == "gain":
            ax.axhline(0, color=NULL, linewidth=0.8, linestyle="--")
        if name in ("test", "train"):
            accuracy_axis(ax)
        elif name in ("gain", "dead"):
            percent(ax.yaxis)
        if name == "excess":
            ax.set_yscale("log")
            log_axis(ax.yaxis)
    for ax in axes.flat:
        if not ax.has_data():
            ax.remove()
    _legend(figure, axes[0, 0])
    return figure


def gains(table: dict):
    """Accuracy of the dense network and of the best pruned one, and the gain: PB18, PB19.

    table : of tables.learning.gains
    """
    figure, axes = subplots(1, 2, 2.6)
    place = np.arange(len(table))
    for name, face, label in (("dense", "white", "dense"), ("best", IMP, "best pruned"), ("gain", IMP, "")):
        values = [rows[name] for rows in table.values()]
        mean = np.array([value.mean() for value in values])
        sd = np.array([value.std(ddof=1) if len(value) > 1 else 0 for value in values])
        ax = axes[0, int(name == "gain")]
        ax.errorbar(place, mean, sd, fmt="o", color=IMP, markerfacecolor=face, capsize=3, label=label)
    axes[0, 1].axhline(0, color=NULL, linewidth=0.8, linestyle="--")
    for ax, label in zip(axes[0], ("test accuracy", "gain in test accuracy")):
        ax.set_xticks(place, list(table), rotation=30, ha="right")
        ax.set_ylabel(label)
        percent(ax.yaxis)
    accuracy_axis(axes[0, 0])
    axes[0, 0].legend()
    return figure


def learning(table: dict):
    """Accuracy during training, dense (top) and at the best level (bottom): PB6, PB7, PB8.

    table : of tables.learning.curves
    """
    figure, axes = subplots(2, 2, 4.6)
    splits = {"train": "training batches", "val": "validation images"}
    for row, stage in enumerate(("dense", "best level")):
        for ax, (split, images) in zip(axes[row], splits.items()):
            for (name, curves), (color, line), marker in zip(
                table.items(), looks(table).values(), "osD^vP" * len(table)
            ):
                ax.plot(
                    curves["steps"],
                    curves[split][row],
                    line,
                    color=color,
                    marker=marker,
                    markersize=3,
                    label=name,
                )
            ax.set_xscale("log")
            log_axis(ax.xaxis)
            ax.set_title(f"{stage}, {images}")
            accuracy_axis(ax)
    for ax in axes[1]:
        ax.set_xlabel("optimizer steps")
    for ax in axes[:, 0]:
        ax.set_ylabel("accuracy")
    _legend(figure, axes[0, 0])
    return figure


def _legend(figure, ax) -> None:
    """Names of many lines above all panels, where they hide none."""
    lines, names = ax.get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper center", ncols=evenly(len(names), 5))


def crossed(table: dict, columns: int = 2):
    """Conditions of which two things are varied: one side by side, the other in colors; dots: runs.

    table : of tables.conditions.crossed
    """
    rows = -(-len(table) // columns)
    figure, axes = subplots(rows, columns, 2.7 * rows)
    for ax, (label, found) in zip(axes.flat, table.items()):
        places = list(next(iter(found.values())))
        for number, (name, (color, form)) in enumerate(looks(found).items()):
            aside = np.arange(len(places)) + 0.16 * (number - (len(found) - 1) / 2)
            values = [found[name][place] for place in places]
            ax.plot(
                aside,
                [np.nanmean(some) for some in values],
                form,
                color=color,
                marker="o",
                label=name,
                markersize=4.5,
            )
            for x, some in zip(aside, values):
                ax.plot([x] * len(some), some, "o", color=color, markersize=2.2, alpha=0.5)
        ax.set_xticks(range(len(places)), [textwrap.fill(place, 11) for place in places], fontsize=7)
        ax.set_ylabel(label)
    axes[0, 0].legend()
    for ax in axes.flat[len(table) :]:
        ax.axis("off")
    return figure
