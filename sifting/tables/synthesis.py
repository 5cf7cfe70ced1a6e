"""One table of the same tickets by the measures of all four papers."""

import numpy as np

from sifting import observables
from sifting.masks import jaccard
from sifting.tables.conditions import Groups
from sifting.tables.runs import around, near, shape
from sifting.tables.utility import worth
from sifting.tables.worth import units_near

# what is measured -> its name in words, factor and digits
MEASURES = {
    "test": ("test accuracy", 100, 1, " %"),
    "local": ("localization Λ of units", 1, 3, ""),
    "far": ("|K − 3| of units", 1, 2, ""),
    "jaccard": ("Jaccard index with IMP", 1, 2, ""),
    "worth": ("utility of a tenth (nats)", 1, 2, ""),
    "barrier": ("barrier from the dense network (points)", 1, 1, ""),
}


def measured(groups: Groups, density: float, reference: str = "IMP") -> dict:
    """Tickets near one density by the measures of the four papers.

    groups  : condition -> runs of kind portrait
    returns : condition -> what MEASURES names, and chance -> (runs,): test, a share; local, mean localization of the masks of the first layer; far, mean
              distance of the kurtosis of its units from a Gaussian's; jaccard, index with the mask of `reference` in the
              first layer, and chance, that of chance; worth, mean utility of random tenths of the weights; barrier from the dense network,
              statistics recomputed
    """
    tenth, recomputed = observables.RATIOS.index(0.1), observables.STATISTICS.index("recomputed")
    found = {}
    for name, runs in groups.items():
        rows = {what: [] for what in (*MEASURES, "chance")}
        for run, other in zip(runs, groups[reference], strict=True):
            level, units = near(run, density), units_near([run], density)[0]
            mask, beside = run.mask(level), other.mask(near(other, density))
            rows["test"].append(run.accuracy("test", "best")[level])
            rows["local"].append(np.nanmean(units["local"]))
            rows["far"].append(np.nanmean(units["far"]))
            rows["jaccard"].append(jaccard(mask, beside))
            rows["chance"].append(observables.chance_jaccard(mask.sum(), beside.sum(), mask.size))
            rows["worth"].append(worth(run, level)[tenth].mean())
            rows["barrier"].append(100 * observables.barrier(run[f"line/{level}"][0, recomputed, :, 0]))
        found[name] = {what: np.array(values, float) for what, values in rows.items()}
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
        size, level = shape(run), near(run, density)
        mask, again = run.mask(level), beside.mask(near(beside, density))
        both, some = mask & again, np.zeros_like(mask)
        for unit, row in enumerate(mask):
            some[unit, draw.permutation(np.flatnonzero(row))[: both[unit].sum()]] = True
        for name, kept in zip(found, (mask, again, both, run.mask(min(level + 1, run.levels)), some)):
            found[name].append(np.nanmean(observables.localization(kept, size)))
    return {name: np.array(values) for name, values in found.items()}
