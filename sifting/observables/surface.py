"""Accuracy on the way from one network to another."""

import numpy as np


def barrier(accuracy: np.ndarray) -> np.ndarray:
    """How far accuracy falls, between two networks, below the straight mixture of theirs.

        max over t of  (1 - t) a(0) + t a(1) - a(t)

    accuracy : (..., points) along the line, in even steps from one network to the other
    returns  : (...,), of the same unit, 0 or more: the ends are points, too

    Source: Frankle et al. 2020, section 2. Differs: below the mixture of the ends, not their mean, so that a
    steady fall from a good network to a bad one is no barrier.
    """
    t = np.linspace(0, 1, accuracy.shape[-1])
    mixture = (1 - t) * accuracy[..., :1] + t * accuracy[..., -1:]
    return (mixture - accuracy).max(-1)
