"""Time against size."""

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
