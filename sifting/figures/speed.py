"""Time against size."""

import numpy as np
from matplotlib.ticker import NullLocator

from sifting.figures.style import COOL, FAINT, IMP, NULL, SMALL, log_axis, share, subplots

LABELS = {
    "reference": "reference loop",
    "single": "one after another",
    "sparse": "sparse engine",
    "kept": "compiled loops",
    "uniform": "sparse, uniform masks",
    "products": "bare matrix products",
    "together": "all together",
    "density": "weights kept (density)",
    "width": "units a hidden layer",
    "level": "level of pruning",
    "replicas": "runs",
    "cache": "ceiling: arithmetic, cache",
    "main_memory": "ceiling: arithmetic, memory",
}
MOST = 7  # ratios a line that do not run into each other


def cost(rows: list[dict], against: str, reference: str, fast: str, others: tuple[str, ...] = ()):
    """Milliseconds a step, one panel a size.

    Above stands how many times faster `fast` is; below 1, it is slower.

    rows      : of a table of bench.json
    against   : the column on the horizontal axis: linear for levels, else logarithmic
    reference : the label of the column "reference", in LABELS; fast, others: columns
    """
    sizes = list(dict.fromkeys(row.get("size", "") for row in rows))
    figure, axes = subplots(len(sizes), 1, 0.5 + 2.3 * len(sizes), SMALL, sharex=True)
    for ax, size in zip(axes[:, 0], sizes):
        mine = [row for row in rows if row.get("size", "") == size]
        x = [row[against] for row in mine]
        lines = {"reference": (reference, NULL, "s-"), fast: (fast, IMP, "o-")}
        lines |= {name: (name, COOL, "D:") for name in others}
        for column, (name, color, form) in lines.items():
            y = [row[column] for row in mine]
            ax.plot(x, y, form, color=color, label=LABELS[name], markersize=4, linewidth=1.4)
        ax.vlines(
            x, [row["reference"] for row in mine], [row[fast] for row in mine], FAINT, linewidth=0.8, zorder=0
        )
        for n, row in enumerate(mine):
            if (len(mine) - 1 - n) % -(-len(mine) // MOST) == 0:  # the last one has its ratio in any case
                top = max(row[column] for column in lines)
                style = {"textcoords": "offset points", "ha": "center", "fontsize": 8}
                ax.annotate(times(row["ratio"]), (row[against], top), (0, 7), **style)
        _axes(ax, against, x)
        ax.set_title(size.partition(",")[0])
    axes[-1, 0].set_xlabel(LABELS[against])
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def roofline(rows: list[dict]):
    """Operations a second by operations a byte, of each loop and density; one panel a size.

    Lines are ceilings: the arithmetic, and what the cache and the main memory can deliver.

    rows : of the table roofline of bench.json
    """
    sizes = list(dict.fromkeys(row["size"] for row in rows))
    figure, axes = subplots(1, len(sizes), 3.4, sharey=True)
    for ax, size in zip(axes[0], sizes):
        mine = [row for row in rows if row["size"] == size]
        peak, x = mine[0]["peak"], np.geomspace(0.1, 1000, 200)
        for name, form in (("cache", "-"), ("main_memory", "--")):
            ax.plot(
                x, np.minimum(peak, mine[0][name] * x), form, color=FAINT, linewidth=1.2, label=LABELS[name]
            )
        for kind, color, form in (("dense", NULL, "s"), ("sparse", COOL, "D"), ("kept", IMP, "o")):
            at = [row[f"{kind}_intensity"] for row in mine]
            rates = [row[f"{kind}_rate"] for row in mine]
            label = LABELS["reference" if kind == "dense" else kind]
            ax.plot(at, rates, form, color=color, markersize=4, linestyle="none", label=label)
            if kind == "kept":
                for place, rate, row in zip(at, rates, mine):
                    style = {"textcoords": "offset points", "ha": "center", "fontsize": 8}
                    ax.annotate(share(row["density"]), (place, rate), (0, 5), **style)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xticks(ticks := [0.1, 1, 10, 100, 1000], [f"{tick:,g}" for tick in ticks])
        log_axis(ax.yaxis)
        ax.set_title(size.partition(",")[0])
        ax.set_xlabel("operations a byte")
    axes[0, 0].set_ylabel("10⁹ operations a second")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def times(ratio: float) -> str:
    """A ratio in words, as "0.98 ×", with digits enough to tell it from 1; its space is kept."""
    return f"{ratio:.{2 if ratio < 1.05 else 1 if ratio < 10 else 0}f}\u00a0×"


def _axes(ax, against: str, x: list) -> None:
    """Every value of x a tick, denser networks at the left; room for the ratios."""
    if against != "level":
        ax.set_xscale("log")
    if against == "density" and not ax.xaxis_inverted():
        ax.invert_xaxis()
    ax.set_xticks(x, [share(value) if against == "density" else f"{value:,}" for value in x])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * (high / low) ** 0.15)
    ax.margins(x=0.08)
    log_axis(ax.yaxis)
    ax.set_ylabel("ms a step")
