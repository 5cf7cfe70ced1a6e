"""Tables of numbers: accuracies, degrees, what units do."""

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.tables.runs import common, densities


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


def top_share(degrees: np.ndarray, part: float = 0.1) -> float:
    """Share of all inputs that the `part` of the units with most of them holds."""
    ranked = np.sort(degrees)[::-1]
    return float(ranked[: round(part * len(ranked))].sum() / ranked.sum())


def spread(values: np.ndarray) -> str:
    """Differences of accuracy in words, in points: the lowest and the highest over runs."""
    low, high = (f"{100 * value:+.1f}".replace("-", "−") for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


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
    gap      : (runs,) mean over `removed` of smallest first minus largest first; gap_random: of random
               order minus largest first
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


def agreement(anatomies: list[History], level: int) -> dict[str, np.ndarray]:
    """Correlation between the top images of a unit, inside and outside its mask, mean over units: PB3b.

    inside, outside               : (runs,)
    random_inside, random_outside : (runs,) for images drawn at random, inside and outside the same masks
    """
    means = {
        prefix: np.array([np.nanmean(probe(run, name, level), axis=0) for run in anatomies])
        for prefix, name in (("", "agreement"), ("random_", "agreement_random"))
    }
    return {
        prefix + side: mean[:, n]
        for prefix, mean in means.items()
        for n, side in enumerate(("inside", "outside"))
    }
