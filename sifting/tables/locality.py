"""Tables of how local masks are: by level, by unit, by layer, beside null models."""

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.results.masks import effective
from sifting.tables.basics import (
    by_inputs,
    common,
    densities,
    fair,
    level_near,
    mean,
    shape,
    stacked,
    top_units,
)
from sifting.tables.words import around, share

DISTANCES = 5, 10, 13  # pixels that lie both on an axis and, by whole numbers, off it
REDRAWS = 20  # of every random control; its own scatter is then a fifth of that of one draw
MEASURES = (
    "width σx of S(d), pixels",
    "width σy of S(d), pixels",
    "localization Λ",
    "share of the units that have a Λ",
    "enrichment of near pairs",
)


def blobs(height: int, width: int) -> list[float]:
    """What Lambda compares with, for who computes it elsewhere: see observables.locality.compact."""
    return observables.locality.compact(height, width).tolist()


def locality(runs: list[History], levels: list[int]) -> dict[str, np.ndarray]:
    """S(d) of the first layer summed over units and runs, and how local it is: PB2b.

    same, different : (levels, 2 height - 1, 2 width - 1) S_sc and S_dc
    random          : the same of S_sc for masks with as many entries kept at random
    width           : (runs, levels, 2) rf_width of the summed S_sc, x and y, in pixels
    width_random    : (runs, levels, 2)
    localization    : (runs, levels) mean over units of Lambda; localization_random likewise
    measured        : (runs, levels) share of the living units that have one (observables.locality.measured)
    enrichment      : (runs, levels) of near pairs
    axis            : (runs, levels) axis_excess
    """
    size, draw = shape(runs[0]), np.random.default_rng(0)
    table = stacked([[_local(run.mask(level), size, draw) for level in levels] for run in runs])
    table |= {name: table[name].sum(0) for name in ("same", "different", "random")}
    return table | {"levels": levels, "density": densities(runs)[levels]}


def _local(mask: np.ndarray, size: tuple, draw: np.random.Generator) -> dict:
    """The columns of `locality` for one mask."""
    shuffled = observables.locality.random_mask(mask, draw)
    same, different = (counts.sum(0) for counts in observables.locality.displacement_counts(mask, size))
    random = observables.locality.same_counts(shuffled, size).sum(0)
    return {
        "same": same,
        "different": different,
        "random": random,
        "width": observables.locality.rf_width(same),
        "width_random": observables.locality.rf_width(random),
        "localization": mean(observables.locality.localization(mask, size)),
        "localization_random": mean(observables.locality.localization(shuffled, size)),
        "measured": observables.locality.measured(mask, size),
        "enrichment": observables.locality.enrichment(mask, size),
        "axis": observables.locality.axis_excess(mask, size),
    }


def localization(runs: list[History]) -> dict[str, np.ndarray]:
    """Every measure of locality at every pruned level, per run; without one, of the dense."""
    return locality(runs, list(range(1, common(runs) + 1)) or [0])


def sparsest(table: dict[str, np.ndarray]) -> int:
    """The last level of `locality` at which nearly all units of every run have a Lambda; else its first."""
    levels = np.array(table["levels"])
    return int(levels[fair(table["measured"])].max(initial=levels[0]))


def measures(runs: list[History], levels: list[int]) -> list[dict]:
    """The measures of locality at each level, with two errors and two controls.

    returns : for every measure its name and, for each level,
              value    : mean over runs
              seeds    : standard deviation over runs; nan for one
              units    : standard error over the units of the first run (observables.connectivity.jackknife)
              random   : of masks with as many weights kept anywhere
              shuffled : where the pixels of all masks are moved about in the same way; both controls are of
                         the first run, means over REDRAWS
    """
    size, draw = shape(runs[0]), np.random.default_rng(0)

    def measure(mask):
        same = observables.locality.same_counts(mask, size).sum(0)
        local = mean(observables.locality.localization(mask, size))
        measured = observables.locality.measured(mask, size)
        near = observables.locality.enrichment(mask, size)
        return np.array([*observables.locality.rf_width(same), local, measured, near])

    def random(mask):
        return observables.locality.random_mask(mask, draw)

    def shuffled(mask):
        pixels = draw.permutation(size[1] * size[2])
        return mask.reshape(len(mask), size[0], -1)[:, :, pixels].reshape(mask.shape)

    def control(change):
        masks = (runs[0].mask(level) for level in levels)
        return np.array([np.mean([measure(change(mask)) for _ in range(REDRAWS)], axis=0) for mask in masks])

    values = np.array([[measure(run.mask(level)) for level in levels] for run in runs])
    scatter = [observables.connectivity.jackknife(measure, runs[0].mask(level)) for level in levels]
    kinds = {
        "value": values.mean(0),
        "seeds": values.std(0, ddof=1) if len(runs) > 1 else np.full(values.shape[1:], np.nan),
        "units": np.array(scatter),
        "random": control(random),
        "shuffled": control(shuffled),
    }
    return [
        {"name": name} | {kind: value[:, n] for kind, value in kinds.items()}
        for n, name in enumerate(MEASURES)
    ]


def unit_widths(runs: list[History], level: int, count: int = 48) -> dict[str, np.ndarray]:
    """Width of S_sc of the most connected units, beside random ones with as many inputs: PB9.

    imp, random : (runs,) mean over units of rf_moment, x and y, in pixels; nothing is fitted
    """
    draw, table = np.random.default_rng(0), {"imp": [], "random": []}
    for run in runs:
        top = run.mask(level)[top_units(run, level, count)]
        for name, mask in (("imp", top), ("random", draw.permuted(top, axis=1))):
            same = observables.locality.same_counts(mask, shape(run))
            table[name].append(np.nanmean([observables.locality.rf_moment(unit) for unit in same]))
    return {name: np.array(value) for name, value in table.items()}


def pair_correlation(runs: list[History], levels: list[int]) -> dict[str, np.ndarray]:
    """g(r), (runs, levels, r), at the levels shown."""
    size = shape(runs[0])
    g = np.array(
        [[observables.locality.pair_correlation(run.mask(level), size) for level in levels] for run in runs]
    )
    return {"r": np.arange(1, g.shape[2] + 1), "g": g, "levels": levels, "density": densities(runs)[levels]}


def reach(runs: list[History], level: int) -> dict[str, np.ndarray]:
    """Size and locality of effective masks, layer by layer: PB12.

    inputs       : (runs, layers) mean number of inputs that reach a unit
    localization : (runs, layers) mean of Lambda
    random       : the same where the mask of that layer is rewired (observables.connectivity.rewire), mean
                   over REDRAWS; of layer 1 it is `localization`
    """
    draw = np.random.default_rng(0)
    return stacked([[_reach(run, level, n + 1, draw) for n in range(run.layers)] for run in runs])


def _reach(run: History, level: int, layer: int, draw: np.random.Generator) -> dict[str, float]:
    """The columns of `reach` for one layer of a run."""
    *below, last = (run.mask(level, n + 1) for n in range(layer))
    draws = [observables.connectivity.rewire(last, draw) for _ in range(REDRAWS)] if below else [last]

    def local(mask):
        return mean(observables.locality.localization(mask, shape(run)))

    reached = effective(*below, last)
    return {
        "inputs": reached.sum(1)[reached.any(1)].mean(),
        "localization": local(reached),
        "random": np.mean([local(effective(*below, other)) for other in draws]),
    }


def by_degree(runs: dict[str, History], density: float, bins: int = 5) -> dict[str, list[dict]]:
    """S_sc of units grouped by in-degree, near `density`: PB11.

    returns : name -> for every group its range of C_in (low, high), number of units, S_sc summed,
              localization (mean over the units that have one) and its standard error, measured (the share of
              those) and enrichment
    """
    return {name: _by_degree(run, density, bins) for name, run in runs.items()}


def _by_degree(run: History, density: float, bins: int) -> list[dict]:
    """The groups of one run; each has an equal share of the units that have any input."""
    mask, size = run.mask(level_near(run, density)), shape(run)
    degree = observables.connectivity.in_degree(mask)
    same = observables.locality.same_counts(mask, size)
    local = observables.locality.localization(mask, size)
    return [
        {
            "low": int(degree[units].min()),
            "high": int(degree[units].max()),
            "units": len(units),
            "same": same[units].sum(0),
            "measured": observables.locality.measured(mask[units], size),
            "enrichment": observables.locality.enrichment(mask[units], size),
        }
        | _over_units(local[units])
        for units in by_inputs(mask, bins)
    ]


def _over_units(local: np.ndarray) -> dict[str, float]:
    """Mean of Lambda over the units that have one, and its standard error: localization, error."""
    local = local[~np.isnan(local)]
    error = local.std(ddof=1) / np.sqrt(len(local)) if len(local) > 1 else np.nan
    return {"localization": mean(local), "error": float(error)}


def group_localization(runs: list[History], density: float, what: str = "localization") -> np.ndarray:
    """(runs, groups) mean Lambda of units grouped by in-degree, or `what` else by_degree has of them."""
    groups = by_degree(dict(enumerate(runs)), density)
    return np.array([[group[what] for group in row] for row in groups.values()])


def orientations(runs: list[History], level: int, around: float = 0) -> np.ndarray:
    """(runs,) direction that the masks of a level prefer, in degrees: PB20.

    Within 45 of `around`, since two axes at right angles are one direction.
    """
    found = np.array([observables.locality.orientation(run.mask(level), shape(run)) for run in runs])
    return (found - around + 45) % 90 - 45 + around


def slope(rows: np.ndarray, x=None) -> np.ndarray:
    """(runs,) how much a number grows with x, by least squares.

    rows : (runs, points); x : (points,), by default 0, 1, 2 and so on. nan for a single point
    """
    if rows.shape[1] < 2:
        return np.full(len(rows), np.nan)
    return np.polyfit(np.arange(rows.shape[1]) if x is None else x, rows.T, 1)[0]


def everywhere(run: History, density: float) -> dict[str, float]:
    """Localization of all units of a run near `density`, and its standard error.

    localization, error : as of a group of by_degree
    """
    mask = run.mask(level_near(run, density))
    return _over_units(observables.locality.localization(mask, shape(run)))


def difference(one: dict, other: dict) -> dict[str, float]:
    """Localization of one group of by_degree minus another's, and its standard error.

    values, error : what claims.check takes
    """
    return {
        "values": one["localization"] - other["localization"],
        "error": float(np.hypot(one["error"], other["error"])),
    }


def axes(runs: list[History], level: int, distance: int = DISTANCES[0]) -> np.ndarray:
    """(runs,) axis_excess of the first layer at a level, at so many pixels: PB21."""
    return np.array([observables.locality.axis_excess(run.mask(level), shape(run), distance) for run in runs])


def axes_rows(runs: list[History], levels: list[int]) -> list[list[str]]:
    """Rows of words: `axes` at each level, by DISTANCES, mean and standard deviation over runs."""
    rows = [[around(axes(runs, level, distance), digits=2) for distance in DISTANCES] for level in levels]
    return [[share(density), *row] for density, row in zip(densities(runs)[levels], rows)]


def sparsest_by_degree(runs: dict[str, History], bins: int = 5) -> float:
    """The lowest density of the first run at which every group of by_degree of every run is fair."""
    one = next(iter(runs.values()))
    some = [one.density(level, 1) for level in range(1, one.levels + 1)]
    rows = [[group["measured"] for row in by_degree(runs, u, bins).values() for group in row] for u in some]
    found = [density for density, row in zip(some, rows) if fair(np.array([row]).T).all()]
    return float(min(found, default=some[0]))


def sparsest_reach(runs: list[History], layer: int) -> int:
    """The last level at which nearly all effective masks of a layer have a Lambda; else the first."""
    rows = [
        [observables.locality.measured(run.effective(level, layer), shape(run)) for run in runs]
        for level in range(1, common(runs) + 1)
    ]
    return int((1 + np.flatnonzero(fair(np.array(rows).T))).max(initial=1))
