"""The mask explorer: masks sift out of noise, level by level, under the reader's hand."""

import zlib

import numpy as np
import traitlets as t
from PIL import Image

from sifting.results import masks
from sifting.results.nested import Nested
from sifting.widgets.explorer import Explorer, module, sheet, squeeze

PAGE = 400_000  # first-layer weights that one page can hold at all levels and stay under 3 MB
SHADE = 127  # steps of the stored weights on each side of zero: one signed byte


class MaskExplorer(Explorer):
    """Browse nested masks of one or several runs: a gallery, the levels, one unit in detail.

    MaskExplorer(masks, shape) shows masks of one's own, a run, or a list of masks, one a level;
    `from_runs` and `from_history` show stored runs. What a page stores, all zlib-compressed:

        removed_at  one byte an input and unit: the level at which it was cut off, 255 = never
        degrees     in-degree of every unit at every level, also of units that are not shown
        weights     one signed byte a kept weight, times a scale for each unit and level

    In deeper layers `removed_at` is that of the effective mask (`effective_removed_at`).
    Equal runs give equal state, byte for byte. Source: the videos of Pellegrini & Biroli 2022.
    """

    _esm = module("mask_explorer")

    layer = t.Int(1).tag(sync=True)
    level = t.Int(0).tag(sync=True)
    unit = t.Int(0).tag(sync=True)  # number of the unit in its layer
    order = t.Enum(["level", "last", "random"], "level").tag(sync=True)
    shuffle = t.Bool(False).tag(sync=True)  # whether all units see the pixels in one random order
    measure = t.Unicode("test accuracy").tag(sync=True)  # what the accuracies of `runs` are

    def __init__(self, masks=None, shape=None, accuracy=None, name: str = "masks", **options):
        """The explorer of masks of one's own.

        masks    : of a chain of linear maps, see results.nested.Nested; or a run
        shape    : (channels, height, width) of the images; a run knows its own
        accuracy : (levels,) in [0, 1], to be shown beside them; default: none, of a run that of its test
        name     : what to call them
        options  : as of `from_runs`

        Raises ValueError, saying what is needed, for masks that cannot be shown.
        """
        if masks is not None:
            run = masks
            if hasattr(masks, "layer_names"):
                shape = shape or masks["shape"].tolist()
            elif shape is None:
                raise ValueError("the shape of the images is needed, (channels, height, width)")
            else:
                run, accuracy = Nested(masks, shape, name), () if accuracy is None else accuracy
                options["weights"] = False
            accuracy = None if accuracy is None else [accuracy]
            options = _state([run], shape=shape, accuracy=accuracy, **options)
        elif shape is not None:
            options["shape"] = shape
        super().__init__(**options)
        if options.get("runs") and "unit" not in options:
            self.unit = int(self._ranked(self.layer - 1)[0])

    @classmethod
    def from_history(cls, history, accuracy=None, **options):
        """The explorer of one run; `accuracy` is (levels + 1,), the rest as `from_runs`."""
        return cls.from_runs([history], accuracy=None if accuracy is None else [accuracy], **options)

    @classmethod
    def from_runs(cls, runs, names=None, **options):
        """The explorer of several runs, which the reader chooses between by name.

        runs     : histories of fully connected networks on images of one shape
        names    : what to call them; default: their `name`
        options  : units, most units to show of a layer; default: what keeps the page under 3 MB
                   accuracy, (levels + 1,) for each run, in [0, 1]; default: early-stopped test accuracy
                   shape, channels, height, width; default: square images of config.image_size
                   weights, whether to store the trained weights of layer 1; they are most of the page
                   gallery, thumbnails on a page
                   and what to begin with: run, layer, level (default: the last), unit, show, order; and
                   measure, what `accuracy` is, where it is not the test accuracy

        If a layer has more units than are shown, they are `gallery` units drawn at random and those
        with most inputs at the last levels. Raises ValueError if a first layer does not fit `shape`.
        """
        return cls(**_state(list(runs), names, **options))

    def _ranked(self, layer: int) -> np.ndarray:
        """Units shown of a layer (0: the first) of the chosen run, most inputs in the end first."""
        stored = self.runs[self.run]["layers"][layer]
        degrees = np.frombuffer(zlib.decompress(stored["degrees"]), "<u2").reshape(-1, stored["units"])
        return np.array(stored["shown"])[most_connected(degrees[:, stored["shown"]])]

    def picture(self) -> Image.Image:
        """The gallery at the explorer's level, most inputs first: for hosts without widgets."""
        stored, (channels, height, width) = self.runs[self.run]["layers"][self.layer - 1], self.shape
        removed = np.frombuffer(zlib.decompress(stored["removed_at"]), np.uint8).reshape(
            -1, channels, height, width
        )
        slots = {unit: slot for slot, unit in enumerate(stored["shown"])}
        chosen = [slots[unit] for unit in self._ranked(self.layer - 1)[: self.gallery]]
        return sheet(removed[chosen] > self.level)

    def __repr__(self):
        names, layers = ", ".join(run["name"] for run in self.runs), len(self.runs[self.run]["layers"])
        return f"MaskExplorer({names}; {layers} layers, level {self.level})"


def _state(
    runs, names=None, units=None, accuracy=None, shape=None, weights=True, gallery=40, **state
) -> dict:
    """What an explorer of runs begins with; see MaskExplorer.from_runs."""
    inputs = runs[0].removed_at(1).shape[1]
    if shape is None:
        side = runs[0].config.image_size
        shape = inputs // side**2, side, side
    if {run.removed_at(1).shape[1] for run in runs} != {int(np.prod(shape))}:
        raise ValueError(
            f"the first layer has {inputs} inputs, but shape {tuple(shape)} has {int(np.prod(shape))}"
        )
    units = units or max(gallery, PAGE // (inputs * len(runs)))
    names = [run.name for run in runs] if names is None else names
    accuracy = [run.accuracy("test") for run in runs] if accuracy is None else accuracy
    packed = [pack(*each, units, gallery, weights) for each in zip(runs, names, accuracy, strict=True)]
    state.setdefault("level", packed[state.get("run", 0)]["levels"])
    return {"runs": packed, "shape": [int(n) for n in shape], "gallery": gallery, **state}


def pack(run, name: str, accuracy, units: int, gallery: int, weights: bool) -> dict:
    """One run as the page stores it, in plain values and compressed arrays: see MaskExplorer."""
    levels, layers, reach = run.levels, [], None
    if len(accuracy) not in (0, levels + 1):
        raise ValueError(f"{name} has {levels + 1} levels, but {len(accuracy)} accuracies")
    for number in range(1, run.layers + 1):
        removed = run.removed_at(number)
        reach = removed if reach is None else effective_removed_at(removed, reach)
        degrees = np.array([masks.at(removed, level).sum(1) for level in range(levels + 1)], "<u2")
        shown = choose_units(degrees, units, gallery)
        layers.append(
            {
                "units": len(removed),
                "inputs": removed.shape[1],
                "shown": shown.tolist(),
                "removed_at": squeeze(reach[shown]),
                "degrees": squeeze(degrees),
            }
        )
    steps, scales = quantize(run, layers[0]["shown"]) if weights else (b"", b"")
    return {
        "name": str(name),
        "levels": int(levels),
        "accuracy": [float(a) for a in accuracy],
        "density": [float(run.density(level)) for level in range(levels + 1)],
        "layers": layers,
        "weights": squeeze(steps),
        "scales": squeeze(scales),
    }


def most_connected(degrees: np.ndarray) -> np.ndarray:
    """Units by in-degree at the last level, largest first; ties by levels before, and number.

    degrees : (levels + 1, units)
    """
    return np.lexsort((np.arange(degrees.shape[1]), *-degrees.astype(int)))


def choose_units(degrees: np.ndarray, units: int, gallery: int) -> np.ndarray:
    """Units to store: `gallery` drawn at random, and the most connected; always the same ones.

    They come in a random order, so the first `gallery` of them are a fair sample, however many are left out.
    """
    drawn = np.random.default_rng(0).permutation(degrees.shape[1])
    wanted = dict.fromkeys([*drawn[:gallery], *most_connected(degrees)])  # a set that keeps its order
    chosen = list(wanted)[: max(units, gallery)]
    return drawn[np.isin(drawn, chosen)]


def effective_removed_at(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Level that cuts the last path from an input to a unit: max_k min(outer_ik, inner_kj).

    A path is cut when its first weight goes, and an input when its last path goes, so one byte holds
    the effective masks of all levels: masks.at(result, n) = masks.effective of the masks at level n.

    outer   : removed_at of a layer, (units, units below)
    inner   : removed_at, effective or not, of the layer below, (units below, inputs)
    returns : uint8 (units, inputs)
    """
    return np.stack([np.minimum(row[:, None], inner).max(0) for row in outer])


def quantize(run, shown: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Kept weights of layer 1 as signed bytes, and what a byte is worth.

    weight = byte * scale, wrong by half a scale at most; scale = max |weight| / 127 of the unit at the level

    returns : int8 (kept weights,), level by level, unit by unit as shown, inputs in order;
              float32 (levels + 1, units shown)
    """
    removed, steps, scales = run.removed_at(1)[shown], [], []
    for level in range(run.levels + 1):
        weights = run.weights(level)[shown]
        scale = (np.abs(weights).max(1) / SHADE).astype("<f4")
        rows, columns = np.nonzero(masks.at(removed, level))
        unit = scale[rows]
        kept = np.divide(weights[rows, columns], unit, out=np.zeros_like(unit), where=unit > 0)
        steps.append(np.rint(kept).astype(np.int8))
        scales.append(scale)
    return np.concatenate(steps), np.array(scales)
