"""Networks as plain nn.Module; nothing about pruning."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sifting.config import Config, choose


class FCN(nn.Module):
    """Fully connected ReLU network: sizes[0] inputs, hidden layers, sizes[-1] outputs.

    batch_norm "before" normalises the input of every linear layer, the raw image and the head's
    input included (the released code of Pellegrini & Biroli 2022); "after" normalises the output
    of every hidden linear layer; "none" normalises nothing.
    """

    def __init__(self, sizes: list[int], batch_norm: str):
        super().__init__()
        choose("batch_norm", batch_norm, ("before", "after", "none"))
        self.linear = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:]))
        self.before = nn.ModuleList(
            nn.BatchNorm1d(size) if batch_norm == "before" else nn.Identity() for size in sizes[:-1]
        )
        self.after = nn.ModuleList(
            nn.BatchNorm1d(size) if batch_norm == "after" else nn.Identity() for size in sizes[1:-1]
        )

    def preactivation(self, x: Tensor, layer: int = 1) -> Tensor:
        """(images, units): what the linear map of `layer` (1 = first) puts out; any norm before it included."""
        for n in range(layer - 1):
            x = F.relu(self.after[n](self.linear[n](self.before[n](x))))
        return self.linear[layer - 1](self.before[layer - 1](x))

    def forward(self, x: Tensor) -> Tensor:
        """(images, classes) logits of x, (images, inputs)."""
        return self.preactivation(x, len(self.linear))


def fcn(config: Config, shape: tuple[int, ...], classes: int, generator: torch.Generator) -> FCN:
    """An FCN with Glorot-normal weights, N(0, 2 / (inputs + outputs)), and zero biases.

    shape : of one image, (channels, height, width). Source: Pellegrini & Biroli 2022, section 3.
    """
    model = FCN([torch.Size(shape).numel(), *config.widths, classes], config.batch_norm)
    for linear in model.linear:
        nn.init.xavier_normal_(linear.weight, generator=generator)
        nn.init.zeros_(linear.bias)
    return model


BUILDERS = {"fcn": fcn}


def build(config: Config, shape: tuple[int, ...], classes: int, generator: torch.Generator) -> nn.Module:
    """The network that `config` names, initialized from `generator`, on the CPU.

    Raises ValueError for an unknown model, naming the choices.
    """
    choose("model", config.model, BUILDERS)
    return BUILDERS[config.model](config, shape, classes, generator)


def prunable(model: nn.Module, biases: bool) -> list[str]:
    """Names of the parameters that pruning may touch: all weights but those of the output layer.

    biases : whether the biases of those layers are prunable too.
    """
    layers = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    kinds = ("weight", "bias") if biases else ("weight",)
    return [f"{layer}.{kind}" for layer in layers[:-1] for kind in kinds]
