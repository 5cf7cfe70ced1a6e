"""Networks as plain nn.Module; nothing about pruning."""

import collections
import functools
import itertools

import torch
import torch.fx
from torch import Tensor, nn
from torch.nn import functional as F

from sifting.config import Config, choose
from sifting.config.own import CODE, is_own
from sifting.training import own


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
        """(images, units): what the linear map of `layer` (1 = first) puts out, after any norm before it."""
        for n in range(layer - 1):
            x = F.relu(self.after[n](self.linear[n](self.before[n](x))))
        return self.linear[layer - 1](self.before[layer - 1](x))

    def forward(self, x: Tensor) -> Tensor:
        """(images, classes) logits of x, (images, inputs)."""
        return self.preactivation(x, len(self.linear))


def _innermost(x: Tensor) -> Tensor:
    """Images with their channels innermost in memory on a CPU: convolutions then take half of the time."""
    return x.contiguous(memory_format=torch.channels_last) if x.device.type == "cpu" else x


torch.fx.wrap("_innermost")  # it looks at the images: a graph of a network has it as it is


class ConvNet(nn.Sequential):
    """Convolutions and linear maps one after another, by their names: conv1, conv2, ..., fc1, fc2, ...

    shape     : of one image, (channels, height, width)
    layers    : name -> module
    innermost : how images lie in memory, see _innermost
    """

    def __init__(self, shape: tuple[int, ...], layers: dict[str, nn.Module]):
        super().__init__(collections.OrderedDict(layers))
        self.shape, self.innermost = tuple(shape), False

    def forward(self, x: Tensor) -> Tensor:
        """(images, classes) logits of x, (images, inputs)."""
        x = x.unflatten(-1, self.shape)
        return super().forward(_innermost(x) if self.innermost else x)


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
    """Two 3 x 3 convolutions of 6 and 16 channels, and linear maps to 120, 84 and `classes` units.

    Behind each convolution stand 2 x 2 maxima and ReLU.
    59,838 weights on images of 28 x 28. Source: Paganini & Forde 2020, and their released code.
    """
    convolutions = [(6, 3, 1, 0, True), (16, 3, 1, 0, True)]
    return _convnet(config, shape, convolutions, 2, 0, (120, 84), classes, generator)


def alexnet(config: Config, shape: tuple[int, ...], classes: int, generator: torch.Generator) -> ConvNet:
    """AlexNet as in torchvision, without dropout; smaller images are enlarged to 64 pixels a side.

    61,100,840 parameters with 3 channels and 1,000 classes. Source: Krizhevsky 2014.
    """
    convolutions = [
        (64, 11, 4, 2, True), (192, 5, 1, 2, True), (384, 3, 1, 1, False), (256, 3, 1, 1, False),
        (256, 3, 1, 1, True),
    ]  # fmt: skip
    return _convnet(config, shape, convolutions, 3, 6, (4096, 4096), classes, generator, 64)


def vgg11(config: Config, shape: tuple[int, ...], classes: int, generator: torch.Generator) -> ConvNet:
    """VGG-11 as in torchvision, without dropout; smaller images are enlarged to 32 pixels a side.

    132,863,336 parameters with 3 channels and 1,000 classes. Weights are He-normal and biases zero, or so
    deep a network without batch norm does not begin to learn. Source: Simonyan & Zisserman 2015,
    configuration A.
    """
    widths = [
        (64, True),
        (128, True),
        (256, False),
        (256, True),
        (512, False),
        (512, True),
        (512, False),
        (512, True),
    ]
    convolutions = [(width, 3, 1, 1, pooled) for width, pooled in widths]
    return _he(_convnet(config, shape, convolutions, 2, 7, (4096, 4096), classes, generator, 32), generator)


def vanilla(config: Config, shape: tuple[int, ...], classes: int, generator: torch.Generator) -> ConvNet:
    """Seven 3 x 3 convolutions of 16 to 64 channels, means over all pixels, and one linear map.

    Maxima follow the third and the fifth convolution. 75,120 weights with 3 channels and 15 classes;
    He-normal, biases zero. Source: An empirical study of a pruning mechanism 2021, A.2.1.
    """
    widths = [(16, False), (16, False), (16, True), (32, False), (32, True), (64, False), (64, False)]
    convolutions = [(width, 3, 1, 1, pooled) for width, pooled in widths]
    model = _he(_convnet(config, shape, convolutions, 2, 1, (), classes, generator), generator)
    model.innermost = True
    return model


class Block(nn.Module):
    """Two 3 x 3 convolutions with batch norm, added to what comes in.

    To fit, what comes in is thinned and padded with zeros, which takes no parameters.
    """

    def __init__(self, before: int, after: int, stride: int):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after)
        self.conv2, self.norm2 = nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after)
        self.stride, self.more = stride, after - before

    def forward(self, x: Tensor) -> Tensor:
        """(images, channels, height, width) of the next block."""
        added = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)), inplace=True)))
        if self.stride > 1 or self.more:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return F.relu(x + added, inplace=True)


class ResNet(nn.Module):
    """A convolution, three groups of Blocks, means over all pixels, and one linear map.

    Each group has half the pixels and twice the channels of the one before.

    shape  : of one image, (channels, height, width)
    width  : channels of the first group
    blocks : in each group
    """

    def __init__(self, shape: tuple[int, ...], classes: int, width: int = 16, blocks: int = 3):
        super().__init__()
        self.shape = tuple(shape)
        self.conv1, self.norm1 = nn.Conv2d(shape[0], width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        widths = [width * 2**group for group in range(3) for _ in range(blocks)]
        self.blocks = nn.Sequential(
            *(
                Block(before, after, 1 + (after > before))
                for before, after in itertools.pairwise([width, *widths])
            )
        )
        self.fc = nn.Linear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """(images, classes) logits of x, (images, inputs)."""
        x = F.relu(self.norm1(self.conv1(_innermost(x.unflatten(-1, self.shape)))), inplace=True)
        return self.fc(self.blocks(x).mean((2, 3)))


def resnet20(config: Config, shape: tuple[int, ...], classes: int, generator: torch.Generator) -> ResNet:
    """ResNet20 for small images, with batch norm.

    Shortcuts between groups have no parameters (option A of the paper). 268,336 weights with 3 channels and
    10 classes; He-normal, biases zero. Source: He et al. 2016, section 4.2.
    """
    return _he(ResNet(shape, classes, max(1, round(16 * config.width))), generator)


def _he(model: nn.Module, generator: torch.Generator) -> nn.Module:
    """`model` with He-normal weights, N(0, 2 / inputs of a unit), and zero biases."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear) and not layer.weight.is_meta:  # torch imports much for it
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
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

    convolutions : of each (channels, kernel, stride, padding, whether maxima follow); channels times
                   config.width
    window       : pixels a side of the maxima, at every second pixel
    grid         : averages a side that the last maps are made into; 0: as they are
    hidden       : units of the linear layers but the last, times config.width
    least        : smaller images are enlarged to as many pixels a side
    ReLU comes behind the maxima, of a quarter as many values: max relu x = relu max x, with equal gradients.
    Raises ValueError for images that are too small.
    """

    def scaled(width):
        return max(1, round(config.width * width))

    layers, channels, sides = {}, shape[0], shape[1:]
    if min(sides) < least:
        layers["enlarge"], sides = nn.Upsample(size=(least, least), mode="bilinear"), (least, least)
    for n, (width, kernel, stride, padding, pooled) in enumerate(convolutions, 1):
        layers[f"conv{n}"] = nn.Conv2d(channels, scaled(width), kernel, stride, padding)
        channels, sides = scaled(width), [(side + 2 * padding - kernel) // stride + 1 for side in sides]
        if pooled:
            layers[f"conv{n}_pool"] = nn.MaxPool2d(window, 2)
            sides = [(side - window) // 2 + 1 for side in sides]
        layers[f"conv{n}_relu"] = nn.ReLU()
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


BUILDERS = {
    "fcn": fcn,
    "lenet": lenet,
    "alexnet": alexnet,
    "vgg11": vgg11,
    "vanilla": vanilla,
    "resnet20": resnet20,
}


def build(config: Config, shape: tuple[int, ...], classes: int, generator: torch.Generator) -> nn.Module:
    """The network that `config` names, initialized from `generator`, on the CPU.

    Raises ValueError for an unknown model, naming the choices, and what own.build raises of one's own.
    """
    if is_own(config.model):
        return own.build(config.model, shape, classes, generator)
    choose("model", config.model, (*BUILDERS, CODE))
    return BUILDERS[config.model](config, shape, classes, generator)


def count(name: str, shape: tuple[int, ...], classes: int) -> int:
    """Number of parameters of the network of that name, at its full size, on images of that shape."""
    with torch.device("meta"):
        model = build(Config(model=name), shape, classes, None)
    return sum(values.numel() for values in model.parameters())


@functools.cache
def skeleton(name: str) -> nn.Module:
    """A network of that name, without values, on images of 64 x 64. Raises ValueError, naming the choices."""
    with torch.device("meta"):
        return build(Config(model=name), (3, 64, 64), 10, None)


def kind(name: str) -> type[nn.Module]:
    """The class of the network of that name. Raises ValueError, naming the choices."""
    return type(skeleton(name))
