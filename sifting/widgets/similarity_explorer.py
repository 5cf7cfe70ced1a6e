"""The similarity explorer: how alike the masks of every two pruning methods are, and where they overlap."""

import json
import zlib

import numpy as np
import traitlets as t
from PIL import Image

from sifting.widgets.explorer import Explorer, module

LARGEST = 12_000  # weights of a layer whose masks still go on a page


class SimilarityExplorer(Explorer):
    """Choose a level, a layer and two methods: their distance, what chance would make it, and their masks in one picture.

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
        """The explorer of tables.all_pairs; state : what to begin with."""
        packed = {name: table[name] for name in ("methods", "layers")}
        packed |= {name: _rounded(table[name]) for name in ("distance", "chance", "accuracy")}
        packed["dead"] = table["dead"].astype(int).tolist()
        packed["removedAt"] = [
            [np.minimum(removed_at, 255).ravel().tolist() for removed_at in masks]
            if masks[0].size <= LARGEST
            else None
            for masks in table["removed_at"]
        ]
        packed["shapes"] = [[*masks[0].shape, 1, 1][:4] for masks in table["removed_at"]]
        text = json.dumps(packed, separators=(",", ":"))
        return cls(data=zlib.compress(text.encode(), 9), **state)

    @property
    def size(self) -> int:
        """Bytes that the data add to a page, base64 included."""
        return -(-len(self.data) // 3) * 4

    def picture(self) -> Image.Image:
        """Distances between all methods, light where they are at chance: for hosts without widgets."""
        packed = json.loads(zlib.decompress(self.data))
        distance, chance = (
            np.array(packed[name])[self.level - 1, self.layer] for name in ("distance", "chance")
        )
        share = np.divide(distance, chance, out=np.zeros_like(distance), where=chance > 0)
        gray = (255 * np.clip(share, 0, 1)).astype(np.uint8)
        return Image.fromarray(gray).resize((640, 640), Image.Resampling.NEAREST)

    def __repr__(self):
        packed = json.loads(zlib.decompress(self.data))
        return f"SimilarityExplorer({len(packed['methods'])} methods; {len(packed['layers'])} layers; {len(packed['distance'])} levels)"


def _rounded(values: np.ndarray, digits: int = 3):
    """As nested lists, rounded to so many decimals."""
    return np.round(np.asarray(values, float), digits).tolist()
