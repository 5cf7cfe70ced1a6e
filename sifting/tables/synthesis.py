"""One table of the same tickets by the measures of all four papers."""

import numpy as np

from sifting import observables
from sifting.results import axes
from sifting.results.history import History
from sifting.results.masks import jaccard
from sifting.tables.basics import Groups, common, densities, level_near, shape
from sifting.tables.utility import worth
from sifting.tables.words import around
from sifting.tables.worth import units

# what is measured -> its name in words, factor and digits
MEASURES = {
    "test": ("test accuracy", 100, 1, " %"),
    "local": ("localization Λ of units", 1, 3, ""),
    "far": ("|K − 3| of units", 1, 2, ""),
    "jaccard": ("Jaccard index with IMP", 1, 2, ""),
    "worth": ("utility of a tenth (nats)", 1, 2, ""),
    "barrier": ("barrier from dense (points)", 1, 1, ""),
}


def by_papers(run: History, level: int, reference: History) -> dict[str, float]:
    """One ticket by the measures of the four papers.

    run, reference : of kind portrait
    returns        : what MEASURES names, and chance: test, a share; local, mean localization of the masks of the first layer; far, mean
                     distance of the kurtosis of its units from a Gaussian's; jaccard, index of the first layer with the mask of
                     `reference` at the nearest density, and chance, that of chance; worth, mean utility of random tenths of the
                     weights; barrier from the dense network in points, statistics recomputed
    """
    tenth, recomputed = axes.RATIOS.index(0.1), axes.STATISTICS.index("recomputed")
    mask, kept = run.mask(level), units(run, level)
    beside = reference.mask(level_near(reference, run.density(level, 1)))
    return {
        "test": run.accuracy("test", "best")[level],
        "local": np.nanmean(kept["local"]),
        "far": np.nanmean(kept["far"]),
        "jaccard": jaccard(mask, beside),
        "chance": observables.similarity.chance_jaccard(mask.sum(), beside.sum(), mask.size),
        "worth": worth(run, level)[tenth].mean(),
        "barrier": 100 * observables.surface.barrier(run[f"line/{level}"][0, recomputed, :, 0]),
    }


def measured(groups: Groups, density: float, reference: str = "IMP") -> dict[str, dict[str, np.ndarray]]:
    """Tickets near one density: condition -> what `by_papers` says of them, beside the same run of `reference` -> (runs,)."""
    found = {}
    for name, runs in groups.items():
        pairs = zip(runs, groups[reference], strict=True)
        rows = [by_papers(run, level_near(run, density), other) for run, other in pairs]
        found[name] = {what: np.array([row[what] for row in rows], float) for what in rows[0]}
    return found


def measured_along(groups: Groups, reference: str = "IMP") -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """The same of tickets of all densities: words and unit of MEASURES -> condition -> density (levels,), value (runs, levels), times the factor of the measure."""
    found = {words + unit: {} for words, _, _, unit in MEASURES.values()}
    for name, runs in groups.items():
        levels = range(1, common(runs) + 1)
        pairs = zip(runs, groups[reference], strict=True)
        rows = [[by_papers(run, level, other) for level in levels] for run, other in pairs]
        for what, (words, factor, _, unit) in MEASURES.items():
            values = factor * np.array([[level[what] for level in row] for row in rows], float)
            found[words + unit][name] = {"density": densities(runs)[1:], "value": values}
    return found


def measured_rows(found: dict) -> list[list[str]]:
    """Rows of words from `measured`, one a condition, means and standard deviations over runs; their head is that of MEASURES."""
    return [
        [
            name,
            *(around(rows[what], scale, digits, unit) for what, (_, scale, digits, unit) in MEASURES.items()),
        ]
        for name, rows in found.items()
    ]


def shared_locality(
    groups: Groups, density: float, one: str = "IMP", other: str = "one-shot"
) -> dict[str, np.ndarray]:
    """Mean localization of the masks of two conditions, of the weights that both keep, and, of about as many, of the next mask of one of them and of
    weights of each of its units drawn at random.

    returns : condition, "both", "IMP's next level" and "as many of IMP's at random" -> (runs,)
    """
    draw = np.random.default_rng(0)
    found = {
        name: [] for name in (one, other, "both", f"{one}'s next level", f"as many of {one}'s at random")
    }
    for run, beside in zip(groups[one], groups[other], strict=True):
        size, level = shape(run), level_near(run, density)
        mask, again = run.mask(level), beside.mask(level_near(beside, density))
        both, some = mask & again, np.zeros_like(mask)
        for unit, row in enumerate(mask):
            some[unit, draw.permutation(np.flatnonzero(row))[: both[unit].sum()]] = True
        for name, kept in zip(found, (mask, again, both, run.mask(min(level + 1, run.levels)), some)):
            found[name].append(np.nanmean(observables.locality.localization(kept, size)))
    return {name: np.array(values) for name, values in found.items()}
