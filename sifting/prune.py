"""Saliency, and which weights go."""

import torch
from torch import Tensor, nn

from sifting.config import choose


def magnitude(model: nn.Module, masks: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    """|w| of every prunable weight: keep the large ones. Source: Frankle & Carbin 2019."""
    parameters = dict(model.named_parameters())
    return {name: parameters[name].detach().abs() for name in masks}


def random(model: nn.Module, masks: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    """Uniform numbers: keep any. The null model of every criterion."""
    return {
        name: torch.rand(mask.shape, generator=generator, device=generator.device).to(mask.device)
        for name, mask in masks.items()
    }


# criterion -> function(model, masks, generator) -> saliency of each weight; larger = keep
CRITERIA = {"magnitude": magnitude, "random": random}


def saliency(criterion: str, model: nn.Module, masks: dict[str, Tensor], generator: torch.Generator):
    """Scores by the criterion of that name, parameter name -> tensor of the parameter's shape.

    Raises ValueError for an unknown criterion, naming the choices.
    """
    choose("criterion", criterion, CRITERIA)
    return CRITERIA[criterion](model, masks, generator)


def prune(masks: dict[str, Tensor], scores: dict[str, Tensor], fraction: float, scope: str = "layer"):
    """New masks, inside the old ones: of every pool exactly int(fraction * kept) kept entries go.

    masks, scores : parameter name -> bool, float of one shape; the lowest scores go
    scope         : "layer": a layer's weights and biases are one pool; "global": all are one pool

    Source: Pellegrini & Biroli 2022, section 3, and their released code (integer part).
    """
    choose("scope", scope, ("layer", "global"))
    pools = {}
    for name in masks:
        pools.setdefault(name.rpartition(".")[0] if scope == "layer" else "", []).append(name)
    new = {}
    for names in pools.values():
        mask = torch.cat([masks[name].flatten() for name in names])
        score = torch.cat([scores[name].flatten() for name in names])
        kept = mask.nonzero().squeeze(1)
        lowest = score[kept].argsort(stable=True)[: int(fraction * len(kept))]
        mask[kept[lowest]] = False
        parts = mask.split([masks[name].numel() for name in names])
        new |= {name: part.view(masks[name].shape) for name, part in zip(names, parts)}
    return new
