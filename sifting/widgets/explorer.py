"""What all explorers share: the runs of a page, and a picture for hosts without widgets."""

import base64
import io
import json
import pathlib
import zlib

import anywidget
import numpy as np
import traitlets as t
from PIL import Image

HERE = pathlib.Path(__file__).parent


def read(*names: str) -> str:
    """The text of files of this folder, one after the other."""
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)


def module(*names: str) -> str:
    """One JavaScript module: what needs no page, what needs no model, and the files of these names."""
    return read("numbers.js", "parts.js", *(f"{name}.js" for name in names))


class Pictured(anywidget.AnyWidget):
    """A widget that has a `picture` of what it shows."""

    def _repr_mimebundle_(self, **kwargs):
        """The widget, and its picture for hosts without widgets (GitHub, print)."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        png = io.BytesIO()
        self.picture().save(png, "PNG", optimize=True)
        data["image/png"] = base64.b64encode(png.getvalue()).decode()
        return data, metadata


class Explorer(Pictured):
    """Base of the explorers."""

    _css = read("explorer.css")

    runs = t.List().tag(sync=True)
    shape = t.List(t.Int()).tag(sync=True)  # channels, height, width
    run = t.Int(0).tag(sync=True)  # position in `runs`
    gallery = t.Int(40).tag(sync=True)  # thumbnails on a page of the gallery
    show = t.Enum(["mask", "weights"], "mask").tag(sync=True)

    @property
    def size(self) -> int:
        """Bytes that the data add to a page, base64 included."""
        owners = [
            self.trait_values(sync=True),
            *self.runs,
            *(layer for run in self.runs for layer in run["layers"]),
        ]
        blobs = [value for owner in owners for value in owner.values() if isinstance(value, bytes)]
        return sum(-(-len(blob) // 3) * 4 for blob in blobs)


def squeeze(values) -> bytes:
    """zlib, as the browser's DecompressionStream("deflate") reads it."""
    return zlib.compress(values if isinstance(values, bytes) else values.tobytes(), 9)


def squeeze_json(packed: dict) -> bytes:
    """Plain values as compressed JSON, which `read_json` reads again, and numbers.js."""
    return squeeze(json.dumps(packed, separators=(",", ":")).encode())


def read_json(data: bytes) -> dict:
    """What `squeeze_json` compressed."""
    return json.loads(zlib.decompress(data))


def numbers(values: np.ndarray, digits: int) -> list:
    """As nested lists, rounded to so many decimals; None for nan, as JSON has none."""
    rounded = np.round(np.asarray(values, float), digits)
    return np.where(np.isnan(rounded), None, rounded).tolist()


def sheet(masks: np.ndarray, columns: int = 8) -> Image.Image:
    """One picture of masks with white gaps, some 640 pixels wide.

    masks : bool (n, channels, height, width); what are no colors is one shade: kept in any channel
    """
    masks = masks if masks.shape[1] in (1, 3) else masks.any(1, keepdims=True)
    count, _, height, width = masks.shape
    rows, columns = -(-count // columns), min(columns, count)
    page = np.full((rows * (height + 2), columns * (width + 2), 3), 255, np.uint8)
    for place, mask in enumerate(masks):
        y, x = place // columns * (height + 2) + 1, place % columns * (width + 2) + 1
        page[y : y + height, x : x + width] = 255 * mask.transpose(1, 2, 0)
    scale = max(1, 640 // page.shape[1])
    return Image.fromarray(page).resize(
        (page.shape[1] * scale, page.shape[0] * scale), Image.Resampling.NEAREST
    )
