"""Tickets in a network of one's own: train, prune, rewind, again, as the book does it."""

import contextlib
import os
import pathlib
import warnings

import numpy as np
import torch
from torch import Tensor, nn

from sifting import store
from sifting.config import FIELDS, Config, choose
from sifting.config import seeds as copies
from sifting.data import load_still
from sifting.own.registering import register
from sifting.probes import units
from sifting.results.history import History

FOLDER = "sifting-results"  # in the current folder


def find(
    network,
    images,
    *,
    seeds: int | None = None,
    results: str | os.PathLike | None = None,
    device: str = "auto",
    workers: int | None = None,
    cluster: str | None = None,
    **settings,
) -> History | list[History]:
    """Prune a network level by level, by magnitude or any other criterion, and train it again each time.

    network  : a class or a function that makes networks, where such a one is, or a network: see `register`
    images   : a folder of images, or bytes and their labels: see `register`
    seeds    : number of runs, from seed, seed + 1, ...; of a network that is given with its values they
               differ in the order of the images alone
    results  : folder to store runs in; default: $SIFTING_RESULTS, or sifting-results in the current folder
    device, workers, cluster : where to compute, see store.load_or_run
    settings : of the run, see config.Config: steps, lr, levels, prune_fraction, criterion, rewind_step, ...;
               where steps are fewer than the default of rewind_step, that is a tenth of them

    returns  : the run, or a list of runs where `seeds` is given: results.history.History, with its masks of
               every level, weights, accuracies and densities. `measure` takes it, and so does MaskExplorer

    Every level is stored as it ends: what is interrupted goes on when it is asked for again, to the same
    bits, and what is stored is not computed again.
    A run that ends before its last level, because training diverged or too few units keep an input, warns.
    Raises ValueError, before anything is trained, for unknown settings, with the choices, and for a network,
    images or a criterion that do not go together, saying what is needed.
    Source: Frankle & Carbin 2019; Pellegrini & Biroli 2022, section 3.
    """
    if network is None or images is None:
        raise ValueError("a network and images are needed, not None")
    for name in settings:
        choose("setting", name, FIELDS)
    for name in ("model", "dataset"):
        if name in settings:
            raise ValueError(f"{name} is what network and images say: leave it out")
    with _stored_in(results or os.environ.get("SIFTING_RESULTS") or FOLDER):
        config = Config(**_rewound(settings), **register(network, images))
        runs = copies(config, 1 if seeds is None else seeds)
        found = store.load_or_run("ticket", runs, device, workers=workers, cluster=cluster)
    for run in found:
        if run.levels < run.config.levels and not run.config.layerwise:
            warnings.warn(f"{run.name} ended at level {run.levels}: {_reason(run)}", stacklevel=2)
    return found[0] if seeds is None else found


def _reason(run: History) -> str:
    """Why a run ended before its last level, see pruning.tickets.find."""
    last = (run[name] for name in run.names() if name.startswith(f"trained/{run.levels}/"))
    if not all(np.isfinite(values).all() for values in last):
        return "training diverged, weights are no numbers any more"
    return f"fewer than {run.config.min_alive:g} of the units of a layer keep an input (min_alive)"


def _rewound(settings: dict) -> dict:
    """Settings, with a rewind_step where the steps are fewer than its default, and it is left out."""
    steps = settings.get("steps")
    few = isinstance(steps, int) and 0 < steps <= Config.rewind_step
    return {"rewind_step": steps // 10} | settings if few else settings


@contextlib.contextmanager
def _stored_in(folder):
    """Results are in that folder, for this process and those that it starts, while the block runs."""
    before = os.environ.get("SIFTING_RESULTS")
    os.environ["SIFTING_RESULTS"] = str(pathlib.Path(folder).absolute())
    try:
        yield
    finally:
        if before is None:
            del os.environ["SIFTING_RESULTS"]
        else:
            os.environ["SIFTING_RESULTS"] = before


def restore(run: History, level: int | None = None, split: str = "val") -> tuple[nn.Module, Tensor, Tensor]:
    """A network that a run of `find` left behind, and images as it sees them, as `examine` takes them.

    level   : how often it was pruned; default: as often as what came out
    split   : of the images: val or test, which nothing was trained on, or train

    returns : the network, trained, pruned weights 0, in evaluation mode; its weights are kept to half
              precision; images (n, pixels), normalized; labels (n,)

    Raises ValueError for another split or level, and for a run without weights, or of other code or images
    than there are now.
    """
    if not isinstance(run, History):
        raise ValueError(f"a run of find is needed, not {type(run).__name__}")
    choose("split", split, ("train", "val", "test"))
    level = run.outcome if level is None else level
    if f"trained/{level}/{run.layer_names[0]}.weight" not in run.names():
        raise ValueError(f"{run.name} has no weights of level {level}; levels are 0 to {run.levels}")
    with _stored_in(run.path.parent):
        data = load_still(run.config)
        model = units.restore(run, level, data)
    some = getattr(data, split)
    return model, *some.batch(torch.arange(len(some)))
