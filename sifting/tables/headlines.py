"""Headline statements on fully connected networks under all choices: see tables.multiverse."""

import numpy as np

from sifting.results.history import History
from sifting.tables import conditions, gaussianity, locality
from sifting.tables.basics import Groups, chosen, common, last_level, nearest
from sifting.tables.choices import (
    ALONE,
    APART,
    BEST,
    BOTH,
    KEPT,
    LOCALITY,
    ONE_NETWORK,
    OTHER_IMAGES,
    SELF,
    SLOPE,
    Grid,
    along,
    by_density,
    by_level,
    column_of,
    contrast,
    dense_points,
    localities,
    masks,
    points,
    row,
)
from sifting.tables.words import share

# choice -> stored array, and what is made of it, (levels, ...) -> (levels,)
KURTOSIS = {
    "mean over units, within classes": ("class_mean/rewound", lambda k: np.nanmean(k, 1)),
    "median over units and classes": ("pair_median/rewound", lambda k: k),
    "mean over units, all images": ("kurtosis/rewound", lambda k: np.nanmean(k, 1)),
    "median over units, all images": ("kurtosis/rewound", lambda k: np.nanmedian(k, 1)),
    "mean distance from 3, all images": (
        "kurtosis/rewound",
        lambda k: np.nanmean(abs(k - gaussianity.GAUSSIAN), 1),
    ),
    "mean within classes, after training": ("class_mean/trained", lambda k: np.nanmean(k, 1)),
    "mean, all images, after training": ("kurtosis/trained", lambda k: np.nanmean(k, 1)),
}

# --- locality


def near(groups: Groups) -> Grid:
    """Inputs of a unit are near each other: of every run, beside masks with as many weights anywhere."""
    runs = groups["main"]
    curves, (_, found) = locality.localization(runs), by_density({"": runs})
    table = found[""]
    measured, zero = table["measured"].min(0), np.zeros_like(table["measured"])
    width = curves["width_random"].mean(2), curves["width"].mean(2)
    book = "Λ, mean over units that have one, minus random masks"
    rows = [
        *contrast(book, curves["localization"], curves["localization_random"], (ALONE,), "", measured),
        *contrast(
            "the same, minus pairs of other units", table["localization"], zero, (ALONE,), "", measured
        ),
        *contrast("Λ, units without one as 0", table["counted"], zero, (ALONE,)),
        *contrast("Λ of all pairs together", table["pooled"], zero, (ALONE,)),
        *contrast("near pairs, enrichment minus 1", table["enrichment"], zero + 1, (ALONE,)),
        *contrast("width of all units together, minus random masks", *width, (ALONE,), "pixels"),
    ]
    return Grid(KEPT, by_level(runs), rows, (book, locality.sparsest(curves) - 1), SELF)


def grows(groups: Groups) -> Grid:
    """Locality grows from level to level: by least squares, down to each density."""
    runs = groups["main"]
    labels, found = by_density({"": runs})
    rows, measured = [], np.minimum.accumulate(found[""]["measured"].min(0))
    for label, (what, sign, unit, some) in LOCALITY.items():
        values = sign * found[""][what]
        slopes = [(locality.slope(values[:, : n + 1]), None) for n in range(len(labels))]
        rows.append(row(label, slopes, unit, measured if some else None))
    last = locality.sparsest({"levels": range(1, len(labels) + 1), "measured": found[""]["measured"]})
    return Grid("down to", labels, rows, (rows[0].label, last - 1), SELF)


def pruners_local(groups: Groups) -> Grid:
    """IMP against one-shot pruning, three hidden layers."""
    return _more_local(groups, "IMP", "one-shot", BOTH, ONE_NETWORK, middle=True)


def clones_local(groups: Groups) -> Grid:
    """IMP against one-shot pruning, two hidden layers."""
    pair = chosen(groups, ("photographs", "photographs, one-shot"))
    return _more_local(pair, *pair, BOTH, ONE_NETWORK)


def photographs_local(groups: Groups) -> Grid:
    """Photographs against Gaussian clones of their pictures."""
    names = "photographs", "Gaussian clone", "the authors' clone", "random phases", "pixels reordered"
    there = [name for name in names if name in groups]
    return _more_local(chosen(groups, there), *names[:2], (APART,), OTHER_IMAGES)


def fine_local(groups: Groups) -> Grid:
    """Photographs against Gaussian clones of their fine classes."""
    pair = chosen(groups, ("fine classes", "clone of fine classes"))
    return _more_local(pair, *pair, (APART,), OTHER_IMAGES)


def _more_local(
    groups: Groups,
    one: str,
    other: str,
    ways: tuple[str, ...],
    design: str,
    middle: bool = False,
) -> Grid:
    """One condition against another; the book's is the sparsest density that is fair to all of `groups`.

    middle : whether it goes no farther than two thirds of the levels, the middle density of that chapter
    """
    if middle:
        groups = chosen(groups, (one, other))
    tables = {name: masks(runs) for name, runs in groups.items()}
    least = conditions.thirds(groups[other][0])[1] if middle else 0
    place = column_of(groups, conditions.sparsest(tables, least))
    labels, found = by_density(groups)
    rows = localities(found[one], found[other], ways)
    return Grid(KEPT, labels, rows, (rows[0].label, place), design)


def data_local(groups: Groups) -> Grid:
    """Locality by the amount of data, doublings of it."""
    tables, runs = {name: masks(some) for name, some in groups.items()}, groups["100 %"]
    place = column_of(groups, conditions.sparsest(tables, runs[0].density(runs[0].shown[1])))
    labels, found = by_density(groups)
    names = [*groups][::-1]  # the least first
    x = np.log2([groups[name][0].config.fraction for name in names])
    rows = along([found[name] for name in names], lambda some: locality.slope(some, x), "all minus 2 %")
    return Grid(KEPT, labels, rows, (rows[0].label, place), SLOPE)


def tasks_local(groups: Groups) -> Grid:
    """Locality by what a task means, a step from each to the next."""
    tables, fine = {name: masks(some) for name, some in groups.items()}, groups["fine"][0]
    place = column_of(groups, conditions.sparsest(tables, fine.density(fine.shown[1])))
    labels, found = by_density(groups)
    order = [found[name] for name in ("semantic", "half", "partial", "random classes")]
    rows = along(order, locality.slope, "random minus semantic")
    return Grid(KEPT, labels, rows, (rows[0].label, place), SLOPE)


# --- kurtosis


def kurtosis_rises(groups: Groups) -> Grid:
    """Kurtosis of IMP at every level, minus that of the dense network."""
    runs = groups["IMP"]
    rows = []
    for label in KURTOSIS:
        found = _kurtosis(runs, label)
        rows += contrast(label, found[:, 1:], np.repeat(found[:, :1], found.shape[1] - 1, 1), (ALONE,))
    return Grid(KEPT, by_level(runs), rows, (rows[0].label, common(runs) - 1), SELF)


def kurtosis_above(groups: Groups) -> Grid:
    """Kurtosis of IMP against one-shot pruning; at as many inputs as at random, too, where that is there."""
    one, other, last = groups["IMP"], groups["one-shot"], last_level(groups)
    rows = []
    for label in KURTOSIS:
        rows += contrast(label, *(_kurtosis(runs, label)[:, 1 : last + 1] for runs in (one, other)), BOTH)
    if "random" in groups:
        alike = [gaussianity.kurtosis_at_inputs(groups, level) for level in range(1, last + 1)]
        pair = (np.stack([at[name] for at in alike], 1) for name in ("IMP", "one-shot"))
        rows += contrast("mean, all images, units with as many inputs as at random", *pair, BOTH)
    return Grid(KEPT, by_level(one)[:last], rows, (rows[0].label, last - 1), ONE_NETWORK)


def _kurtosis(runs: list[History], label: str) -> np.ndarray:
    stored, made = KURTOSIS[label]
    return np.stack([made(run[stored][: common(runs) + 1]) for run in runs])


# --- accuracy


def gains(groups: Groups) -> Grid:
    """Accuracy of pruned networks minus that of their dense ones."""
    runs = groups["main"]
    before, rows = dense_points(runs), []
    for label, values in points(runs).items():
        dense = np.repeat(before[label], values.shape[1], 1)
        rows += contrast(label, values, dense, (ALONE,), "points")
    return Grid(KEPT, [*by_level(runs), BEST], rows, (rows[0].label, len(by_level(runs))), SELF)


def better(groups: Groups) -> Grid:
    """Accuracy of IMP minus that of one-shot pruning, at equal densities or where each is best."""
    one, other = groups["IMP"], groups["one-shot"]
    dense, few = (np.array([run.density(n) for n in range(run.levels + 1)]) for run in (one[0], other[0]))
    at = [nearest(dense, density) for density in few[1:]]
    mine, theirs = points(one, at), points(other)
    rows = [found for label in mine for found in contrast(label, mine[label], theirs[label], BOTH, "points")]
    labels = [*map(share, few[1:]), BEST]
    place = nearest(few[1:], conditions.thirds(other[0])[1])
    return Grid(KEPT, labels, rows, (rows[0].label, place), ONE_NETWORK)
