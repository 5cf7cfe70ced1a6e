"""The cavity explorer: scores by level of removal, and what one weight does to its unit."""

import numpy as np
import traitlets as t
from PIL import Image

from sifting.widgets.explorer import Explorer, module, numbers, read_json, sheet, squeeze_json


class CavityExplorer(Explorer):
    """Choose a level of removal or any weight; see the scores of that level, and a unit without that weight.

    Of every weight there are its score and the kurtosis without it; the histogram without it, of those with
    the highest and the lowest score of each level.

    Build it with `from_tables`. Source: Redman et al. 2024, figure 5.
    """

    _esm = module("cavity_explorer")

    data = t.Bytes().tag(sync=True)  # JSON, deflated
    removed = t.Int(1).tag(sync=True)  # level of removal; one more than there are: never
    unit = t.Int(0).tag(sync=True)  # position among the units shown
    input = t.Int(-1).tag(sync=True)  # any weight of the unit; -1: that of the level and the end
    end = t.Enum(["highest", "lowest"], "highest").tag(sync=True)  # score of the weight of that level

    @classmethod
    def from_tables(cls, scores: dict, example: dict, **state):
        """The explorer of tables.cavity.scores and probes.gaussianity.example.

        state : what to begin with
        """
        rows = scores["score"]
        packed = {
            "mean": numbers(rows.mean(0), 2),
            "least": numbers(rows.min(0), 2),
            "most": numbers(rows.max(0), 2),
            "edges": numbers(example["edges"], 2),
        }
        packed |= {
            name: numbers(example[name], 5)
            for name in ("units", "kurtosis", "before", "inputs", "scores", "without", "counts", "every")
        }
        packed["removedAt"] = example["removed_at"].reshape(len(example["units"]), -1).tolist()
        shape = list(example["removed_at"].shape[1:])
        return cls(data=squeeze_json(packed), shape=shape, **state)

    def picture(self) -> Image.Image:
        """The masks of the units in the end: for hosts without widgets."""
        packed = read_json(self.data)
        removed = np.array(packed["removedAt"]).reshape(-1, *self.shape)
        return sheet(removed == len(packed["mean"]))

    def __repr__(self):
        packed = read_json(self.data)
        return f"CavityExplorer({len(packed['units'])} units; {len(packed['mean']) - 1} levels)"
