"""The which explorer: masks of several ways to prune without their names, for the reader to tell apart."""

import zlib

import numpy as np
import traitlets as t
from PIL import Image

from sifting.widgets.explorer import Explorer, module, numbers, read_json, sheet, squeeze, squeeze_json


class WhichExplorer(Explorer):
    """Which of these masks are those of iterative pruning? Names and Lambda are shown after the reader's.

    Build it with `from_tables`. The order of the pictures is drawn once, and the same on every page.
    """

    _esm = module("which_explorer")

    data = t.Bytes().tag(sync=True)  # JSON, deflated
    masks = t.Bytes().tag(sync=True)  # a bit an input: picture, unit, channel, row, column; deflated
    picks = t.List(t.Int()).tag(
        sync=True
    )  # of every picture the place of the name that it was given, -1: none
    shown = t.Bool(False).tag(sync=True)

    @classmethod
    def from_tables(cls, table: dict, answer: str, ask: str):
        """The explorer of tables.pictures.unnamed; answer : the name looked for; ask : the question."""
        order = np.random.default_rng(0).permutation(len(table))
        names = [list(table)[n] for n in order]
        shown = np.array([table[name]["masks"] for name in names], bool)
        packed = {"ask": ask, "names": names, "answer": names.index(answer), "units": shown.shape[1]}
        packed |= {
            what: numbers(np.array([table[name][what] for name in names]), 5) for what in ("local", "density")
        }
        return cls(
            data=squeeze_json(packed),
            masks=squeeze(np.packbits(shown.ravel(), bitorder="little")),
            shape=list(shown.shape[2:]),
            picks=[-1] * len(names),
        )

    def picture(self) -> Image.Image:
        """All masks, a row a way to prune, as on the page: for hosts without widgets."""
        units = read_json(self.data)["units"]
        bits = np.unpackbits(np.frombuffer(zlib.decompress(self.masks), np.uint8), bitorder="little")
        size = len(self.picks) * units * int(np.prod(self.shape))
        return sheet(bits[:size].astype(bool).reshape(-1, *self.shape), units)

    def __repr__(self):
        return f"WhichExplorer({', '.join(sorted(read_json(self.data)['names']))})"
