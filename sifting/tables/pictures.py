"""Tables of pictures: masks, weights, images, maps."""

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.tables.numbers import accuracy, probe
from sifting.tables.runs import densities, local_units, near, shape, top_units


def masks(run: History, level: int, count: int, layer: int = 1) -> np.ndarray:
    """bool (count, channels, height, width): (effective) masks of the most connected units: PB3a, PB12."""
    reach = run.effective(level, layer)
    return reach[top_units(run, level, count, layer)].reshape(-1, *shape(run))


def weights(run: History, level: int, count: int) -> np.ndarray:
    """float32 (count, channels, height, width): trained first-layer weights of the most connected units: PB22."""
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


def features(run: History, anatomy: History, level: int, count: int) -> dict[str, np.ndarray]:
    """Units worth a closer look, their masks, weights and top images: PB3b.

    The `count` most localized of the most connected units for which images were looked up.

    units   : (count,); mask bool, weights float32: (count, channels, height, width)
    images  : uint8 (count, 3, channels, height, width), the validation images with highest preactivation
    """
    units = probe(anatomy, "top_units", level)
    local = np.nan_to_num(observables.localization(run.mask(level), shape(run))[units], nan=-1)
    chosen = np.sort(np.argsort(-local, kind="stable")[:count])
    return {
        "units": units[chosen],
        "mask": run.mask(level)[units[chosen]].reshape(-1, *shape(run)),
        "weights": run.weights(level)[units[chosen]].reshape(-1, *shape(run)),
        "images": probe(anatomy, "top_images", level)[chosen],
    }


def places(runs: dict[str, History], found: dict) -> list[list[str]]:
    """Rows of words from `out_degree`: condition, gain of its best pruned network in points, unevenness, border, center."""
    rows = []
    for name, run in runs.items():
        gain = float(100 * accuracy([run])["gain"][0])
        numbers = (found[what][name] for what in ("uneven", "border", "center"))
        rows.append([name, f"{gain:+.1f}".replace("-", "−"), *(f"{number:.2f}" for number in numbers)])
    return rows


def random_units(run: History, levels: list[int], count: int = 2) -> dict[str, np.ndarray]:
    """S_sc of single units: pruned at random, the most connected of IMP, and random ones as large as those: PB9.

    kinds  : names of the three kinds, `count` units each
    inputs : (levels, 3 count) inputs kept; same : (levels, 3 count, ...) S_sc
    """
    size, draw = shape(run), np.random.default_rng(0)
    rows = []
    for level in levels:
        mask = run.mask(level)
        top = mask[top_units(run, level, count)]
        rows.append(
            np.concatenate([observables.random_mask(mask, draw)[:count], draw.permuted(top, axis=1), top])
        )
    return {
        "kinds": ("random pruning", "random, as large", "IMP"),
        "inputs": np.array([row.sum(1) for row in rows]),
        "same": np.stack([observables.locality(row, size)[0] for row in rows]),
        "density": densities([run])[levels],
    }


def out_degree(runs: dict[str, History], density: float) -> dict:
    """C_out of every pixel near `density`: PB10.

    maps   : name -> (channels, height, width) connections left, relative to the mean
    border : name -> mean of the outermost ring of pixels over the mean of all
    center : name -> mean of the central half (in height and width) over the mean of all
    uneven : name -> variance of C_out over that of random pruning (observables.degree_excess)
    """
    maps, border, center, uneven = {}, {}, {}, {}
    for name, run in runs.items():
        size, mask = shape(run), run.mask(near(run, density))
        uneven[name] = observables.degree_excess(mask.T)
        counts = observables.out_degree(mask).reshape(size)
        maps[name] = counts / counts.mean()
        inner = maps[name][:, 1:-1, 1:-1]
        border[name] = (maps[name].sum() - inner.sum()) / (maps[name].size - inner.size)
        h, w = size[1] // 4, size[2] // 4
        center[name] = maps[name][:, h : size[1] - h, w : size[2] - w].mean()
    return {"maps": maps, "border": border, "center": center, "uneven": uneven}
