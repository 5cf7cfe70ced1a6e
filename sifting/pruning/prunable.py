"""What of a network pruning may touch, how much of it a share is, and what goes with it."""

from fractions import Fraction

from torch import Tensor, nn


def prunable(model: nn.Module, biases: bool, head: bool = False) -> list[str]:
    """Names of the parameters that pruning may touch: all weights, but those of the output layer.

    biases : whether the biases of those layers, where they have any, are prunable too
    head   : whether the output layer is
    """
    layers = [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    there = dict(model.named_parameters())
    kinds = ("weight", "bias") if biases else ("weight",)
    names = [f"{layer}.{kind}" for layer in (layers if head else layers[:-1]) for kind in kinds]
    return [name for name in names if name in there]


def integer_part(share: float, count: int) -> int:
    """The integer part of share * count, where the share is the decimal number that it is written as.

    0.29 of 100 is 29. A product of floats is 28.999999999999996 there, and its integer part one too small.
    """
    return int(Fraction(repr(float(share))) * count)


def norms(model: nn.Module) -> dict[str, str]:
    """Names of the weights of convolutions with a batch norm of their own behind them -> its name."""
    found = {
        f"{name}.weight": name.replace("conv", "norm")
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d)
    }
    there = {name for name, module in model.named_modules() if isinstance(module, nn.BatchNorm2d)}
    return {conv: norm for conv, norm in found.items() if norm in there}


def with_norms(model: nn.Module, masks: dict[str, Tensor]) -> dict[str, Tensor]:
    """`masks`, and those of the batch norms behind convolutions.

    A channel without any weights has no scale and no shift either. It then adds exactly 0 to whatever it is
    added to, as if it were not there.
    """
    return masks | {
        f"{norm}.{kind}": masks[conv].flatten(1).any(1)
        for conv, norm in norms(model).items()
        if conv in masks
        for kind in ("weight", "bias")
    }
