"""At which density a layer is faster sparse than dense: measured once a machine, then always the same."""

import contextlib
import json
import os
import pathlib
import platform
import time
from collections.abc import Callable

import filelock
import torch

from sifting import cache
from sifting.training.linear import Dense, Sparse
from sifting.training.units import Units

DENSITIES = tuple(0.5**n for n in range(1, 8))  # 1/2 to 1/128
REPEATS = 5  # the fastest counts
# of the dense time, at most: in a step, a sparse layer needs its activations in another layout, too
MARGIN = 0.8
Value = float | str
remembered = {}  # file, name -> what was measured


def path() -> pathlib.Path:
    """The file of what was measured."""
    return cache.folder() / "thresholds.json"


def threshold(
    units: int,
    inputs: int,
    images: int,
    dtype: torch.dtype,
    kinds: tuple[Callable, Callable] = (Dense, Sparse),
    names: str = "",
) -> float:
    """The largest of DENSITIES at which a layer, forward and backward, is faster sparse; 0 if at none.

    kinds : dense and sparse layers; names : of both, where they are others

    Other kinds of processor, versions of torch and numbers of threads have other thresholds.
    """
    layer = f"{names}{units} x {inputs}, {images} images, {dtype}"
    return known(layer, lambda: measure(units, inputs, images, dtype, kinds))


def known(what: str, measure: Callable[[], Value]) -> Value:
    """What is measured on this machine: once, and kept in `path`.

    So every process, and a run that goes on, makes the same choice.
    """
    kind = f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
    machine = f"{platform.node()}, {kind}, torch {torch.__version__}"
    name = path(), f"{machine}, {what}, {torch.get_num_threads()} threads"
    if name not in remembered:
        remembered[name] = _known(*name, measure)
    return remembered[name]


def _known(file: pathlib.Path, name: str, measure: Callable[[], Value]) -> Value:
    """From the file, or measured and written to it; only measured where it cannot be written."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(file.with_suffix(".lock")):  # nobody else measures meanwhile
            known = _read(file)
            if name not in known:
                known[name] = measure()
                part = file.with_suffix(f".{os.getpid()}")
                part.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
                os.replace(part, file)
            return known[name]
    except OSError:
        return measure()


def _read(file: pathlib.Path) -> dict[str, Value]:
    """What the file holds; nothing where it is damaged, for all of it can be measured again."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        return dict(json.loads(file.read_text(encoding="utf-8")))
    return {}


def measure(
    units: int,
    inputs: int,
    images: int,
    dtype: torch.dtype,
    kinds: tuple[Callable, Callable] = (Dense, Sparse),
) -> float:
    """The threshold by the clock, with random masks and a batch norm in front."""
    draw, (dense, sparse) = torch.Generator().manual_seed(0), kinds
    whole = _round(dense, torch.ones(units, inputs, dtype=torch.bool), images, dtype)
    for density in DENSITIES:
        some = _round(sparse, torch.rand(units, inputs, generator=draw) < density, images, dtype)
        # in turn: both meet the same load
        times = [(_seconds(whole), _seconds(some)) for _ in range(REPEATS)]
        slow, fast = map(min, zip(*times))
        if fast < MARGIN * slow:
            return density
    return 0.0


def _round(kind: Callable, mask: torch.Tensor, images: int, dtype: torch.dtype):
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
