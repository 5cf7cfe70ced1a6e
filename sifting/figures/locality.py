"""Figures of how local masks are, by level and by distance."""

from sifting.figures.style import (
    ACCENT,
    ALONE,
    COOL,
    FAINT,
    IMP,
    NULL,
    band,
    density_axis,
    hollow,
    measured_axis,
    subplots,
)
from sifting.tables.basics import fair
from sifting.tables.words import share


def localization(table: dict):
    """Localization, enrichment and fitted width against density, beside random masks.

    And the share of units that have a localization: it is a mean over these.

    table : of tables.locality.localization
    """
    figure, axes = subplots(2, 2, 5)
    x, (local, near, measured, width) = table["density"], axes.flat
    line = {"color": IMP, "marker": "o", "markersize": 3.5}
    band(local, x, table["localization"], "IMP", **line)
    hollow(local, fair(table["measured"]))
    band(local, x, table["localization_random"], "random pruning", NULL, linestyle="--")
    local.set_ylabel("localization $\\Lambda$ (0 random, 1 blob)")
    local.legend(loc="upper left")
    band(near, x, table["enrichment"], "IMP", **line)
    near.axhline(1, color=NULL, linestyle="--")
    near.set_ylabel("enrichment of near pairs")
    band(measured, x, table["measured"], "IMP", **line)
    measured_axis(measured)
    for n, (side, color) in enumerate((("x", IMP), ("y", COOL))):
        band(width, x, table["width"][..., n], f"$\\sigma_{side}$", **line | {"color": color})
    band(width, x, table["width_random"].mean(2), "random pruning", NULL, linestyle="--")
    width.set_ylabel("width of $S(d)$ (pixels)")
    width.legend(loc="lower left")
    for ax in axes.flat:
        density_axis(ax)
        ax.set_xlabel("density")
    return figure


def pair_correlation(table: dict):
    """g(r) at each level shown.

    table : of tables.locality.pair_correlation
    """
    figure, axes = subplots(1, 1, 2.8, ALONE)
    for n, density in enumerate(table["density"]):
        band(
            axes[0, 0],
            table["r"],
            table["g"][:, n],
            f"{share(density)} kept",
            (FAINT, ACCENT, IMP)[n % 3],
            marker="o",
            markersize=3.5,
        )
    axes[0, 0].axhline(1, color=NULL, linestyle="--", linewidth=1)
    axes[0, 0].set_xlabel("distance r between two inputs of a unit (pixels)")
    axes[0, 0].set_ylabel("g(r): times likelier\nthan for two units")
    axes[0, 0].legend()
    return figure
