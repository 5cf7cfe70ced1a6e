"""Tables of the units of tickets: what they are worth, how many inputs they have, how local and how far from Gaussian they are."""

import numpy as np
from scipy import stats

from sifting import observables
from sifting.config import choose
from sifting.results import axes
from sifting.results.history import History
from sifting.tables.basics import Groups, common, densities, level_near, nearest, shape
from sifting.tables.surface import MEASURED, height
from sifting.tables.utility import worth
from sifting.tables.words import around


def units(run: History, level: int) -> dict[str, np.ndarray]:
    """The units of the first layer that keep an input, at one level of a run of kind portrait.

    returns : (units,) inputs and outputs, weights that are kept; worth, in nats; local, localization of the mask; kurtosis, that of
              the trained unit, and far, its distance |K - 3| from a Gaussian's
    """
    mask, kurtosis = run.mask(level), run[f"kurtosis/{level}"].astype(float)
    alive = mask.any(1)
    found = {
        "inputs": mask.sum(1).astype(float),
        "outputs": run.mask(level, 2).sum(0).astype(float),
        "worth": run[f"units/{level}"].mean(1).astype(float),
        "local": observables.locality.localization(mask, shape(run)),
        "kurtosis": kurtosis,
        "far": abs(kurtosis - observables.gaussianity.GAUSSIAN),
    }
    return {name: values[alive] for name, values in found.items()}


def rank(found: dict[str, np.ndarray], one: str, other: str, given: tuple[str, ...] = ()) -> float:
    """Spearman's rank correlation of two properties of `units`, where both are known; the partial one, given the ranks of others, where there are any; nan where ranks are the same."""
    rows = np.array([found[name] for name in (one, other, *given)])
    rows = rows[:, np.isfinite(rows).all(0)]
    if rows.shape[1] < 5 or (rows.min(1) == rows.max(1)).any():
        return np.nan
    r = np.corrcoef(stats.rankdata(rows, axis=1))
    if not given:
        return float(r[0, 1])
    if np.linalg.matrix_rank(r) < len(r):  # some have the same ranks
        return np.nan
    precision = np.linalg.inv(r)
    return float(-precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1]))


def ranks(
    groups: Groups, one: str, other: str, given: tuple[str, ...] = ()
) -> dict[str, dict[str, np.ndarray]]:
    """`rank` at every level but the dense one: condition -> density (levels,), value (runs, levels)."""
    found = {}
    for name, runs in groups.items():
        levels = range(1, common(runs) + 1)
        rows = [[rank(units(run, level), one, other, given) for level in levels] for run in runs]
        found[name] = {"density": densities(runs)[1:], "value": np.array(rows)}
    return found


def units_near(runs: list[History], density: float) -> list[dict[str, np.ndarray]]:
    """`units` of every run at the level whose density is nearest to `density`."""
    return [units(run, level_near(run, density)) for run in runs]


def at_same_density(groups: Groups, density: float, share: float) -> dict[str, np.ndarray]:
    """Utility of random sets of `share` of the weights of tickets near one density: condition -> (values,), all runs together."""
    choose("share", share, axes.RATIOS)
    place = axes.RATIOS.index(share)
    return {
        name: np.concatenate([worth(run, level_near(run, density))[place] for run in runs])
        for name, runs in groups.items()
    }


def means_at(groups: Groups, density: float, share: float) -> dict[str, np.ndarray]:
    """Its mean over sets: condition -> (runs,)."""
    choose("share", share, axes.RATIOS)
    place = axes.RATIOS.index(share)
    return {
        name: np.array([worth(run, level_near(run, density))[place].mean() for run in runs])
        for name, runs in groups.items()
    }


def steps(groups: Groups, which: str, of: str = "accuracy") -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Barriers, see `height`, on one of axes.LINES to the network of every level.

    returns : kind of batch-norm statistics -> condition -> density (levels,); value, the barriers, and end, accuracy in [0, 1] or loss of
              the network at the end of the line, (runs, levels)
    """
    choose("line", which, axes.LINES)
    choose("measure", of, MEASURED)
    place, measure, found = axes.LINES.index(which), MEASURED.index(of), {}
    for number, kind in enumerate(axes.STATISTICS):
        found[kind] = {}
        for name, runs in groups.items():
            levels = range(1, common(runs) + 1)
            rows = np.array(
                [[run[f"line/{level}"][place, number, :, measure] for level in levels] for run in runs]
            )
            found[kind][name] = {
                "density": densities(runs)[1:], "value": height(rows, of), "end": rows[..., -1],
            }  # fmt: skip
    return found


def near_density(line: dict[str, np.ndarray], density: float, what: str = "value") -> np.ndarray:
    """(runs,): the values of `steps` or `ranks` at the level whose density is nearest."""
    return line[what][:, nearest(line["density"], density)]


def barrier_table(groups: Groups, density: float) -> list[list[str]]:
    """Rows of words: barriers from the dense network to tickets near one density, and what the tickets have learned; means and standard deviations over runs.

    returns : condition; barrier in points with statistics interpolated and recomputed, and in nats with recomputed ones; training accuracy
    """
    points, nats = (steps(groups, "whole", of) for of in MEASURED)
    return [
        [
            name,
            *(around(near_density(points[kind][name], density)) for kind in ("interpolated", "recomputed")),
            around(near_density(nats["recomputed"][name], density), digits=2),
            around(near_density(points["interpolated"][name], density, "end"), 100, unit=" %"),
        ]
        for name in groups
    ]
