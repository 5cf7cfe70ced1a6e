"""The tree explorer: from a deep unit down to what feeds it, under the reader's hand."""

import zlib
from dataclasses import dataclass

import numpy as np
import traitlets as t
from PIL import Image

from sifting import tables
from sifting.results.history import History
from sifting.results.masks import NEVER
from sifting.widgets.explorer import Explorer, module, sheet, squeeze
from sifting.widgets.mask_explorer import pack

NONE = 65535  # fills the rows of units that less feeds than there are places


class TreeExplorer(Explorer):
    """Walk from a unit of a deep layer to the units that feed it, and on down to the image.

    Build it with `from_runs`. A page stores of one level what mask_explorer.pack stores, and

        top                 units of the deepest layer to begin with
        feeders, strengths  for every unit of the deeper layers its `fan` strongest inputs and their weights

    Source: Pellegrini & Biroli 2022, figures 15 and 16b.
    """

    _esm = module("tree_explorer")

    path = t.List(t.Int()).tag(sync=True)  # units from the deepest layer down; what lacks is the strongest

    @classmethod
    def from_runs(cls, runs, names=None, levels=None, layer=3, gallery=20, fan=5, **state):
        """The explorer of several runs.

        runs    : histories that hold the weights of the levels shown
        names   : what to call them; default: their `name`
        levels  : the level shown of each; default: that of its outcome
        layer   : the deepest layer
        gallery : units to begin with: the most localized of the most connected (tables.basics.local_units)
        fan     : strongest inputs of a unit
        state   : what to begin with: run, path, show (mask or weights, of layer 1)

        Raises ValueError where a run has fewer layers, or where no input reaches any unit of the deepest.
        """
        names = [run.name for run in runs] if names is None else names
        levels = [run.outcome for run in runs] if levels is None else levels
        packed = [
            _pack(run, name, level, layer, gallery, fan)
            for run, name, level in zip(runs, names, levels, strict=True)
        ]
        state.setdefault("path", packed[state.get("run", 0)]["top"][:1])
        return cls(runs=packed, shape=list(tables.basics.shape(runs[0])), gallery=gallery, **state)

    def picture(self) -> Image.Image:
        """The effective masks of the units to begin with: for hosts without widgets."""
        run = self.runs[self.run]
        last = run["layers"][-1]
        removed = np.frombuffer(zlib.decompress(last["removed_at"]), np.uint8).reshape(-1, *self.shape)
        return sheet(removed[[last["shown"].index(unit) for unit in run["top"]]] > 0)

    def __repr__(self):
        names = ", ".join(run["name"] for run in self.runs)
        return f"TreeExplorer({names}; {len(self.runs[self.run]['layers'])} layers)"


@dataclass
class Still:
    """One level of a run and its first layers as a run of its own, for mask_explorer.pack."""

    run: History
    level: int
    layers: int
    levels: int = 0

    def removed_at(self, layer: int) -> np.ndarray:
        """uint8 (units, inputs): 255 where a weight is kept, else 0."""
        return np.where(self.run.mask(self.level, layer), NEVER, 0).astype(np.uint8)

    def weights(self, level: int) -> np.ndarray:
        """float32 (units, inputs): trained weights of layer 1."""
        return self.run.weights(self.level)

    def density(self, level: int) -> float:
        """Fraction of prunable weights kept, of all pruned layers of the run."""
        return self.run.density(self.level)


def _pack(run: History, name: str, level: int, layer: int, gallery: int, fan: int) -> dict:
    every = max(len(run.mask(level, n + 1)) for n in range(layer))
    packed = pack(Still(run, level, layer), name, run.accuracy("test")[level : level + 1], every, every, True)
    reached = run.effective(level, layer).any(1)
    top = [int(unit) for unit in tables.basics.local_units(run, level, gallery, layer) if reached[unit]]
    if not top:
        raise ValueError(f"no input reaches any unit of layer {layer} of {name} at level {level}")
    for number, stored in enumerate(packed["layers"][1:], 2):
        feeders = np.full((stored["units"], fan), NONE, "<u2")
        strengths = np.zeros((stored["units"], fan), "<f4")
        weights = run.weights(level, number)
        for unit, below in enumerate(tables.hierarchy.feeders(run, level, number, fan)):
            feeders[unit, : len(below)], strengths[unit, : len(below)] = below, weights[unit, below]
        stored |= {"fan": fan, "feeders": squeeze(feeders), "strengths": squeeze(strengths)}
    return packed | {"top": top}
