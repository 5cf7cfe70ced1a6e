"""What all tables ask of a run."""

import numpy as np

from sifting import observables
from sifting.results.history import History


def shape(run: History) -> tuple[int, int, int]:
    """(channels, height, width) of the images of a run."""
    return tuple(int(n) for n in run["shape"])


def common(runs: list[History]) -> int:
    """The last level that all runs reached."""
    return min(run.levels for run in runs)


def last_level(groups: dict[str, list[History]]) -> int:
    """The last level that all runs of all groups reached."""
    return min(common(runs) for runs in groups.values())


def densities(runs: list[History], layer: int = 1) -> np.ndarray:
    """(levels + 1,) density of a layer at each level, the mean over runs."""
    levels = range(common(runs) + 1)
    return np.array([[run.density(level, layer) for level in levels] for run in runs]).mean(0)


def near(run: History, density: float, layer: int = 1) -> int:
    """The level at which the density of a layer is nearest to `density` on a logarithmic scale."""
    values = np.array([run.density(level, layer) for level in range(run.levels + 1)])
    return int(np.abs(np.log(values) - np.log(density)).argmin())


def values(named: dict[str, float]) -> np.ndarray:
    """The numbers of a table, without their names."""
    return np.array(list(named.values()))


def top_units(run: History, level: int, count: int, layer: int = 1) -> np.ndarray:
    """Indices of the `count` units with the most connections to the network's input, most first."""
    return np.argsort(-run.effective(level, layer).sum(1), kind="stable")[:count]


def local_units(run: History, level: int, count: int, layer: int = 1, among: int = 48) -> np.ndarray:
    """Indices of the `count` units with the most localized (effective) masks of the `among` most connected, most localized first."""
    candidates = top_units(run, level, among, layer)
    local = observables.localization(run.effective(level, layer), shape(run))[candidates]
    return candidates[np.argsort(-np.nan_to_num(local, nan=-1), kind="stable")[:count]]


def around(values: np.ndarray, scale: float = 1.0, digits: int = 1, unit: str = "") -> str:
    """Mean ± standard deviation over runs, in words."""
    sd = f" ± {scale * values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{scale * values.mean():z.{digits}f}{sd}{unit}".replace("-", "−")
