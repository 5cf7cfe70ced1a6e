"""What limits a step: its operations and bytes, and what one thread of this machine can do of both."""

import functools
from collections.abc import Callable, Sequence

import numpy as np
import torch

from sifting.bench.clock import measure
from sifting.bench.steps import Masks, images, keeping, masks, reference, sparsely
from sifting.training.kept_layers import PRODUCTS
from sifting.training.linear import Sparse
from sifting.training.reference import Stepper


def roofline(sizes: dict, densities: Sequence[float], seconds: float) -> list[dict]:
    """What loops reach, and what one thread of this machine allows, by density of the masks.

    sizes          : name -> image side, configuration, classes

    NAME_rate      : 10^9 floating-point operations a second of a loop, those with zeros included
    NAME_intensity : operations a byte that it fetches, see `work`
    kept_share     : of the operations of the engine kept, those with weights that are kept
    and of this machine, see `ceilings`:
    blas, peak     : 10^9 operations a second of a bare product of matrices, by torch.mm and by the faster of
                     kept_layers.PRODUCTS
    cache          : 10^9 bytes a second that a scalar product fetches of what lies in the cache
    main_memory    : the same of what lies in memory
    """
    limits, rows = ceilings(functools.partial(measure, seconds=seconds)), []
    for name, (side, settings, classes) in sizes.items():
        split = images(side, classes)
        for kept in densities:
            pruned, row = masks(split, settings, kept), {"size": name, "density": kept}
            loops = {"dense": reference, "sparse": sparsely, "kept": keeping}
            runs = {loop: make(split, settings, classes, pruned) for loop, make in loops.items()}
            times = measure(runs, seconds)
            for loop, run in runs.items():
                operations, fetched, used = work(run.stepper, pruned)
                row[f"{loop}_intensity"] = round(operations / fetched, 3)
                row[f"{loop}_rate"] = round(1000 * operations / times[loop], 3)
            rows.append(row | {"kept_share": round(used, 4)} | limits)
    return rows


def work(stepper: Stepper, masks: Masks) -> tuple[float, float, float]:
    """What a step does for its products.

    returns : 10^9 floating-point operations; 10^9 bytes that it fetches; the share of the operations that
              are with weights which the masks keep

    An entry of a weight matrix is multiplied for the output, for its own gradient and, but in the first
    layer, for that of the input, and added: two operations an image. Of a layer that is computed whole, zeros
    included, each product fetches every array once. Of kept weights alone, each product fetches a row of the
    batch for every weight.
    """
    images, operations, numbers, useful = stepper.config.batch_size, 0, 0, 0
    network = getattr(stepper, "network", None)
    for n, linear in enumerate(stepper.model.linear):
        layer, products = network.layers[n] if network else None, 3 if n else 2
        if isinstance(layer, Sparse):
            entries = some = layer.varying
            numbers += products * images * entries
        else:
            units, inputs = linear.weight.shape
            entries = units * inputs
            some = int(mask.sum()) if (mask := masks.get(f"linear.{n}.weight")) is not None else entries
            numbers += products * (entries + images * (units + inputs))
        operations += 2 * products * images * entries
        useful += 2 * products * images * some
    return 1e-9 * operations, 4e-9 * numbers, useful / operations


def ceilings(measure: Callable[[dict], dict]) -> dict[str, float]:
    """What one thread can do, as `roofline` names it. measure : function(runs), milliseconds of each."""
    side, near, far = 1024, 2**15, 2**24  # of matrices, of vectors that lie in the cache, and in memory
    one, other = torch.ones(2, side, side)
    vectors = {"cache": np.ones((2, near), np.float32), "main_memory": np.ones((2, far), np.float32)}
    repeats = {"cache": far // near // 8, "main_memory": 1}  # one alone is too short for the clock

    def fetch(name):
        for _ in range(repeats[name]):
            np.dot(*vectors[name])

    runs = {name: functools.partial(product, one, other) for name, product in PRODUCTS.items()}
    times = measure(runs | {name: functools.partial(fetch, name) for name in vectors})
    rates = {name: 2e-6 * side**3 / times[name] for name in PRODUCTS}
    found = {"blas": rates["blas"], "peak": max(rates.values())}
    found |= {name: 1e-6 * repeats[name] * some.nbytes / times[name] for name, some in vectors.items()}
    return {name: round(value, 3) for name, value in found.items()}
