"""At which density a layer is faster sparse than dense: measured once a machine, then always the same."""

import contextlib
import functools
import json
import os
import pathlib
import platform
import time

import filelock
import torch

from sifting import cache
from sifting.training.linear import Dense, Sparse
from sifting.training.units import Units

DENSITIES = tuple(0.5**n for n in range(1, 8))  # 1/2 to 1/128
REPEATS = 5  # the fastest counts
# of the dense time, at most: in a step, a sparse layer needs its activations in another layout, too
MARGIN = 0.8


def path() -> pathlib.Path:
    """The file of what was measured."""
    return cache.folder() / "thresholds.json"


def threshold(units: int, inputs: int, images: int, dtype: torch.dtype) -> float:
    """The largest of DENSITIES at which a layer, forward and backward, is faster sparse; 0 if at none.

    Other kinds of processor, versions of torch and numbers of threads have other thresholds. What was
    measured is kept in `path`, so that every process, and a run that goes on, makes the same choice.
    """
    kind = f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
    machine = f"{platform.node()}, {kind}, torch {torch.__version__}"
    layer = f"{units} x {inputs}, {images} images, {dtype}, {torch.get_num_threads()} threads"
    return _known(path(), f"{machine}, {layer}", units, inputs, images, dtype)


@functools.cache
def _known(file: pathlib.Path, name: str, *layer) -> float:
    """From the file, or measured and written to it; only measured where it cannot be written."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(file.with_suffix(".lock")):  # nobody else measures meanwhile
            known = _read(file)
            if name not in known:
                known[name] = measure(*layer)
                part = file.with_suffix(f".{os.getpid()}")
                part.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
                os.replace(part, file)
            return known[name]
    except OSError:
        return measure(*layer)


def _read(file: pathlib.Path) -> dict[str, float]:
    """What the file holds; nothing where it is damaged, for all of it can be measured again."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        return dict(json.loads(file.read_text(encoding="utf-8")))
    return {}


def measure(units: int, inputs: int, images: int, dtype: torch.dtype) -> float:
    """The threshold by the clock, with random masks and a batch norm in front."""
    draw = torch.Generator().manual_seed(0)
    whole = _round(Dense, torch.ones(units, inputs, dtype=torch.bool), images, dtype)
    for density in DENSITIES:
        some = _round(Sparse, torch.rand(units, inputs, generator=draw) < density, images, dtype)
        # in turn: both meet the same load
        times = [(_seconds(whole), _seconds(some)) for _ in range(REPEATS)]
        dense, sparse = map(min, zip(*times))
        if sparse < MARGIN * dense:
            return density
    return 0.0


def _round(kind: type, mask: torch.Tensor, images: int, dtype: torch.dtype):
    """A function that does forward, weight gradient and input gradient of a layer."""
    units, inputs = (Units(torch.arange(size), size, size) for size in mask.shape)
    layer = kind(mask, inputs, units)
    layer.bind(*torch.ones(2, len(layer.where), dtype=dtype))
    h, d = torch.ones(len(inputs), images, dtype=dtype), torch.ones(len(units), images, dtype=dtype)

    def run():
        layer.forward(h, h[:, 0], h[:, 0], d[:, 0])
        layer.backward(d, h, h[:, 0], h[:, 0], d[:, 0])
        layer.transposed(d)

    return run


def _seconds(run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
