"""Tickets of which the first mask, or all weights, are exchanged before they are trained: interventions.

What a ticket is good for may lie in its mask or in the weights behind it. Either is exchanged, and all else
is as it was: the masks of the other layers, the images, the batches.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from sifting.config import Config
from sifting.data import load
from sifting.observables import connectivity, locality
from sifting.probes import portrait
from sifting.probes.probed import with_measured
from sifting.pruning import tickets
from sifting.pruning.run import Run
from sifting.results.masks import NEVER, at
from sifting.results.packing import Arrays, pack_probed
from sifting.store.experiment import Experiment

FIRST = "removed_at/linear.0.weight"


def find(
    config: Config, device: str = "cpu", finished=(), progress: bool = False, engine: str = "auto"
) -> Iterator[Arrays]:
    """A run of two levels: the dense network, and its ticket at config.levels with what is exchanged.

    The ticket is that of iterative magnitude pruning; its first mask is exchanged by config.exchange, and its
    weights are those of config.treatment. Records are those of tickets.find, the second with what
    portrait.Probe measures.
    """
    records = list(finished)
    data = load(config, device)
    once = dataclasses.replace(config, exchange="none", levels=1, iterative=False, min_alive=0)
    if not records:
        ticket = _ticket(config, device, progress, engine)
        elsewhere = dataclasses.replace(config, **ELSEWHERE.get(config.exchange, {}))
        other = ticket if elsewhere == config else _ticket(elsewhere, device, progress, engine)
        records.append(ticket | {FIRST: _exchanged(other[FIRST], config, data.shape)})
        yield records[0]
    if len(records) == 1:
        run = Run(once, data, device, records)
        record = run.conclude(tickets.trained(run, run.prepare(), progress))
        yield with_measured(portrait.Probe(once, device), [*records, record])


def _ticket(config: Config, device: str, progress: bool, engine: str) -> Arrays:
    """The record of the dense network, with the masks of its ticket at config.levels as those of level 1."""
    usual = dataclasses.replace(config, exchange="none", treatment="rewind")
    first, *_, last = tickets.whole(usual, device, progress, engine)
    masks = {
        name: at(levels, usual.levels) for name, levels in last.items() if name.startswith("removed_at/")
    }
    return first | {name: np.where(mask, NEVER, 1).astype(np.uint8) for name, mask in masks.items()}


def _exchanged(removed_at: np.ndarray, config: Config, shape: tuple[int, int, int]) -> np.ndarray:
    """The first mask of a ticket, as levels, and exchanged."""
    mask = EXCHANGES[config.exchange](removed_at == NEVER, shape, np.random.default_rng(config.seed))
    return np.where(mask, NEVER, 1).astype(np.uint8)


def moved(mask: np.ndarray, shape: tuple[int, int, int], draw: np.random.Generator) -> np.ndarray:
    """The mask of every unit at another place, wrapped at the edges: all distances on the torus stay."""
    images = mask.reshape(len(mask), *shape)
    places = zip(draw.integers(shape[1], size=len(mask)), draw.integers(shape[2], size=len(mask)))
    return np.stack([np.roll(image, place, (1, 2)) for image, place in zip(images, places)]).reshape(
        mask.shape
    )


def reordered(mask: np.ndarray, shape: tuple[int, int, int], draw: np.random.Generator) -> np.ndarray:
    """All masks with their pixels in one other order: what units share stays, and no pixels are neighbors."""
    order = draw.permutation(shape[1] * shape[2])
    return mask.reshape(len(mask), shape[0], -1)[:, :, order].reshape(mask.shape)


def in_degrees(mask: np.ndarray, shape: tuple[int, int, int], draw: np.random.Generator) -> np.ndarray:
    """As many inputs for every unit, any."""
    return np.stack([draw.permutation(row) for row in mask])


# config.exchange -> function(mask (units, inputs), shape of an image, draw) -> another mask
EXCHANGES = {
    "none": lambda mask, shape, draw: mask,
    "clones": lambda mask, shape, draw: mask,
    "moved": moved,
    "reordered": reordered,
    "rewired": lambda mask, shape, draw: connectivity.rewire(mask, draw),
    "in-degrees": in_degrees,
    "random": lambda mask, shape, draw: locality.random_mask(mask, draw),
}
# config.exchange -> the fields in which the run differs whose first mask that is
ELSEWHERE = {"clones": {"clone": "joint"}}
EXCHANGE = Experiment(find, pack_probed, lambda config: 2)
