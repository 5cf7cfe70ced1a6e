"""How many connections units and pixels keep, and how many weights can matter."""

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.tables.basics import level_near, shape, values
from sifting.tables.learning import accuracy
from sifting.tables.words import around, number

PLACES_HEAD = ("gain in test accuracy, points", "variance of connections", "border", "center")


def mattering(run: History, level: int) -> float:
    """Share of the prunable weights that are kept and can matter; see observables.paths.mattering.

    Where single weights are pruned it is nearly `History.density`; where whole inputs or channels are, it can
    be half of it, for what reads or feeds them is gone with them.
    """
    masks = [run.mask(level, layer) for layer in range(1, run.layers + 1)]
    residual = any(name.startswith("blocks.") for name in run.layer_names)
    steps = (observables.paths.residual if residual else observables.paths.chain)(*masks)
    found = observables.paths.mattering(steps, biases=not residual)
    return sum(int(mask.sum()) for mask in found) / sum(mask.size for mask in masks)


def places(runs: dict[str, History], found: dict) -> list[list[str]]:
    """Rows of words from `out_degree`: of every condition its name and what PLACES_HEAD names.

    The gain is that of its best pruned network.
    """
    rows = []
    for name, run in runs.items():
        gain = number(100 * accuracy([run])["gain"][0], sign=True)
        rows.append([name, gain, *(number(found[what][name], 2) for what in ("uneven", "border", "center"))])
    return rows


def out_degree(runs: dict[str, History], density: float) -> dict:
    """C_out of every pixel near `density`: PB10.

    maps   : name -> (channels, height, width) connections left, relative to the mean
    border : name -> mean of the outermost ring of pixels over the mean of all
    center : name -> mean of the central half (in height and width) over the mean of all
    uneven : name -> variance of C_out over that of random pruning (observables.connectivity.degree_excess)
    """
    maps, border, center, uneven = {}, {}, {}, {}
    for name, run in runs.items():
        size, mask = shape(run), run.mask(level_near(run, density))
        uneven[name] = observables.connectivity.degree_excess(mask.T)
        counts = observables.connectivity.out_degree(mask).reshape(size)
        maps[name] = counts / counts.mean()
        inner = maps[name][:, 1:-1, 1:-1]
        border[name] = (maps[name].sum() - inner.sum()) / (maps[name].size - inner.size)
        h, w = size[1] // 4, size[2] // 4
        center[name] = maps[name][:, h : size[1] - h, w : size[2] - w].mean()
    return {"maps": maps, "border": border, "center": center, "uneven": uneven}


def evenness(runs: list[History], density: float) -> dict[str, np.ndarray]:
    """(runs,) border, center and uneven of `out_degree`."""
    found = out_degree(dict(enumerate(runs)), density)
    return {name: values(found[name]) for name in ("border", "center", "uneven")}


def evenness_rows(found: dict[str, dict[str, np.ndarray]]) -> list[list[str]]:
    """Rows of words from `evenness`: border and center of every condition, mean and deviation over runs."""
    return [
        [name, *(around(rows[what], digits=2) for what in ("border", "center"))]
        for name, rows in found.items()
    ]


def in_degree(runs: list[History], levels: list[int]) -> dict:
    """Histograms of C_in of the first layer, with the binomial of random pruning: PB1b.

    levels, density : the levels shown and their densities
    degrees         : list of (runs * units,) in-degrees of all runs, one entry a level
    expected        : list of (counts, number of units expected at each count)
    tail            : (runs, levels) share of units above the 99 % point of random pruning
    """
    masks = [[run.mask(level) for run in runs] for level in levels]
    degrees = [np.concatenate([observables.connectivity.in_degree(mask) for mask in row]) for row in masks]
    counts = [np.arange(some.max() + 2) for some in degrees]
    tail = [[observables.connectivity.tail(mask) for mask in row] for row in masks]
    return {
        "levels": levels,
        "density": [float(np.mean([mask.mean() for mask in row])) for row in masks],
        "degrees": degrees,
        "expected": [
            (n, sum(observables.connectivity.binomial(mask, n) for mask in row))
            for n, row in zip(counts, masks)
        ],
        "tail": np.array(tail).T,
    }


def top_share(degrees: np.ndarray, part: float = 0.1) -> float:
    """Share of all inputs that the `part` of the units with most of them holds."""
    ranked = np.sort(degrees)[::-1]
    return float(ranked[: round(part * len(ranked))].sum() / ranked.sum())
