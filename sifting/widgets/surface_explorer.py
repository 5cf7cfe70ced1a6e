"""The surface explorer: accuracy on planes through three networks."""

import zlib

import numpy as np
import traitlets as t
from PIL import Image

from sifting.widgets.explorer import Explorer, module, numbers, read_json, squeeze, squeeze_json

STEPS = 10_000  # of the stored accuracies between 0 and 1: two bytes
MISSING = 65_535  # an accuracy that is nan
AXES = {
    "accuracy": ("ways", "cycles", "statistics", "rows", "columns"),
    "x": ("ways", "cycles", "columns"),
    "y": ("ways", "cycles", "rows"),
    "points": ("ways", "cycles", 3, 2),
    "own": ("ways", "cycles", "statistics", 3),
    "share": ("ways", "cycles"),
}


class SurfaceExplorer(Explorer):
    """Choose a way to prune and retrain, and a cycle; read the accuracy anywhere on the plane.

    It can be chosen, too, which statistics batch norm has. Build it with `from_tables`. Stored accuracies are
    wrong by half a hundredth of a point at most.
    Source: Anonymous 2021, figures 6 and 16.
    """

    _esm = module("surface_explorer")

    data = t.Bytes().tag(sync=True)  # JSON, deflated
    accuracy = t.Bytes().tag(sync=True)  # two bytes a cell, little-endian, in the order of AXES, deflated
    way = t.Int(0).tag(sync=True)  # positions among the ways and the statistics
    statistics = t.Int(0).tag(sync=True)
    cycle = t.Int(1).tag(sync=True)  # prunings so far
    cell = t.List(t.Int()).tag(sync=True)  # row and column chosen; empty: where the retrained network is

    def __init__(self, planes=None, **options):
        """The explorer of planes of one's own.

        planes  : what sifting.networks(...).plane returns, or name -> that, of one number of cells
        options : as of `from_tables`

        Raises ValueError as `from_tables`.
        """
        if planes is not None:
            planes = {"plane": planes} if "accuracy" in planes else planes
            found = {"ways": list(planes), "statistics": next(iter(planes.values()))["statistics"]}
            try:
                for name in ("accuracy", "x", "y", "points", "own"):
                    found[name] = np.stack([plane[name] for plane in planes.values()])[:, None]
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(
                    f"planes of sifting.networks are needed, all of one form ({error})"
                ) from None
            found["share"] = np.full((len(planes), 1), np.nan)
            found["networks"] = [["a", "the first"], ["b", "the second"], ["c", "the third"]]
            options = _state(found, **options)
        super().__init__(**options)

    @classmethod
    def from_tables(cls, table: dict, way=0, cycle=None, statistics=0):
        """The explorer of planes through the pretrained, the pruned and the retrained network.

        table      : ways, statistics: names;
                     accuracy (ways, cycles, statistics, rows, columns), in [0, 1], nan where it is not known;
                     x (ways, cycles, columns), y (ways, cycles, rows): where cells are, rising in even steps,
                     in units of weights;
                     points (ways, cycles, 3, 2): where the networks W*, Wp and Wr are;
                     own (ways, cycles, statistics, 3): their accuracies;
                     share (ways, cycles): weights that matter. All are nan where a run ended before
        way        : position of the one to begin with
        cycle      : from 1 on; default: the last
        statistics : position of the ones to begin with

        Raises ValueError if the table is empty or its arrays do not agree, and for a beginning that it lacks.
        """
        return cls(**_state(table, way, cycle, statistics))

    def picture(self) -> Image.Image:
        """The plane, black at 0 and white at 100 %, for hosts without widgets.

        What is not known is transparent.
        """
        packed = read_json(self.data)
        shape = -1, len(packed["share"][0]), len(packed["statistics"]), packed["rows"], packed["columns"]
        steps = np.frombuffer(zlib.decompress(self.accuracy), "<u2").reshape(shape)
        plane = steps[self.way, self.cycle - 1, self.statistics, ::-1]
        alpha = np.where(plane == MISSING, 0, 255).astype(np.uint8)
        plane = np.rint(255 * np.minimum(plane / STEPS, 1)).astype(np.uint8)
        return Image.fromarray(np.dstack([plane, alpha])).resize((640, 640), Image.Resampling.NEAREST)

    def __repr__(self):
        packed = read_json(self.data)
        ways, cycles = len(packed["ways"]), len(packed["share"][0])
        return f"SurfaceExplorer({ways} ways; {cycles} cycles; {packed['rows']} x {packed['columns']} cells)"


def _state(table: dict, way=0, cycle=None, statistics=0) -> dict:
    """What the explorer of a table begins with; see SurfaceExplorer.from_tables."""
    arrays = _checked(table)
    _, cycles, _, rows, columns = arrays["accuracy"].shape
    cycle = cycles if cycle is None else cycle
    packed = {name: list(map(str, table[name])) for name in ("ways", "statistics")}
    _choose("way", way, packed["ways"])
    _choose("statistics", statistics, packed["statistics"])
    if cycle not in range(1, cycles + 1):
        raise ValueError(f"cycle must be 1 to {cycles}, not {cycle}")
    packed |= {"rows": rows, "columns": columns}
    packed |= {name: numbers(arrays[name][..., [0, -1]], 6) for name in ("x", "y")}
    packed |= {name: numbers(arrays[name], 6) for name in ("points", "own", "share")}
    packed |= {name: table[name] for name in ("networks",) if name in table}
    steps = np.nan_to_num(np.rint(STEPS * arrays["accuracy"]), nan=MISSING).astype("<u2")
    state = {"way": way, "cycle": cycle, "statistics": statistics}
    return {"data": squeeze_json(packed), "accuracy": squeeze(steps), **state}


def _checked(table: dict) -> dict[str, np.ndarray]:
    """The arrays of a table, once they agree."""
    lacking = [name for name in ("ways", "statistics", *AXES) if name not in table]
    if lacking:
        raise ValueError(f"the table lacks {', '.join(lacking)}")
    arrays = {name: np.asarray(table[name], float) for name in AXES}
    sizes = dict(zip(AXES["accuracy"], arrays["accuracy"].shape))
    sizes |= {name: len(table[name]) for name in ("ways", "statistics")}
    for name, axes in AXES.items():
        expected = tuple(sizes.get(axis, axis) for axis in axes)
        if arrays[name].shape != expected:
            words = [", ".join(map(str, each)) for each in (axes, expected, arrays[name].shape)]
            raise ValueError("{} must be ({}) = ({}), not ({})".format(name, *words))
    for axis, least in {"ways": 1, "cycles": 1, "statistics": 1, "rows": 2, "columns": 2}.items():
        if sizes[axis] < least:
            raise ValueError(f"there is nothing to show of {sizes[axis]} {axis}; at least {least} are needed")
    if ((arrays["accuracy"] < 0) | (arrays["accuracy"] > 1)).any():
        raise ValueError("accuracy must lie in [0, 1]")
    for name in ("x", "y"):
        steps = np.diff(arrays[name])
        mean = steps.mean(-1, keepdims=True)
        if ((mean <= 0) | (np.abs(steps - mean) > 0.01 * mean)).any():
            raise ValueError(f"{name} must rise in even steps")
    return arrays


def _choose(what: str, place: int, names: list[str]) -> None:
    """Raises ValueError unless there is a name at that place."""
    if place not in range(len(names)):
        choices = ", ".join(f"{number} ({name})" for number, name in enumerate(names))
        raise ValueError(f"there is no {what} {place}; choose from {choices}")
