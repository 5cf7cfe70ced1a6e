"""Figures about how far from Gaussian images and units are."""

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm

from sifting.figures.maps import masks
from sifting.figures.style import (
    ALONE,
    COOL,
    FAINT,
    IMP,
    INK,
    NULL,
    WIDTH,
    evenly,
    image,
    log_axis,
    looks,
    mosaic,
    signed,
    subplots,
)

SIGMAS = 3  # of normalized images, from gray to black or white
AXES = {  # quantity of `strips` -> label of its axis, where a line is drawn, whether the axis is logarithmic
    "localization": ("localization Λ", 0, False),
    "spread": ("share of pixels", None, False),
    "kurtosis": ("kurtosis", 3, True),
    "covariance": ("difference of covariance", None, True),
    "pixels": ("kurtosis of pixels", 3, False),
    "projections": ("kurtosis of projections", 3, False),
}


def components(table: dict, columns: int = 16):
    """The components of images, the most local first, from tables.gaussianity.components: RD2."""
    names = {"ica": "independent components (ICA)", "pca": "principal components (PCA)"}
    return masks(
        {names[kind]: np.stack([signed(row) for row in found["rows"]]) for kind, found in table.items()},
        columns,
    )


def strips(table: dict, panels: tuple[str, ...]):
    """A dot for every component, or every class of clones; a bar at their mean: RD2, RD3A.

    table  : name -> quantity -> values, from tables.gaussianity.components or likeness
    panels : quantities, of AXES
    """
    figure, axes = subplots(1, len(panels), 3.0)
    names, draw = list(table), np.random.default_rng(0)
    for ax, quantity in zip(axes[0], panels):
        label, line, log = AXES[quantity]
        for place, name in enumerate(names):
            values = np.asarray(table[name][quantity], float)
            color = looks(names)[name][0]
            aside = place + draw.uniform(-0.2, 0.2, values.size)  # so that dots do not hide each other
            ax.plot(aside, values, "o", color=color, alpha=0.55, markersize=3.5, markeredgewidth=0)
            mean = np.nanmean(values)
            ax.plot([place - 0.3, place + 0.3], [mean, mean], color=INK, linewidth=2, zorder=5)
        if log:
            ax.set_yscale("log")
            log_axis(ax.yaxis)
        if line is not None:
            ax.axhline(line, color=NULL, linestyle="--", linewidth=1, zorder=0)
        ax.set_xticks(range(len(names)), names, rotation=25, ha="right")
        ax.set(xlabel="", ylabel=label)
    return figure


def pictures(table: dict):
    """Rows of normalized images on one gray scale: RD3A, and samples of fields.

    table : name -> (images, channels, height, width), as from tables.gaussianity.shown
    """
    rows = [np.clip(0.5 + row / (2 * SIGMAS), 0, 1) for row in table.values()]
    columns, height, width = len(rows[0]), rows[0].shape[2] + 1, rows[0].shape[3] + 1
    figure, axes = subplots(1, 1, WIDTH * len(rows) * height / (columns * width) * 0.85)
    image(axes[0, 0], mosaic(np.concatenate(rows), columns))
    axes[0, 0].set_yticks([height * (n + 0.5) for n in range(len(rows))], list(table), fontsize=8)
    axes[0, 0].tick_params(length=0)
    return figure


def by_inputs(table: dict):
    """Kurtosis of units against their inputs, from tables.gaussianity.kurtosis_by_inputs."""
    figure, axes = subplots(1, 1, 3.0, ALONE)
    for n, (name, rows) in enumerate(table.items()):
        style = {"marker": "osD^"[n % 4], "markersize": 4, "capsize": 2, "color": looks(table)[name][0]}
        axes[0, 0].errorbar(rows["inputs"], rows["kurtosis"], rows["error"], label=name, **style)
    axes[0, 0].set_xscale("log")
    log_axis(axes[0, 0].xaxis)
    axes[0, 0].set(xlabel="inputs kept by a unit", ylabel="kurtosis of its preactivation")
    axes[0, 0].legend()
    return figure


def histograms(table: dict, unit: int = 0):
    """The preactivation of a unit with and without each of two weights: RD5A.

    table : from probes.gaussianity.example; the weights are those with the highest and with the lowest score
    """
    figure, axes = subplots(1, 3, 2.5, gridspec_kw={"width_ratios": [0.8, 1, 1]})
    stays = table["removed_at"][unit] == table["removed_at"].max()
    image(axes[0, 0], stays.astype(float), f"unit {table['units'][unit]}: its mask in the end")
    scores, edges = table["scores"][unit], table["edges"]
    for ax, n, color in zip(axes[0, 1:], (np.nanargmax(scores), np.nanargmin(scores)), (IMP, COOL)):
        y, x = np.unravel_index(table["inputs"][unit, n], stays.shape)[1:]
        axes[0, 0].plot(x, y, "o", markersize=9, markerfacecolor="none", color=color, markeredgewidth=1.8)
        ax.stairs(table["before"][unit], edges, color=FAINT, fill=True, alpha=0.7, label="with it")
        ax.stairs(table["counts"][unit, n], edges, color=color, linewidth=1.4, label="without it")
        ax.set_yscale("log")
        ax.set(xlabel="preactivation, in its standard deviations", yticks=[])
        ax.minorticks_off()
        before, after = table["kurtosis"][unit], table["without"][unit, n]
        title = f"K = {before:.3f} → {after:.3f}\nscore {scores[n]:+.4f}"
        ax.set_title(title.replace("-", "−"), color=color)
        ax.legend(loc="lower center", fontsize=7)
    return figure


def cavity(panels: dict, after: tuple[int, ...] | None = None, marked: int = 0, columns: int = 3):
    """Cavity scores by the level at which weights are removed: RD5B, RD5C.

    panels : title -> table, from tables.cavity.scores
    after  : numbers of prunings with a line, its band from the least to the most of the runs; default: all
    marked : level of removal with a gray line
    """
    columns = evenly(len(panels), columns)
    rows = -(-len(panels) // columns)
    figure, axes = subplots(
        rows, columns, 3.1 * rows if columns > 1 else 3.4, WIDTH if columns > 1 else ALONE
    )
    levels = max(table["score"].shape[1] - 1 for table in panels.values())
    after = range(levels) if after is None else after
    colors = colormaps["plasma"].resampled(levels + 1)
    for ax, (title, table) in zip(axes.flat, panels.items()):
        removed, last = table["removed"], table["score"].shape[1]
        for level in after:
            if level < last - 1:
                values, color = table["score"][:, level, level:], colors(level)
                ax.plot(removed[level:], values.mean(0), "o-", color=color, markersize=3, linewidth=1.2)
                ax.fill_between(
                    removed[level:], values.min(0), values.max(0), color=color, alpha=0.15, linewidth=0
                )
        ax.axhline(0, color=INK, linewidth=0.8)
        if marked:
            ax.axvline(marked, color=NULL, linestyle="--", linewidth=1)
        ax.set_title(title, fontsize=8.5)
        ax.set_xticks(removed, [*map(str, removed[:-1]), "never"])
        ax.get_xticklabels()[-1].set_rotation(40)
        ax.set_xlabel("level of removal")
    for ax in axes[:, 0]:
        ax.set_ylabel("$N_W \\times$ mean cavity score")
    for ax in axes.flat[len(panels) :]:
        ax.axis("off")
    if len(after) > 1:
        norm = BoundaryNorm(np.arange(levels + 1) - 0.5, colors.N)
        bar = figure.colorbar(ScalarMappable(norm, colors), ax=axes, shrink=0.8 / rows, pad=0.02)
        bar.set_label("prunings so far")
        bar.set_ticks(list(after))
    return figure


def dial(tables: dict):
    """Localization and kurtosis against the gain.

    tables : what is seen -> its table of tables.gaussianity.against_gain
    """
    figure, axes = subplots(1, 3, 2.9)
    labels = {
        "input": "kurtosis of a pixel",
        "kurtosis": "kurtosis of preactivations",
        "localization": "localization $\\Lambda$",
    }
    for (name, table), (color, form) in zip(tables.items(), looks(tables).values(), strict=True):
        place = np.arange(len(table["gain"]))
        for ax, (what, label) in zip(axes[0], labels.items()):
            rows = table[what]
            spread = rows.std(0, ddof=1) if len(rows) > 1 else None
            ax.errorbar(place, rows.mean(0), spread, fmt=f"o{form}", capsize=3, color=color, label=name)
            ax.set_xticks(place, [f"{gain:g}" for gain in table["gain"]])
            ax.set(xlabel="gain g (0: Gaussian)", ylabel=label)
    for ax in axes[0][:2]:
        ax.axhline(3, color=NULL, linestyle="--", linewidth=0.8)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=len(tables))
    return figure
