"""Networks of one shape as one network, and their images: tensors with a further axis, the replicas."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sifting.data import Images, Split, normalize_
from sifting.models import FCN


class Stack:
    """FCNs of one shape whose linear maps are batched matrix products, with one batch norm over all units.

    values    : name in the state of a model -> (replicas, *shape): parameters and batch-norm statistics
    gradients : name of a parameter -> (replicas, *shape), filled by `backward`

    Raises ValueError for what does not stack: other models, shapes or kinds of batch norm.
    """

    def __init__(self, models: list[nn.Module]):
        if odd := {type(model).__name__ for model in models if not isinstance(model, FCN)}:
            raise ValueError(f"only FCNs stack, not {', '.join(sorted(odd))}")
        states = [model.state_dict() for model in models]
        shapes = [{name: tuple(value.shape) for name, value in state.items()} for state in states]
        if odd := [shape for shape in shapes if shape != shapes[0]]:
            raise ValueError(f"networks differ in shape: {shapes[0]} and {odd[0]}")
        self.models, self.depth = models, len(models[0].linear)
        self.dtype, self.device = models[0].linear[0].weight.dtype, models[0].linear[0].weight.device
        self.values = {name: torch.stack([state[name] for state in states]) for name in states[0]}
        self.gradients = {
            name: torch.zeros_like(self.values[name]) for name, _ in models[0].named_parameters()
        }
        self.vectors = [name for name, value in self.gradients.items() if value.ndim == 2]
        self.counts = [value for name, value in self.values.items() if name.endswith("num_batches_tracked")]
        for name in self.vectors:
            self.values[name].requires_grad_()

    def __len__(self) -> int:
        return len(self.models)

    def replica(self, number: int) -> nn.ParameterList:
        """The parameters of one replica with their gradients, as views: what an optimizer does to them is done here."""
        parameters = nn.ParameterList(self.values[name].detach()[number] for name in self.gradients)
        for parameter, gradient in zip(parameters, self.gradients.values()):
            parameter.grad = gradient[number]
        return parameters

    def forward(self, x: Tensor, training: bool) -> Tensor:
        """(images, replicas, classes) logits of x, (images, replicas, inputs); as FCN.forward."""
        for n in range(self.depth):
            x = self._linear(f"linear.{n}", self._norm(f"before.{n}", x, training))
            if n < self.depth - 1:
                x = F.relu(self._norm(f"after.{n}", x, training))
        return x

    def _linear(self, layer: str, x: Tensor) -> Tensor:
        weight, bias = self.values[f"{layer}.weight"], self.values[f"{layer}.bias"]
        return _Linear.apply(x.transpose(0, 1), weight, bias, self.gradients[f"{layer}.weight"]).transpose(
            0, 1
        )

    def _norm(self, layer: str, x: Tensor, training: bool) -> Tensor:
        if f"{layer}.weight" not in self.values:
            return x
        parts = ("running_mean", "running_var", "weight", "bias")
        parts = [self.values[f"{layer}.{part}"].flatten() for part in parts]
        return F.batch_norm(x.flatten(1), *parts, training).view_as(x)

    def backward(self, loss: Tensor) -> None:
        """Fill `gradients` with those of `loss`, a scalar that `forward` led to."""
        found = torch.autograd.grad(loss, [self.values[name] for name in self.vectors])
        torch._foreach_copy_([self.gradients[name] for name in self.vectors], found)

    @torch.no_grad()
    def unstack(self) -> None:
        """Copy everything back into the models."""
        for number, model in enumerate(self.models):
            for name, value in model.state_dict().items():
                value.copy_(self.values[name][number])


class _Linear(torch.autograd.Function):
    """x @ weight.mT + bias of every replica; the gradient of the weights goes to where it stays.

    x, weight, bias, gradient : (replicas, images, inputs), (replicas, outputs, inputs), (replicas, outputs), as weight

    Autograd alone would ask for new memory for it in every step; with hundreds of megabytes that
    takes longer than the products.
    """

    @staticmethod
    def forward(ctx, x, weight, bias, gradient):
        ctx.save_for_backward(x, weight)
        ctx.gradient = gradient
        return torch.baddbmm(bias[:, None], x, weight.mT)

    @staticmethod
    def backward(ctx, dy):
        x, weight = ctx.saved_tensors
        torch.bmm(dy.mT, x, out=ctx.gradient)
        return torch.bmm(dy, weight) if ctx.needs_input_grad[0] else None, None, dy.sum(1), None


class Splits:
    """The same split of every replica's data; replicas may share all of it, the images only, or nothing.

    Raises ValueError where some images are centered by a mean and others are not.
    """

    def __init__(self, splits: list[Split]):
        if len({(split.mean is None, split.scale) for split in splits}) > 1:
            raise ValueError("images normalized by a mean and by themselves do not stack")
        if odd := {type(split.images).__name__ for split in splits if type(split.images) is not Images}:
            raise ValueError(f"{', '.join(sorted(odd)).lower()} images do not stack")
        distinct = list({id(split): split for split in splits}.values())
        starts = dict(zip(map(id, distinct), itertools.accumulate(map(len, distinct), initial=0)))
        self.labels = torch.cat([split.labels for split in distinct])
        self.where = torch.cat([split.images.where for split in distinct])
        self.start = torch.tensor([starts[id(split)] for split in splits], device=self.where.device)
        self.mean = None if splits[0].mean is None else torch.stack([split.mean for split in splits])
        self.scale = splits[0].scale
        sources = [split.images.source for split in splits]
        groups = [list(group) for _, group in itertools.groupby(sources, lambda source: source.data_ptr())]
        self.sources, self.shares = [group[0] for group in groups], [len(group) for group in groups]

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Normalized images, (images, replicas, pixels), float32, and labels, as `index`: (images, replicas)."""
        index = index + self.start
        parts = zip(self.sources, self.where[index].split(self.shares, 1))
        x = [source.index_select(0, where.flatten()).view(*where.shape, -1) for source, where in parts]
        return normalize_(torch.cat(x, 1).float(), self.mean, self.scale), self.labels[index]
