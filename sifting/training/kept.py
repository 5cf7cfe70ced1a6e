"""The sparse engine on compiled loops: less time for every kept weight, to the results of reference.train.

What sparse.Network does by many operations of torch, the functions of training.kernels do by one each.
Without numba, or without a place to keep what it compiles, the engine objects.
"""

import functools
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from sifting.config import Config, choose
from sifting.data import Dataset, Images, Split
from sifting.training import sparse, threshold
from sifting.training.kept_layers import ONEDNN, PRODUCTS, Dense, Kept, Norm, arrays, kernels
from sifting.training.models import FCN
from sifting.training.reference import batches, loop


@functools.cache
def missing() -> str:
    """Why there are no compiled loops here, or ""; the first time, said to who waits."""
    try:
        kernels()
    except Exception as error:  # whatever a broken installation raises
        why = f"{type(error).__name__}: {error}".partition("\n")[0]
        print(f"no compiled loops here ({why}): engine=sparse trains, in more time", file=sys.stderr)
        return why
    return ""


class Network(sparse.Network):
    """sparse.Network by compiled loops; it takes its steps with images as columns, see `turned`.

    product : of dense matrices, a name in PRODUCTS
    """

    sparse, norm = Kept, Norm

    def __init__(self, model: FCN, masks: dict[str, Tensor], limits: list[float], product: str = "blas"):
        self.dense = functools.partial(Dense, product=PRODUCTS[product])
        super().__init__(model, masks, limits)
        self.order = self.units[0].order.numpy()

    def turned(self, x: Tensor) -> Tensor:
        """Images, (images, inputs), as columns, (inputs, images), the inputs in the order of the units."""
        found = x.new_empty(x.shape[1], len(x))
        kernels().turned(x.numpy(), self.order, found.numpy())
        return found

    def __call__(self, x: Tensor) -> Tensor:
        """(images, classes) logits of x, (images, inputs), by the running statistics."""
        return super().__call__(self.turned(x))

    @torch.no_grad()
    def step(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Leave the gradient of the cross-entropy of a batch; return loss and accuracy, as scalars.

        x : images as columns
        """
        z, trace = self._forward(x, training=True)
        self.steps += 1
        most, which, sums = z.new_empty(len(y)), torch.empty_like(y), z.new_empty(len(y))
        kernels().peak(*arrays(z, most, which))
        true = z.gather(0, y[None])[0]
        kernels().slopes(*arrays(z.exp_(), y, sums))
        self._backward(z, trace)
        return (sums.log_() - true).mean(), (which == y).to(z.dtype).mean()

    def _pixels(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x[: self.units[0].computed], x


class Stepper(sparse.Stepper):
    """Takes the steps of a Network; see reference.Stepper."""

    def __init__(self, model: nn.Module, masks: dict[str, Tensor], data: Dataset, config: Config, numbers=()):
        super().__init__(model, masks, data, config, numbers)
        flat = self.network.flat
        velocity = torch.zeros_like(flat) if config.momentum else flat.new_empty(0)
        self.places = flat.detach().numpy(), flat.grad.numpy(), velocity.detach().numpy()
        self.gather = _gather(data.train, self.network)

    def network_of(self, masks: dict[str, Tensor], limits: Sequence) -> Network:
        """What is trained; limits : as the numbers of `train`."""
        product, *limits = limits or settle(self.model, self.config)
        return Network(self.model, masks, limits, product)

    def stream(self, level: int, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Images, as columns, and classes for each of `steps` steps."""
        return map(self.gather, batches(len(self.data.train), self.config, steps, level, "cpu"))

    def step(self, x: Tensor, y: Tensor, rate: float) -> None:
        """One step of the optimizer. Pruned weights have no gradients."""
        self.sums += torch.stack(self.network.step(x, y))
        if self.config.optimizer == "sgd":
            kernels().descend(*self.places, rate, self.config.momentum, self.config.weight_decay)
        else:
            self.optimizer.step()


def _gather(split: Split, network: Network) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """A function(index) -> Split.batch(index) with images as columns; in one pass where they allow it."""
    if type(split) is not Split or type(split.images) is not Images or split.mean is None:

        def batch(index):
            x, y = split.batch(index)
            return network.turned(x), y

        return batch
    source, where = split.images.source, split.images.where
    pool = torch.as_strided(source, (source.untyped_storage().nbytes(),), (1,), 0).numpy()
    strides = torch.tensor(source.stride())
    places = sum(
        (torch.arange(size) * stride).view(-1, *[1] * (2 - axis))
        for axis, (size, stride) in enumerate(zip(source.shape[1:], source.stride()[1:]))
    ).flatten()[network.units[0].order]
    mean = split.mean[network.units[0].order].numpy()

    def fused(index):
        starts = where[index] * strides[0] + source.storage_offset()
        found = split.mean.new_empty(len(places), len(index))
        kernels().gather(pool, starts.numpy(), places.numpy(), mean, split.scale, found.numpy())
        return found, split.labels[index]

    return fused


def train(
    model: nn.Module,
    masks: dict[str, Tensor],
    data: Dataset,
    config: Config,
    level: int = 0,
    start: int = 0,
    after: dict[int, Callable] | None = None,
    progress: bool = False,
    *numbers: str | float,
) -> dict[str, list[float]]:
    """Train `model` in place, as sparse.train does, and return the same curves.

    numbers : of dense matrices the product, a name in PRODUCTS; and the density of each layer up to which it
              computes kept weights alone; default: `settle`

    Equal numbers give equal bits. Raises ValueError for what sparse.train does not train.
    """
    return loop(Stepper(model, masks, data, config, numbers), config, level, start, after, progress)


# --- what engines.Engine asks for


def objection(config: Config, device: str) -> str:
    """Why this engine does not train a run on that device, as "model fcn, not lenet", or ""."""
    return sparse.objection(config, device) or (f"with numba: {missing()}" if missing() else "")


def settle(model: FCN, config: Config) -> list:
    """The faster of PRODUCTS, and the density up to which each layer is sparse, as measured here."""
    dtype, images = model.linear[0].weight.dtype, config.batch_size
    product = threshold.known("product", fastest)
    kinds, names = (functools.partial(Dense, product=PRODUCTS[product]), Kept), f"kept {product}, "
    limits = (
        threshold.threshold(*linear.weight.shape, images, dtype, kinds, names) for linear in model.linear
    )
    return [product, *limits]


def fastest() -> str:
    """The fastest of PRODUCTS by the clock, in three products as of a layer."""
    if not ONEDNN:
        return "blas"
    weight, h, d = torch.ones(256, 512), torch.ones(512, 200), torch.ones(256, 200)
    times = {name: [] for name in PRODUCTS}
    for _ in range(threshold.REPEATS):  # in turn: all meet the same load
        for name, product in PRODUCTS.items():
            start = time.perf_counter()
            product(weight, h), product(d, h.T), product(weight.T, d)
            times[name].append(time.perf_counter() - start)
    return min(times, key=lambda name: min(times[name]))


def read(words: list[str]) -> list:
    """The product and these densities, from text. Raises ValueError for others."""
    if not words:
        return []
    choose("product", words[0], PRODUCTS)
    return [words[0], *sparse.read(words[1:])]
