"""One table of the same tickets by the measures of all four papers."""

import numpy as np

from sifting import observables
from sifting.masks import jaccard
from sifting.tables.conditions import Groups
from sifting.tables.runs import around, near, shape
from sifting.tables.utility import worth
from sifting.tables.worth import joint

# what is measured -> its name in words, factor and digits
MEASURES = {
    "test": ("test accuracy", 100, 1, " %"),
    "local": ("localization Λ of units", 1, 3, ""),
    "far": ("|K − 3| of units", 1, 2, ""),
    "overlap": ("overlap with IMP over chance", 1, 1, ""),
    "worth": ("utility of a tenth (nats)", 1, 2, ""),
    "barrier": ("barrier from the dense network (points)", 1, 1, ""),
}


def measured(sets: Groups, lines: Groups, shapes: Groups, density: float, reference: str = "IMP") -> dict:
    """Tickets near one density by the measures of the four papers.

    sets, lines, shapes : condition -> runs of kind utility, surface and representation, of the same tickets
    returns             : condition -> what MEASURES names -> (runs,): test, a share; local, mean localization of the masks of the first layer; far, mean
                          distance of the kurtosis of its units from a Gaussian's; overlap, Jaccard index with the mask of `reference` in the
                          first layer over that of chance; worth, mean utility of random tenths of the weights; barrier from the dense network,
                          statistics recomputed
    """
    tenth, recomputed = observables.RATIOS.index(0.1), observables.STATISTICS.index("recomputed")
    found = {}
    for name, runs in sets.items():
        rows = {what: [] for what in MEASURES}
        for place, (run, line) in enumerate(zip(runs, lines[name], strict=True)):
            level, other = near(run, density), sets[reference][place]
            mask, beside = run.mask(level), other.mask(near(other, density))
            chance = observables.chance_jaccard(mask.sum(), beside.sum(), mask.size)
            [units] = joint([run], [shapes[name][place]], density)
            rows["test"].append(run.accuracy("test", "best")[level])
            rows["local"].append(np.nanmean(units["local"]))
            rows["far"].append(np.nanmean(units["far"]))
            rows["overlap"].append(jaccard(mask, beside) / chance)
            rows["worth"].append(worth(run, level)[tenth].mean())
            rows["barrier"].append(100 * observables.barrier(line[f"line/{level}"][0, recomputed, :, 0]))
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
    """Mean localization of the masks of two conditions, of the weights that both keep, and of as many of each unit drawn at random from one of them.

    returns : condition, "both" and "as many of IMP's" -> (runs,)
    """
    draw, found = np.random.default_rng(0), {one: [], other: [], "both": [], f"as many of {one}": []}
    for run, beside in zip(groups[one], groups[other], strict=True):
        size = shape(run)
        mask, again = run.mask(near(run, density)), beside.mask(near(beside, density))
        both = mask & again
        some = np.zeros_like(mask)
        for unit, row in enumerate(mask):
            some[unit, draw.permutation(np.flatnonzero(row))[: both[unit].sum()]] = True
        for name, kept in zip(found, (mask, again, both, some)):
            found[name].append(np.nanmean(observables.localization(kept, size)))
    return {name: np.array(values) for name, values in found.items()}
