"""The mask explorer: what Python packs, what JavaScript computes, and what a reader can do with it."""

import dataclasses
import functools
import json
import pathlib
import shutil
import zlib

import numpy as np
import pytest

from sifting.config import Config
from sifting.widgets import MaskExplorer

LOADER = pathlib.Path(__file__).parents[1] / "book" / "_static" / "anywidget-static.js"


@dataclasses.dataclass
class Toy:
    """A history with local masks that sift out of noise, as `history.History` would read it from a file."""

    config: Config
    removed: list
    trained: list  # layer 1, every level
    name: str = "ticket-toy"

    @classmethod
    def make(cls, side=16, widths=(256, 256), levels=12, prune_fraction=0.3, channels=3, seed=0):
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:side, :side]
        units, removed = widths[0], []
        cy, cx = rng.uniform(0, side, (2, units, 1, 1))
        angle, phase = rng.uniform(0, 2 * np.pi, (2, units, 1, 1))
        width, period = rng.uniform(0.06, 0.16, (units, 1, 1)) * side, rng.uniform(0.2, 0.5, (units, 1, 1)) * side
        along = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        patch = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 2 / width**2) * np.cos(2 * np.pi * along / period + phase)
        tint = 1 + 0.7 * rng.normal(size=(units, channels, 1, 1))
        gabor = (rng.exponential(1, (units, 1, 1, 1)) * tint * patch[:, None]).reshape(units, -1)
        draw = [lambda n: 0.25 * (0.15 + n / levels) * gabor + 0.05 * rng.normal(size=gabor.shape)]
        for below, above in zip(widths, widths[1:], strict=False):
            strong = rng.exponential(1, (above, 1)) * rng.exponential(1, (1, below))
            draw.append(lambda n, strong=strong: 0.02 * n * strong * rng.normal(size=strong.shape))
        trained = []
        for number, weights in enumerate(draw):
            gone = np.full(weights(0).shape, 255, np.uint8)
            for level in range(levels + 1):
                now = np.abs(weights(level)) + 0.02 * rng.random(gone.shape)
                if level:
                    kept = np.flatnonzero(gone == 255)
                    gone.flat[kept[np.argsort(before.flat[kept])[: int(prune_fraction * len(kept))]]] = level
                before = now
                if number == 0:
                    sign = np.sign(gabor)
                    trained.append(np.where(gone == 255, sign * now, 0).astype(np.float32))
            removed.append(gone)
        return cls(Config(image_size=side, widths=widths, levels=levels), removed, trained)

    levels = property(lambda self: len(self.trained) - 1)
    layers = property(lambda self: len(self.removed))

    def removed_at(self, layer=1):
        return self.removed[layer - 1]

    def weights(self, level, layer=1):
        return self.trained[level]

    def density(self, level):
        return sum((r > level).sum() for r in self.removed) / sum(r.size for r in self.removed)

    def accuracy(self, split="val", when="best"):
        n = np.arange(self.levels + 1) / self.levels
        return 0.31 + 0.12 * n**1.5 - 0.2 * np.clip(n - 0.8, 0, 1) ** 1.1


def page(*explorers, theme="", style="", before=""):
    """A page with widgets as myst-nb writes it: the state of all, a view of each, and the loader."""
    state = {}
    for n, explorer in enumerate(explorers):
        full = explorer.get_manager_state if False else None
        model, buffers = {}, []
        from ipywidgets.widgets.widget import _remove_buffers
        model, paths, raw = _remove_buffers(explorer.get_state())
        import base64
        buffers = [{"data": base64.b64encode(b).decode(), "encoding": "base64", "path": p} for p, b in zip(paths, raw)]
        state[f"m{n}"] = {"model_module": "anywidget", "model_name": "AnyModel", "state": model, "buffers": buffers}
    text = json.dumps({"state": state, "version_major": 2, "version_minor": 0}).replace("</script", "<\\/script")
    views = "".join(
        f'<script type="application/vnd.jupyter.widget-view+json">{{"model_id": "m{n}"}}</script>' for n in range(len(explorers)))
    return f"""<!doctype html><html lang=en {theme}><meta charset=utf-8><meta name=viewport content="width=device-width"><title>Masks</title>
<link rel=icon href="data:,"><style>:root {{ color-scheme: light dark }} body {{ margin: 12px }} {style}</style>
<main><h1>Masks</h1>{before}{views}</main>
<script type="application/vnd.jupyter.widget-state+json">{text}</script><script>{LOADER.read_text()}</script></html>"""
