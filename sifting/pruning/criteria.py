"""Saliency, and which weights go."""

import copy
import dataclasses
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sifting import observables
from sifting.config import choose
from sifting.data import Split
from sifting.pruning import flow
from sifting.pruning.prunable import LAYERS, check_masks, integer_part, norms, prunable, without_norms
from sifting.training.layers import batch_statistics_, layers, seen
from sifting.training.models import BUILDERS, FCN, skeleton

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
        """A copy of `model` whose pruned weights are 0, with the batch-norm statistics of a batch."""
        model = batch_statistics_(copy.deepcopy(self.model))
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

    R is what the network without norms puts out for an image of ones when every weight is |w|: the sum over
    all paths of the product of |w| along them. In double precision; no image is looked at. It is defined for
    networks that put out twice as much for twice the image, once they have no biases and norms.
    Source: Tanaka et al. 2020. Differs: biases carry no flow, so they have none; norms are left out, where
    there they are in evaluation mode.

    Raises ValueError for another network, and for layers that an image does not pass.
    """
    if isinstance(cut.model, FCN):
        scores = flow.chain(cut.parameters, cut.masks)
    else:
        scores = flow.flow(cut.masked().double().eval(), cut.images.images.shape)
    none = {name: torch.zeros(mask.shape, device=mask.device) for name, mask in cut.masks.items()}
    return {name: scores.get(name, zeros) for name, zeros in none.items()}


@torch.no_grad()
def cavity(cut: Cut) -> Scores:
    """Minus the cavity score: keep what makes the preactivations of its unit less Gaussian.

    Of every layer, on its inputs in this network, with the batch statistics of SNIP_IMAGES images; where
    there are convolutions, whose maps take memory, of a tenth of these, and at one place of each image.
    Biases, and weights of units with fewer than three inputs, change no kurtosis or leave nothing to measure:
    they have 0.
    Source: proposed by Redman et al. 2024, section 4.

    Raises ValueError for layers that an image does not pass, or passes more than once.
    """
    model = cut.masked().double()
    known = layers(model)
    maps = any(isinstance(layer, nn.Conv2d) for layer in known.values())
    x = cut.batch(SNIP_IMAGES // 10 if maps else SNIP_IMAGES)[0].double()
    scores = {name: torch.zeros(mask.shape, device=mask.device) for name, mask in cut.masks.items()}
    names = [name for name in known if f"{name}.weight" in cut.masks]
    for name, rows in seen(model, x, names, cut.draw).items():
        weights = known[name].weight.detach()
        parts = zip(rows, weights.flatten(1).chunk(len(rows)))
        found = torch.cat([observables.gaussianity.cavity(*part)[0] for part in parts])
        scores[f"{name}.weight"] = -found.nan_to_num_(0).float().view(weights.shape)
    return scores


# p of the L_p norm -> that norm of the last axis; L_-inf is the smallest |w|
NORMS = {
    "l1": lambda weights: weights.abs().sum(-1),
    "l2": lambda weights: torch.linalg.vector_norm(weights, dim=-1),
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

    Linear maps have no channels, and no scores.
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
    """What scores weights, and what it is for, where that is not every network.

    scores    : function(cut)
    needs     : what it needs of a network, in words
    objection : function(model, names of weights) -> why it does not score these weights, or an empty string
    """

    scores: Callable[[Cut], Scores]
    needs: str = ""
    objection: Callable[[nn.Module, Iterable[str]], str] = lambda model, names: ""

    @functools.cached_property
    def models(self) -> list[str]:
        """Names of the models that it is for."""
        known = {name: skeleton(name) for name in BUILDERS}
        return [name for name, model in known.items() if not self.objection(model, prunable(model, False))]


CRITERIA = {
    "magnitude": Criterion(magnitude),
    "random": Criterion(random),
    "snip": Criterion(snip),
    "synflow": Criterion(synflow),
    "cavity": Criterion(cavity),
    "slimming": Criterion(slimming, "convolutions with a batch norm of their own behind them", without_norms),
    **{
        f"{norm}-{axis}": Criterion(functools.partial(structured, norm=norm, axis=axis))
        for norm in (*NORMS, "random")
        for axis in AXES
    },
}
# scheme -> layers, by names in LAYERS -> criterion; other layers are not pruned
SCHEMES = {
    "hybrid": {"convolutions": "l1-inputs", "linear": "magnitude"},
    "fc-only": {"linear": "magnitude"},
    "all-but-first": {"later": "magnitude"},
}


def saliency(criterion: str, cut: Cut) -> Scores:
    """Scores by the criterion, or the scheme, of that name.

    Raises ValueError for an unknown criterion and for masks of no parameters, naming the choices; for a
    network, or weights of it, that it does not score, saying what it needs.
    """
    choose("criterion", criterion, CRITERIA | SCHEMES)
    check_masks(cut.model, cut.masks)
    if criterion in SCHEMES:
        scores = {}
        for layers, name in SCHEMES[criterion].items():
            scores |= saliency(name, dataclasses.replace(cut, masks=LAYERS[layers](cut.masks)))
        return scores
    check_criterion(criterion, cut.model, cut.masks)
    return CRITERIA[criterion].scores(cut)


def check_criterion(criterion: str, model: nn.Module, names: Iterable[str]) -> None:
    """Raise ValueError, saying what is needed, for weights of a network that a criterion does not score."""
    one = CRITERIA.get(criterion)
    if one and (why := one.objection(model, list(names))):
        raise ValueError(f"criterion {criterion} needs {one.needs}: {why}")


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
