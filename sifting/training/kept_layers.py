"""Layers of the engine kept: those of the sparse engine, with few compiled loops for its many operations.

Dense products are by oneDNN where that is faster than what torch.mm calls. On one by AMD it took
half the time.
"""

import functools
import importlib
from collections.abc import Callable

import torch
from torch import Tensor

from sifting.training import linear, norm
from sifting.training.linear import Vector
from sifting.training.units import Units

ONEDNN = hasattr(torch.ops.mkldnn, "_linear_pointwise")  # not in every build of torch


def onednn(a: Tensor, b: Tensor) -> Tensor:
    """a @ b by oneDNN; what it does not do, by torch.mm."""
    if not ONEDNN or a.dtype != torch.float32 or 0 in (*a.shape, *b.shape):
        return a @ b
    if not (b.is_contiguous() or b.T.is_contiguous()):
        b = b.contiguous()  # of a part of a wider array, oneDNN takes a thousand times as long
    return torch.ops.mkldnn._linear_pointwise(a, b.T, None, "none", [], "")


PRODUCTS = {"blas": torch.mm, "onednn": onednn}


@functools.cache
def kernels():
    """The module training.kernels; importing numba takes half a second, and not all need it."""
    return importlib.import_module("sifting.training.kernels")


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
        self.compiled.fold_dense(weight, *arrays(scale, shift, bias), scaled, offset.numpy())
        return self.product(self.scaled, h).add_(offset[:rows, None]), offset[rows:]

    def backward(self, d: Tensor, h: Tensor, scale: Vector, shift: Vector, db: Tensor):
        """See linear.Dense.backward."""
        weight, grad, _ = self.places
        found = db.new_empty(2, len(self.inputs))
        slopes = self.product(d, h[: self.inputs.active].T).numpy()
        vectors = arrays(scale, shift, db)
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
        self.starts = starts(self.rows[: self.varying], self.outputs.computed)
        self.turned_starts, self.turn = starts(columns[turn], self.inputs.active), turn.int().numpy()
        self.turned_rows = rows[turn].int().numpy()
        self.scaled, self.turned = self.weight[: self.varying].copy(), self.weight[: self.active].copy()
        self.still = values.new_zeros(self.inputs.active).numpy()

    def forward(self, h: Tensor, scale: Vector, shift: Vector, bias: Tensor) -> tuple[Tensor, Tensor]:
        """See linear.Sparse.forward."""
        rows, offset = self.outputs.computed, torch.empty_like(bias)
        vectors = *arrays(scale, shift, bias), self.scaled, offset.numpy()
        self.compiled.fold(*self.entries, self.weight, *vectors)
        z = h.new_empty(rows, h.shape[1])
        self.compiled.product(self.starts, self.entries[1], self.scaled, offset.numpy(), h.numpy(), z.numpy())
        return z, offset[rows:]

    def backward(self, d: Tensor, h: Tensor, scale: Vector, shift: Vector, db: Tensor):
        """See linear.Sparse.backward."""
        found = db.new_empty(2, len(self.inputs))
        self.compiled.products(self.starts[: len(d) + 1], self.entries[1], d.numpy(), h.numpy(), self.grad)
        vectors = *arrays(scale, shift, db), self.grad, self.active, *found.numpy()
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
        self.places = *arrays(*values, self.mean, self.var), *self.last
        self.slopes = arrays(*grads)

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
        kernels().through_norm(*arrays(h, d), *self.last[:3], *arrays(dscale, dshift), *self.slopes)
        return d


def starts(rows: Tensor, count: int):
    """Where each of `count` rows begins among entries that are sorted by row; and where the last one ends."""
    return torch.searchsorted(rows, torch.arange(count + 1)).numpy()


def arrays(*tensors: Vector) -> list:
    """Tensors as arrays. In place of None, which has no type, stands an array of no numbers."""
    like = next(one for one in tensors if one is not None)
    return [like[:0].numpy() if one is None else one.numpy() for one in tensors]
