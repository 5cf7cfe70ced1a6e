"""Loops that train like the reference, each cheaper somewhere; tests hold them all against it."""

import functools
from collections.abc import Callable

from torch import nn

from sifting import train
from sifting.config import Config, choose
from sifting.engines import replicas, sparse
from sifting.models import FCN

# name -> function(model, masks, data, config, level, start, after, progress), as train.train
ENGINES = {"reference": train.train, "sparse": sparse.train, "replicas": replicas.train_one}


def check(engine: str) -> None:
    """Raise ValueError, naming the choices, for an engine that there is not."""
    choose("engine", engine.partition(" ")[0], ("auto", *ENGINES))


def settle(engine: str, model: nn.Module, config: Config) -> str:
    """An engine, and all that its arithmetic depends on, so that whoever is given it gets the same bits.

    engine  : a name in ENGINES; or auto: sparse on a CPU, replicas on a GPU, and reference for what these do not
              accept; or what `settle` returned
    returns : the name; behind "sparse", the density from which each layer is dense, as measured
    """
    check(engine)
    if engine == "auto":
        on_cpu = next(model.parameters()).device.type == "cpu"
        accepted = isinstance(model, FCN) and (on_cpu or replicas.accepts(config))
        engine = ("sparse" if on_cpu else "replicas") if accepted else "reference"
    if engine == "sparse":
        return " ".join([engine, *map(str, sparse.thresholds(model, config.batch_size))])
    return engine


def loop(engine: str) -> Callable:
    """The function that trains by an engine which is settled."""
    name, *measured = engine.split()
    return (
        functools.partial(ENGINES[name], limits=[float(limit) for limit in measured])
        if measured
        else ENGINES[name]
    )
