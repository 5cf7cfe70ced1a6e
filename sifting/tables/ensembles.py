"""Tables of what many pruned networks say together."""

import itertools

import numpy as np

from sifting.results.history import History
from sifting.tables.basics import Groups, last_level
from sifting.tables.predictions import dead, probabilities, redrawn


def agreement(groups: Groups, level: int) -> dict[str, np.ndarray]:
    """Share of the test images of which two networks of one seed say the same: PF14.

    returns : (methods, methods), means over the seeds in which neither network is dead, nan without any:
              agree; chance, the same were their errors independent, the sum over the classes of the products
              of their confusions
    """
    runs = list(groups.values())
    said = np.array([[probabilities(run)[0][level].argmax(1) for run in some] for some in runs])
    truth = probabilities(runs[0][0])[1]
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
    return {"agree": means[0], "chance": means[1]}


def _independent(one: np.ndarray, other: np.ndarray, truth: np.ndarray) -> float:
    """Share of agreement of two networks that are independent, given the true class."""
    classes = 1 + max(one.max(), other.max(), truth.max())
    total = 0.0
    for true in np.unique(truth):
        shares = [
            np.bincount(said[truth == true], minlength=classes) / (truth == true).sum()
            for said in (one, other)
        ]
        total += (truth == true).mean() * (shares[0] * shares[1]).sum()
    return float(total)


def accuracies(groups: Groups, trio: tuple[str, ...], redraw: bool = False) -> dict[str, np.ndarray]:
    """Test accuracy of single networks and of mean probabilities: PFT2.

    trio    : the three methods whose mean the paper shows
    redraw  : whether also on test images drawn anew, see predictions.redrawn
    returns : (runs, levels), or (1 + redraws, runs, levels)
      METHOD  : every one
      best    : the one with the highest validation accuracy
      all     : mean of all; trio: of those three
      chosen  : mean of that subset of at most three which is best on the validation images
      one way : mean of three seeds, which see the same images, of the method for which that is best on the
                validation images, average over all choices of three; with more than three seeds as jackknife
                values of every seed, else (..., 1, levels)
    """
    names, seeds = list(groups), range(len(next(iter(groups.values()))))
    levels = 1 + last_level(groups)
    said = {
        part: {name: [_at_levels(run, part, levels) for run in runs] for name, runs in groups.items()}
        for part in ("val", "test")
    }

    def share(right, part):
        return redrawn(right) if redraw and part == "test" else right.mean(-1)

    def accuracy(members, part="test"):
        return share(np.array([_right([said[part][name][seed] for name in members]) for seed in seeds]), part)

    found = {name: accuracy([name]) for name in names}
    found |= {"all": accuracy(names), "trio": accuracy(trio)}
    sets = subsets(names)
    val, test = (np.stack([accuracy(members, part) for members in sets], -2) for part in ("val", "test"))
    for what, count in (("best", len(names)), ("chosen", len(sets))):  # of (..., runs, sets, levels)
        found[what] = _picked(test, val[:, :count].argmax(1))
    return found | {"one way": _one_way(said, len(seeds), len(trio), share)}


def _picked(values: np.ndarray, pick: np.ndarray) -> np.ndarray:
    """Of (..., sets, levels) the set that is named for every level: (..., levels)."""
    place = np.expand_dims(pick, (*range(values.ndim - pick.ndim - 1), -2))
    return np.take_along_axis(values, place, -2)[..., 0, :]


def _at_levels(run: History, part: str, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """`probabilities` of the first `levels` levels."""
    found, truth = probabilities(run, part)
    return found[:levels], truth


def _right(members: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """bool (levels, images): is the mean of several `probabilities` of the same images right?"""
    mean = np.mean([found for found, _ in members], 0)
    return mean.argmax(2) == members[0][1]


def _one_way(said: dict[str, dict[str, list]], seeds: int, size: int, share) -> np.ndarray:
    """Mean of `size` seeds of the method for which that is best: see `accuracies`.

    said    : val and test -> method -> `probabilities` of every seed
    share   : function from what is right (..., images) and the part to accuracy
    returns : (..., seeds, levels) jackknife values, or (..., 1, levels) for no more than `size` seeds
    """
    sets = list(itertools.combinations(range(seeds), min(size, seeds)))
    right = {
        part: share(
            np.array([[_right([runs[n] for n in some]) for runs in ways.values()] for some in sets]), part
        )
        for part, ways in said.items()
    }  # (..., sets, methods, levels)

    def best(kept):
        test, val = (right[part][..., kept, :, :].mean(-3) for part in ("test", "val"))
        return _picked(test, val.argmax(0))

    whole = best(list(range(len(sets))))
    if seeds <= size:
        return whole[..., None, :]
    without = np.stack(
        [best([n for n, some in enumerate(sets) if seed not in some]) for seed in range(seeds)], -2
    )
    return whole[..., None, :] + (seeds - 1) * (without.mean(-2, keepdims=True) - without)


def accuracy_rows(found: dict[str, np.ndarray], names: list[str]) -> list[list[str]]:
    """Rows of words from `accuracies`, one a level from 1 on: means over runs, in percent."""
    levels = range(1, found[names[0]].shape[1])
    return [
        [str(level), *(f"{100 * found[name][:, level].mean():.1f}" for name in names)] for level in levels
    ]


def subsets(names: list[str], most: int = 3) -> list[tuple[str, ...]]:
    """All sets of one to `most` names, the small ones first."""
    return [members for size in range(1, most + 1) for members in itertools.combinations(names, size)]
