"""The laboratory: a network that is trained and pruned in the page, under the reader's hands."""

import re
import zlib

import numpy as np
import traitlets as t
from PIL import Image

from sifting.tables.locality import blobs
from sifting.widgets.explorer import Pictured, module, read, squeeze

PATCH = 12  # pixels a side of the patches that lab_engine.js cuts


class Lab(Pictured):
    """Iterative magnitude pruning of a small network in the browser; no kernel takes part in it.

    Build it with `from_images`. A page stores

        engine      : what computes, as text: a worker runs it
        photographs : {bytes, side, channels, compact}: bytes (pictures, channels, side, side), zlib, each row
                      as differences modulo 256; a gray picture has one channel
        digits      : {bytes, labels, shape, compact}: bytes (digits, *shape), zlib
        compact     : of patches and of digits, see tables.locality.blobs
        small       : whether only what a first look needs is shown

    What a reader keeps is read by run = np.load(file) or json.load(file), and its masks by
    `sifting.measure(np.array(run["removed_at"]) > level, run["shape"])`.
    """

    _esm = module("lab_files", "lab")
    _css = read("explorer.css", "lab.css")

    # browsers refuse modules to the workers of a page from disk
    engine = t.Unicode(re.sub(r"^export ", "", read("lab_engine.js"), flags=re.M)).tag(sync=True)
    photographs = t.Dict().tag(sync=True)
    digits = t.Dict().tag(sync=True)
    small = t.Bool(False).tag(sync=True)

    @classmethod
    def from_images(cls, photographs: dict[str, np.ndarray], digits: tuple[np.ndarray, np.ndarray], **state):
        """The laboratory of these images.

        photographs : name -> uint8 (channels, side, side), with one channel or three
        digits      : uint8 (n, channels, height, width), and which they are (n,)
        state       : small
        """
        rows = [np.diff(picture, axis=-1, prepend=np.uint8(0)) for picture in photographs.values()]
        packed = {
            "bytes": squeeze(b"".join(row.tobytes() for row in rows)),
            "side": rows[0].shape[-1],
            "channels": [len(row) for row in rows],
            "compact": blobs(PATCH, PATCH),
        }
        images, labels = digits
        drawn = {"bytes": squeeze(images), "labels": labels.tolist(), "shape": list(images.shape[1:])}
        drawn["compact"] = blobs(*images.shape[2:])
        return cls(photographs=packed, digits=drawn, **state)

    @property
    def size(self) -> int:
        """Bytes that the images add to a page, base64 included."""
        return sum(-(-len(images["bytes"]) // 3) * 4 for images in (self.photographs, self.digits))

    def picture(self) -> Image.Image:
        """The photographs that patches are cut from: for hosts without widgets."""
        side, at = self.photographs["side"], 0
        rows = np.frombuffer(zlib.decompress(self.photographs["bytes"]), np.uint8).reshape(-1, side, side)
        pictures = np.cumsum(rows, -1, dtype=np.uint8)
        page = Image.new("RGB", (5 * side, -(-len(self.photographs["channels"]) // 5) * side))
        for number, count in enumerate(self.photographs["channels"]):
            planes = np.broadcast_to(pictures[at : at + count], (3, side, side)).transpose(1, 2, 0)
            page.paste(Image.fromarray(np.ascontiguousarray(planes)), (number % 5 * side, number // 5 * side))
            at += count
        return page.reduce(2)

    def __repr__(self):
        return f"Lab({len(self.photographs['channels'])} photographs, {len(self.digits['labels'])} digits)"
