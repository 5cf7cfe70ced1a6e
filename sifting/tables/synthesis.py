"""One table of the same tickets by the measures of all four papers."""

import numpy as np

from sifting import observables
from sifting.results import axes
from sifting.results.history import History
from sifting.results.masks import jaccard
from sifting.tables.basics import Groups, common, counted, densities, level_near, shape
from sifting.tables.surface import barriers
from sifting.tables.utility import worth
from sifting.tables.words import around
from sifting.tables.worth import part, rank, units, units_near

# what is measured -> its name in words, factor, digits, and unit
MEASURES = {
    "test": ("test accuracy", 100, 1, " %"),
    "local": ("localization Λ of units", 1, 3, ""),
    "measured": ("units with a Λ", 100, 0, " %"),
    "far": ("|K − 3| of units", 1, 2, ""),
    "jaccard": ("Jaccard index with IMP", 1, 2, ""),
    "worth": ("utility of a tenth (nats)", 1, 2, ""),
    "barrier": ("barrier from dense (points)", 1, 1, ""),
}
# what may go together over units -> the two properties of tables.worth.units
PAIRS = {
    "local and far from Gaussian": ("local", "far"),
    "local and worth much": ("local", "worth"),
    "high kurtosis and worth much": ("kurtosis", "worth"),
}


FEW = 1e-3  # a density below that of every ticket: the last level is the nearest


def by_papers(run: History, level: int, reference: History) -> dict[str, float]:
    """One ticket by the measures of the four papers: what MEASURES names, and chance.

    run, reference : of kind portrait

    test    : accuracy on the test images, early stopped
    local   : mean localization of the masks of the first layer, of the share `measured` of the living units;
              counted : the same, living units without one counted as 0
    far     : mean distance of the kurtosis of its units from a Gaussian's
    jaccard : index of the first layer with the mask of `reference` at the nearest density
    chance  : what that index would be by chance
    worth   : mean utility of random tenths of the weights, in nats
    barrier : from the dense network, in points, statistics recomputed; part : the same as tables.worth.part
    """
    tenth, recomputed = axes.RATIOS.index(0.1), axes.STATISTICS.index("recomputed")
    mask, kept = run.mask(level), units(run, level)
    line = run[f"line/{level}"][0, recomputed, :, 0]
    beside = reference.mask(level_near(reference, run.density(level, 1)))
    return {
        "test": run.accuracy("test", "best")[level],
        "local": np.nanmean(kept["local"]),
        "measured": observables.locality.measured(mask, shape(run)),
        "counted": counted(kept["local"]),
        "far": np.nanmean(kept["far"]),
        "jaccard": jaccard(mask, beside),
        "chance": observables.similarity.chance_jaccard(mask.sum(), beside.sum(), mask.size),
        "worth": worth(run, level)[tenth].mean(),
        "barrier": 100 * observables.surface.barrier(line),
        "part": part(line),
    }


def measured(groups: Groups, density: float, reference: str = "IMP") -> dict[str, dict[str, np.ndarray]]:
    """Tickets near one density, each beside the same run of `reference`.

    returns : condition -> what `by_papers` says of its tickets -> (runs,)
    """
    found = {}
    for name, runs in groups.items():
        pairs = zip(runs, groups[reference], strict=True)
        rows = [by_papers(run, level_near(run, density), other) for run, other in pairs]
        found[name] = {what: np.array([row[what] for row in rows], float) for what in rows[0]}
    return found


# what is measured of tickets of which something is exchanged -> what it is called, factor, digits
EXCHANGED = {
    "test": ("test accuracy (%)", 100, 1),
    "local": ("localization Λ", 1, 3),
    "far": ("distance from Gaussian |K − 3|", 1, 2),
    "worth": ("utility of a tenth (nats)", 1, 2),
    "apart": ("distance from dense", 1, 1),
    "loss": ("loss barrier from dense (nats)", 1, 2),
}
EXCHANGED_HEAD = tuple(words for words, *_ in EXCHANGED.values())


def exchanged(groups: Groups, reference: str) -> dict[str, dict[str, np.ndarray]]:
    """Tickets of kind exchange by the measures of the four papers, at their one level.

    returns : condition -> what `by_papers` says, and

              apart : distance of its trained weights from those of the dense network
              loss  : barrier from the dense network in nats, statistics recomputed; each (runs,)
    """
    found, losses = measured(groups, FEW, reference), barriers(groups, of="loss")["recomputed"]
    return {
        name: rows | {"apart": np.array([run["apart/1"][1] for run in groups[name]]), "loss": losses[name]}
        for name, rows in found.items()
    }


def exchanged_rows(found: dict[str, dict[str, np.ndarray]]) -> list[list[str]]:
    """Rows of words from `exchanged`, one a condition: means and standard deviations over runs."""
    return [
        [name, *(around(rows[what], factor, digits) for what, (_, factor, digits) in EXCHANGED.items())]
        for name, rows in found.items()
    ]


def measured_along(groups: Groups, reference: str = "IMP") -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """The same of tickets of all densities.

    returns : words and unit of MEASURES -> condition -> density (levels,); value (runs, levels), times the
              factor of the measure
    """
    found = {words + unit: {} for words, _, _, unit in MEASURES.values()}
    for name, runs in groups.items():
        levels = range(1, common(runs) + 1)
        pairs = zip(runs, groups[reference], strict=True)
        rows = [[by_papers(run, level, other) for level in levels] for run, other in pairs]
        for what, (words, factor, _, unit) in MEASURES.items():
            values = factor * np.array([[level[what] for level in row] for row in rows], float)
            found[words + unit][name] = {"density": densities(runs)[1:], "value": values}
    return found


# the columns of `measured_rows`, after the name of the condition
MEASURED_HEAD = tuple(words for words, *_ in MEASURES.values())


def measured_rows(found: dict[str, dict[str, np.ndarray]]) -> list[list[str]]:
    """Rows of words from `measured`, one a condition: means and standard deviations over runs."""
    return [
        [
            name,
            *(around(rows[what], scale, digits, unit) for what, (_, scale, digits, unit) in MEASURES.items()),
        ]
        for name, rows in found.items()
    ]


def unit_ranks(groups: Groups, density: float) -> dict[str, dict[str, np.ndarray]]:
    """Partial rank correlations over units near one density, given inputs and outputs.

    returns : words of PAIRS -> condition -> (runs,), see tables.worth.rank
    """
    known = {name: units_near(runs, density) for name, runs in groups.items()}
    return {
        words: {
            name: np.array([rank(some, *pair, given=("inputs", "outputs")) for some in rows])
            for name, rows in known.items()
        }
        for words, pair in PAIRS.items()
    }


def shared_locality(
    groups: Groups, density: float, one: str = "IMP", other: str = "one-shot"
) -> dict[str, np.ndarray]:
    """Mean localization of the masks of two conditions near one density, and of what both keep.

    Living units without one count as 0: of what both keep, more have too few weights for one.

    Beside it stand about as many weights that were chosen otherwise: the next mask of `one`, and as many
    weights of each of its units drawn at random.

    returns : condition, "both", "IMP's next level" and "as many of IMP's at random" -> (runs,)
    """
    draw = np.random.default_rng(0)
    names = (one, other, "both", f"{one}'s next level", f"as many of {one}'s at random")
    found = {name: [] for name in names}
    for run, beside in zip(groups[one], groups[other], strict=True):
        size, level = shape(run), level_near(run, density)
        mask, again = run.mask(level), beside.mask(level_near(beside, density))
        both, some = mask & again, np.zeros_like(mask)
        for unit, row in enumerate(mask):
            some[unit, draw.permutation(np.flatnonzero(row))[: both[unit].sum()]] = True
        for name, kept in zip(names, (mask, again, both, run.mask(min(level + 1, run.levels)), some)):
            local = observables.locality.localization(kept, size)
            found[name].append(counted(local[kept.any(1)]))
    return {name: np.array(values) for name, values in found.items()}
