"""Loops that train like the reference, each cheaper somewhere; tests hold them all against it."""

import functools
import re
from collections.abc import Callable

from torch import nn

from sifting.config import Config, choose
from sifting.training import reference, replicas, sparse
from sifting.training.models import FCN
from sifting.training.stack import STACKS

# name -> function(model, masks, data, config, level, start, after, progress), as reference.train
ENGINES = {"reference": reference.train, "sparse": sparse.train, "replicas": replicas.train_one}


def check(engine: str, config: Config) -> None:
    """Raise ValueError, naming the choices, for an engine that there is not, or that does not train `config`."""
    name, *numbers = engine.split() or [""]
    choose("engine", name, ("auto", *ENGINES))
    form = {
        "sparse": r"sparse( (0|1|0\.\d+|1\.0|\d(\.\d+)?e-\d+))*",
        "replicas": r"replicas( [1-9]\d*)?",
    }.get(name, name)
    if not re.fullmatch(form, engine):
        raise ValueError(f"no engine is settled as {engine!r}; a name will do: auto, {', '.join(ENGINES)}")
    if name == "sparse":
        for field, only in (("model", "fcn"), ("schedule", "constant")):
            if (value := getattr(config, field)) != only:
                raise ValueError(
                    f"the engine sparse trains {field} {only}, not {value}; choose auto or reference"
                )
    if name == "replicas" and (why := replicas.objection(config)):
        raise ValueError(f"the engine replicas trains {why}; choose auto or reference")


def settle(engine: str, model: nn.Module, config: Config) -> str:
    """An engine, and all that its arithmetic depends on, so that whoever is given it gets the same bits.

    engine  : a name in ENGINES; or auto: sparse for FCNs on a CPU, else replicas, and reference for what these do
              not accept; or what `settle` returned
    returns : the name; behind "sparse", the density up to which each layer is sparse, as measured; behind
              "replicas", of how many the stack is
    """
    check(engine, config)
    if engine == "auto":
        on_cpu = next(model.parameters()).device.type == "cpu"
        if isinstance(model, FCN) and on_cpu and config.schedule == "constant":
            engine = "sparse"
        else:
            stacks = type(model) in STACKS and replicas.accepts(config)
            engine = "replicas" if stacks else "reference"
    if engine == "replicas":
        return "replicas 1"
    if engine == "sparse":
        sparse.check(model, {})
        return " ".join([engine, *map(str, sparse.thresholds(model, config.batch_size))])
    return engine


def together(engine: str, config: Config, on_gpu: bool) -> bool:
    """Whether a run is best trained in one stack with others like it."""
    return engine == "replicas" or (engine == "auto" and (on_gpu or config.model != "fcn"))


def loop(engine: str) -> Callable:
    """The function that trains by an engine which is settled."""
    name, *numbers = engine.split()
    if name == "sparse":
        return functools.partial(sparse.train, limits=[float(limit) for limit in numbers])
    if name == "replicas":
        return functools.partial(replicas.train_one, size=int(numbers[0]))
    return ENGINES[name]
