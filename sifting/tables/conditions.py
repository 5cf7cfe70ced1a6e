"""Tables of several conditions side by side: methods, amounts of data, tasks, settings."""

from collections.abc import Iterable

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.tables.basics import (
    Groups,
    common,
    counted,
    fair,
    level_near,
    local_units,
    mean,
    nearest,
    remembered,
    shape,
    stacked,
    top_units,
)
from sifting.tables.connectivity import evenness
from sifting.tables.learning import accuracy
from sifting.tables.words import around, number, share


def compare(groups: Groups) -> dict[str, dict[str, np.ndarray]]:
    """Accuracy and measures of locality of every condition, at every level.

    returns : condition -> arrays over the levels that all its runs reached:
              density                  : (levels,) of all prunable layers together
              layers                   : (levels, layers) density of each
              test, last, train        : (runs, levels) accuracy: test, early stopped; test and training,
                                         at the last step
              gain                     : (runs, levels) test minus that of the dense network
              localization, enrichment : (runs, levels) of the first layer, nan for the dense one
              width, unit_width        : (runs, levels) rf_width of S(d) of all units together, and its median
                                         over units; mean of x and y, in pixels
              width_x, width_y         : (runs, levels) mean over units of rf_width, in pixels
              measured                 : (runs, levels) share of the living units that have a localization and
                                         a width (observables.locality.measured)
              counted                  : (runs, levels) localization, living units without one counted as 0
              excess, tail             : (runs, levels) degree_excess of its units, and their tail
              dead                     : (runs, levels) share of its units without any input
    """
    return {name: _rows(runs) for name, runs in groups.items()}


def thirds(run: History, layer: int | None = None) -> list[float]:
    """Densities after a third, two thirds and all of the levels: of one layer, or of all together."""
    return [run.density(round(part * run.levels), layer) for part in (1 / 3, 2 / 3, 1)]


def _rows(runs: list[History]) -> dict[str, np.ndarray]:
    levels, size = range(common(runs) + 1), shape(runs[0])
    layers = [[[run.density(level, n + 1) for n in range(run.layers)] for level in levels] for run in runs]
    test, last, train = (
        np.stack([run.accuracy(split, step)[: len(levels)] for run in runs])
        for split, step in (("test", "best"), ("test", "last"), ("train", "last"))
    )
    return {
        "density": np.array([[run.density(level) for level in levels] for run in runs]).mean(0),
        "layers": np.array(layers).mean(0),
        "test": test,
        "gain": test - test[:, :1],
        "last": last,
        "train": train,
    } | stacked([[_measures(run.mask(level), size, level) for level in levels] for run in runs])


@remembered
def _measures(mask: np.ndarray, size: tuple, level: int) -> dict[str, float]:
    names = (
        "localization", "measured", "enrichment", "width", "unit_width", "width_x", "width_y",
        "excess", "tail", "counted",
    )  # fmt: skip
    dead = {"dead": 1 - mask.any(1).mean()}
    if not level:
        return dict.fromkeys(names, np.nan) | dead
    same = observables.locality.same_counts(mask, size)
    widths = np.array(observables.locality.rf_width(same))
    local = observables.locality.localization(mask, size)
    found = (
        mean(local),
        observables.locality.measured(mask, size),
        observables.locality.enrichment(mask, size),
        np.mean(observables.locality.rf_width(same.sum(0))),
        np.nanmedian(widths.mean(0)) if not np.isnan(widths).all() else np.nan,
        *(mean(side) for side in widths),
        observables.connectivity.degree_excess(mask),
        observables.connectivity.tail(mask),
        counted(local[mask.any(1)]),
    )
    return dict(zip(names, found, strict=True)) | dead


def at_density(table: dict[str, dict], density: float) -> dict[str, dict]:
    """The rows of `compare` at the level whose density is nearest to `density`.

    Nearest on a logarithmic scale.

    returns : condition -> level, and of every array its value(s) there: (runs,), or a number for density
    """
    found = {}
    for name, rows in table.items():
        level = nearest(rows["density"], density)
        runs = {what: row[..., level] for what, row in rows.items() if what not in ("density", "layers")}
        means = {what: rows[what][level] for what in ("density", "layers")}
        found[name] = {"level": level} | means | runs
    return found


def crossed(
    table: dict[str, dict], measures: dict[str, tuple], ones: Iterable[str] = ()
) -> dict[str, dict[str, dict]]:
    """Conditions of which two things are varied, by both: their names are "ONE, OTHER".

    table    : condition -> measure -> (runs,), as `at_density` returns it
    measures : measure -> what it is called, what it is multiplied by, and more that is not read
    ones     : which, in this order; default: all
    returns  : what the measure is called -> OTHER -> ONE -> (runs,)
    """
    names = [tuple(condition.split(", ")) for condition in table]
    ones, others = list(ones) or dict(names), dict.fromkeys(other for _, other in names)
    return {
        words: {
            other: {
                one: factor * np.asarray(table[f"{one}, {other}"][name], float)
                for one in ones
                if (one, other) in names
            }
            for other in others
        }
        for name, (words, factor, *_) in measures.items()
    }


def interaction(values: dict[str, np.ndarray], ones: tuple[str, str], others: tuple[str, str]) -> np.ndarray:
    """(runs,): how much more the OTHERs of "ONE, OTHER" differ at the first of `ones` than at the second.

    values : condition -> (runs,)
    """
    first, second = (values[f"{one}, {others[0]}"] - values[f"{one}, {others[1]}"] for one in ones)
    return first - second


LEARNED_HEAD = ("images and labels", "test", "training batches")


def learned_rows(found: dict[str, dict]) -> list[list[str]]:
    """Rows of words, one a condition of `at_density`: accuracy on test images and in training batches."""
    return [
        [name, *(around(rows[what], 100, 1, " %") for what in ("test", "train"))]
        for name, rows in found.items()
    ]


def sparsest(table: dict[str, dict], least: float = 0) -> float:
    """The lowest density of `compare`, at `least` or above it, at which nearly all units have a value.

    Nearly all: basics.NEARLY_ALL, in every run of every condition. Where units are compared at all, it is
    there: farther down, means are over those that are left, other ones in every condition. One of the
    densities of the condition that has fewest levels; without any that is so, that with most weights.
    """
    few = min((rows["density"] for rows in table.values()), key=len)
    down = few[1 : 1 + nearest(few, least)] if least else few[1:]
    found = [density for density in down if _fair(table, density)]
    return float(min(found, default=few[:2][-1]))


def _fair(table: dict[str, dict], density: float) -> bool:
    """Whether, near a density, every condition has a value of nearly all of its units."""
    return all(fair(rows["measured"])[nearest(rows["density"], density)] for rows in table.values())


def difference(matched: dict[str, dict], one: str, other: str) -> dict[str, np.ndarray]:
    """One condition of `at_density` minus another, number by number, for runs of the same seeds."""
    return {name: matched[one][name] - matched[other][name] for name in matched[one]}


SUMMARY_HEAD = ("kept in all", "first layer", "last pruned layer", "test accuracy", "Λ", "units with Λ")


def summary(found: dict[str, dict]) -> list[list[str]]:
    """Rows of words from `at_density`: of every condition its name and what SUMMARY_HEAD names.

    Densities, test accuracy and localization, and the share of the living units that it is a mean over; of
    the last three mean and standard deviation over runs.
    """
    return [
        [
            name,
            *(share(value) for value in (rows["density"], rows["layers"][0], rows["layers"][-1])),
            around(rows["test"], 100, 1, " %"),
            around(rows["localization"], 1, 3),
            around(rows["measured"], 100, 0, " %"),
        ]
        for name, rows in found.items()
    ]


CONCLUSIONS_HEAD = (
    "gain, best of looks at validation",
    "gain, test",
    "gain, last step",
    "Λ",
    "units with Λ",
    "enrichment",
    "variance of in-degrees",
    "border pixels",
)


def conclusions(groups: Groups, density: float) -> list[list[str]]:
    """Rows of words: of every condition its name and what CONCLUSIONS_HEAD names.

    They are what the first chapter concludes, means over runs: gain in points by early-stopped validation
    accuracy, by test accuracy at the level and step chosen on validation, and by test accuracy at the last
    step; near `density` localization and the share of units with one, enrichment, degree_excess, and
    connections of border pixels over the mean.
    """
    rows = []
    for name, runs in groups.items():
        table, at = accuracy(runs), at_density(compare({name: runs}), density)[name]
        val, last = (
            table["best"],
            np.stack([run.accuracy("test", "last")[: common(runs) + 1] for run in runs]),
        )
        at_peak = np.take_along_axis(last, table["peak"][:, None], 1)[:, 0]
        gains = val[:, 1:].max(1) - val[:, 0], table["gain"], at_peak - last[:, 0]
        border = evenness(runs, density)["border"]
        numbers = [number(found.mean(), 2) for found in (at["enrichment"], at["excess"], border)]
        points = [number(100 * gain.mean(), sign=True) for gain in gains]
        local = number(at["localization"].mean(), 2), share(at["measured"].mean())
        rows.append([name, *points, *local, *numbers])
    return rows


def portraits(groups: Groups, density: float, masks: int = 0) -> dict[str, dict]:
    """What the first layer looks like in each condition near `density`: PB5, PB14, PB17, PB19.

    returns : condition ->
              density      : of the layer
              same         : S_sc summed over units and runs; runs: how many
              degrees      : in-degrees of all units of all runs
              expected     : (counts, units expected at each in one run) for random pruning
              localization : (runs,); measured: share of the living units that it is a mean over, all runs
              masks        : bool (masks, channels, height, width), the most connected of the first run
    """
    return {name: _portrait(runs, density, masks) for name, runs in groups.items()}


def _portrait(runs: list[History], density: float, count: int) -> dict:
    size = shape(runs[0])
    levels = [level_near(run, density, None) for run in runs]
    first = [run.mask(level) for run, level in zip(runs, levels)]
    counts = np.arange(max(int(mask.sum(1).max()) for mask in first) + 2)
    expected = sum(observables.connectivity.binomial(mask, counts) for mask in first) / len(runs)
    return {
        "density": float(np.mean([mask.mean() for mask in first])),
        "same": sum(observables.locality.same_counts(mask, size).sum(0) for mask in first),
        "runs": len(runs),
        "degrees": np.concatenate([observables.connectivity.in_degree(mask) for mask in first]),
        "expected": (counts, expected),
        "localization": np.array([mean(observables.locality.localization(mask, size)) for mask in first]),
        "measured": float(np.mean([observables.locality.measured(mask, size) for mask in first])),
        "masks": first[0][top_units(runs[0], levels[0], count)].reshape(-1, *size),
    }


def same_units(ticket: History, methods: Groups, shown: dict[str, list[float]], count: int = 10) -> dict:
    """The weights of a dense network and the masks of the same units under several methods: PB4.

    ticket  : of IMP, which holds the dense weights
    methods : their runs, of each the first with the seed of `ticket`
    shown   : method -> densities; each is a row of pictures
    count   : units: the most localized, at three quarters of the way, of the 48 most connected

    returns : labels; units; pictures (rows, count, channels, height, width) in [0, 1], the dense weights
              first (0.5: zero); accuracy (rows,), early-stopped test accuracy, mean over runs
    """
    units, dense = local_units(ticket, ticket.shown[1], count), ticket.weights(0)
    dense = dense[units] / np.abs(dense[units]).max(1, keepdims=True)
    first = next(iter(shown))
    rows = [("dense weights", 0.5 + 0.5 * dense, [run.accuracy("test")[0] for run in methods[first]])]
    for name, density in ((name, density) for name, some in shown.items() for density in some):
        levels = [level_near(run, density, None) for run in methods[name]]
        mask = methods[name][0].mask(levels[0])[units].astype(float)
        tests = [run.accuracy("test")[level] for run, level in zip(methods[name], levels)]
        rows.append((f"{name}, {share(density)}", mask, tests))
    labels, pictures, tests = zip(*rows)
    return {
        "labels": list(labels),
        "units": units,
        "pictures": np.stack(pictures).reshape(len(rows), count, *shape(ticket)),
        "accuracy": np.array([np.mean(some) for some in tests]),
    }
