"""Tables of the units of tickets, of sets of their weights, and of barriers to them."""

import numpy as np
from scipy import stats

from sifting import observables
from sifting.config import choose
from sifting.results import axes
from sifting.results.history import History
from sifting.tables.basics import Groups, common, densities, doublings, level_near, nearest, shape
from sifting.tables.learning import trained
from sifting.tables.surface import MEASURED, by_statistics, height
from sifting.tables.utility import worth
from sifting.tables.words import around


def trained_rows(groups: Groups, density: float) -> list[list[str]]:
    """Rows of words: what the dense networks have learned, and tickets near one density.

    groups : conditions with the same dense networks
    Columns are those of tables.learning.trained.
    """
    dense = {"dense": next(iter(groups.values()))}
    tickets = [trained({name: runs}, level_near(runs[0], density)) for name, runs in groups.items()]
    return sum(tickets, trained(dense))


# --- units


def units(run: History, level: int) -> dict[str, np.ndarray]:
    """The units of the first layer that keep an input, at one level of a run of kind portrait.

    returns : (units,) inputs and outputs, weights that are kept; worth, in nats; local, localization of the
              mask; kurtosis, that of the trained unit, and far, its distance |K - 3| from a Gaussian's
    """
    mask, kurtosis = run.mask(level), run[f"kurtosis/{level}"].astype(float)
    alive = mask.any(1)
    found = {
        "inputs": mask.sum(1).astype(float),
        "outputs": run.mask(level, 2).sum(0).astype(float),
        "worth": run[f"units/{level}"].mean(1).astype(float),
        "local": observables.locality.localization(mask, shape(run)),
        "kurtosis": kurtosis,
        "far": abs(kurtosis - observables.gaussianity.GAUSSIAN),
    }
    return {name: values[alive] for name, values in found.items()}


def units_near(runs: list[History], density: float) -> list[dict[str, np.ndarray]]:
    """`units` of every run at the level whose density is nearest to `density`."""
    return [units(run, level_near(run, density)) for run in runs]


def units_by_density(run: History, wanted: tuple[float, ...]) -> dict[str, dict[str, np.ndarray]]:
    """`units` of a run at the levels nearest to some densities: density in words -> units."""
    levels = [level_near(run, density) for density in wanted]
    return {_left(run.density(level, 1)): units(run, level) for level in levels}


def _left(density: float) -> str:
    return f"{100 * density:.2g} % of the weights"


def rank(found: dict[str, np.ndarray], one: str, other: str, given: tuple[str, ...] = ()) -> float:
    """Spearman's rank correlation of two properties of units, or the partial one, given others.

        r(one, other | given) = -P[0, 1] / sqrt(P[0, 0] P[1, 1])

    P is the inverse of the matrix of the correlations between the ranks of all of them.

    found   : property -> (units,), from `units`; a unit counts where all properties in question are known
    returns : nan for fewer than five units, where all have one rank, and where two properties rank alike
    """
    rows = np.array([found[name] for name in (one, other, *given)])
    rows = rows[:, np.isfinite(rows).all(0)]
    if rows.shape[1] < 5 or (rows.min(1) == rows.max(1)).any():
        return np.nan
    r = np.corrcoef(stats.rankdata(rows, axis=1))
    if not given:
        return float(r[0, 1])
    if np.linalg.matrix_rank(r) < len(r):
        return np.nan
    P = np.linalg.inv(r)
    return float(-P[0, 1] / np.sqrt(P[0, 0] * P[1, 1]))


def ranks(
    groups: Groups, one: str, other: str, given: tuple[str, ...] = ()
) -> dict[str, dict[str, np.ndarray]]:
    """`rank` at every level but the dense one.

    returns : condition -> density (levels,), value (runs, levels)
    """
    found = {}
    for name, runs in groups.items():
        levels = range(1, common(runs) + 1)
        rows = [[rank(units(run, level), one, other, given) for level in levels] for run in runs]
        found[name] = {"density": densities(runs)[1:], "value": np.array(rows)}
    return found


def near_density(line: dict[str, np.ndarray], density: float, what: str = "value") -> np.ndarray:
    """(runs,): values of one condition of `ranks` or `barriers`, at the level near a density."""
    return line[what][:, nearest(line["density"], density)]


def values_near(
    lines: dict[str, dict[str, np.ndarray]], density: float, what: str = "value"
) -> dict[str, np.ndarray]:
    """The same of all conditions: condition -> (runs,)."""
    return {name: near_density(line, density, what) for name, line in lines.items()}


# --- sets of weights


def at_same_density(groups: Groups, density: float, share: float) -> dict[str, np.ndarray]:
    """Utility of random sets of weights of tickets near one density: condition -> (values,).

    share : of the weights that are left; all runs together
    """
    return {name: np.concatenate(rows) for name, rows in _sets(groups, density, share).items()}


def means_at(groups: Groups, density: float, share: float) -> dict[str, np.ndarray]:
    """Its mean over sets: condition -> (runs,)."""
    found = _sets(groups, density, share)
    return {name: np.array([row.mean() for row in rows]) for name, rows in found.items()}


def _sets(groups: Groups, density: float, share: float) -> dict[str, list[np.ndarray]]:
    """Condition -> a row of utilities for every run."""
    choose("share", share, axes.RATIOS)
    place = axes.RATIOS.index(share)
    return {
        name: [worth(run, level_near(run, density))[place] for run in runs] for name, runs in groups.items()
    }


def doublings_at(groups: Groups, density: float, share: float) -> dict[str, np.ndarray]:
    """The mean utility of `means_at` as a logarithm to base 2: condition -> (runs,)."""
    return {name: doublings(means) for name, means in means_at(groups, density, share).items()}


# --- barriers


def barriers(groups: Groups, which: str, of: str = "accuracy") -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Barriers, see tables.surface.height, on one of axes.LINES to the network of every level.

    returns : kind of batch-norm statistics -> condition -> density (levels,); value, the barriers, and end,
              accuracy in [0, 1] or loss of the network at the end of the line, (runs, levels); and part,
              barriers in accuracy as a `part` of what both ends know
    """
    choose("line", which, axes.LINES)
    choose("measure", of, MEASURED)
    place, measure, found = axes.LINES.index(which), MEASURED.index(of), {}
    for number, kind in enumerate(axes.STATISTICS):
        found[kind] = {}
        for name, runs in groups.items():
            levels = range(1, common(runs) + 1)
            rows = [[run[f"line/{level}"][place, number, :, measure] for level in levels] for run in runs]
            rows = np.array(rows)
            value = {"density": densities(runs)[1:], "value": height(rows, of), "end": rows[..., -1]}
            found[kind][name] = value | ({"part": part(rows)} if of == "accuracy" else {})
    return found


def part(rows: np.ndarray) -> np.ndarray:
    """(...,): barriers on lines of accuracy, (..., points), in percent of the mean accuracy of both ends.

    Where networks have learned all images, these are points. Where they have not, there is less to lose, and
    as many points are more of it.
    """
    return height(rows) / rows[..., [0, -1]].astype(float).mean(-1)


def highest(line: dict[str, np.ndarray], density: float, what: str = "value") -> np.ndarray:
    """(runs,): the highest barrier of one condition, of all levels down to a density.

    what : value or part, of `barriers`
    """
    return line[what][:, : 1 + nearest(line["density"], density)].max(1)


# the columns of `barrier_rows`, after the name of the condition
BARRIER_HEAD = ("interpolated (points)", "recomputed (points)", "recomputed (nats)", "training accuracy")


def barrier_rows(groups: Groups, density: float) -> list[list[str]]:
    """Rows of words, one a condition: barriers from dense to tickets near one density.

    Means and standard deviations over runs: barrier in points with statistics interpolated and recomputed,
    and in nats with recomputed ones; training accuracy of the tickets.
    """
    points, nats = (barriers(groups, "whole", of) for of in MEASURED)
    return [
        [
            name,
            *(around(near_density(points[kind][name], density)) for kind in ("interpolated", "recomputed")),
            around(near_density(nats["recomputed"][name], density), digits=2),
            around(near_density(points["interpolated"][name], density, "end"), 100, unit=" %"),
        ]
        for name in groups
    ]


def planes_by_density(run: History, wanted: tuple[float, ...], kinds: tuple[str, ...]) -> dict[str, dict]:
    """Planes of a run at the levels nearest to some densities.

    kinds   : of batch-norm statistics
    returns : density in words -> kind -> plane, see tables.surface.plane
    """
    levels = [level_near(run, density) for density in wanted]
    return {_left(run.density(level)): by_statistics(run, level, kinds) for level in levels}
