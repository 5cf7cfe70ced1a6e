"""Which weights can still matter for what a network says."""

import numpy as np

# the mask of a layer, bool (outputs, inputs, ...), or None for a shortcut; the place that it reads; the place
# that what it says is added to. Places are numbered as signals go: 0 is the image
Step = tuple[np.ndarray | None, int, int]


def chain(*masks: np.ndarray) -> list[Step]:
    """The steps of layers that read one another, in order."""
    return [(mask, n, n + 1) for n, mask in enumerate(masks)]


def residual(stem: np.ndarray, *blocks: np.ndarray) -> list[Step]:
    """The steps of a ResNet: the mask of its first convolution, and of the two of each block, in order."""
    steps = [(stem, 0, 1)]
    for n, (first, second) in enumerate(zip(blocks[::2], blocks[1::2], strict=True)):
        before, within, after = 2 * n + 1, 2 * n + 2, 2 * n + 3
        steps += [(first, before, within), (second, within, after), (None, before, after)]
    return steps


def mattering(steps: list[Step], biases: bool) -> list[np.ndarray]:
    """The kept weights that can matter: a change of any of them can change what the network says.

    A weight matters if what it reads can be other than 0, and what it feeds is heard: if kept weights, and
    shortcuts, lead from there to the last place, all of which counts.

    steps   : of `chain` or `residual`. A linear map behind convolutions has its inputs in the order channel,
              row, column, and a map is one unit
    biases  : whether units have biases that pruning leaves: then all of them can be other than 0. Else a unit
              without weights is 0, as a channel is whose batch norm goes with its filter; one with weights
              has its shift, whatever they read
    returns : the masks of the layers, without weights that cannot matter

    Source: weights that are pruned implicitly, Paganini & Forde 2020, appendix B.
    """
    layers = [(mask, *places) for mask, *places in steps if mask is not None]
    says = {0: np.ones(layers[0][0].shape[1], bool)}
    for mask, source, target in steps:
        some = says[source] if mask is None else mask.reshape(len(mask), -1).any(1) | biases
        more = says.get(target, np.zeros(len(some), bool))
        more[: len(some)] |= some
        says[target] = more
    heard = {place: np.zeros(len(some), bool) for place, some in says.items()}
    heard[max(heard)][:] = True
    for mask, source, target in reversed(steps):
        if mask is None:
            heard[source] |= heard[target][: len(heard[source])]
        else:
            heard[source] |= _by_unit(mask, says[source])[heard[target]].any((0, 2))
    found = []
    for mask, source, target in layers:
        both = heard[target][:, None, None] & says[source][:, None]
        found.append((_by_unit(mask, says[source]) & both).reshape(mask.shape))
    return found


def _by_unit(mask: np.ndarray, source: np.ndarray) -> np.ndarray:
    """(outputs, units that are read, weights between the two)."""
    return mask.reshape(len(mask), len(source), -1)
