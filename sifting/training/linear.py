"""A linear layer of the sparse engine with its gradients by hand: kept dense, or as a CSR matrix.

Activations lie as (units, images). A layer maps units j that vary with the image n, and units that do
not, whose value is part of the shift:

    z_in = sum_j w_ij (scale_j h_jn + shift_j) + b_i

A batch norm in front of the layer is such a scale and shift (norm.Norm); without one, there is no scale,
and the shift holds the constant units. With d = dL/dz all gradients follow from one product
S_ij = sum_n d_in h_jn, and only its kept entries are needed:

    dL/db_i = sum_n d_in                     dL/dscale_j = sum_i w_ij S_ij
    dL/dw_ij = scale_j S_ij + shift_j db_i   dL/dshift_j = sum_i w_ij db_i

Dense and Sparse have the same interface; `where` are the flat positions, in the weight matrix of the
model, of the values that are trained, and `bind` says where these values and their gradients lie.
"""

import warnings

import torch
from torch import Tensor

from sifting.training.units import Units

Vector = Tensor | None


class Dense:
    """The whole matrix, its rows and columns in the order of the units; the mask holds back gradients."""

    def __init__(self, mask: Tensor, inputs: Units, outputs: Units):
        """mask : (units, inputs), bool, in the model's order."""
        self.inputs, self.outputs = inputs, outputs
        self.where = (outputs.order[:, None] * len(inputs) + inputs.order).flatten()
        self.kept = None if mask.all() else mask.flatten()[self.where].view(mask.shape)

    def bind(self, values: Tensor, grads: Tensor) -> None:
        """Take (len(where),) values and gradients as the storage of this layer."""
        shape = len(self.outputs), len(self.inputs)
        self.weight, self.grad = values.view(shape), grads.view(shape)

    def forward(self, h: Tensor, scale: Vector, shift: Vector, bias: Tensor) -> tuple[Tensor, Tensor]:
        """z of the computed units, (computed, images), and of the constant ones, (constant,)."""
        rows, columns = self.outputs.computed, self.inputs.computed
        weight = self.weight[:rows, :columns]
        offset = bias if shift is None else torch.addmv(bias, self.weight, shift)
        weight = weight if scale is None else weight * scale[:columns]
        return torch.addmm(offset[:rows, None], weight, h), offset[rows:]

    def backward(self, d: Tensor, h: Tensor, scale: Vector, shift: Vector, db: Tensor):
        """Keep the gradient of the weights; return those of scale and shift, (inputs,), or None.

        d : (active, images), dL/dz; db : (units,), dL/db.
        """
        rows, columns = self.outputs.active, self.inputs.active
        product, dscale = d @ h[:columns].T, None
        if scale is not None:
            dscale = db.new_zeros(len(self.inputs))
            dscale[:columns] = (self.weight[:rows, :columns] * product).sum(0)
            product *= scale[:columns]
        if shift is None:
            self.grad[:rows, :columns] = product
        else:
            torch.outer(db, shift, out=self.grad)
            self.grad[:rows, :columns] += product
        if self.kept is not None:
            self.grad *= self.kept
        return dscale, None if shift is None else self.weight.T @ db

    def transposed(self, d: Tensor) -> Tensor:
        """sum_i w_ij d_in: (active inputs, images)."""
        return self.weight[: self.outputs.active, : self.inputs.active].T @ d


class Sparse:
    """Kept entries alone: those between computed units as CSR, then those of constant units.

    Active rows come first.
    """

    def __init__(self, mask: Tensor, inputs: Units, outputs: Units):
        """mask : (units, inputs), bool, in the model's order."""
        self.inputs, self.outputs = inputs, outputs
        rows, columns = mask[outputs.order][:, inputs.order].nonzero().T
        constant = (rows >= outputs.computed) | (columns >= inputs.computed)
        first = constant.long().argsort(stable=True)
        self.rows, self.columns = rows[first].contiguous(), columns[first].contiguous()
        self.where = outputs.order[self.rows] * len(inputs) + inputs.order[self.columns]
        self.varying = int((~constant).sum())
        self.active = int((self.rows[: self.varying] < outputs.active).sum())

    def bind(self, values: Tensor, grads: Tensor) -> None:
        """Take (len(where),) values and gradients as the storage of this layer."""
        self.weight, self.grad = values, grads
        inputs, outputs = self.inputs, self.outputs
        rows, columns = self.rows[: self.varying], self.columns[: self.varying]
        self.scaled = values[: self.varying].clone()
        self.matrix = _csr(rows, columns, self.scaled, (outputs.computed, inputs.computed))
        rows, columns = rows[: self.active], columns[: self.active]
        self.pattern = _csr(rows, columns, values.new_zeros(self.active), (outputs.active, inputs.active))
        self.turn = (columns * len(outputs) + rows).argsort()
        self.turned = values[: self.active].clone()
        self.transpose = _csr(
            columns[self.turn], rows[self.turn], self.turned, (inputs.active, outputs.active)
        )

    def forward(self, h: Tensor, scale: Vector, shift: Vector, bias: Tensor) -> tuple[Tensor, Tensor]:
        """z of the computed units, (computed, images), and of the constant ones, (constant,)."""
        rows = self.outputs.computed
        offset = bias
        if shift is not None:
            offset = bias.index_add(0, self.rows, self.weight * shift.index_select(0, self.columns))
        kept = self.weight[: self.varying]
        if scale is None:
            self.scaled.copy_(kept)
        else:
            torch.mul(kept, scale.index_select(0, self.columns[: self.varying]), out=self.scaled)
        return _product(self.matrix, h).add_(offset[:rows, None]), offset[rows:]

    def backward(self, d: Tensor, h: Tensor, scale: Vector, shift: Vector, db: Tensor):
        """Keep the gradient of the weights; return those of scale and shift, (inputs,), or None.

        d : (active, images), dL/dz; db : (units,), dL/db.
        """
        columns, dscale, dshift = self.columns[: self.active], None, None
        product = self.grad[: self.active]  # of the other entries, the gradient by scale stays 0
        if self.active:
            images = h[: self.inputs.active].T
            torch.sparse.sampled_addmm(self.pattern, d, images, beta=0, out=self.pattern)
            product.copy_(self.pattern.values())
        if scale is not None:
            dscale = _column_sums(self.weight[: self.active] * product, columns, len(self.inputs))
            product *= scale.index_select(0, columns)
        if shift is not None:
            spread = db.index_select(0, self.rows)
            dshift = _column_sums(self.weight * spread, self.columns, len(self.inputs))
            self.grad[self.active :] = 0
            self.grad.addcmul_(spread, shift.index_select(0, self.columns))
        return dscale, dshift

    def transposed(self, d: Tensor) -> Tensor:
        """sum_i w_ij d_in: (active inputs, images)."""
        torch.index_select(self.weight[: self.active], 0, self.turn, out=self.turned)
        return _product(self.transpose, d)


def _csr(rows: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    """A CSR matrix over `values` themselves, sorted by row."""
    starts = torch.searchsorted(rows, torch.arange(shape[0] + 1))
    with warnings.catch_warnings():  # that CSR is in beta
        warnings.simplefilter("ignore", UserWarning)
        return torch.sparse_csr_tensor(starts, columns, values, shape, check_invariants=False)


def _product(matrix: Tensor, h: Tensor) -> Tensor:
    """matrix @ h; torch's own kernel, which is faster here than MKL's behind `@`."""
    if matrix._nnz() == 0:
        return h.new_zeros(matrix.shape[0], h.shape[1])
    return torch.sparse.mm(matrix, h, "sum")


def _column_sums(values: Tensor, columns: Tensor, count: int) -> Tensor:
    return values.new_zeros(count).index_add_(0, columns, values)
