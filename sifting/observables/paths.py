"""Weights on a path from the image to the output, and how alike masks are by chance."""

import numpy as np


def used(*layers: np.ndarray) -> list[np.ndarray]:
    """The kept weights on a path of kept weights from an input of the network to an output.

    layers  : masks of all layers from the first on, bool (outputs, inputs, ...): of linear maps, or of
              convolutions with their kernels behind; a linear map behind convolutions has its inputs in the
              order channel, row, column
    returns : as `layers`

    A map counts as one unit: it is cut off when nothing leads to any of its pixels, or from any of them.
    Biases lead nowhere. Source: Paganini & Forde 2020, appendix B. Differs: there, only weights that are cut
    off from the output are counted.
    """
    blocks, live = [], np.ones(layers[0].shape[1], bool)
    for mask in layers:
        blocks.append(mask.reshape(len(mask), len(live), -1) & live[:, None])
        live = blocks[-1].any((1, 2))
    live = np.ones(len(layers[-1]), bool)
    for block in reversed(blocks):
        block &= live[:, None, None]
        live = block.any((0, 2))
    return [block.reshape(mask.shape) for block, mask in zip(blocks, layers)]


def chance_jaccard(kept: int, others: int, size: int) -> float:
    """Jaccard index of two masks that keep `kept` and `others` of `size` weights at random.

    It is that of the expected numbers; with the same share u kept in both it is u / (2 - u).
    """
    both = kept * others / size
    return both / (kept + others - both) if kept + others else 1.0
