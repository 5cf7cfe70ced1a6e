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
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from sifting.config import Config, choose
from sifting.data import Dataset
from sifting.training import linear, norm, sparse, threshold
from sifting.training.linear import Vector
from sifting.training.models import FCN
from sifting.training.reference import loop
from sifting.training.units import Units


def onednn(a: Tensor, b: Tensor) -> Tensor:
    """a @ b by oneDNN; what it does not do, by torch.mm."""
    if a.dtype != torch.float32 or 0 in (*a.shape, *b.shape):
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
        self.product = product
        self.mask = torch.ones(0, len(inputs), dtype=torch.bool) if self.kept is None else self.kept

    def bind(self, values: Tensor, grads: Tensor) -> None:
        """See linear.Dense.bind."""
        super().bind(values, grads)
        self.scaled = values.new_empty(self.outputs.computed, self.inputs.computed)

    def forward(self, h: Tensor, scale: Vector, shift: Vector, bias: Tensor) -> tuple[Tensor, Tensor]:
        """See linear.Dense.forward."""
        offset = torch.empty_like(bias)
        _call("fold_dense", self.weight, scale, shift, bias, self.scaled, offset)
        rows = self.outputs.computed
        return self.product(self.scaled, h).add_(offset[:rows, None]), offset[rows:]

    def backward(self, d: Tensor, h: Tensor, scale: Vector, shift: Vector, db: Tensor):
        """See linear.Dense.backward."""
        dscale, dshift = db.new_empty(2, len(self.inputs))
        slopes = self.product(d, h[: self.inputs.active].T)
        _call("unfold_dense", self.weight, scale, shift, db, slopes, self.mask, self.grad, dscale, dshift)
        return None if scale is None else dscale, None if shift is None else dshift

    def transposed(self, d: Tensor) -> Tensor:
        """See linear.Dense.transposed."""
        return self.product(self.weight[: self.outputs.active, : self.inputs.active].T, d)


class Kept(linear.Sparse):
    """linear.Sparse by compiled loops."""

    def bind(self, values: Tensor, grads: Tensor) -> None:
        """See linear.Sparse.bind."""
        self.weight, self.grad = values, grads
        rows, columns = self.rows[: self.active], self.columns[: self.active]
        self.turn = (columns * len(self.outputs) + rows).argsort()
        self.scaled, self.turned = values[: self.varying].clone(), values[: self.active].clone()
        self.starts = _starts(self.rows[: self.varying], self.outputs.computed)
        self.turned_starts = _starts(columns[self.turn], self.inputs.active)
        self.turned_rows = rows[self.turn].int()
        self.still = values.new_zeros(self.inputs.active)
        self.entries = self.rows.int(), self.columns.int()

    def forward(self, h: Tensor, scale: Vector, shift: Vector, bias: Tensor) -> tuple[Tensor, Tensor]:
        """See linear.Sparse.forward."""
        rows, offset = self.outputs.computed, torch.empty_like(bias)
        _call("fold", *self.entries, self.weight, scale, shift, bias, self.scaled, offset)
        z = h.new_empty(rows, h.shape[1])
        _call("product", self.starts, self.entries[1], self.scaled, offset, h, z)
        return z, offset[rows:]

    def backward(self, d: Tensor, h: Tensor, scale: Vector, shift: Vector, db: Tensor):
        """See linear.Sparse.backward."""
        dscale, dshift = db.new_empty(2, len(self.inputs))
        _call("products", self.starts[: len(d) + 1], self.entries[1], d, h, self.grad)
        _call("unfold", *self.entries, self.weight, scale, shift, db, self.grad, self.active, dscale, dshift)
        return None if scale is None else dscale, None if shift is None else dshift

    def transposed(self, d: Tensor) -> Tensor:
        """See linear.Sparse.transposed."""
        torch.index_select(self.weight[: self.active], 0, self.turn, out=self.turned)
        found = d.new_empty(self.inputs.active, d.shape[1])
        _call("product", self.turned_starts, self.turned_rows, self.turned, self.still, d, found)
        return found


class Norm(norm.Norm):
    """norm.Norm, of which a batch takes one pass each way."""

    def observe(self, h: Tensor, constant: Tensor) -> tuple[Tensor, Tensor]:
        """See norm.Norm.observe."""
        self.offset, self.rstd, self.scale, shift = self.gamma.new_empty(4, len(self.gamma))
        places = self.gamma, self.beta, self.mean, self.var, self.offset, self.rstd, self.scale, shift
        _call("observe", h, constant, self.module.momentum, self.module.eps, *places)
        return self.scale, shift

    def observe_pixels(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """The same of the images, all pixels of them: (inputs, images), in the order of the units."""
        return self.observe(h, h.new_empty(0))

    def backward(self, h: Tensor, d: Tensor | None, dscale: Tensor, dshift: Tensor) -> Tensor | None:
        """See norm.Norm.backward."""
        d = h.new_empty(0, h.shape[1]) if d is None else d
        places = self.offset, self.rstd, self.scale, dscale, dshift, self.dgamma, self.dbeta
        _call("through_norm", h, d, *places)
        return d


class Network(sparse.Network):
    """sparse.Network by compiled loops. product : of dense matrices, a name in PRODUCTS."""

    sparse, norm = Kept, Norm

    def __init__(self, model: FCN, masks: dict[str, Tensor], limits: list[float], product: str = "blas"):
        self.dense = functools.partial(Dense, product=PRODUCTS[product])
        super().__init__(model, masks, limits)

    def _pixels(self, x: Tensor) -> tuple[Tensor, Tensor]:
        units = self.units[0]
        whole = x.new_empty(len(units), len(x))
        _call("turned", x, units.order, whole)
        return whole[: units.computed], whole

    def _backward(self, d: Tensor, trace: list) -> None:
        super()._backward(d.contiguous(), trace)


def _starts(rows: Tensor, count: int) -> Tensor:
    """Where each of `count` rows begins among entries that are sorted by row; and where the last one ends."""
    return torch.searchsorted(rows, torch.arange(count + 1))


def _call(name: str, *arguments) -> None:
    """Call a compiled loop; of None it sees an array of no numbers, of a type that it knows."""
    like = next(one for one in arguments if isinstance(one, Tensor) and one.is_floating_point())
    empty = like.new_empty(0).numpy()
    arrays = [empty if one is None else one.numpy() if isinstance(one, Tensor) else one for one in arguments]
    getattr(kernels(), name)(*arrays)


class Stepper(sparse.Stepper):
    """Takes the steps of a Network; see reference.Stepper."""

    def __init__(self, model: nn.Module, masks: dict[str, Tensor], data: Dataset, config: Config, numbers=()):
        super().__init__(model, masks, data, config, numbers)
        self.velocity = torch.zeros_like(self.network.flat) if config.momentum else None

    def network_of(self, masks: dict[str, Tensor], limits: Sequence) -> Network:
        """What is trained; limits : as the numbers of `train`."""
        product, *limits = limits or settle(self.model, self.config)
        return Network(self.model, masks, limits, product)

    def step(self, x: Tensor, y: Tensor, rate: float) -> None:
        """One step of the optimizer. Pruned weights have no gradients."""
        self.sums += torch.stack(self.network.step(x, y))
        if self.config.optimizer == "sgd":
            flat, config = self.network.flat, self.config
            places = flat.detach(), flat.grad, self.velocity
            _call("descend", *places, rate, config.momentum, config.weight_decay)
        else:
            self.optimizer.param_groups[0]["lr"] = rate
            self.optimizer.step()


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
    if not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
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
