"""Tables of what many pruned networks say together."""

import itertools

import numpy as np

from sifting.tables.basics import Groups, last_level
from sifting.tables.methods import dead, votes


def unanimity(groups: Groups, level: int) -> dict[str, np.ndarray]:
    """Share of the test images of which two networks of one seed say the same, mean over seeds: PF14.

    returns : agree (methods, methods), over the seeds in which neither network is dead, nan where there is none; chance: the same
              were their errors independent, sum over the classes of the products of their confusions; dead (methods,), share of the seeds
    """
    runs = list(groups.values())
    said = np.array([[votes(run)[0][level].argmax(1) for run in some] for some in runs])
    truth = votes(runs[0][0])[1]
    gone = np.array([[dead(run)[level] for run in some] for some in runs])
    count, seeds = gone.shape
    agree, chance = np.full((2, count, count, seeds), np.nan)
    for (a, b), seed in itertools.product(itertools.product(range(count), repeat=2), range(seeds)):
        if not (gone[a, seed] or gone[b, seed]):
            agree[a, b, seed] = (said[a, seed] == said[b, seed]).mean()
            chance[a, b, seed] = 1.0 if a == b else _independent(said[a, seed], said[b, seed], truth)
    there = np.isfinite(agree).any(2)
    means = [
        np.where(there, np.nansum(values, 2) / np.maximum(np.isfinite(values).sum(2), 1), np.nan)
        for values in (agree, chance)
    ]
    return {"agree": means[0], "chance": means[1], "dead": gone.mean(1)}


def _independent(one: np.ndarray, other: np.ndarray, truth: np.ndarray) -> float:
    """Share of agreement of two networks that, given the true class, say what they say independently of each other."""
    classes = 1 + max(one.max(), other.max(), truth.max())
    total = 0.0
    for true in np.unique(truth):
        shares = [
            np.bincount(said[truth == true], minlength=classes) / (truth == true).sum()
            for said in (one, other)
        ]
        total += (truth == true).mean() * (shares[0] * shares[1]).sum()
    return float(total)


def ensembles(groups: Groups, trio: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Test accuracy of single networks and of mean probabilities: PFT2.

    trio    : the three methods whose mean the paper shows
    returns : (runs, levels): every method by its name; best, the method with the highest validation accuracy; all, mean of all; trio;
              chosen, the subset of at most three methods whose mean is best on the validation images; one way,
              mean of three seeds, which see the same images, of the method for which that is best on the validation images, average
              over all choices of three; with more seeds, as jackknife values of every seed, else (1, levels); and
              subset, (runs, levels), the number of that subset in `subsets`
    """
    names, seeds = list(groups), len(next(iter(groups.values())))
    levels = 1 + last_level(groups)
    split = {
        part: [[votes(run, part) for run in runs] for runs in groups.values()] for part in ("val", "test")
    }
    chosen = subsets(names)

    def accuracies(members, part, seed):
        said = np.mean([split[part][names.index(name)][seed][0][:levels] for name in members], 0)
        return (said.argmax(2) == split[part][0][seed][1]).mean(1)

    found = {name: np.array([accuracies([name], "test", seed) for seed in range(seeds)]) for name in names}
    found["all"] = np.array([accuracies(names, "test", seed) for seed in range(seeds)])
    found["trio"] = np.array([accuracies(trio, "test", seed) for seed in range(seeds)])
    found["one way"] = _one_way(split, levels, seeds, len(trio))
    many = {
        part: np.array([[accuracies(members, part, seed) for members in chosen] for seed in range(seeds)])
        for part in split
    }  # (runs, subsets, levels)
    for what, count in (("best", len(names)), ("chosen", len(chosen))):
        pick = many["val"][:, :count].argmax(1)
        found[what] = np.take_along_axis(many["test"], pick[:, None], 1)[:, 0]
    return found | {"subset": pick}


def _one_way(split: dict[str, list], levels: int, seeds: int, size: int) -> np.ndarray:
    """(seeds, levels) jackknife values around the mean of all sets, or (1, levels) where there are no more than `size` seeds: see `ensembles`."""
    sets = list(itertools.combinations(range(seeds), min(size, seeds)))
    right = {
        part: np.array(
            [
                [
                    (np.mean([runs[n][0][:levels] for n in some], 0).argmax(2) == runs[0][1]).mean(1)
                    for runs in ways
                ]
                for some in sets
            ]
        )
        for part, ways in split.items()
    }  # (sets, methods, levels)

    def best(kept):
        test, val = (right[part][kept].mean(0) for part in ("test", "val"))
        return np.take_along_axis(test, val.argmax(0)[None], 0)[0]

    whole = best(list(range(len(sets))))
    if seeds <= size:
        return whole[None]
    without = np.array(
        [best([n for n, some in enumerate(sets) if seed not in some]) for seed in range(seeds)]
    )
    return whole + (seeds - 1) * (without.mean(0) - without)


def ensemble_rows(found: dict[str, np.ndarray], names: list[str]) -> list[list[str]]:
    """Rows of words from `ensembles`, one a level from 1 on: means over runs, in percent."""
    levels = range(1, found[names[0]].shape[1])
    return [
        [str(level), *(f"{100 * found[name][:, level].mean():.1f}" for name in names)] for level in levels
    ]


def subsets(names: list[str], most: int = 3) -> list[tuple[str, ...]]:
    """All sets of one to `most` names, the small ones first."""
    return [members for size in range(1, most + 1) for members in itertools.combinations(names, size)]
