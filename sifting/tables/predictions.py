"""Tables of what networks say of held-out images, and until which level they say anything."""

import numpy as np

from sifting.results.history import History

DEAD = 0.95  # share of the test images in one class, from which a network counts as dead


def probabilities(run: History, split: str = "test") -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (levels, images, classes), and true classes (images,).

    split : test or val
    """
    part = np.s_[: int(run["held_out"])] if split == "val" else np.s_[int(run["held_out"]) :]
    return run["votes"][:, part].astype(float), run["truth"][part]


REDRAWS = 200  # of the test images


def right(run: History, split: str = "test") -> np.ndarray:
    """bool (levels, images): whether the network says the true class."""
    found, truth = probabilities(run, split)
    return found.argmax(2) == truth


def redrawn(right: np.ndarray) -> np.ndarray:
    """Accuracy on the images as they are, and on as many drawn anew from them, with replacement: bootstrap.

    The same images are drawn for whoever has as many, so that differences of networks are on one set of them;
    their variance over the redraws is that of the choice of test images, which all seeds have in common.

    right   : bool (..., images)
    returns : (1 + REDRAWS, ...)
    """
    images = right.shape[-1]
    drawn = np.random.default_rng(0).multinomial(images, np.full(images, 1 / images), REDRAWS)
    counts = np.concatenate([np.ones((1, images)), drawn])
    return np.tensordot(counts, right.astype(float), (1, -1)) / images


def tested(runs: list[History], levels: int, split: str = "test") -> np.ndarray:
    """(1 + REDRAWS, runs, levels) accuracy after training as it is stored, and on images drawn anew."""
    found = redrawn(np.stack([right(run, split)[:levels] for run in runs]))
    # what is stored: of two classes with equal votes, argmax takes the first
    found[0] = [run.accuracy(split, "last")[:levels] for run in runs]
    return found


def dead(run: History) -> np.ndarray:
    """bool (levels,): whether the network puts DEAD or more of the test images into one class.

    False where that was not kept.
    """
    if "votes" not in run.names():
        return np.zeros(run.levels + 1, bool)
    said = probabilities(run)[0].argmax(2)
    return np.array([np.bincount(level).max() >= DEAD * len(level) for level in said])


def last_alive(run: History) -> int:
    """The last level at which neither the network nor any before it is dead, or 0."""
    flags = dead(run)
    return max(0, int(flags.argmax()) - 1) if flags.any() else run.levels


def last_good(run: History, share: float = 0.9) -> int:
    """The last level whose test accuracy is at least `share` of that of the dense network."""
    accuracy = run.accuracy("test", "last")
    return int(np.flatnonzero(accuracy >= share * accuracy[0])[-1])
