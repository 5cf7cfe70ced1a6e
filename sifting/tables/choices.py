"""What an analyst could have done otherwise: one effect under every combination of choices.

A `Grid` has a row for each choice of measure and of test, and a column for each density or whatever else is
turned; of every cell it has what publish.claims.check takes.
"""

import functools
from dataclasses import dataclass

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.tables.basics import Groups, common, densities, nearest, shape
from sifting.tables.conditions import compare
from sifting.tables.learning import accuracy
from sifting.tables.words import share

ALONE, PAIRED, APART = "one sample", "paired", "two samples"  # how runs are compared, see catalog.DESIGNS
BOTH = PAIRED, APART
# what a grid says of that
ONE_NETWORK = "paired: both begin with one dense network"
OTHER_IMAGES = "two samples: they have seen other images"
SELF = "one sample: one effect a run"
SLOPE = "one sample: one slope over the conditions a seed; two samples: the two conditions at the ends"
KEPT = "weights kept"  # of the columns
BEST = "best level"  # the column of the level with the highest validation accuracy, of each run
# choice -> array of `masks`, sign with which it is larger where masks are more local, unit, and whether it is
# a mean over units some of which may have no value
LOCALITY = {
    "Λ, mean over units that have one": ("localization", 1, "", True),
    "Λ, units without one as 0": ("counted", 1, "", False),
    "Λ of all pairs together": ("pooled", 1, "", False),
    "near pairs, enrichment": ("enrichment", 1, "", False),
    "width of all units together": ("width", -1, "pixels", False),
    "median width of units that have one": ("unit_width", -1, "pixels", True),
    "mean width σx of units that have one": ("width_x", -1, "pixels", True),
    "mean width σx, units without as at random": ("width_counted", -1, "pixels", False),
}
# choice -> images and step of the accuracy
ACCURACIES = {
    "test images, early stopped": ("test", "best"),
    "test images, last step": ("test", "last"),
    "validation images, early stopped": ("val", "best"),
    "validation images, last step": ("val", "last"),
}


@dataclass(frozen=True)
class Cell:
    """An effect under one choice, as claims.check takes it.

    values, against : the effect in each run; or that of one group, and that of another, (runs,), or
                      (1 + redraws, runs) on images as they are and drawn anew, see predictions.tested
    measured        : the smallest share of the living units that have a value, over runs and groups
    paired          : whether runs of the two groups have their dense network in common, in one order
    """

    values: np.ndarray
    against: np.ndarray | None = None
    measured: float = 1.0
    paired: bool = False

    @property
    def design(self) -> str:
        """How it is tested: one of catalog.DESIGNS."""
        return ALONE if self.against is None else PAIRED if self.paired else APART

    @property
    def effects(self) -> np.ndarray:
        """(runs,) the effect in each run.

        Of two groups, that in the one minus that in the other: run by run where they are paired, or else
        minus its mean.
        """
        one = np.atleast_2d(self.values)[0]
        if self.against is None:
            return one
        other = np.atleast_2d(self.against)[0]
        return one - (other if self.paired else other.mean())

    @property
    def same(self) -> bool:
        """Whether there is nothing to compare: the effect is 0 in every run, as of equal masks."""
        other = np.zeros_like(self.values) if self.against is None else self.against
        return np.array_equal(*(np.atleast_2d(side)[0] for side in (self.values, other)))


@dataclass(frozen=True)
class Row:
    """One choice: what it is in words, a cell (or None) a column, and the unit of the effect."""

    label: str
    cells: list[Cell | None]
    unit: str = ""


@dataclass(frozen=True)
class Grid:
    """All choices for one statement.

    over    : what the columns are, in words; columns : their names
    book    : label of the row and number of the column of the book's own test
    design  : how the groups are to be compared, and why, in words
    """

    over: str
    columns: list[str]
    rows: list[Row]
    book: tuple[str, int]
    design: str

    @property
    def own(self) -> Cell | None:
        """The cell of the book's own test."""
        label, column = self.book
        return next(row for row in self.rows if row.label == label).cells[column]


# --- what is measured, by level


def masks(runs: list[History]) -> dict[str, np.ndarray]:
    """What conditions.compare says of some runs, and two numbers more, (runs, levels).

    pooled        : Λ of all pairs together, observables.locality.pooled_localization
    width_counted : mean width σx over living units; of those without one, that of pairs of different units
    """
    return _masks(tuple(runs))


@functools.lru_cache(maxsize=64)  # several headlines read the same runs
def _masks(runs: tuple[History, ...]) -> dict[str, np.ndarray]:
    [table] = compare({"": list(runs)}).values()
    size, last = shape(runs[0]), len(table["density"])
    found = np.array([[_pooled(run.mask(level), size) for level in range(last)] for run in runs])
    pooled, chance = found[..., 0], found[..., 1]
    part = table["measured"]
    counted = np.where(part > 0, part * table["width_x"], 0) + (1 - part) * chance
    return table | {"pooled": pooled, "width_counted": counted}


def _pooled(mask: np.ndarray, size: tuple) -> tuple[float, float]:
    """Λ of all pairs of a mask, and the width σx of pairs of different units; nan for a dense one."""
    if mask.all() or not mask.any():
        return np.nan, np.nan
    chance = observables.locality.rf_width(observables.locality.null_counts(mask, size))[0]
    return observables.locality.pooled_localization(mask, size), float(chance)


def by_density(groups: Groups) -> tuple[list[str], dict[str, dict[str, np.ndarray]]]:
    """`masks` of several conditions at the densities of that which has fewest levels, the dense left out.

    returns : densities in words; condition -> array -> (runs, columns)
    """
    tables = {name: masks(runs) for name, runs in groups.items()}
    few = min((rows["density"] for rows in tables.values()), key=len)[1:]
    found = {}
    for name, rows in tables.items():
        at = [nearest(rows["density"], density) for density in few]
        found[name] = {what: rows[what][:, at] for what in rows if what not in ("density", "layers")}
    return [share(density) for density in few], found


def column_of(groups: Groups, density: float) -> int:
    """The column of `by_density` whose density is nearest."""
    return nearest(min((masks(runs)["density"] for runs in groups.values()), key=len)[1:], density)


def points(runs: list[History], at: list[int] | None = None) -> dict[str, np.ndarray]:
    """Accuracy in points by every choice of ACCURACIES: (runs, levels and BEST).

    at : levels; default: all that the runs reached but the dense
    """
    levels, found = at or range(1, common(runs) + 1), {}
    peaks = accuracy(runs)["peak"]
    for words, (split, when) in ACCURACIES.items():
        curves = [100 * run.accuracy(split, when) for run in runs]
        found[words] = np.array([[*curve[list(levels)], curve[peak]] for curve, peak in zip(curves, peaks)])
    return found


def dense_points(runs: list[History]) -> dict[str, np.ndarray]:
    """The same of the dense networks: (runs, 1)."""
    return {
        words: np.array([[100 * run.accuracy(split, when)[0]] for run in runs])
        for words, (split, when) in ACCURACIES.items()
    }


# --- rows


def contrast(
    label: str, one: np.ndarray, other: np.ndarray, ways: tuple[str, ...], unit: str = "", measured=None
) -> list[Row]:
    """One condition minus another, a row for each of `ways` to compare them.

    one, other : (..., runs, columns), of equal seeds where they are paired; of the same runs for ALONE
    measured   : (columns,) see Cell
    """
    found = []
    for way in ways:
        pairs = zip(*(np.moveaxis(side, -1, 0) for side in (one, other)))
        pairs = [(a - b, None) if way == ALONE else (a, b) for a, b in pairs]
        words = f"{label}; {way}" if len(ways) > 1 else label
        found.append(row(words, pairs, unit, measured, way == PAIRED))
    return found


def row(label: str, pairs: list[tuple], unit: str = "", measured=None, paired: bool = False) -> Row:
    """A row of cells from what they are of: values, against; without a cell where there is no value."""
    enough = np.ones(len(pairs)) if measured is None else np.nan_to_num(measured)
    cells = [
        None if any(side is not None and np.isnan(side).all() for side in pair) else Cell(*pair, some, paired)
        for pair, some in zip(pairs, enough.tolist(), strict=True)
    ]
    return Row(label, cells, unit)


def localities(one: dict, other: dict, ways: tuple[str, ...]) -> list[Row]:
    """How much more local one condition of `by_density` is than another, by every choice of LOCALITY."""
    measured = np.minimum(one["measured"].min(0), other["measured"].min(0))
    return [
        found
        for label, (what, sign, unit, some) in LOCALITY.items()
        for found in contrast(
            label, sign * one[what], sign * other[what], ways, unit, measured if some else None
        )
    ]


def along(conditions: list[dict], slope, words: str) -> list[Row]:
    """How locality grows along conditions in an order, by every choice of LOCALITY.

    conditions : of `by_density`; slope : (runs, conditions) -> (runs,)
    words      : of the two ends, as "all minus 2 %": they are compared besides, as two samples
    """
    measured, found = np.min([rows["measured"].min(0) for rows in conditions], 0), []
    for label, (what, sign, unit, some) in LOCALITY.items():
        rows = sign * np.stack([rows[what] for rows in conditions], 1)  # (runs, conditions, columns)
        slopes = [(slope(rows[:, :, n]), None) for n in range(rows.shape[2])]
        last, first = (conditions[place][what] for place in (-1, 0))
        enough = measured if some else None
        found.append(row(f"{label}; slope", slopes, unit, enough))
        found += [
            Row(f"{label}; {words}", one.cells, unit)
            for one in contrast(label, sign * last, sign * first, (APART,), unit, enough)
        ]
    return found


def by_level(runs: list[History]) -> list[str]:
    """Densities of the levels of some runs in words, the dense left out."""
    return [share(density) for density in densities(runs, None)[1:]]
