"""Masks of one's own, level by level, in the form that explorers take runs in; no torch."""

from collections.abc import Mapping

import numpy as np

from sifting.results import masks as masks_room
from sifting.results.masks import NEVER


class Nested:
    """A chain of linear maps from pixels on, at one level of pruning or at several.

    masks : in any form that results.masks.read takes, or a list of such, one a level, each inside the one
            before
    shape : (channels, height, width) of the images

    name, levels, layers : as of history.History

    Raises ValueError, saying what is needed, for masks that are no such chain, or not inside one another.
    """

    def __init__(self, masks, shape: tuple[int, int, int], name: str = "masks"):
        several = isinstance(masks, list | tuple) and all(map(_is_level, masks))
        found = [masks_room.read(level) for level in (masks if several else [masks])]
        if not found:
            raise ValueError("there are no masks")
        self.name, self.levels, self.layers = name, len(found) - 1, len(found[0])
        if self.levels >= NEVER:
            raise ValueError(f"at most {NEVER} levels can be shown, not {len(found)}")
        _check_chain(found[0], int(np.prod(shape)), tuple(shape))
        for level, (before, after) in enumerate(zip(found, found[1:]), 1):
            _check_inside(level, before, after)
        self._removed = [np.full(mask.shape, NEVER, np.uint8) for mask in found[0].values()]
        for level in reversed(range(len(found))):
            for removed, mask in zip(self._removed, found[level].values()):
                removed[~mask] = level

    def removed_at(self, layer: int = 1) -> np.ndarray:
        """uint8 (units, inputs): level at which each weight was removed; 255: never, 0: before the first."""
        return self._removed[layer - 1]

    def density(self, level: int) -> float:
        """Fraction of the weights that is kept at `level`."""
        return sum(int((some > level).sum()) for some in self._removed) / sum(
            some.size for some in self._removed
        )


def _is_level(masks) -> bool:
    """Whether something is masks by itself, and no row of a mask."""
    return isinstance(masks, Mapping) or hasattr(masks, "named_modules") or getattr(masks, "ndim", 0) > 1


def _check_chain(masks: dict[str, np.ndarray], inputs: int, shape: tuple) -> None:
    before = f"the {' x '.join(map(str, shape))} = {inputs} pixels"
    for name, mask in masks.items():
        if mask.ndim != 2 or mask.shape[1] != inputs:
            raise ValueError(
                f"a chain of linear maps from pixels on can be shown; {name} is {mask.shape}, and does not "
                f"take {before}: give the masks that do, in their order"
            )
        inputs, before = len(mask), f"the {len(mask)} units of {name}"


def _check_inside(level: int, before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> None:
    if {name: mask.shape for name, mask in before.items()} != {n: mask.shape for n, mask in after.items()}:
        raise ValueError(
            f"the masks of level {level} have other names or shapes than those of the level before"
        )
    for name, mask in after.items():
        if (mask & ~before[name]).any():
            raise ValueError(f"{name} of level {level} keeps weights that the level before has removed")
