"""Tables of numbers: accuracies, degrees, measures of locality."""

import numpy as np

from sifting import observables
from sifting.history import History
from sifting.masks import effective
from sifting.tables.runs import common, densities, near, shape


def accuracy(runs: list[History]) -> dict[str, np.ndarray]:
    """Accuracy of every run at every level: PB1a.

    density            : (levels,)
    best, last, test   : (runs, levels) validation accuracy early stopped, at the last step; test
                         accuracy at the early-stopping step, on images used for nothing else
    peak               : (runs,) level of the highest validation accuracy among the pruned ones
    gain, fall         : (runs,) test accuracy at `peak` minus dense; at the last level minus `peak`
    """
    last = common(runs) + 1
    table = {
        "density": densities(runs),
        "best": np.stack([run.accuracy("val", "best")[:last] for run in runs]),
        "last": np.stack([run.accuracy("val", "last")[:last] for run in runs]),
        "test": np.stack([run.accuracy("test", "best")[:last] for run in runs]),
    }
    peak = 1 + table["best"][:, 1:].argmax(1)
    at_peak = np.take_along_axis(table["test"], peak[:, None], 1)[:, 0]
    return table | {
        "peak": peak,
        "gain": at_peak - table["test"][:, 0],
        "fall": table["test"][:, -1] - at_peak,
    }


def in_degree(runs: list[History], levels: list[int]) -> dict:
    """Histograms of C_in of the first layer over all runs, with the binomial of random pruning: PB1b.

    levels, density : the levels shown and their densities
    degrees         : list of (runs * units,) in-degrees, one entry a level
    expected        : list of (counts, number of units expected at each count)
    excess          : (runs, levels) variance over that of random pruning
    """
    masks = [[run.mask(level) for run in runs] for level in levels]
    counts = [np.arange(max(int(mask.sum(1).max()) for mask in row) + 2) for row in masks]
    return {
        "levels": levels,
        "density": [float(np.mean([mask.mean() for mask in row])) for row in masks],
        "degrees": [np.concatenate([observables.in_degree(mask) for mask in row]) for row in masks],
        "expected": [
            (n, sum(observables.binomial(mask, n) for mask in row)) for n, row in zip(counts, masks)
        ],
        "excess": np.array([[observables.degree_excess(mask) for mask in row] for row in masks]).T,
    }


def probe(anatomy: History, name: str, level: int) -> np.ndarray:
    """An array of an anatomy at one level. Raises ValueError where that level was not probed, naming those that were."""
    levels = anatomy["levels"].tolist()
    if level not in levels:
        raise ValueError(f"level {level} was not probed; levels {', '.join(map(str, levels))} were")
    return anatomy[name][levels.index(level)]


def ablation(anatomies: list[History], level: int) -> dict[str, np.ndarray]:
    """Test accuracy, relative to the whole network, as first-layer units are removed: PB1c.

    removed  : (points,) fraction of units removed
    relative : (runs, orders, points); orders: largest in-degree first, random, smallest first
    gap      : (runs,) mean over `removed` of smallest first minus largest first
    """
    accuracies = np.stack([probe(run, "ablation", level) for run in anatomies])
    relative = accuracies / accuracies[:, :1, :1]
    removed = anatomies[0]["removed"]
    return {
        "removed": removed / removed[-1],
        "relative": relative,
        "gap": (relative[:, 2] - relative[:, 0]).mean(1),
        "gap_random": (relative[:, 1] - relative[:, 0]).mean(1),
    }


def locality(runs: list[History], levels: list[int]) -> dict[str, np.ndarray]:
    """S(d) of the first layer summed over units and runs, and how local it is: PB2b.

    same, different : (levels, 2 height - 1, 2 width - 1) S_sc and S_dc
    random          : the same of S_sc for masks with as many entries kept at random
    width, moment   : (runs, levels, 2) rf_width and rf_moment of the summed S_sc, x and y, in pixels
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
            "moment",
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
            shuffled = observables.random_mask(mask, draw)
            same, different = (s.sum(0) for s in observables.locality(mask, size))
            random = observables.locality(shuffled, size)[0].sum(0)
            values = (
                same,
                different,
                random,
                observables.rf_width(same),
                observables.rf_moment(same),
                observables.rf_width(random),
                np.nanmean(observables.localization(mask, size)),
                np.nanmean(observables.localization(shuffled, size)),
                observables.enrichment(mask, size),
                observables.axis_excess(mask, size),
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
              deviation over runs; nan for one), units (standard error over units, observables.jackknife),
              random (as many weights kept anywhere) and shuffled (the pixels of all masks moved
              about in the same way), these three for the first run
    """
    size, draw = shape(runs[0]), np.random.default_rng(0)
    pixels = draw.permutation(size[1] * size[2])
    order = (np.arange(size[0])[:, None] * len(pixels) + pixels).ravel()

    def width(mask, side):
        return observables.rf_width(observables.locality(mask, size)[0].sum(0))[side]

    kinds = {
        "width σx of S(d), pixels": lambda mask: width(mask, 0),
        "width σy of S(d), pixels": lambda mask: width(mask, 1),
        "localization Λ": lambda mask: np.nanmean(observables.localization(mask, size)),
        "enrichment of near pairs": lambda mask: observables.enrichment(mask, size),
    }
    rows = []
    for name, measure in kinds.items():
        values = np.array([[measure(run.mask(level)) for level in levels] for run in runs])
        rows.append(
            {
                "name": name,
                "value": values.mean(0),
                "seeds": values.std(0, ddof=1) if len(runs) > 1 else np.full(len(levels), np.nan),
                "units": np.array([observables.jackknife(measure, runs[0].mask(level)) for level in levels]),
                "random": np.array([measure(observables.random_mask(runs[0].mask(n), draw)) for n in levels]),
                "shuffled": np.array([measure(runs[0].mask(n)[:, order]) for n in levels]),
            }
        )
    return rows


def pair_correlation(runs: list[History], levels: list[int]) -> dict[str, np.ndarray]:
    """g(r), (runs, levels, r), at the levels shown."""
    size = shape(runs[0])
    g = np.array([[observables.pair_correlation(run.mask(level), size) for level in levels] for run in runs])
    return {"r": np.arange(1, g.shape[2] + 1), "g": g, "levels": levels, "density": densities(runs)[levels]}


def agreement(anatomies: list[History], level: int) -> dict[str, np.ndarray]:
    """Correlation between the top images of a unit, inside and outside its mask, mean over units: PB3b.

    inside, outside, random : (runs,); random: inside the same masks, for images drawn at random
    """
    return {
        "inside": np.array([np.nanmean(probe(run, "agreement", level)[:, 0]) for run in anatomies]),
        "outside": np.array([np.nanmean(probe(run, "agreement", level)[:, 1]) for run in anatomies]),
        "random": np.array([np.nanmean(probe(run, "agreement_random", level)[:, 0]) for run in anatomies]),
    }


def reach(runs: list[History], level: int) -> dict[str, np.ndarray]:
    """Size and locality of effective masks, layer by layer: PB12.

    inputs       : (runs, layers) mean number of inputs that reach a unit
    localization : (runs, layers) mean of Lambda; random: the same where every unit of a
                   deeper layer draws its inputs anew, as many as it had
    """
    size, draw = shape(runs[0]), np.random.default_rng(0)
    table = {"inputs": [], "localization": [], "random": []}
    for run in runs:
        rows = {name: [] for name in table}
        for layer in range(1, run.layers + 1):
            mask = run.effective(level, layer)
            shuffled = [draw.permuted(run.mask(level, n), axis=1) for n in range(2, layer + 1)]
            mixed = effective(run.mask(level), *shuffled)
            rows["inputs"].append(mask.sum(1)[mask.any(1)].mean())
            rows["localization"].append(np.nanmean(observables.localization(mask, size)))
            rows["random"].append(np.nanmean(observables.localization(mixed, size)))
        for name in table:
            table[name].append(rows[name])
    return {name: np.array(value) for name, value in table.items()}


def everywhere(run: History, density: float) -> dict[str, float]:
    """Localization of all units of a run near `density`, with its standard error, as a group of by_degree."""
    values = observables.localization(run.mask(near(run, density)), shape(run))
    values = values[~np.isnan(values)]
    return {"localization": float(values.mean()), "error": float(values.std(ddof=1) / np.sqrt(len(values)))}


def difference(one: dict, other: dict) -> dict[str, float]:
    """Localization of one group of by_degree minus another's, and its standard error: what claims.check takes."""
    return {
        "values": one["localization"] - other["localization"],
        "error": float(np.hypot(one["error"], other["error"])),
    }
