"""Networks as plain nn.Module; nothing about pruning."""

import collections
import itertools

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


class ConvNet(nn.Sequential):
    """Convolutions and linear maps one after another, by their names: conv1, conv2, ..., fc1, fc2, ...

    shape : of one image, (channels, height, width); layers : name -> module
    """

    def __init__(self, shape: tuple[int, ...], layers: dict[str, nn.Module]):
        super().__init__(collections.OrderedDict(layers))
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        """(images, classes) logits of x, (images, inputs)."""
        return super().forward(x.unflatten(-1, self.shape))


def fcn(config: Config, shape: tuple[int, ...], classes: int, generator: torch.Generator) -> FCN:
    """An FCN with Glorot-normal weights, N(0, 2 / (inputs + outputs)), and zero biases.

    shape : of one image, (channels, height, width). Source: Pellegrini & Biroli 2022, section 3.
    """
    model = FCN([torch.Size(shape).numel(), *config.widths, classes], config.batch_norm)
    for linear in model.linear:
        nn.init.xavier_normal_(linear.weight, generator=generator)
        nn.init.zeros_(linear.bias)
    return model


def lenet(config: Config, shape: tuple[int, ...], classes: int, generator: torch.Generator) -> ConvNet:
    """Two 3 x 3 convolutions of 6 and 16 channels, each with ReLU and 2 x 2 maxima, and 120, 84 and `classes` units.

    59,838 weights on images of 28 x 28. Source: Paganini & Forde 2020, and their released code.
    """
    convolutions = [(6, 3, 1, 0, True), (16, 3, 1, 0, True)]
    return _convnet(config, shape, convolutions, 2, 0, (120, 84), classes, generator)


def alexnet(config: Config, shape: tuple[int, ...], classes: int, generator: torch.Generator) -> ConvNet:
    """AlexNet as in torchvision, without dropout; smaller images are enlarged to 64 pixels a side.

    61,100,840 parameters with 3 channels and 1,000 classes. Source: Krizhevsky 2014.
    """
    convolutions = [
        (64, 11, 4, 2, True), (192, 5, 1, 2, True), (384, 3, 1, 1, False), (256, 3, 1, 1, False), (256, 3, 1, 1, True),
    ]  # fmt: skip
    return _convnet(config, shape, convolutions, 3, 6, (4096, 4096), classes, generator, 64)


def vgg11(config: Config, shape: tuple[int, ...], classes: int, generator: torch.Generator) -> ConvNet:
    """VGG-11 as in torchvision, without dropout; smaller images are enlarged to 32 pixels a side.

    132,863,336 parameters with 3 channels and 1,000 classes. Weights are He-normal and biases zero, or so deep a network
    without batch norm does not begin to learn. Source: Simonyan & Zisserman 2015, configuration A.
    """
    widths = (
        (64, True),
        (128, True),
        (256, False),
        (256, True),
        (512, False),
        (512, True),
        (512, False),
        (512, True),
    )
    convolutions = [(width, 3, 1, 1, pooled) for width, pooled in widths]
    model = _convnet(config, shape, convolutions, 2, 7, (4096, 4096), classes, generator, 32)
    for name, values in model.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(values)
        else:
            nn.init.kaiming_normal_(values, nonlinearity="relu", generator=generator)
    return model


def _convnet(
    config: Config,
    shape: tuple[int, ...],
    convolutions: list[tuple[int, int, int, int, bool]],
    window: int,
    grid: int,
    hidden: tuple[int, ...],
    classes: int,
    generator: torch.Generator,
    least: int = 0,
) -> ConvNet:
    """A ConvNet with torch's own initialization: uniform within 1 / sqrt(inputs of a unit), biases too.

    convolutions : (channels, kernel, stride, padding, whether maxima follow) of each; channels times config.width
    window       : pixels a side of the maxima, at every second pixel
    grid         : averages a side that the last maps are made into; 0: as they are
    hidden       : units of the linear layers but the last, times config.width
    least        : smaller images are enlarged to as many pixels a side

    Raises ValueError for images that are too small.
    """

    def scaled(width):
        return max(1, round(config.width * width))

    layers, channels, sides = {}, shape[0], shape[1:]
    if min(sides) < least:
        layers["enlarge"], sides = nn.Upsample(size=(least, least), mode="bilinear"), (least, least)
    for n, (width, kernel, stride, padding, pooled) in enumerate(convolutions, 1):
        layers[f"conv{n}"] = nn.Conv2d(channels, scaled(width), kernel, stride, padding)
        layers[f"conv{n}_relu"] = nn.ReLU()
        channels, sides = scaled(width), [(side + 2 * padding - kernel) // stride + 1 for side in sides]
        if pooled:
            layers[f"conv{n}_pool"] = nn.MaxPool2d(window, 2)
            sides = [(side - window) // 2 + 1 for side in sides]
    if min(sides) < 1:
        raise ValueError(f"images of {shape[1]} x {shape[2]} are too small for model {config.model}")
    if grid:
        layers["average"], sides = nn.AdaptiveAvgPool2d(grid), (grid, grid)
    layers["flatten"] = nn.Flatten()
    sizes = [channels * sides[0] * sides[1], *map(scaled, hidden), classes]
    for n, (before, after) in enumerate(itertools.pairwise(sizes), 1):
        layers[f"fc{n}"] = nn.Linear(before, after)
        if n < len(sizes) - 1:
            layers[f"fc{n}_relu"] = nn.ReLU()
    for layer in layers.values():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            bound = layer.weight[0].numel() ** -0.5
            for values in (layer.weight, layer.bias):
                nn.init.uniform_(values, -bound, bound, generator)
    return ConvNet(shape, layers)


BUILDERS = {"fcn": fcn, "lenet": lenet, "alexnet": alexnet, "vgg11": vgg11}


def build(config: Config, shape: tuple[int, ...], classes: int, generator: torch.Generator) -> nn.Module:
    """The network that `config` names, initialized from `generator`, on the CPU.

    Raises ValueError for an unknown model, naming the choices.
    """
    choose("model", config.model, BUILDERS)
    return BUILDERS[config.model](config, shape, classes, generator)


def prunable(model: nn.Module, biases: bool, head: bool = False) -> list[str]:
    """Names of the parameters that pruning may touch: all weights, but those of the output layer.

    biases : whether the biases of those layers are prunable too; head : whether the output layer is
    """
    layers = [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    kinds = ("weight", "bias") if biases else ("weight",)
    return [f"{layer}.{kind}" for layer in (layers if head else layers[:-1]) for kind in kinds]


def count(name: str, shape: tuple[int, ...], classes: int) -> int:
    """Number of parameters of the network of that name, at its full size, on images of that shape."""
    with torch.device("meta"):
        model = build(Config(model=name), shape, classes, None)
    return sum(values.numel() for values in model.parameters())
