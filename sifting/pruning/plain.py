"""Iterative magnitude pruning on one page.

tickets.find does the same, to the bit, and more; and it is faster.
"""

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from sifting.config import Config
from sifting.data import load
from sifting.pruning.prunable import integer_part, prunable
from sifting.pruning.treatments import rewind_
from sifting.training.models import build
from sifting.training.reference import generator, train


def imp(config: Config) -> Iterator[tuple[dict[str, Tensor], nn.Module, dict[str, list[float]]]]:
    """Train a network; remove its smallest weights, rewind the others, and train again; level by level.

    yields : of every level, the dense network first: masks, parameter name -> bool, True = kept; the network,
             as it is trained under them; and its losses and accuracies on the way, see reference.train

    Of the fields of pruning it reads prune_fraction, levels, scope, rewind_step, prune_biases and prune_head.
    Source: Frankle & Carbin 2019, Frankle et al. 2020; Pellegrini & Biroli 2022, section 3.
    """
    data = load(config)
    model = build(config, data.shape, data.classes, generator(config, "weights"))
    weights = dict(model.named_parameters())
    names = prunable(model, config.prune_biases, config.prune_head)
    masks = {name: torch.ones_like(weights[name], dtype=torch.bool) for name in names}
    early = {}

    def remember():
        early.update({name: values.detach().clone() for name, values in weights.items()})

    yield masks, model, train(model, masks, data, config, after={config.rewind_step: remember})
    for level in range(1, config.levels + 1):
        masks = without_smallest(weights, masks, config.prune_fraction, config.scope)
        rewind_(model, early)
        yield masks, model, train(model, masks, data, config, level)


def without_smallest(
    weights: dict[str, Tensor], masks: dict[str, Tensor], fraction: float, scope: str
) -> dict[str, Tensor]:
    """New masks, without the smallest `fraction` of what is kept.

    It goes from each layer (scope "layer"), whose weights and biases are ranked together; or from all layers
    together ("global").
    """
    layers = itertools.groupby(masks, lambda name: name.rpartition(".")[0])
    pools = [list(masks)] if scope == "global" else [list(names) for _, names in layers]
    new = {}
    for names in pools:
        kept = torch.cat([masks[name].flatten() for name in names])
        sizes = torch.cat([weights[name].detach().abs().flatten() for name in names])
        order = sizes.where(kept, torch.inf).argsort(stable=True)
        kept[order[: integer_part(fraction, int(kept.sum()))]] = False
        parts = kept.split([masks[name].numel() for name in names])
        new |= {name: part.view_as(masks[name]) for name, part in zip(names, parts)}
    return new
