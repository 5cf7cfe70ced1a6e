"""Figures made of pictures."""

import numpy as np
from matplotlib.patches import Circle, FancyArrowPatch, Rectangle

from sifting.figures.style import ALONE, FAINT, HEAT, IMP, INK, WIDTH, evenly, image, mosaic, signed, subplots
from sifting.tables.basics import NEARLY_ALL
from sifting.tables.words import number, share


def displacement():
    """A sketch of the displacement d between two inputs of one unit: PB2a."""
    figure, axes = subplots(1, 1, 2.5, 5.6)
    ax = axes[0, 0]
    ax.set(xlim=(-0.3, 12.2), ylim=(-0.4, 6.4), aspect="equal")
    ax.axis("off")
    kept = {(1, 4), (2, 4), (4, 2), (3, 3)}
    for x in range(6):
        for y in range(6):
            color = IMP if (x, y) in kept else "#eef1f3"
            ax.add_patch(Rectangle((x, y), 0.92, 0.92, facecolor=color, edgecolor="none"))
    unit = (10.4, 3)
    for x, y in kept:
        ax.plot([x + 0.46, unit[0] - 0.5], [y + 0.46, unit[1]], color=FAINT, linewidth=0.9)
    ax.add_patch(Circle(unit, 0.5, facecolor="white", edgecolor=INK, linewidth=1.4))
    ax.text(*unit, "j", ha="center", va="center", style="italic")
    ax.add_patch(
        FancyArrowPatch(
            (1.46, 4.46), (4.46, 2.46), arrowstyle="-|>", mutation_scale=12, color=INK, linewidth=1.6
        )
    )
    ax.text(4.3, 3.15, "d", weight="bold", fontsize=11)
    ax.text(0.8, 4.75, "i", style="italic", ha="right", fontsize=11)
    ax.text(5.05, 2.0, "i′", style="italic", fontsize=11)
    ax.text(3, -0.3, "pixels of one channel", ha="center", va="top", fontsize=8)
    ax.text(10.4, 2.1, "first-layer unit", ha="center", va="top", fontsize=8)
    return figure


def _heat(ax, counts: np.ndarray, title: str = "", middle: bool = False):
    """S(d), coloured from 0 to its maximum; the point d = 0 is left out unless `middle`."""
    values = counts.astype(float)
    if not middle:
        values[values.shape[0] // 2, values.shape[1] // 2] = 0
    image(ax, values, title, cmap=HEAT, vmin=0, vmax=values.max() or 1)


def locality(table: dict):
    """S_sc and S_dc at each level, with random masks of the same density: PB2b.

    table : of tables.locality.locality
    """
    levels = table["levels"]
    figure, axes = subplots(3, len(levels), 6.6, 6.4)
    for column, density in enumerate(table["density"]):
        _heat(axes[0, column], table["same"][column], f"{share(density)} kept")
        _heat(axes[1, column], table["different"][column], middle=True)
        _heat(axes[2, column], table["random"][column])
    for ax, text in zip(
        axes[:, 0], ("$S_{sc}$: same channel", "$S_{dc}$: different channels", "$S_{sc}$: random pruning")
    ):
        ax.set_ylabel(text, fontsize=8.5)
    return figure


def masks(table, columns: int = 10):
    """Masks as RGB, black = pruned: PB3a, PB12.

    table : of tables.pictures.masks, bool (units, channels, height, width); or a dict of them: a block with a
            title each
    """
    blocks = table if isinstance(table, dict) else {"": table}
    sheets = {title: mosaic(block, columns) for title, block in blocks.items()}
    heights = [sheet.shape[1] / sheet.shape[2] * WIDTH for sheet in sheets.values()]
    figure, axes = subplots(
        len(blocks), 1, sum(heights) + 0.3 * sum(map(bool, blocks)), gridspec_kw={"height_ratios": heights}
    )
    for ax, (title, sheet) in zip(axes[:, 0], sheets.items()):
        image(ax, sheet)
        ax.set_title(title, loc="left", fontsize=8.5)
    return figure


def weights(table: np.ndarray, columns: int = 10):
    """Weights of units, gray at zero, each unit scaled by its largest: PB22.

    table : of tables.pictures.weights
    """
    return masks(np.stack([signed(unit) for unit in table]), columns)


def emergence(table: dict):
    """Masks of a few units, one a row, from dense to sparse.

    table : of tables.pictures.emergence
    """
    units, columns, _, height, width = table["masks"].shape
    figure, axes = subplots(1, 1, WIDTH * units * (height + 1) / (columns * (width + 1)) + 0.35)
    image(axes[0, 0], mosaic(table["masks"].reshape(units * columns, *table["masks"].shape[2:]), columns))
    axes[0, 0].xaxis.tick_top()
    axes[0, 0].set_xticks(
        [(width + 1) * (n + 0.5) for n in range(columns)], [share(u) for u in table["density"]]
    )
    axes[0, 0].tick_params(length=0, labelsize=9)
    return figure


def features(table: dict):
    """Mask, weights and three top images of selected units: PB3b.

    table : of tables.units.features
    """
    count = len(table["units"])
    weights = np.stack([signed(unit) for unit in table["weights"]])
    rows = [table["mask"], weights, *np.moveaxis(table["images"] / 255, 1, 0)]
    height = table["mask"].shape[2] + 1
    figure, axes = subplots(1, 1, WIDTH * 5 / count)
    image(axes[0, 0], mosaic(np.concatenate([row.astype(float) for row in rows]), count))
    axes[0, 0].set_yticks(
        [height * (n + 0.5) for n in (0, 1, 3)], ["mask", "weights", "images that\ndrive the\nunit most"]
    )
    axes[0, 0].tick_params(length=0)
    return figure


def random_units(table: dict):
    """S_sc of single units, random ones and those of IMP: PB9.

    table : of tables.pictures.random_units
    """
    rows, columns = table["inputs"].shape
    figure, axes = subplots(rows, columns, 1.5 * rows)
    for row in range(rows):
        for column in range(columns):
            _heat(axes[row, column], table["same"][row, column], f"{table['inputs'][row, column]} inputs")
        axes[row, 0].set_ylabel(f"{share(table['density'][row])} kept")
    each = columns // len(table["kinds"])
    for n, kind in enumerate(table["kinds"]):
        ax = axes[0, n * each]
        ax.set_title(f"{kind}\n{ax.get_title()}", fontsize=8)
    return figure


def out_degree(table: dict):
    """Connections left per pixel, as RGB and as the mean of channels: PB10.

    table : of tables.connectivity.out_degree
    """
    maps = table["maps"]
    figure, axes = subplots(2, len(maps), 1.9 * 2, 1.8 * len(maps))
    for column, (name, counts) in enumerate(maps.items()):
        image(axes[0, column], counts / counts.max(), name)
        shown = image(
            axes[1, column],
            counts.mean(0),
            cmap="cividis",
            vmin=0,
            vmax=max(m.mean(0).max() for m in maps.values()),
        )
    figure.colorbar(shown, ax=axes[1, -1], shrink=0.8, label="relative to the mean")
    axes[0, 0].set_ylabel("as colors", fontsize=8.5)
    axes[1, 0].set_ylabel("mean of channels", fontsize=8.5)
    return figure


def by_degree(table: dict):
    """S_sc of units grouped by in-degree, a row a run: PB11.

    table : of tables.locality.by_degree
    """
    columns = max(len(groups) for groups in table.values())
    figure, axes = subplots(len(table), columns, 1.85 * len(table))
    for row, (name, groups) in zip(axes, table.items()):
        for ax, group in zip(row, groups):
            _heat(ax, group["same"], f"{group['low']}–{group['high']} inputs ({group['units']})")
            value, error = number(group["localization"], 2), number(group["error"], 2)
            near = number(group["enrichment"], 1)
            ax.set_xlabel(f"Λ = {value} ± {error}\n{near} × as many near pairs", fontsize=7)
            ax.title.set_fontsize(7)
        row[0].set_ylabel(name, fontsize=8)
    figure.get_layout_engine().set(h_pad=0.07)
    return figure


def portraits(table: dict, columns: int = 5):
    """S_sc, in-degrees and top masks of several conditions, one above another: PB5, PB14.

    table : of tables.conditions.portraits
    """
    columns = evenly(len(table), columns)
    count = len(next(iter(table.values()))["masks"])
    each, blocks = WIDTH / columns, -(-len(table) // columns)
    heights = [each, 0.8 * each] + [each * -(-count // 5) / 5] * (count > 0)
    figure, axes = subplots(
        blocks * len(heights),
        columns,
        blocks * (sum(heights) + 0.7),
        gridspec_kw={"height_ratios": heights * blocks},
    )
    parts = axes.reshape(blocks, len(heights), columns).transpose(0, 2, 1).reshape(-1, len(heights))
    for part, (name, values) in zip(parts, table.items()):
        _heat(part[0], values["same"], f"{name}\n{share(values['density'])} kept")
        few = f" ({share(values['measured'])} of units)" if values["measured"] < NEARLY_ALL else ""
        part[0].set_xlabel(f"Λ = {number(np.nanmean(values['localization']), 2)}{few}", fontsize=8)
        degrees, (counts, expected) = values["degrees"], values["expected"]
        bins = np.histogram_bin_edges(degrees, bins=min(30, degrees.max() + 1))
        weights = np.full(len(degrees), 1 / values["runs"])
        part[1].hist(degrees, bins=bins, weights=weights, color=IMP, alpha=0.85)
        part[1].plot(counts, expected * np.diff(bins).mean(), color=INK, linewidth=1.2, linestyle="--")
        part[1].set_yscale("log")
        part[1].set_ylim(0.25, 4 * len(degrees) / values["runs"])
        part[1].set_xlabel("inputs kept by a unit", fontsize=8)
        if count:
            image(part[2], mosaic(values["masks"], 5))
    for ax in parts[len(table) :].flat:
        ax.axis("off")
    for ax in parts[::columns, 1]:
        ax.set_ylabel("units a run")
    return figure


def same_units(table: dict):
    """Dense weights and masks of the same units under several methods, with accuracies: PB4.

    table : of tables.conditions.same_units
    """
    rows, columns, _, height, width = table["pictures"].shape
    figure, axes = subplots(1, 1, WIDTH * rows * (height + 1) / (columns * (width + 1)) * 0.8)
    ax = axes[0, 0]
    image(ax, mosaic(table["pictures"].reshape(rows * columns, *table["pictures"].shape[2:]), columns))
    ax.set_yticks([(height + 1) * (n + 0.5) for n in range(rows)], table["labels"], fontsize=8)
    ax.tick_params(length=0)
    for n, accuracy in enumerate(table["accuracy"]):
        ax.text(
            (width + 1) * columns + 3,
            (height + 1) * (n + 0.5),
            f"{100 * accuracy:.1f} %",
            va="center",
            fontsize=8,
        )
    return figure


def samples(table: dict):
    """Images of every class, a row a class: PB17.

    table : of data.samples
    """
    images = np.stack(list(table.values()))
    rows, columns, _, height, width = images.shape
    figure, axes = subplots(1, 1, ALONE * rows * (height + 1) / (columns * (width + 1)), ALONE)
    image(axes[0, 0], mosaic(images.reshape(rows * columns, *images.shape[2:]), columns))
    axes[0, 0].set_yticks([(height + 1) * (n + 0.5) for n in range(rows)], list(table), fontsize=8)
    axes[0, 0].tick_params(length=0)
    return figure
