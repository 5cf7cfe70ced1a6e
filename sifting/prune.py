"""Saliency, and which weights go."""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sifting import observables
from sifting.config import choose
from sifting.data import Split

SNIP_IMAGES = 10_000  # Pellegrini & Biroli 2022

Scores = dict[str, Tensor]  # parameter name -> saliency of each entry; larger = keep


def magnitude(model: nn.Module, masks: dict[str, Tensor], images: Split, draw: torch.Generator) -> Scores:
    """|w|: keep the large ones. Source: Frankle & Carbin 2019."""
    parameters = dict(model.named_parameters())
    return {name: parameters[name].detach().abs() for name in masks}


def random(model: nn.Module, masks: dict[str, Tensor], images: Split, draw: torch.Generator) -> Scores:
    """Uniform numbers: keep any. The null model of every criterion."""
    return {
        name: torch.rand(mask.shape, generator=draw, device=draw.device).to(mask.device)
        for name, mask in masks.items()
    }


def snip(model: nn.Module, masks: dict[str, Tensor], images: Split, draw: torch.Generator) -> Scores:
    """|dL/dm| = |w dL/dw|: keep what the loss feels, on one batch of SNIP_IMAGES. Source: Lee et al. 2019.

    Batch norm takes the statistics of that batch; the model is left as it was.
    """
    model = copy.deepcopy(model).train()
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, mask in masks.items():
            parameters[name].mul_(mask)
    index = torch.randint(len(images), (SNIP_IMAGES,), generator=draw, device=draw.device)
    x, y = images.batch(index.to(images.labels.device))
    loss = F.cross_entropy(model(x.to(parameters[next(iter(masks))].dtype)), y)
    gradients = torch.autograd.grad(loss, [parameters[name] for name in masks])
    return {name: (parameters[name] * gradient).detach().abs() for name, gradient in zip(masks, gradients)}


def synflow(model: nn.Module, masks: dict[str, Tensor], images: Split, draw: torch.Generator) -> Scores:
    """w dR/dw with R = 1^T |W_L| ... |W_1| 1: keep what carries most of the flow. Source: Tanaka et al. 2020.

    R is what the network without batch norm puts out for an image of ones when every weight is |w|:
    the sum over all paths of the product of |w| along them. In double precision; no image is looked at.
    Differs: biases carry no flow, so they have none. Raises ValueError for other models than FCNs.
    """
    if not hasattr(model, "linear"):
        raise ValueError(f"synflow is for fully connected networks, not {type(model).__name__}")
    layers = [f"linear.{n}.weight" for n in range(len(model.linear))]
    parameters = dict(model.named_parameters())
    weights = [(parameters[name].detach() * masks.get(name, 1)).double().abs() for name in layers]
    into, out = [weights[0].new_ones(weights[0].shape[1])], [weights[-1].new_ones(len(weights[-1]))]
    for weight in weights[:-1]:
        into.append(weight @ into[-1])
    for weight in weights[:0:-1]:
        out.append(out[-1] @ weight)
    flow = {
        name: after[:, None] * weight * before
        for name, weight, before, after in zip(layers, weights, into, reversed(out))
    }
    return {name: flow.get(name, torch.zeros(mask.shape, device=mask.device)) for name, mask in masks.items()}


@torch.no_grad()
def cavity(model: nn.Module, masks: dict[str, Tensor], images: Split, draw: torch.Generator) -> Scores:
    """Minus the cavity score: keep what makes the preactivations of its unit less Gaussian, on SNIP_IMAGES images.

    Of every layer, on its inputs in this network with the batch statistics of those images. Biases, and weights of units
    with fewer than three inputs, change no kurtosis or leave nothing to measure: they have 0.
    Source: proposed by Redman et al. 2024, section 4. Raises ValueError for other models than FCNs.
    """
    if not hasattr(model, "linear"):
        raise ValueError(f"cavity is for fully connected networks, not {type(model).__name__}")
    model = copy.deepcopy(model).double().train()
    parameters = dict(model.named_parameters())
    for name, mask in masks.items():
        parameters[name].mul_(mask)
    index = torch.randint(len(images), (SNIP_IMAGES,), generator=draw, device=draw.device)
    x = images.batch(index.to(images.labels.device))[0].double()
    scores = {name: torch.zeros(mask.shape, device=mask.device) for name, mask in masks.items()}
    for n, linear in enumerate(model.linear):
        x = model.before[n](x)
        if (name := f"linear.{n}.weight") in masks:
            found = observables.cavity(x, linear.weight.detach())[0]
            scores[name] = -found.nan_to_num_(0).float()
        if n < len(model.linear) - 1:
            x = F.relu(model.after[n](linear(x)))
    return scores


# criterion -> function(model, masks, images, draw) -> Scores
CRITERIA = {"magnitude": magnitude, "random": random, "snip": snip, "synflow": synflow, "cavity": cavity}


def saliency(
    criterion: str,
    model: nn.Module,
    masks: dict[str, Tensor],
    images: Split | None,
    draw: torch.Generator | None,
) -> Scores:
    """Scores by the criterion of that name, parameter name -> tensor of the parameter's shape.

    masks  : parameter name -> bool, True = kept; pruned entries have a score too, of no meaning
    images : training images, for criteria that look at some; draw: random numbers, for those that need any

    Raises ValueError for an unknown criterion, naming the choices.
    """
    choose("criterion", criterion, CRITERIA)
    return CRITERIA[criterion](model, masks, images, draw)


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
