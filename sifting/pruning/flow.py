"""How much of the flow through a network goes through each weight, for SynFlow."""

import math

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from sifting.training.layers import layers

NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm, nn.RMSNorm)


def chain(values: dict[str, Tensor], masks: dict[str, Tensor]) -> dict[str, Tensor]:
    """The flow through the weights of an FCN, by products of matrices and vectors.

    values : parameter name -> value; masks : parameter name -> bool, True = kept
    """
    names = [name for name in values if name.startswith("linear.") and name.endswith(".weight")]
    weights = [(values[name].detach() * masks.get(name, 1)).double().abs() for name in names]
    into, out = [weights[0].new_ones(weights[0].shape[1])], [weights[-1].new_ones(len(weights[-1]))]
    for weight in weights[:-1]:
        into.append(weight @ into[-1])
    for weight in weights[:0:-1]:
        out.append(out[-1] @ weight)
    return {
        name: after[:, None] * weight * before
        for name, weight, before, after in zip(names, weights, into, reversed(out))
    }


def flow(model: nn.Module, shape: tuple[int, ...]) -> dict[str, Tensor]:
    """The same of any network, by differentiation.

    model : in double precision and evaluation mode, pruned weights 0; it is changed
    shape : of one image, which it takes as (images, pixels)

    Raises ValueError for a network for which it is not defined.
    """
    known = layers(model)
    for layer in known.values():
        layer.weight.data.abs_()
        if layer.bias is not None:
            layer.bias.data.zero_()
    for module in model.modules():
        if isinstance(module, NORMS):
            module.register_forward_hook(lambda module, given, said: given[0])
    weights = {f"{name}.weight": layer.weight for name, layer in known.items()}
    image = next(iter(weights.values())).new_ones(1, math.prod(shape))
    said = model(image)
    with torch.no_grad():
        twice = model(2 * image)
    if not said.isfinite().all() or not torch.allclose(twice, 2 * said, rtol=1e-9, atol=0):
        raise ValueError(
            "criterion synflow needs a network that puts out twice as much for twice the image, without "
            f"biases and norms, as those of ReLU, maxima, means and sums; {type(model).__name__} does not"
        )
    slopes = torch.autograd.grad(said.sum(), list(weights.values()), allow_unused=True)
    if unused := [name for name, slope in zip(weights, slopes) if slope is None]:
        raise ValueError(f"criterion synflow needs layers that an image passes: not so {', '.join(unused)}")
    return {name: (w * slope).detach() for (name, w), slope in zip(weights.items(), slopes)}
