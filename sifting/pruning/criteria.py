"""Saliency, and which weights go."""

import copy
import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sifting import observables
from sifting.config import choose
from sifting.data import Split
from sifting.pruning.prunable import integer_part, norms
from sifting.training.models import BUILDERS, FCN, ResNet, kind

SNIP_IMAGES = 10_000  # Pellegrini & Biroli 2022

# parameter name -> saliency of each entry; larger = keep. Of size 1 along some axes: entries that differ in
# these alone share one score, and go together
Scores = dict[str, Tensor]
Values = dict[str, Tensor]  # parameter name -> value


@dataclass(frozen=True)
class Cut:
    """What a criterion may look at when weights are to go; it leaves all of it as it is.

    model   : the network whose weights are scored
    masks   : parameter name -> bool, True = kept; pruned entries have a score, too, of no meaning
    images  : training images
    draw    : random numbers
    rewound : the parameters at the rewind point
    initial : function() -> the parameters before any training, made anew
    """

    model: nn.Module
    masks: dict[str, Tensor]
    images: Split | None = None
    draw: torch.Generator | None = None
    rewound: Values = field(default_factory=dict)
    initial: Callable[[], Values] = dict

    @functools.cached_property
    def parameters(self) -> dict[str, nn.Parameter]:
        """The parameters of `model` by their names."""
        return dict(self.model.named_parameters())

    def masked(self) -> nn.Module:
        """A copy of `model` whose pruned weights are 0, in training mode."""
        model = copy.deepcopy(self.model).train()
        with torch.no_grad():
            for name, mask in self.masks.items():
                model.get_parameter(name).mul_(mask)
        return model

    def batch(self, size: int) -> tuple[Tensor, Tensor]:
        """Training images and their classes, drawn with replacement."""
        index = torch.randint(len(self.images), (size,), generator=self.draw, device=self.draw.device)
        return self.images.batch(index.to(self.images.labels.device))


def magnitude(cut: Cut) -> Scores:
    """|w|: keep the large ones. Source: Frankle & Carbin 2019."""
    return {name: cut.parameters[name].detach().abs() for name in cut.masks}


def random(cut: Cut) -> Scores:
    """Uniform numbers: keep any. The null model of every criterion."""
    return {
        name: torch.rand(mask.shape, generator=cut.draw, device=cut.draw.device).to(mask.device)
        for name, mask in cut.masks.items()
    }


def snip(cut: Cut) -> Scores:
    """|dL/dm| = |w dL/dw|: keep what the loss feels, on one batch of SNIP_IMAGES.

    Batch norm takes the statistics of that batch. Source: Lee et al. 2019.
    """
    model = cut.masked()
    weights = [model.get_parameter(name) for name in cut.masks]
    x, y = cut.batch(SNIP_IMAGES)
    loss = F.cross_entropy(model(x.to(weights[0].dtype)), y)
    gradients = torch.autograd.grad(loss, weights)
    return {name: (w * gradient).detach().abs() for name, w, gradient in zip(cut.masks, weights, gradients)}


def synflow(cut: Cut) -> Scores:
    """w dR/dw with R = 1^T |W_L| ... |W_1| 1: keep what carries most of the flow.

    R is what the network without batch norm puts out for an image of ones when every weight is |w|:
    the sum over all paths of the product of |w| along them. In double precision; no image is looked at.
    Source: Tanaka et al. 2020. Differs: biases carry no flow, so they have none.
    """
    layers = [f"linear.{n}.weight" for n in range(len(cut.model.linear))]
    weights = [(cut.parameters[name].detach() * cut.masks.get(name, 1)).double().abs() for name in layers]
    into, out = [weights[0].new_ones(weights[0].shape[1])], [weights[-1].new_ones(len(weights[-1]))]
    for weight in weights[:-1]:
        into.append(weight @ into[-1])
    for weight in weights[:0:-1]:
        out.append(out[-1] @ weight)
    flow = {
        name: after[:, None] * weight * before
        for name, weight, before, after in zip(layers, weights, into, reversed(out))
    }
    return {
        name: flow.get(name, torch.zeros(mask.shape, device=mask.device)) for name, mask in cut.masks.items()
    }


@torch.no_grad()
def cavity(cut: Cut) -> Scores:
    """Minus the cavity score: keep what makes the preactivations of its unit less Gaussian.

    Of every layer, on its inputs in this network, with the batch statistics of SNIP_IMAGES images. Biases,
    and weights of units with fewer than three inputs, change no kurtosis or leave nothing to measure: they
    have 0.
    Source: proposed by Redman et al. 2024, section 4.
    """
    model = cut.masked().double()
    x = cut.batch(SNIP_IMAGES)[0].double()
    scores = {name: torch.zeros(mask.shape, device=mask.device) for name, mask in cut.masks.items()}
    for n, linear in enumerate(model.linear):
        x = model.before[n](x)
        if (name := f"linear.{n}.weight") in cut.masks:
            found = observables.gaussianity.cavity(x, linear.weight.detach())[0]
            scores[name] = -found.nan_to_num_(0).float()
        if n < len(model.linear) - 1:
            x = F.relu(model.after[n](linear(x)))
    return scores


# p of the L_p norm -> that norm of the last axis; L_-inf is the smallest |w|
NORMS = {
    "l1": lambda weights: weights.abs().sum(-1),
    "l2": lambda weights: weights.norm(dim=-1),
    "l-inf": lambda weights: weights.abs().amin(-1),
}
AXES = {"outputs": 0, "inputs": 1}  # of the weights of a layer, (outputs, inputs, ...)


def structured(cut: Cut, norm: str, axis: str) -> Scores:
    """The L_p norm of all weights of an input (or output) of a layer: whole inputs go.

    norm : a name in NORMS, or random: then the score is a random number
    axis : inputs or outputs

    Biases have no scores. Source: Paganini & Forde 2020, along inputs; as torch.nn.utils.prune.ln_structured.
    """
    scores = {}
    for name, mask in ((name, mask) for name, mask in cut.masks.items() if mask.ndim > 1):
        weights = (cut.parameters[name].detach() * mask).movedim(AXES[axis], 0).flatten(1)
        if norm == "random":
            found = torch.rand(len(weights), generator=cut.draw, device=cut.draw.device).to(mask.device)
        else:
            found = NORMS[norm](weights)
        scores[name] = found.view([-1 if n == AXES[axis] else 1 for n in range(mask.ndim)])
    return scores


def slimming(cut: Cut) -> Scores:
    """|gamma| of the batch norm behind each convolution: channels with the smallest scale go, whole.

    Source: network slimming, Liu et al. 2017; differs: training has no penalty on gamma, as in An empirical
    study of a pruning mechanism 2021, A.5.1.
    """
    return {
        conv: cut.parameters[f"{norm}.weight"].detach().abs().view(-1, 1, 1, 1)
        for conv, norm in norms(cut.model).items()
        if conv in cut.masks
    }


@dataclass(frozen=True)
class Criterion:
    """What scores weights, and the class of the networks that it is for."""

    scores: Callable[[Cut], Scores]
    networks: type[nn.Module] = nn.Module

    @property
    def models(self) -> list[str]:
        """Names of the models that it is for."""
        return [name for name in BUILDERS if issubclass(kind(name), self.networks)]


CRITERIA = {
    "magnitude": Criterion(magnitude),
    "random": Criterion(random),
    "snip": Criterion(snip),
    "synflow": Criterion(synflow, FCN),
    "cavity": Criterion(cavity, FCN),
    "slimming": Criterion(slimming, ResNet),
    **{
        f"{norm}-{axis}": Criterion(functools.partial(structured, norm=norm, axis=axis))
        for norm in (*NORMS, "random")
        for axis in AXES
    },
}
# scheme -> kind of layer -> criterion; other layers are not pruned
SCHEMES = {
    "hybrid": {"convolution": "l1-inputs", "linear": "magnitude"},
    "fc-only": {"linear": "magnitude"},
}
KINDS = {2: "linear", 4: "convolution"}  # axes of the weights -> kind of layer


def saliency(criterion: str, cut: Cut) -> Scores:
    """Scores by the criterion, or the scheme, of that name.

    Raises ValueError for an unknown criterion, naming the choices, and for a network that it is not for.
    """
    choose("criterion", criterion, CRITERIA | SCHEMES)
    if criterion in SCHEMES:
        scores = {}
        for layers, name in SCHEMES[criterion].items():
            masks = {layer: mask for layer, mask in cut.masks.items() if KINDS.get(mask.ndim) == layers}
            scores |= saliency(name, dataclasses.replace(cut, masks=masks))
        return scores
    one = CRITERIA[criterion]
    if not isinstance(cut.model, one.networks):
        raise ValueError(
            f"criterion {criterion} is for networks of class {one.networks.__name__}, "
            f"not {type(cut.model).__name__}"
        )
    return one.scores(cut)


def prune(
    masks: dict[str, Tensor],
    scores: Scores,
    fraction: float,
    scope: str = "layer",
    rounding: str = "down",
) -> dict[str, Tensor]:
    """New masks, inside the old ones: `fraction` of what every pool keeps goes.

    masks    : parameter name -> bool
    scores   : parameter name -> float; the lowest go. Of the mask's shape, or of size 1 along some axes: then
               what shares a score is one thing, kept while any of it is. Parameters without scores stay
    scope    : "layer": a layer's weights and biases are one pool; "global": all are one pool
    rounding : of the number that goes: down, or nearest

    Source: Pellegrini & Biroli 2022, section 3, and their released code (integer part); Paganini & Forde 2020
    (nearest).
    Raises ValueError for a fraction outside [0, 1], and for another scope or rounding.
    """
    choose("scope", scope, ("layer", "global"))
    choose("rounding", rounding, ROUNDING)
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction must be between 0 and 1, not {fraction}")
    pools, new = {}, dict(masks)
    for name in scores:
        pools.setdefault(name.rpartition(".")[0] if scope == "layer" else "", []).append(name)
    for names in pools.values():
        things = [_shared(masks[name], scores[name].shape) for name in names]
        mask, score = (
            torch.cat([some.flatten() for some in many])
            for many in (things, [scores[name] for name in names])
        )
        kept = mask.nonzero().squeeze(1)
        lowest = score[kept].argsort(stable=True)[: ROUNDING[rounding](fraction, len(kept))]
        mask[kept[lowest]] = False
        parts = mask.split([thing.numel() for thing in things])
        new |= {name: masks[name] & part.view(scores[name].shape) for name, part in zip(names, parts)}
    return new


# function(fraction, count), how many go; nearest rounds the product of floats, as torch does
ROUNDING = {"down": integer_part, "nearest": lambda fraction, count: round(fraction * count)}


def _shared(mask: Tensor, shape: torch.Size) -> Tensor:
    """Whether anything is kept of what shares a score, in the shape of the scores."""
    axes = [n for n, (many, one) in enumerate(zip(mask.shape, shape)) if many != one]
    return mask.any(axes, keepdim=True) if axes else mask
