"""The sparse engine on compiled loops: less time for every kept weight, to the results of reference.train.

What sparse.Network does by many operations of torch, the functions of training.kernels do by one each, and
dense products are by oneDNN where that is faster than what torch.mm calls. On AMD's processors it is, twice:
MKL leaves their widest registers alone. Without numba, or without a place to keep what numba compiles, the
engine objects, and `auto` takes the sparse one.
"""

import functools
import importlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from sifting.config import Config, choose
from sifting.data import Dataset, Images, Split
from sifting.training import linear, norm, sparse, threshold
from sifting.training.linear import Vector
from sifting.training.models import FCN
from sifting.training.reference import batches, loop
from sifting.training.units import Units


ONEDNN = hasattr(torch.ops.mkldnn, "_linear_pointwise")  # not in every build of torch


def onednn(a: Tensor, b: Tensor) -> Tensor:
    """a @ b by oneDNN; what it does not do, by torch.mm."""
    if not ONEDNN or a.dtype != torch.float32 or 0 in (*a.shape, *b.shape):
        return a @ b
    return torch.ops.mkldnn._linear_pointwise(a, b.T, None, "none", [], "")


PRODUCTS = {"blas": torch.mm, "onednn": onednn}


@functools.cache
def kernels():
    """The module training.kernels; importing numba takes half a second, and not all need it."""
    return importlib.import_module("sifting.training.kernels")


@functools.cache
def missing() -> str:
    """Why there are no compiled loops here, or ""; the first time, said to who waits."""
    try:
        kernels()
    except Exception as error:  # whatever a broken installation raises
        why = f"{type(error).__name__}: {error}".partition("\n")[0]
        print(f"the engine kept is left out, and sparse trains instead ({why})", file=sys.stderr)
        return why
    return ""


class Dense(linear.Dense):
    """linear.Dense with products of one's choice, and one pass over the matrix each way besides."""

    def __init__(self, mask: Tensor, inputs: Units, outputs: Units, product: Callable = torch.mm):
        super().__init__(mask, inputs, outputs)
        self.product, self.compiled = product, kernels()
        kept = torch.ones(0, len(inputs), dtype=torch.bool) if self.kept is None else self.kept
        self.mask = kept.numpy()

    def bind(self, values: Tensor, grads: Tensor) -> None:
        """See linear.Dense.bind."""
        super().bind(values, grads)
        self.scaled = values.new_empty(self.outputs.computed, self.inputs.computed)
        self.places = self.weight.numpy(), self.grad.numpy(), self.scaled.numpy()

    def forward(self, h: Tensor, scale: Vector, shift: Vector, bias: Tensor) -> tuple[Tensor, Tensor]:
        """See linear.Dense.forward."""
        weight, _, scaled = self.places
        offset, rows = torch.empty_like(bias), self.outputs.computed
        self.compiled.fold_dense(weight, *_arrays(scale, shift, bias), scaled, offset.numpy())
        return self.product(self.scaled, h).add_(offset[:rows, None]), offset[rows:]

    def backward(self, d: Tensor, h: Tensor, scale: Vector, shift: Vector, db: Tensor):
        """See linear.Dense.backward."""
        weight, grad, _ = self.places
        found = db.new_empty(2, len(self.inputs))
        slopes = self.product(d, h[: self.inputs.active].T).numpy()
        vectors = _arrays(scale, shift, db)
        self.compiled.unfold_dense(weight, *vectors, slopes, self.mask, grad, *found.numpy())
        return None if scale is None else found[0], None if shift is None else found[1]

    def transposed(self, d: Tensor) -> Tensor:
        """See linear.Dense.transposed."""
        return self.product(self.weight[: self.outputs.active, : self.inputs.active].T, d)


class Kept(linear.Sparse):
    """linear.Sparse by compiled loops."""

    def bind(self, values: Tensor, grads: Tensor) -> None:
        """See linear.Sparse.bind."""
        self.compiled, self.weight, self.grad = kernels(), values.numpy(), grads.numpy()
        rows, columns = self.rows[: self.active], self.columns[: self.active]
        turn = (columns * len(self.outputs) + rows).argsort()
        self.entries = self.rows.int().numpy(), self.columns.int().numpy()
        self.starts = _starts(self.rows[: self.varying], self.outputs.computed)
        self.turned_starts, self.turn = _starts(columns[turn], self.inputs.active), turn.int().numpy()
        self.turned_rows = rows[turn].int().numpy()
        self.scaled, self.turned = self.weight[: self.varying].copy(), self.weight[: self.active].copy()
        self.still = values.new_zeros(self.inputs.active).numpy()

    def forward(self, h: Tensor, scale: Vector, shift: Vector, bias: Tensor) -> tuple[Tensor, Tensor]:
        """See linear.Sparse.forward."""
        rows, offset = self.outputs.computed, torch.empty_like(bias)
        vectors = *_arrays(scale, shift, bias), self.scaled, offset.numpy()
        self.compiled.fold(*self.entries, self.weight, *vectors)
        z = h.new_empty(rows, h.shape[1])
        self.compiled.product(self.starts, self.entries[1], self.scaled, offset.numpy(), h.numpy(), z.numpy())
        return z, offset[rows:]

    def backward(self, d: Tensor, h: Tensor, scale: Vector, shift: Vector, db: Tensor):
        """See linear.Sparse.backward."""
        found = db.new_empty(2, len(self.inputs))
        self.compiled.products(self.starts[: len(d) + 1], self.entries[1], d.numpy(), h.numpy(), self.grad)
        vectors = *_arrays(scale, shift, db), self.grad, self.active, *found.numpy()
        self.compiled.unfold(*self.entries, self.weight, *vectors)
        return None if scale is None else found[0], None if shift is None else found[1]

    def transposed(self, d: Tensor) -> Tensor:
        """See linear.Sparse.transposed."""
        self.compiled.taken(self.weight, self.turn, self.turned)
        found = d.new_empty(self.inputs.active, d.shape[1])
        self.compiled.product(
            self.turned_starts, self.turned_rows, self.turned, self.still, d.numpy(), found.numpy()
        )
        return found


class Norm(norm.Norm):
    """norm.Norm, of which a batch takes one pass each way."""

    def bind(self, values: tuple[Tensor, Tensor], grads: tuple[Tensor, Tensor]) -> None:
        """See norm.Norm.bind."""
        super().bind(values, grads)
        found = self.gamma.new_empty(4, len(self.gamma))
        self.found, self.last = found, tuple(found.numpy())
        self.places = *_arrays(*values, self.mean, self.var), *self.last
        self.slopes = _arrays(*grads)

    def observe(self, h: Tensor, constant: Tensor) -> tuple[Tensor, Tensor]:
        """See norm.Norm.observe."""
        module = self.module
        kernels().observe(h.numpy(), constant.numpy(), module.momentum, module.eps, *self.places)
        return self.found[2], self.found[3]

    def observe_pixels(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """The same of the images, all pixels of them: (inputs, images), in the order of the units."""
        return self.observe(h, h.new_empty(0))

    def backward(self, h: Tensor, d: Tensor | None, dscale: Tensor, dshift: Tensor) -> Tensor | None:
        """See norm.Norm.backward."""
        d = h.new_empty(0, h.shape[1]) if d is None else d
        kernels().through_norm(*_arrays(h, d), *self.last[:3], *_arrays(dscale, dshift), *self.slopes)
        return d


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
        kernels().peak(*_arrays(z, most, which))
        true = z.gather(0, y[None])[0]
        kernels().slopes(*_arrays(z.exp_(), y, sums))
        self._backward(z, trace)
        return (sums.log_() - true).mean(), (which == y).to(z.dtype).mean()

    def _pixels(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x[: self.units[0].computed], x


def _starts(rows: Tensor, count: int):
    """Where each of `count` rows begins among entries that are sorted by row; and where the last one ends."""
    return torch.searchsorted(rows, torch.arange(count + 1)).numpy()


def _arrays(*tensors: Vector) -> list:
    """Tensors as arrays. In place of None, which has no type, stands an array of no numbers."""
    like = next(one for one in tensors if one is not None)
    return [like[:0].numpy() if one is None else one.numpy() for one in tensors]


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
