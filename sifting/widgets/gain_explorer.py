"""The gain explorer: turn the dial, and see fields, their edges, masks, and how local they are."""

import zlib

import numpy as np
import traitlets as t
from PIL import Image

from sifting.tables.basics import interval
from sifting.widgets.explorer import Explorer, module, numbers, read_json, sheet, squeeze, squeeze_json

SHADE = 127  # steps of a pixel on each side of zero


class GainExplorer(Explorer):
    """Choose a gain; see fields, where they change most, masks, Lambda and kurtosis. All are stored.

    Build it with `from_tables`.
    """

    _esm = module("gain_explorer")

    data = t.Bytes().tag(sync=True)  # JSON, deflated
    fields = t.Bytes().tag(sync=True)  # a signed byte a pixel: gain, image, row, column; deflated
    masks = t.Bytes().tag(sync=True)  # a bit an input: gain, unit, channel, row, column; deflated
    place = t.Int(0).tag(sync=True)  # of the gain

    @classmethod
    def from_tables(cls, found: dict, fields: dict, masks: dict, **state):
        """The explorer of tables.gaussianity.against_gain, and of what it is made from.

        found  : gain (gains,); localization, kurtosis, input (runs, gains)
        fields : gain in words -> images (images, 1, height, width), of all gains in the same order
        masks  : the same -> bool (units, channels, height, width), of tables.pictures.masks
        state  : what to begin with
        """
        images, units = np.array([*fields.values()], float), np.array([*masks.values()], bool)
        most = np.abs(images).max((1, 2, 3, 4), keepdims=True)
        steps = np.rint(SHADE * np.divide(images, most, out=np.zeros_like(images), where=most > 0))
        sides = {
            name: [numbers(side, 4) for side in interval(found[name])]
            for name in ("localization", "kurtosis")
        }
        packed = {
            "gains": numbers(found["gain"], 4),
            "input": numbers(found["input"].mean(0), 3),
            "images": images.shape[1],
            "units": units.shape[1],
            "runs": len(found["localization"]),
        }
        return cls(
            data=squeeze_json(packed | sides),
            fields=squeeze(steps.astype(np.int8)),
            masks=squeeze(np.packbits(units.ravel(), bitorder="little")),
            shape=list(units.shape[2:]),
            **state,
        )

    def picture(self) -> Image.Image:
        """The masks, a row a gain: for hosts without widgets."""
        packed = read_json(self.data)
        bits = np.unpackbits(np.frombuffer(zlib.decompress(self.masks), np.uint8), bitorder="little")
        size = len(packed["gains"]) * packed["units"] * int(np.prod(self.shape))
        return sheet(bits[:size].astype(bool).reshape(-1, *self.shape), packed["units"])

    def __repr__(self):
        return f"GainExplorer({len(read_json(self.data)['gains'])} gains)"
