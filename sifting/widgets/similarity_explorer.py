"""The similarity explorer: how alike masks of pruning methods are, and where they overlap."""

import numpy as np
import traitlets as t
from PIL import Image

from sifting.widgets.explorer import Explorer, module, numbers, read_json, squeeze_json

LARGEST = 12_000  # weights of a layer whose masks still go on a page


class SimilarityExplorer(Explorer):
    """Choose a level, a layer and two methods; see their distance, that of chance, and masks.

    Build it with `from_tables`. Source: Paganini & Forde 2020, figures 3, 4, 9 and 11.
    """

    _esm = module("similarity_explorer")

    data = t.Bytes().tag(sync=True)  # JSON, deflated
    level = t.Int(1).tag(sync=True)
    layer = t.Int(0).tag(sync=True)  # position among the layers
    one = t.Int(0).tag(sync=True)  # positions among the methods
    other = t.Int(1).tag(sync=True)

    @classmethod
    def from_tables(cls, table: dict, **state):
        """The explorer of tables.similarity.all_pairs; state : what to begin with."""
        packed = {name: table[name] for name in ("methods", "layers")}
        packed |= {name: numbers(table[name], 3) for name in ("distance", "chance", "accuracy")}
        packed["dead"] = table["dead"].astype(int).tolist()
        packed["removedAt"] = [
            [np.minimum(removed_at, 255).ravel().tolist() for removed_at in masks]
            if masks[0].size <= LARGEST
            else None
            for masks in table["removed_at"]
        ]
        packed["shapes"] = [[*masks[0].shape, 1, 1][:4] for masks in table["removed_at"]]
        return cls(data=squeeze_json(packed), **state)

    def picture(self) -> Image.Image:
        """Distances between all methods, light where they are at chance: for hosts without widgets."""
        packed, place = read_json(self.data), (self.level - 1, self.layer)
        distance, chance = (np.array(packed[name])[place] for name in ("distance", "chance"))
        share = np.divide(distance, chance, out=np.zeros_like(distance), where=chance > 0)
        gray = (255 * np.clip(share, 0, 1)).astype(np.uint8)
        return Image.fromarray(gray).resize((640, 640), Image.Resampling.NEAREST)

    def __repr__(self):
        packed = read_json(self.data)
        methods, layers, levels = (len(packed[name]) for name in ("methods", "layers", "distance"))
        return f"SimilarityExplorer({methods} methods; {layers} layers; {levels} levels)"
