"""What one finished run left behind, read from its file or held in memory; no torch."""

import functools
import io
import json
import pathlib
import zipfile
import zlib

import numpy as np

from sifting.config import Config, key
from sifting.results import masks, packing

META = "meta.json"
SMALL = 500_000  # bytes of an array that is kept once it has been read


class DamagedResult(Exception):
    """A file that cannot be read or is not what its name says; it is never used or overwritten."""

    def __init__(self, path, why):
        super().__init__(path, why)  # as they are, so that the error can be sent between processes

    def __str__(self):
        path, why = self.args
        if pathlib.Path(path).name.startswith("level-"):
            return f"{path} {why}; move it away, and its run goes on from the level before"
        return f"{path} {why}; move it away, or compute its chapter anew: make chapter=NAME fresh=1"


class History:
    """One result: its configuration, how it was made, and its arrays, read when asked for.

    Layers are counted as in the papers: 1 is the first hidden layer. Levels count prunings: 0 is
    the dense network. Raises DamagedResult where the file is unreadable or belongs to another run.
    """

    def __init__(self, path: pathlib.Path, name: str | None = None):
        self.path, self._kept = pathlib.Path(path), {}
        try:
            meta = json.loads(*self._read(META))
            self.kind, self.key, self.provenance = meta["kind"], meta["key"], meta["provenance"]
            self.config = Config(**meta["config"])
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedResult(self.path, f"is not a result of this project ({error})") from None
        if key(self.config) != self.key or self.name != (name or self.path.stem):
            raise DamagedResult(
                self.path, f"holds {self.name}, whose configuration has the key {key(self.config)}"
            )

    @classmethod
    def of(
        cls, kind: str, config: Config, arrays: dict[str, np.ndarray], provenance: dict | None = None
    ) -> "History":
        """A result in memory, which reads like one of a file with these arrays; its path is None."""
        run = cls.__new__(cls)
        run.path, run._names = None, tuple(arrays)
        run.kind, run.key, run.config, run.provenance = kind, key(config), config, provenance or {}
        run._kept = {name: _fixed(np.array(values)) for name, values in arrays.items()}  # all has been read
        return run

    @property
    def name(self) -> str:
        """KIND-KEY: the stem of the file, and the anchor on the page that tells how it was made."""
        return f"{self.kind}-{self.key}"

    @property
    def seconds(self) -> float:
        """How long it took to compute, as far as known without what else the machine did; 0 if unknown."""
        return self.provenance.get("cpu_seconds", self.provenance.get("wall_seconds", 0.0))

    def __repr__(self):
        return f"History({self.name})"

    def __getitem__(self, name: str) -> np.ndarray:
        """The array of that name, not to be written to. Raises KeyError, naming what there is."""
        if name in self._kept:
            return self._kept[name]
        if name not in self.names():
            raise KeyError(f"{self.name} has no array {name!r}; it has {', '.join(self.names())}")
        with self._guard():
            values = _fixed(_array(*self._read(f"{name}.npy")))
        if values.nbytes <= SMALL:
            self._kept[name] = values
        return values

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays, read at once, and to be written to."""
        missing = [name for name in self.names() if name not in self._kept]
        with self._guard():
            found = dict(zip(missing, map(_array, self._read(*(f"{name}.npy" for name in missing)))))
        return {
            name: (self._kept[name] if name in self._kept else found[name]).copy() for name in self.names()
        }

    def names(self) -> list[str]:
        """Names of all arrays."""
        return list(self._names)

    @functools.cached_property
    def _names(self) -> tuple[str, ...]:
        with self._guard(), zipfile.ZipFile(self.path) as archive:
            return tuple(name.removesuffix(".npy") for name in archive.namelist() if name != META)

    def check(self) -> None:
        """Raise DamagedResult unless every byte of the file is what was written."""
        with self._guard(), zipfile.ZipFile(self.path) as archive:
            if damaged := archive.testzip():
                raise DamagedResult(self.path, f"is damaged ({damaged})")

    def _read(self, *members: str) -> list[bytes]:
        if not members:
            return []
        with self._guard(), zipfile.ZipFile(self.path) as archive:
            return [archive.read(member) for member in members]

    def _guard(self):
        return _Guard(self.path)

    # --- the runs of tickets.find

    @property
    def engine(self) -> str:
        """What trained, and what its arithmetic depends on; see engines.settle."""
        return str(self["engine"]) if "engine" in self.names() else "reference"

    @property
    def levels(self) -> int:
        """The last level: how many times the network was pruned."""
        return len(self["val_accuracy"]) - 1

    @property
    def shown(self) -> list[int]:
        """Three levels to look at, see packing.shown."""
        return packing.shown(self.levels)

    @property
    def outcome(self) -> int:
        """The level of the network that came out: the last, or the last that was not taken back."""
        return int(np.flatnonzero(~self["taken_back"])[-1]) if "taken_back" in self.names() else self.levels

    @property
    def layers(self) -> int:
        """How many layers are pruned."""
        return len(self.layer_names)

    @functools.cached_property
    def layer_names(self) -> list[str]:
        """Names of the layers that are pruned, in order, as conv1."""
        return [
            name.removeprefix("removed_at/").removesuffix(".weight")
            for name in self.names()
            if name.startswith("removed_at/") and name.endswith(".weight")
        ]

    def _layer(self, layer: int) -> str:
        if not 1 <= layer <= self.layers:
            raise ValueError(f"layer must be 1 to {self.layers}, not {layer}")
        return f"{self.layer_names[layer - 1]}.weight"

    def _level(self, level: int) -> int:
        if not 0 <= level <= self.levels:
            raise ValueError(f"level must be 0 to {self.levels}, not {level}")
        return level

    def removed_at(self, layer: int = 1) -> np.ndarray:
        """uint8 (units, inputs): level at which each weight was removed; 255: never."""
        return self[f"removed_at/{self._layer(layer)}"]

    def mask(self, level: int, layer: int = 1) -> np.ndarray:
        """bool (units, inputs): the weights kept at `level`."""
        return masks.at(self.removed_at(layer), self._level(level))

    def effective(self, level: int, layer: int = 1) -> np.ndarray:
        """bool (units, inputs of the network): what reaches units of `layer`; see masks.effective."""
        return masks.effective(*(self.mask(level, n) for n in range(1, layer + 1)))

    def weights(self, level: int, layer: int = 1) -> np.ndarray:
        """float32 (units, inputs): weights after the training of `level`, 0 where pruned.

        They are kept to half precision.
        """
        return self.parameter(level, self._layer(layer))

    def parameter(self, level: int, name: str) -> np.ndarray:
        """float32: parameter or batch-norm statistic after the training of `level`, 0 where pruned."""
        values = self[f"trained/{self._level(level)}/{name}"].astype(np.float32)
        if f"removed_at/{name}" not in self.names():
            return values
        mask = masks.at(self[f"removed_at/{name}"], level)
        full = np.zeros(mask.shape, np.float32)
        full[mask] = values
        return full

    def density(self, level: int, layer: int | None = None) -> float:
        """Fraction of prunable weights kept at `level`, of one layer or of all pruned layers."""
        chosen = [self.mask(level, n) for n in ([layer] if layer else range(1, self.layers + 1))]
        return sum(int(mask.sum()) for mask in chosen) / sum(mask.size for mask in chosen)

    def accuracy(self, split: str = "val", when: str = "best") -> np.ndarray:
        """(levels + 1,) accuracy in [0, 1] of every level.

        split : val (the early-stopping images), test (held out), or train (batches seen on the way)
        when  : best (at the step where validation accuracy peaks: "early stopped") or last
        """
        curve = self[f"{split}_accuracy"]
        if when == "last":
            return curve[:, -1]
        return np.take_along_axis(curve, np.nanargmax(self["val_accuracy"], axis=1)[:, None], axis=1)[:, 0]


def _array(text: bytes) -> np.ndarray:
    return np.lib.format.read_array(io.BytesIO(text), allow_pickle=False)


def _fixed(values: np.ndarray) -> np.ndarray:
    """The same array, not to be written to."""
    values.flags.writeable = False
    return values


class _Guard:
    """Turns every way a file can be broken into DamagedResult."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(
            error, (zipfile.BadZipFile, zlib.error, EOFError, UnicodeDecodeError, NotImplementedError)
        ):
            raise DamagedResult(self.path, f"is damaged ({error})") from None
        if isinstance(error, ValueError):
            raise DamagedResult(self.path, f"is damaged ({error})") from None
