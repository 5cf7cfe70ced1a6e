"""How local masks are beyond chance, by three measures, as a share of a full effect.

Chance is what masks with equal degrees have: every unit and every input keeps as many connections. A mask is
said to be local where the least of the three shares is above MARGIN, and not to be local where the largest is
below it: what nobody would see in a picture beside the full effect.
"""

import functools

import numpy as np

from sifting import observables
from sifting.results.history import History
from sifting.tables.basics import Groups, by_inputs, level_near, mean, remembered, shape
from sifting.tables.words import around

MARGIN = 0.1  # of the full effect; Statement.above and below of the catalog say it in percent
REDRAWS = 10  # of every mask with equal degrees


def beyond(runs: list[History], density: float, layer: int = 1) -> np.ndarray:
    """How local (effective) masks are near `density` of all layers together, less what chance makes of it.

        Λ - Λ0,    E - E0,    1 - σ / σ0

    Λ: mean localization of the units; E: enrichment of near pairs; σ: width of S(d) of all units together,
    mean of x and y. With 0, the mean of each over REDRAWS masks of observables.connectivity.rewire.

    returns : (runs, 3), 0 where masks are as those of chance
    """
    masks = (run.effective(level_near(run, density, None), layer) for run in runs)
    return _all_beyond([shape(run) for run in runs], *masks).copy()


@remembered
def _all_beyond(sizes: list[tuple], *masks: np.ndarray) -> np.ndarray:
    draw = np.random.default_rng(0)
    return np.array([_beyond(mask, size, _null(mask, size, draw)) for mask, size in zip(masks, sizes)])


def shares(runs: list[History], full: np.ndarray, density: float, layer: int = 1) -> np.ndarray:
    """(runs, 3): `beyond` over its mean in other runs, `full`, which is the full effect."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return beyond(runs, density, layer) / full.mean(0)


def least(found: np.ndarray) -> np.ndarray:
    """(runs,) the smallest of the `shares` in percent: how local masks are by the measure that says least."""
    return 100 * found.min(-1)


def most(found: np.ndarray) -> np.ndarray:
    """(runs,) the largest of the `shares` in percent, of either sign: by the measure that says most."""
    return 100 * np.abs(found).max(-1)


HEAD = ("Λ", "near pairs", "width")


def rows(groups: Groups, full: np.ndarray, density: float) -> list[list[str]]:
    """Rows of words: of every condition its name and its `shares` by the measures of HEAD, in percent.

    Mean and standard deviation over runs.
    """
    found = {name: 100 * shares(runs, full, density) for name, runs in groups.items()}
    return [
        [name, *(around(column, digits=0, unit=" %") for column in values.T)]
        for name, values in found.items()
    ]


def of_one(run: History, full: np.ndarray, density: float, groups: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """`shares` of one run, and their standard errors over its units, of each group by in-degree.

    groups  : numbers of groups as of tables.locality.by_degree; the chance of a group is that of its units
    returns : (groups, 3) each
    """
    draw, size = np.random.default_rng(0), shape(run)
    mask = run.mask(level_near(run, density, None))
    found, errors = [], []
    for part in by_inputs(mask, groups):
        measure = functools.partial(_beyond, size=size, null=_null(mask, size, draw, part))
        found.append(measure(mask[part]))
        errors.append(observables.connectivity.jackknife(measure, mask[part]))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.array(found) / full.mean(0), np.abs(errors / full.mean(0))


def least_of_all(groups: Groups, full: np.ndarray, density: float) -> dict[str, float]:
    """`least` of the condition that is least local, of its first run, with its standard error over units.

    values, error : what claims.check takes
    """
    found, errors = (
        np.array(rows) for rows in zip(*(of_one(runs[0], full, density) for runs in groups.values()))
    )
    place = np.argmin(np.nan_to_num(found, nan=np.inf))
    return {"values": 100 * found.flat[place], "error": 100 * errors.flat[place]}


def single_most(found: np.ndarray, errors: np.ndarray) -> dict[str, float]:
    """`most` of one run, with its standard error: what claims.check takes; found, errors : (..., 3)."""
    place = np.argmax(np.nan_to_num(np.abs(found), nan=-1))
    return {"values": 100 * np.abs(found).flat[place], "error": 100 * errors.flat[place]}


def _null(mask: np.ndarray, size: tuple, draw: np.random.Generator, units=slice(None)) -> np.ndarray:
    """What chance makes of some units of a mask: `_measures`, mean over REDRAWS."""
    redrawn = [observables.connectivity.rewire(mask, draw)[units] for _ in range(REDRAWS)]
    return np.mean([_measures(other, size) for other in redrawn], axis=0)


def _beyond(mask: np.ndarray, size: tuple, null: np.ndarray) -> np.ndarray:
    """The three numbers of `beyond`."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (_measures(mask, size) - null) * [1, 1, -1] / [1, 1, null[2]]


def _measures(mask: np.ndarray, size: tuple) -> np.ndarray:
    """Mean localization, enrichment and width of a mask."""
    same = observables.locality.same_counts(mask, size).sum(0)
    local, near = observables.locality.localization(mask, size), observables.locality.enrichment(mask, size)
    return np.array([mean(local), near, np.mean(observables.locality.rf_width(same))])
