"""Which weights lie on a path from the image to the output."""

import numpy as np


def used(*layers: np.ndarray) -> list[np.ndarray]:
    """The kept weights that lie on a path of kept weights from the image to an output.

    layers  : masks of all layers from the first on, bool (outputs, inputs, ...): of linear maps, or of
              convolutions; a linear map behind convolutions has its inputs in the order channel, row, column
    returns : as `layers`

    A map is one unit: it is cut off when nothing leads to any of its pixels, or from any of them. Biases lead
    nowhere. Source: Paganini & Forde 2020, appendix B. Differs: there, only those
    cut off from the output are left out.
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
