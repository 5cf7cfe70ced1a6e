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
