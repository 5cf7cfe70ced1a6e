"""Tables of pictures: masks, weights, images, maps."""

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.tables.basics import Groups, densities, level_near, local_units, mean, shape, top_units


def masks(run: History, level: int, count: int, layer: int = 1) -> np.ndarray:
    """(Effective) masks of the most connected units: PB3a, PB12.

    returns : bool (count, channels, height, width)
    """
    reach = run.effective(level, layer)
    return reach[top_units(run, level, count, layer)].reshape(-1, *shape(run))


def weights(run: History, level: int, count: int) -> np.ndarray:
    """Trained first-layer weights of the most connected units: PB22.

    returns : float32 (count, channels, height, width)
    """
    return run.weights(level)[top_units(run, level, count)].reshape(-1, *shape(run))


def emergence(run: History, units: int = 6, columns: int = 8) -> dict[str, np.ndarray]:
    """Masks of a few units from the dense network to the sparsest: how they come about.

    The most localized, at three quarters of the way, of the 48 most connected. masks : bool (units,
    columns, channels, height, width); density : (columns,) of the levels shown
    """
    levels = np.rint(np.linspace(0, run.levels, min(columns, run.levels + 1))).astype(int)
    chosen = local_units(run, run.shown[1], units)
    stack = np.stack([run.mask(int(level))[chosen] for level in levels], axis=1)
    return {"masks": stack.reshape(*stack.shape[:2], *shape(run)), "density": densities([run])[levels]}


def random_units(run: History, levels: list[int], count: int = 2) -> dict[str, np.ndarray]:
    """S_sc of single units: pruned at random, of IMP, and random ones as large as those: PB9.

    Those of IMP are the most connected.

    kinds  : names of the three kinds, `count` units each
    inputs : (levels, 3 count) inputs kept; same : (levels, 3 count, ...) S_sc
    """
    size, draw = shape(run), np.random.default_rng(0)
    rows = []
    for level in levels:
        mask = run.mask(level)
        random = observables.locality.random_mask(mask, draw)[:count]
        top = mask[top_units(run, level, count)]
        rows.append(np.concatenate([random, draw.permuted(top, axis=1), top]))
    return {
        "kinds": ("random pruning", "random, as large", "IMP"),
        "inputs": np.array([row.sum(1) for row in rows]),
        "same": np.stack([observables.locality.same_counts(row, size) for row in rows]),
        "density": densities([run])[levels],
    }


def unnamed(groups: Groups, density: float, count: int = 16) -> dict[str, dict]:
    """Masks of one layer, pruned in several ways to about the same density: for WhichExplorer.

    density : of the first layer, near which the level of the first run of each group is chosen
    returns : condition -> masks, of its most connected units (see `masks`); local, the mean localization of
              all; density, of the layer
    """
    found = {}
    for name, (run, *_) in groups.items():
        level = level_near(run, density)
        local = mean(observables.locality.localization(run.mask(level), shape(run)))
        found[name] = {"masks": masks(run, level, count), "local": local, "density": run.density(level, 1)}
    return found
