"""What of a network pruning may touch, how much of it a share is, and what goes with it."""

import collections
from collections.abc import Iterable
from fractions import Fraction

import torch.fx
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from sifting.config import choose
from sifting.training.layers import check_unshared, layers, others

UNPRUNED = (
    _ConvNd,
    nn.RNNBase,
    nn.MultiheadAttention,
    nn.Bilinear,
)  # modules with weights, but Conv2d, Linear


def prunable(model: nn.Module, biases: bool, head: bool = False) -> list[str]:
    """Names of the parameters that pruning may touch: all weights, but those of the output layer.

    biases : whether the biases of those layers, where they have any, are prunable too
    head   : whether the output layer is
    """
    found, there = list(layers(model)), dict(model.named_parameters())
    check_unshared(model, found)
    for name in found:
        if f"{name}.weight".removeprefix(".") not in there:
            raise ValueError(
                f"{name}.weight is no parameter, but computed from others; see training.layers.plain"
            )
    kinds = ("weight", "bias") if biases else ("weight",)
    names = [
        f"{layer}.{kind}".removeprefix(".") for layer in (found if head else found[:-1]) for kind in kinds
    ]
    return [name for name in names if name in there]


def unpruned(model: nn.Module) -> list[str]:
    """Names of weights that a network computes with like those of layers, and that nothing prunes."""
    owners = {name: model.get_submodule(name.rpartition(".")[0]) for name in others(model)}
    return [name for name, module in owners.items() if isinstance(module, UNPRUNED)]


def check_masks(model: nn.Module, masks: dict[str, Tensor]) -> None:
    """Raise ValueError unless masks are of parameters of a network, and of their shapes."""
    there = dict(model.named_parameters())
    for name, mask in masks.items():
        choose("mask", name, there)
        if mask.shape != there[name].shape:
            shapes = " and ".join(str(tuple(some.shape)) for some in (mask, there[name]))
            raise ValueError(f"the mask of {name} and its weights differ in shape: {shapes}")


def integer_part(share: float, count: int) -> int:
    """The integer part of share * count, where the share is the decimal number that it is written as.

    0.29 of 100 is 29. A product of floats is 28.999999999999996 there, and its integer part one too small.
    """
    return int(Fraction(repr(float(share))) * count)


def norms(model: nn.Module) -> dict[str, str]:
    """Names of the weights of convolutions with a batch norm of their own behind them -> its name.

    The batch norm has a scale for each channel, and what the convolution puts out goes nowhere else. They are
    found from the graph of the network.
    Raises ValueError for a network whose graph torch.fx does not trace, if it has such modules at all.
    """
    modules = dict(model.named_modules())
    if not any(isinstance(module, nn.BatchNorm2d) for module in modules.values()):
        return {}
    try:
        nodes = torch.fx.Tracer().trace(model).nodes
    except Exception as error:  # whatever the code of a network says to what is no tensor
        raise ValueError(
            f"the graph of {type(model).__name__} cannot be traced ({error}), so that none sees which batch "
            "norm is behind which convolution; put what depends on values of images into a module of its own"
        ) from None
    calls = collections.Counter(node.target for node in nodes if node.op == "call_module")

    def once(node, kind) -> bool:
        """Whether a node is the only call of a module of that kind."""
        called = isinstance(node, torch.fx.Node) and node.op == "call_module" and calls[node.target] == 1
        return called and isinstance(modules[node.target], kind)

    found = {}
    for node in (node for node in nodes if once(node, nn.BatchNorm2d) and modules[node.target].affine):
        before = node.args[0] if node.args else None
        if once(before, nn.Conv2d) and len(before.users) == 1:
            found[f"{before.target}.weight"] = node.target
    return {f"{name}.weight": found[f"{name}.weight"] for name in modules if f"{name}.weight" in found}


def without_norms(model: nn.Module, names: Iterable[str]) -> str:
    """Which of these weights are of convolutions without such a norm, in words; else an empty string."""
    convolutions = [f"{name}.weight" for name, layer in layers(model).items() if isinstance(layer, nn.Conv2d)]
    if not convolutions:
        return f"{type(model).__name__} has no convolution"
    try:
        there = norms(model)
    except ValueError as error:
        return str(error)
    lacking = [name for name in names if name in convolutions and name not in there]
    return f"{', '.join(lacking)} of {type(model).__name__}: there is none behind" if lacking else ""


def with_norms(model: nn.Module, masks: dict[str, Tensor]) -> dict[str, Tensor]:
    """`masks`, and those of the batch norms behind convolutions.

    A channel without any weights has no scale and no shift either. It then adds exactly 0 to whatever it is
    added to, as if it were not there. Of a network whose graph cannot be seen, none are known.
    """
    try:
        behind = norms(model)
    except ValueError:
        behind = {}
    return masks | {
        f"{norm}.{kind}": masks[conv].flatten(1).any(1)
        for conv, norm in behind.items()
        if conv in masks
        for kind in ("weight", "bias")
    }


def _later(masks: dict[str, Tensor]) -> dict[str, Tensor]:
    first = next(iter(masks)).rpartition(".")[0]
    return {name: mask for name, mask in masks.items() if name.rpartition(".")[0] != first}


LAYERS = {  # function(masks of a network, in its order) -> those of some of its layers
    "convolutions": lambda masks: {name: mask for name, mask in masks.items() if mask.ndim == 4},
    "linear": lambda masks: {name: mask for name, mask in masks.items() if mask.ndim == 2},
    "later": _later,
}
