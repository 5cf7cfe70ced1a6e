"""What is measured: one step of each loop, and what it is held against.

Functions without a word of what they return make a function to call.
"""

import functools
import itertools

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune as torch_prune
from torch.utils.data import DataLoader, TensorDataset

from sifting import config
from sifting.config import Config
from sifting.data import Dataset, Images, Split, mean_image
from sifting.training import kept, sparse
from sifting.training.models import build
from sifting.training.reference import Stepper, generator
from sifting.training.stack import Splits, stacked
from sifting.training.step import Step

Masks = dict[str, torch.Tensor]
SPREAD = 0.35  # sd of log10 in `uneven`: about as many dead units at 1 % as in the stored laptop runs


def images(side: int, classes: int, count: int = 4000, centered: bool = False) -> Split:
    """Random images, normalized one by one: the speed does not depend on what they show.

    centered : by their mean image instead
    """
    draw = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=draw)
    found = Images(pictures, torch.arange(count))
    labels = torch.randint(0, classes, (count,), generator=draw)
    return Split(found, labels, mean_image(found) if centered else None)


def uneven(shape: tuple[int, int], density: float, spread: float, draw: torch.Generator) -> torch.Tensor:
    """A random mask like those of magnitude pruning.

    In- and out-degrees are log-normal, so that some units are dead.

    spread : sd of log10 of the odds of a row and of a column; 0: every weight is kept with the same odds
    """
    rows, columns = (10 ** (spread * torch.randn(size, generator=draw)) for size in shape)
    odds = torch.outer(rows, columns)
    return torch.rand(shape, generator=draw) < density * odds / odds.mean()


def masks(split: Split, settings: Config, density: float, spread: float = SPREAD, seed: int = 0) -> Masks:
    """An `uneven` mask for the weights of every layer but the last; all of them are kept at density 1."""
    draw, sizes = torch.Generator().manual_seed(seed), _sizes(split, settings)
    return {
        f"linear.{n}.weight": uneven((units, inputs), density, spread, draw)
        if density < 1
        else torch.ones(units, inputs, dtype=torch.bool)
        for n, (inputs, units) in enumerate(zip(sizes, sizes[1:]))
    }


def stepping(kind: type[Stepper], split: Split, settings: Config, classes: int, masks: Masks):
    """A step of a stepper of that kind, its `stepper`, drawing the batch included."""
    data = Dataset("random", split.images.shape, classes, split, split, split)
    model = build(settings, data.shape, classes, generator(settings, "weights"))
    stepper = kind(model, masks, data, settings)
    stream = itertools.chain.from_iterable(stepper.stream(level, 1000) for level in itertools.count())

    def run():
        stepper.step(*next(stream), settings.lr)

    run.stepper = stepper
    return run


# steps of the reference loop, of the sparse engine and of the engine kept
reference, sparsely, keeping = (
    functools.partial(stepping, kind) for kind in (Stepper, sparse.Stepper, kept.Stepper)
)


def together(split: Split, settings: Config, classes: int, count: int, density: float):
    """A step of `count` replicas at once, drawing their batches included."""
    configs = config.seeds(settings, count)
    models = [build(some, split.images.shape, classes, generator(some, "weights")) for some in configs]
    draws = [generator(some, "batches") for some in configs]
    kept = [masks(split, some, density, seed=some.seed) for some in configs]
    step = Step(stacked(models), Splits([split] * count), kept, configs, settings.batch_size)

    def run():
        torch.stack([_batch(split, settings, draw) for draw in draws], 1, out=step.index)
        step()

    return run


def products(split: Split, settings: Config, classes: int):
    """The matrix products of one step and nothing else: forward, weight gradients, input gradients.

    The image needs a gradient only where a batch norm with parameters stands before the first layer.
    """
    sizes = [*_sizes(split, settings), classes]
    inputs = [torch.randn(settings.batch_size, size) for size in sizes]
    weights = [torch.randn(b, a) for a, b in zip(sizes, sizes[1:])]

    def run():
        for n, weight in enumerate(weights):
            inputs[n] @ weight.T
            inputs[n + 1].T @ inputs[n]
            if n or settings.batch_norm == "before":
                inputs[n + 1] @ weight

    return run


def network(split: Split, settings: Config, classes: int) -> nn.Sequential:
    """The network as one would write it without this library."""
    sizes = [*_sizes(split, settings), classes]
    layers = []
    for n, (a, b) in enumerate(zip(sizes, sizes[1:])):
        norm_before, norm_after = (
            settings.batch_norm == "before",
            settings.batch_norm == "after" and n < len(sizes) - 2,
        )
        layers += [nn.BatchNorm1d(a)] * norm_before + [nn.Linear(a, b)] + [nn.BatchNorm1d(b)] * norm_after
        layers += [nn.ReLU()] * (n < len(sizes) - 2)
    return nn.Sequential(*layers)


def loader(split: Split, settings: Config) -> DataLoader:
    """Batches of all images, which are normalized already, by the DataLoader of torch."""
    images = TensorDataset(split.batch(torch.arange(len(split)))[0], split.labels)
    return DataLoader(images, settings.batch_size, shuffle=True, drop_last=True)


def plain(split: Split, settings: Config, classes: int, density: float):
    """What one would write with the libraries alone: DataLoader, torch.nn.utils.prune, SGD."""
    model, batches = network(split, settings, classes), loader(split, settings)
    for layer in [layer for layer in model if isinstance(layer, nn.Linear)][:-1]:
        torch_prune.random_unstructured(layer, "weight", 1 - density)
    optimizer = torch.optim.SGD(model.parameters(), settings.lr, momentum=settings.momentum)

    def endless():
        while True:
            yield from batches

    stream = endless()

    def run():
        x, y = next(stream)
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    return run


def _sizes(split: Split, settings: Config) -> list[int]:
    """Inputs, and units of each hidden layer."""
    return [torch.Size(split.images.shape).numel(), *settings.widths]


def _batch(split: Split, settings: Config, draw: torch.Generator) -> torch.Tensor:
    return torch.randint(len(split), (settings.batch_size,), generator=draw)
