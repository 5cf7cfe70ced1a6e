"""What all tables ask of a run."""

import functools
import hashlib
from collections.abc import Callable

import numpy as np
from scipy import stats

from sifting import observables
from sifting.results.history import History

Groups = dict[str, list[History]]  # condition -> its runs, one a seed
NEARLY_ALL = 0.95  # of the living units must have a value where means over units are compared


def remembered(function: Callable) -> Callable:
    """The function, which computes nothing twice of the same numbers: chapters ask for the same of a mask.

    It takes numbers and arrays, by their places; what it returns is shared, and not to be written to.
    """
    found = {}

    @functools.wraps(function)
    def known(*given):
        content = hashlib.sha256()
        for one in map(np.asarray, given):
            content.update(f"{one.dtype} {one.shape}".encode() + one.tobytes())
        if (key := content.digest()) not in found:
            found[key] = function(*given)
        return found[key]

    return known


def column(table: dict[str, dict], name: str) -> np.ndarray:
    """(runs, conditions) of one array of `at_density` or `gains`, where all have as many runs."""
    return np.stack([values[name] for values in table.values()], axis=1)


def chosen(groups: dict, names) -> dict:
    """Some of the conditions, in the order of `names`."""
    return {name: groups[name] for name in names}


def starting(groups: dict, one: str) -> dict:
    """The conditions ONE, OTHER of two things that are varied, by OTHER."""
    return {
        name.removeprefix(f"{one}, "): some for name, some in groups.items() if name.startswith(f"{one}, ")
    }


def versus(table: dict, one: str, other: str, what: str | None = None, scale: float = 1) -> dict:
    """One condition of a table and another to compare it with: the values and against of claims.check.

    table : condition -> (runs,), or condition -> name -> (runs,) where `what` is the name
    scale : what both are multiplied by
    """
    found = (table[name] if what is None else table[name][what] for name in (one, other))
    return dict(zip(("values", "against"), (scale * values for values in found)))


def pooled(groups: dict) -> list[History]:
    """The runs of all conditions, which may be groups themselves."""
    found = []
    for some in groups.values():
        found += pooled(some) if isinstance(some, dict) else some
    return found


def stacked(rows: list[list[dict]]) -> dict[str, np.ndarray]:
    """What was measured of every run at every level, by name: (runs, levels, ...).

    rows : of every run and level the numbers or arrays, with the same names
    """
    return {name: np.array([[at[name] for at in row] for row in rows]) for name in rows[0][0]}


def mean(values: np.ndarray) -> float:
    """The mean of those that are not nan; nan where all are."""
    return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")


def interval(values: np.ndarray, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over runs, and the ends of its interval by Student's t; nan where there is one run alone.

    values  : (runs, ...)
    returns : mean, low, high, each (...)
    """
    runs, mean = len(values), values.mean(0)
    if runs < 2:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    half = stats.t.ppf((1 + confidence) / 2, runs - 1) * values.std(0, ddof=1) / np.sqrt(runs)
    return mean, mean - half, mean + half


def counted(local: np.ndarray) -> float:
    """Mean localization of living units, of which those that have none count as 0, not local.

    For comparisons where few have one; nan where no unit lives. local : (units,)
    """
    return float(np.nan_to_num(local).mean()) if len(local) else float("nan")


def shape(run: History) -> tuple[int, int, int]:
    """(channels, height, width) of the images of a run."""
    return tuple(int(n) for n in run["shape"])


def common(runs: list[History]) -> int:
    """The last level that all runs reached."""
    return min(run.levels for run in runs)


def last_level(groups: Groups) -> int:
    """The last level that all runs of all groups reached."""
    return min(common(runs) for runs in groups.values())


def fair(measured: np.ndarray) -> np.ndarray:
    """(levels,) whether NEARLY_ALL units have a value in every run; measured : (runs, levels), shares."""
    return (measured >= NEARLY_ALL).all(0)


def densities(runs: list[History], layer: int = 1) -> np.ndarray:
    """(levels + 1,) density of a layer at each level, the mean over runs."""
    levels = range(common(runs) + 1)
    return np.array([[run.density(level, layer) for level in levels] for run in runs]).mean(0)


def nearest(densities: np.ndarray, density: float) -> int:
    """The level whose density is nearest on a logarithmic scale; densities : (levels,)."""
    return int(np.abs(np.log(densities) - np.log(density)).argmin())


def between_levels(densities: np.ndarray, values: np.ndarray, density: float) -> float:
    """The value at a density, between the two levels around it, linear in the logarithm of the density.

    densities, values : (levels,), from dense to sparse
    returns           : nan for a density that is there at no level
    """
    there = densities > 0
    x, y = np.log(densities[there])[::-1], values[there][::-1]
    return np.interp(np.log(density), x, y, left=np.nan, right=np.nan)


def level_near(run: History, density: float, layer: int | None = 1) -> int:
    """The level of a run nearest to `density`, of a layer or (None) of all layers together."""
    return nearest(np.array([run.density(level, layer) for level in range(run.levels + 1)]), density)


def doublings(ratios: np.ndarray) -> np.ndarray:
    """Ratios as logarithms to base 2: 1 is twice, -1 half; nan for what is not above 0."""
    return np.log2(np.where(ratios > 0, ratios, np.nan))


def rank_correlation(rows: np.ndarray) -> dict[str, float]:
    """Spearman's rank correlation over conditions, the mean of several.

    rows    : (several, conditions, 2), pairs of numbers, one pair a condition
    returns : values; error, the jackknife's over the conditions: for claims.check
    """

    def mean(some):
        return np.mean([stats.spearmanr(*pairs.T).statistic for pairs in some])

    count = rows.shape[1]
    without = np.array([mean(np.delete(rows, n, 1)) for n in range(count)])
    error = np.sqrt((count - 1) / count * ((without - without.mean()) ** 2).sum())
    return {"values": float(mean(rows)), "error": float(error)}


def values(named: dict[str, float]) -> np.ndarray:
    """The numbers of a table, without their names."""
    return np.array(list(named.values()))


def by_inputs(mask: np.ndarray, groups: int) -> list[np.ndarray]:
    """Units in groups by in-degree, fewest inputs first, each an equal share of those that have any."""
    degree = observables.connectivity.in_degree(mask)
    order = np.argsort(degree, kind="stable")
    return np.array_split(order[degree[order] > 0], groups)


def top_units(run: History, level: int, count: int, layer: int = 1) -> np.ndarray:
    """Indices of the `count` units with the most connections to the network's input, most first."""
    return np.argsort(-run.effective(level, layer).sum(1), kind="stable")[:count]


def local_units(run: History, level: int, count: int, layer: int = 1, among: int = 48) -> np.ndarray:
    """Indices of the most localized of the `among` most connected units, most localized first.

    `count` of them; of deeper layers than the first by their effective masks.
    """
    candidates = top_units(run, level, among, layer)
    local = observables.locality.localization(run.effective(level, layer), shape(run))[candidates]
    return candidates[np.argsort(-np.nan_to_num(local, nan=-1), kind="stable")[:count]]
