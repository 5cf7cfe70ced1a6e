"""Accuracy on the way from one network to another."""

import numpy as np

# what batch norm does between networks: statistics interpolated like the weights; those of the weights themselves, on the images
# that accuracy is measured on; or always those of the dense network
STATISTICS = ("interpolated", "recomputed", "frozen")
# from the dense network, and from that of the level before, to the retrained one
LINES = ("whole", "step")


def barrier(accuracy: np.ndarray) -> np.ndarray:
    """How far accuracy falls, between two networks, below the straight mixture of theirs.

        max over t of  (1 - t) a(0) + t a(1) - a(t)

    accuracy : (..., points) along the line, in even steps from one network to the other
    returns  : (...,), of the same unit, 0 or more: the ends are points, too

    Source: Frankle et al. 2020, section 2. Differs: below the mixture of the ends, not their mean, so that a steady fall from a good network
    to a bad one is no barrier.
    """
    t = np.linspace(0, 1, accuracy.shape[-1])
    mixture = (1 - t) * accuracy[..., :1] + t * accuracy[..., -1:]
    return (mixture - accuracy).max(-1)
