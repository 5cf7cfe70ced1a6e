"""Figures of statements under many choices: a grid of verdicts each, and one for all."""

import itertools
import textwrap

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.transforms import ScaledTranslation

from sifting.figures.style import ALONE, FAINT, INK, ON_LIGHT, WIDTH, evenly, looks, percent, subplots

# verdict -> color, and sign: what is said in color alone is not seen by all
LOOKS = {"holds": ("#12693f", "+"), "unclear": ("#e2b04a", "?"), "does not hold": ("#b3261e", "−")}
CELL, COLUMN, LABELS = 0.24, 0.62, 3.2  # inches: height of a row, most that a column has, names of rows
LINE, BAR, LETTERS, ROWS = 0.13, 0.17, 62, 12  # of the summary: inches, letters of a line, rows of a panel


def grid(table: dict):
    """A row a choice, a column a density: verdicts as color and sign; the book's own test is outlined.

    table : over, what the columns are; columns, their names; rows: label -> (verdict, whether it counts) or
            (None, False) a column; book: label and column. Cells that do not count are pale; a column
            without any cell, as of a growth until the first level, is left out
    """
    label, column = table["book"]
    places = range(len(table["columns"]))
    there = [n for n in places if n == column or any(row[n][0] for row in table["rows"].values())]
    rows = {name: [row[n] for n in there] for name, row in table["rows"].items()}
    columns, column = [table["columns"][n] for n in there], there.index(column)
    figure, axes = subplots(1, 1, CELL * len(rows) + 0.55, min(WIDTH, LABELS + COLUMN * len(columns)))
    ax = axes[0, 0]
    for place, row in enumerate(rows.values()):
        for column, (verdict, counts) in enumerate(row):
            if verdict:
                _cell(ax, column, place, verdict, counts)
    corner = column - 0.5, [*rows].index(label) - 0.5
    ax.add_patch(_square(corner, facecolor="none", edgecolor=INK, linewidth=2.2, zorder=3))
    ax.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    turned = max(map(len, columns)) > 5 or len(columns) > 14
    ax.set_xticks(range(len(columns)), columns, fontsize=7, rotation=90 * turned)
    ax.set_yticks(range(len(rows)), list(rows), fontsize=7)
    ax.set_xlabel(table["over"])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return figure


def _cell(ax, column: int, place: int, verdict: str, counts: bool):
    color, sign = LOOKS[verdict]
    style = {"facecolor": color, "edgecolor": "white", "linewidth": 1, "alpha": 1 if counts else 0.22}
    ax.add_patch(_square((column - 0.5, place - 0.5), **style))
    ink = (ON_LIGHT if counts else INK) if verdict == "unclear" or not counts else "white"
    ax.text(column, place, sign, ha="center", va="center", fontsize=8, color=ink)


def _square(corner: tuple[float, float], **style):
    return Rectangle(corner, 1, 1, **style)


def summary(table: list[dict], most: float):
    """A row a statement: what it says, shares of its cells by verdict, and whether it is robust.

    table : of publish.multiverse.summary; most : the share of one verdict that it takes, dashed
    """
    rows = evenly(len(table), ROWS)
    parts = [table[first : first + rows] for first in range(0, len(table), rows)]
    names = [textwrap.fill(row["text"], LETTERS) for row in table]
    heights = [LINE * (2 + name.count("\n")) + 2 * BAR for name in names]
    high = max(sum(heights[first : first + rows]) for first in range(0, len(table), rows))
    figure, axes = subplots(1, len(parts), high + 0.6, WIDTH if len(parts) > 1 else ALONE)
    for number, (ax, part) in enumerate(zip(axes[0], parts)):
        mine = slice(number * rows, number * rows + rows)
        places = [end - LINE - BAR for end in itertools.accumulate(heights[mine])]
        for place, row in zip(places, part):
            _shares(ax, place, row)
        ax.axvline(most, color=FAINT, linewidth=0.8, linestyle="--", zorder=0)
        ax.set(xlim=(0, 1), ylim=(high, 0), xlabel="share of the cells")
        ax.set_yticks(places, names[mine], fontsize=7, ha="left", va="bottom")
        ax.tick_params(axis="y", length=0, pad=0)
        above = ScaledTranslation(0, 0.6 * BAR, figure.dpi_scale_trans)
        for label in ax.get_yticklabels():
            label.set_transform(label.get_transform() + above)
        percent(ax.xaxis)
        ax.spines["left"].set_visible(False)
    return figure


def again(table: list[dict], columns: int = 4):
    """A panel a statement: its effect in every run, under one condition beside another.

    table : a panel each: of and what, words below and above it; effects: condition -> (values (runs,), their
            mean or the difference of two means, low and high end of its interval); 0 is dashed
    """
    columns = evenly(len(table), columns)
    rows = -(-len(table) // columns)
    figure, axes = subplots(rows, columns, 1.9 * rows)
    for ax in axes.flat[len(table) :]:
        ax.set_axis_off()
    for ax, panel in zip(axes.flat, table):
        forms = looks(panel["effects"])
        for place, (name, (values, mean, low, high)) in enumerate(panel["effects"].items()):
            color, _ = forms[name]
            aside = place - 0.12 + 0.06 * np.arange(len(values)) - 0.03 * len(values)
            ax.plot(aside, values, "o", color=color, alpha=0.6, markersize=3.5, markeredgewidth=0)
            ends = [mean - low], [high - mean]
            ax.errorbar(place + 0.2, mean, ends, fmt="o", color=color, markersize=4.5)
        ax.axhline(0, color=FAINT, linewidth=0.8, linestyle="--", zorder=0)
        names = [name.replace(" ", "\n") for name in panel["effects"]]
        ax.set_xticks(range(len(names)), names)
        ax.set(xlim=(-0.6, len(names) - 0.4), ylabel=panel["of"])
        ax.set_title(panel["what"], fontsize=8)
    return figure


def _shares(ax, place: float, row: dict):
    """The bar of a statement, and below it whether the statement is robust."""
    left = 0.0
    for verdict, (color, sign) in LOOKS.items():
        part = row["shares"][verdict]
        ax.barh(place, part, left=left, color=color, height=BAR, edgecolor="white", linewidth=0.6)
        if part > 0.04:
            ink = ON_LIGHT if verdict == "unclear" else "white"
            ax.text(left + part / 2, place, sign, ha="center", va="center", fontsize=8, color=ink)
        left += part
    said, weight = f"{row['said']} ({row['cells']} cells)", "bold" if row["robust"] else "normal"
    ax.text(0, place + 0.6 * BAR, said, va="top", fontsize=6.5, fontweight=weight, color=INK)
