"""Tables of how local masks are: by level, by unit, by layer, beside null models."""

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.results.masks import effective
from sifting.tables.basics import common, densities, level_near, shape, top_units

REDRAWS = 20  # of every random control; its own scatter is then a fifth of that of one draw


def locality(runs: list[History], levels: list[int]) -> dict[str, np.ndarray]:
    """S(d) of the first layer summed over units and runs, and how local it is: PB2b.

    same, different : (levels, 2 height - 1, 2 width - 1) S_sc and S_dc
    random          : the same of S_sc for masks with as many entries kept at random
    width           : (runs, levels, 2) rf_width of the summed S_sc, x and y, in pixels
    width_random    : (runs, levels, 2)
    localization    : (runs, levels) mean over units of Lambda; localization_random likewise
    enrichment      : (runs, levels) of near pairs
    axis            : (runs, levels) axis_excess
    """
    size, draw = shape(runs[0]), np.random.default_rng(0)
    maps = {name: [] for name in ("same", "different", "random")}
    numbers = {
        name: []
        for name in (
            "width",
            "width_random",
            "localization",
            "localization_random",
            "enrichment",
            "axis",
        )
    }
    for run in runs:
        rows = {name: [] for name in (*maps, *numbers)}
        for level in levels:
            mask = run.mask(level)
            shuffled = observables.locality.random_mask(mask, draw)
            same, different = (s.sum(0) for s in observables.locality.displacement_counts(mask, size))
            random = observables.locality.displacement_counts(shuffled, size)[0].sum(0)
            values = (
                same,
                different,
                random,
                observables.locality.rf_width(same),
                observables.locality.rf_width(random),
                np.nanmean(observables.locality.localization(mask, size)),
                np.nanmean(observables.locality.localization(shuffled, size)),
                observables.locality.enrichment(mask, size),
                observables.locality.axis_excess(mask, size),
            )
            for name, value in zip(rows, values):
                rows[name].append(value)
        for name in maps:
            maps[name].append(rows[name])
        for name in numbers:
            numbers[name].append(rows[name])
    table = {name: np.sum(value, 0) for name, value in maps.items()}
    table |= {name: np.array(value, float) for name, value in numbers.items()}
    return table | {"levels": levels, "density": densities(runs)[levels]}


def localization(runs: list[History]) -> dict[str, np.ndarray]:
    """Every measure of locality at every level, per run: `locality` for all levels but the dense one."""
    return locality(runs, list(range(1, common(runs) + 1)))


def measures(runs: list[History], levels: list[int]) -> list[dict]:
    """The measures of locality at each level with their errors: over seeds and over the units of the first run.

    returns : for every measure its name and, for each level, value (mean over runs), seeds (standard
              deviation over runs; nan for one), units (standard error over units, observables.connectivity.jackknife),
              random (as many weights kept anywhere) and shuffled (the pixels of all masks moved
              about in the same way), these three for the first run, the controls means over REDRAWS
    """
    size, draw = shape(runs[0]), np.random.default_rng(0)
    area = size[1] * size[2]

    def measure(mask):
        width_x, width_y = observables.locality.rf_width(
            observables.locality.displacement_counts(mask, size)[0].sum(0)
        )
        local, near = (
            np.nanmean(observables.locality.localization(mask, size)),
            observables.locality.enrichment(mask, size),
        )
        return np.array([width_x, width_y, local, near])

    def shuffled(mask):
        return mask.reshape(len(mask), size[0], area)[:, :, draw.permutation(area)].reshape(mask.shape)

    def control(change):
        masks = (runs[0].mask(level) for level in levels)
        return np.array([np.mean([measure(change(mask)) for _ in range(REDRAWS)], axis=0) for mask in masks])

    values = np.array([[measure(run.mask(level)) for level in levels] for run in runs])
    kinds = {
        "value": values.mean(0),
        "seeds": values.std(0, ddof=1) if len(runs) > 1 else np.full(values.shape[1:], np.nan),
        "units": np.array(
            [observables.connectivity.jackknife(measure, runs[0].mask(level)) for level in levels]
        ),
        "random": control(lambda mask: observables.locality.random_mask(mask, draw)),
        "shuffled": control(shuffled),
    }
    names = (
        "width σx of S(d), pixels",
        "width σy of S(d), pixels",
        "localization Λ",
        "enrichment of near pairs",
    )
    return [
        {"name": name} | {kind: value[:, n] for kind, value in kinds.items()} for n, name in enumerate(names)
    ]


def unit_widths(runs: list[History], level: int, count: int = 48) -> dict[str, np.ndarray]:
    """Width of S_sc of single units, the most connected ones, beside random ones with as many inputs: PB9.

    imp, random : (runs,) mean over units of rf_moment, x and y, in pixels; nothing is fitted
    """
    draw, table = np.random.default_rng(0), {"imp": [], "random": []}
    for run in runs:
        top = run.mask(level)[top_units(run, level, count)]
        for name, mask in (("imp", top), ("random", draw.permuted(top, axis=1))):
            same = observables.locality.displacement_counts(mask, shape(run))[0]
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
    localization : (runs, layers) mean of Lambda; random: the same where the mask of the last layer is rewired (observables.connectivity.rewire), mean over REDRAWS
    """
    size, draw = shape(runs[0]), np.random.default_rng(0)
    table = {"inputs": [], "localization": [], "random": []}
    for run in runs:
        rows = {name: [] for name in table}
        for layer in range(1, run.layers + 1):
            layers = [run.mask(level, n) for n in range(1, layer + 1)]
            mask = effective(*layers)
            draws = (
                [observables.connectivity.rewire(layers[-1], draw) for _ in range(REDRAWS)]
                if layer > 1
                else layers
            )
            rewired = [effective(*layers[:-1], last) for last in draws]
            rows["inputs"].append(mask.sum(1)[mask.any(1)].mean())
            rows["localization"].append(np.nanmean(observables.locality.localization(mask, size)))
            rows["random"].append(
                np.mean([np.nanmean(observables.locality.localization(m, size)) for m in rewired])
            )
        for name in table:
            table[name].append(rows[name])
    return {name: np.array(value) for name, value in table.items()}


def by_degree(runs: dict[str, History], density: float, bins: int = 5) -> dict[str, list[dict]]:
    """S_sc of units grouped by in-degree, near `density`: PB11.

    returns : name -> for every group its range of C_in (low, high), number of units, S_sc summed,
              localization (mean over the units that have one) and its standard error
    """
    result = {}
    for name, run in runs.items():
        mask, size = run.mask(level_near(run, density)), shape(run)
        degree = observables.connectivity.in_degree(mask)
        order = np.argsort(degree, kind="stable")
        edges = np.cumsum([0] + [len(part) for part in np.array_split(order[degree[order] > 0], bins)])
        alive = order[degree[order] > 0]
        same, local = (
            observables.locality.displacement_counts(mask, size)[0],
            observables.locality.localization(mask, size),
        )
        result[name] = []
        for low, high in zip(edges[:-1], edges[1:]):
            units = alive[low:high]
            values = local[units][~np.isnan(local[units])]
            result[name].append(
                {
                    "low": int(degree[units].min()),
                    "high": int(degree[units].max()),
                    "units": len(units),
                    "same": same[units].sum(0),
                    "localization": float(values.mean()) if len(values) else float("nan"),
                    "error": float(values.std(ddof=1) / np.sqrt(len(values)))
                    if len(values) > 1
                    else float("nan"),
                }
            )
    return result


def group_localization(runs: list[History], density: float) -> np.ndarray:
    """(runs, groups) mean Lambda of units grouped by in-degree (by_degree), near `density`."""
    groups = by_degree(dict(enumerate(runs)), density)
    return np.array([[group["localization"] for group in row] for row in groups.values()])


def orientations(runs: list[History], level: int, around: float = 0) -> np.ndarray:
    """(runs,) direction that the masks of a level prefer, degrees, within 45 of `around`: two axes at right angles are one. PB20."""
    found = np.array([observables.locality.orientation(run.mask(level), shape(run)) for run in runs])
    return (found - around + 45) % 90 - 45 + around


def slope(rows: np.ndarray, x=None) -> np.ndarray:
    """(runs,) how much a number grows with x, by least squares. rows : (runs, points); x : (points,), default 0, 1, ..."""
    if rows.shape[1] < 2:
        return np.full(len(rows), np.nan)
    return np.polyfit(np.arange(rows.shape[1]) if x is None else x, rows.T, 1)[0]


def everywhere(run: History, density: float) -> dict[str, float]:
    """Localization of all units of a run near `density`, with its standard error, as a group of by_degree."""
    values = observables.locality.localization(run.mask(level_near(run, density)), shape(run))
    values = values[~np.isnan(values)]
    return {"localization": float(values.mean()), "error": float(values.std(ddof=1) / np.sqrt(len(values)))}


def difference(one: dict, other: dict) -> dict[str, float]:
    """Localization of one group of by_degree minus another's, and its standard error: what claims.check takes."""
    return {
        "values": one["localization"] - other["localization"],
        "error": float(np.hypot(one["error"], other["error"])),
    }


def axes(runs: list[History], level: int, times: int = 1) -> np.ndarray:
    """(runs,): axis_excess of the first layer at `level`, at five pixels or `times` as far: PB21."""
    return np.array([observables.locality.axis_excess(run.mask(level), shape(run), times) for run in runs])
