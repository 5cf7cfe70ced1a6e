"""What single units of the first layer do."""

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.tables.basics import shape

WEIGHTS = np.linspace(0, 0.9, 10)  # shares of the first layer's weights that are removed


def features(run: History, anatomy: History, level: int, count: int) -> dict[str, np.ndarray]:
    """Units worth a closer look, their masks, weights and top images: PB3b.

    The `count` most localized of the most connected units for which images were looked up.

    units   : (count,); mask bool, weights float32: (count, channels, height, width)
    images  : uint8 (count, 3, channels, height, width), the validation images with highest preactivation
    """
    units = probe(anatomy, "top_units", level)
    local = np.nan_to_num(observables.locality.localization(run.mask(level), shape(run))[units], nan=-1)
    chosen = np.sort(np.argsort(-local, kind="stable")[:count])
    return {
        "units": units[chosen],
        "mask": run.mask(level)[units[chosen]].reshape(-1, *shape(run)),
        "weights": run.weights(level)[units[chosen]].reshape(-1, *shape(run)),
        "images": probe(anatomy, "top_images", level)[chosen],
    }


def probe(anatomy: History, name: str, level: int) -> np.ndarray:
    """An array of an anatomy at one level.

    Raises ValueError where that level was not probed, naming those that were.
    """
    levels = anatomy["levels"].tolist()
    if level not in levels:
        raise ValueError(f"level {level} was not probed; levels {', '.join(map(str, levels))} were")
    return anatomy[name][levels.index(level)]


def ablation(runs: list[History], anatomies: list[History], level: int) -> dict[str, np.ndarray]:
    """Test accuracy, relative to the whole network, as first-layer units are removed: PB1c.

    removed    : (points,) fraction of units removed
    relative   : (runs, orders, points); orders: largest in-degree first, random, smallest first
    gap        : (runs,) mean over `removed` of smallest first minus largest first; gap_random: of random
                 order minus largest first
    weights    : (shares,) fraction of the layer's weights removed with them, WEIGHTS
    by_weights : (runs, orders, shares) relative accuracy there, on the line between two points; units in
                 random order are taken to have as many weights each
    gap_weights: (runs,) mean over `weights` of largest first minus smallest first
    """
    accuracies = np.stack([probe(run, "ablation", level) for run in anatomies])
    relative = accuracies / accuracies[:, :1, :1]
    removed = anatomies[0]["removed"]
    by_weights = np.array(
        [
            [np.interp(WEIGHTS, *curve) for curve in zip(_gone(run, level, removed), rows, strict=True)]
            for run, rows in zip(runs, relative, strict=True)
        ]
    )
    return {
        "removed": removed / removed[-1],
        "relative": relative,
        "gap": (relative[:, 2] - relative[:, 0]).mean(1),
        "gap_random": (relative[:, 1] - relative[:, 0]).mean(1),
        "weights": WEIGHTS,
        "by_weights": by_weights,
        "gap_weights": (by_weights[:, 0] - by_weights[:, 2]).mean(1),
    }


def _gone(run: History, level: int, removed: np.ndarray) -> list[np.ndarray]:
    """(points,) share of the weights of the first layer that go with so many units, for each order."""
    most = np.sort(observables.connectivity.in_degree(run.mask(level)))[::-1]
    shares = [np.concatenate([[0], np.cumsum(some)]) / most.sum() for some in (most, most[::-1])]
    return [shares[0][removed], removed / removed[-1], shares[1][removed]]


def agreement(anatomies: list[History], level: int) -> dict[str, np.ndarray]:
    """Correlation between the top images of a unit, inside and outside its mask: PB3b.

    inside, outside               : (runs,) mean over units
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
