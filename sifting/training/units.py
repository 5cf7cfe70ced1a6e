"""Which units of a masked network still do something, and the order in which the sparse engine keeps them."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Units:
    """The units of one layer: first the active ones, then others that are computed, then constant ones.

    order    : (units,), int64, the number that each has in the model
    active   : how many vary with the image and reach an output
    computed : how many are computed image by image; the rest puts out the same for every image
    """

    order: Tensor
    active: int
    computed: int

    def __len__(self) -> int:
        return len(self.order)


def survey(masks: list[Tensor], statistics: bool) -> list[Units]:
    """Units of every layer, the inputs first and the outputs last, of a network with these masks.

    masks      : of each linear layer, (units, inputs), bool
    statistics : whether units that reach no output are computed for the sake of their batch-norm statistics;
                 if not, they count as constant, and what they put out is never used

    A unit varies with the image if it keeps an input that does, and is useful if a useful unit
    keeps it as an input; an input that nothing reads counts as constant. Every input of an active unit is
    active or constant, so that the backward pass needs the active units only.
    """
    varies, useful = [masks[0].any(0)], [torch.ones(len(masks[-1]), dtype=torch.bool)]
    for mask in masks:
        varies.append((mask & varies[-1]).any(1))
    for mask in reversed(masks):
        useful.insert(0, (mask & useful[0][:, None]).any(0))
    layers = []
    for varied, used in zip(varies, useful):
        rank = torch.where(varied & used, 0, torch.where(varied & statistics, 1, 2))
        layers.append(Units(rank.argsort(stable=True), int((rank == 0).sum()), int((rank < 2).sum())))
    outputs = len(masks[-1])
    return [*layers[:-1], Units(torch.arange(outputs), outputs, outputs)]
