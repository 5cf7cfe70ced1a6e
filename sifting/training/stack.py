"""Networks of one shape as one network, and their images: tensors with a further axis, the replicas."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sifting.data import Images, Split, normalize_
from sifting.training.models import FCN, ConvNet


class Stack:
    """Networks of one shape, of a kind that STACKS knows, trained as one.

    values    : name in the state of a model -> (replicas, *shape): parameters and batch-norm statistics
    gradients : name of a parameter -> (replicas, *shape), filled by `backward`

    Raises ValueError for models that differ in shape.
    """

    def __init__(self, models: list[nn.Module]):
        states = [model.state_dict() for model in models]
        shapes = [{name: tuple(value.shape) for name, value in state.items()} for state in states]
        if odd := [shape for shape in shapes if shape != shapes[0]]:
            raise ValueError(f"networks differ in shape: {shapes[0]} and {odd[0]}")
        first = next(models[0].parameters())
        self.models, self.dtype, self.device = models, first.dtype, first.device
        self.values = {name: torch.stack([state[name] for state in states]) for name in states[0]}
        self.gradients = {
            name: torch.zeros_like(self.values[name]) for name, _ in models[0].named_parameters()
        }
        self.counts = [value for name, value in self.values.items() if name.endswith("num_batches_tracked")]
        for name in self.learned:
            self.values[name].requires_grad_()

    @property
    def learned(self) -> list[str]:
        """Names of the parameters whose gradients autograd finds."""
        return list(self.gradients)

    def forward(self, x: Tensor, training: bool) -> Tensor:
        """(images, replicas, classes) logits of x, (images, replicas, inputs); as the model's own."""
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.models)

    def replica(self, number: int) -> nn.ParameterList:
        """Parameters and gradients of one replica, as views: what is done to them is done to the stack."""
        parameters = nn.ParameterList(self.values[name].detach()[number] for name in self.gradients)
        for parameter, gradient in zip(parameters, self.gradients.values()):
            parameter.grad = gradient[number]
        return parameters

    def backward(self, loss: Tensor) -> None:
        """Fill `gradients` with those of `loss`, a scalar that `forward` led to."""
        found = torch.autograd.grad(loss, [self.values[name] for name in self.learned])
        torch._foreach_copy_([self.gradients[name] for name in self.learned], found)

    @torch.no_grad()
    def unstack(self) -> None:
        """Copy everything back into the models."""
        for number, model in enumerate(self.models):
            for name, value in model.state_dict().items():
                value.copy_(self.values[name][number])


class FCNs(Stack):
    """FCNs whose linear maps are batched matrix products, with one batch norm over all units."""

    @property
    def learned(self) -> list[str]:
        """All but the weights of linear maps, whose gradients _Linear puts where they stay."""
        return [name for name, value in self.gradients.items() if value.ndim == 2]

    def forward(self, x: Tensor, training: bool) -> Tensor:
        """(images, replicas, classes) logits of x, (images, replicas, inputs); as FCN.forward."""
        depth = len(self.models[0].linear)
        for n in range(depth):
            x = self._linear(f"linear.{n}", self._norm(f"before.{n}", x, training))
            if n < depth - 1:
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


class ConvNets(Stack):
    """ConvNets whose convolutions are one with a group a replica; linear maps are batched products."""

    def forward(self, x: Tensor, training: bool) -> Tensor:
        """(images, replicas, classes) logits of x, (images, replicas, inputs); as ConvNet.forward."""
        model, replicas = self.models[0], len(self)
        x = x.reshape(len(x), replicas * model.shape[0], *model.shape[1:])
        if self.device.type == "cpu":
            x = x.contiguous(memory_format=torch.channels_last)  # a third of the time
        for name, layer in model.named_children():
            if isinstance(layer, nn.Conv2d):
                weight, bias = (self.values[f"{name}.{part}"].flatten(0, 1) for part in ("weight", "bias"))
                x = F.conv2d(x, weight, bias, layer.stride, layer.padding, groups=replicas)
            elif isinstance(layer, nn.Flatten):
                x = x.reshape(len(x), replicas, -1).transpose(0, 1)
            elif isinstance(layer, nn.Linear):
                weight, bias = self.values[f"{name}.weight"], self.values[f"{name}.bias"]
                x = torch.baddbmm(bias[:, None], x, weight.mT)
            else:  # what is done to every map or unit by itself
                x = layer(x)
        return x.transpose(0, 1)


STACKS = {FCN: FCNs, ConvNet: ConvNets}


def stacked(models: list[nn.Module]) -> Stack:
    """A Stack of networks of one kind and shape. Raises ValueError for others."""
    kinds = {type(model) for model in models}
    if len(kinds) > 1 or not kinds <= STACKS.keys():
        names, known = (", ".join(sorted(kind.__name__ for kind in some)) for some in (kinds, STACKS))
        raise ValueError(f"networks of one of the kinds {known} stack, not {names}")
    return STACKS[kinds.pop()](models)


class _Linear(torch.autograd.Function):
    """x @ weight.mT + bias of every replica; the gradient of the weights goes to where it stays.

    x                : (replicas, images, inputs)
    weight, gradient : (replicas, outputs, inputs)
    bias             : (replicas, outputs)

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
        """Normalized images, float32 (images, replicas, pixels), and labels; index : (images, replicas)."""
        index = index + self.start
        parts = zip(self.sources, self.where[index].split(self.shares, 1))
        x = [source.index_select(0, where.flatten()).view(*where.shape, -1) for source, where in parts]
        return normalize_(torch.cat(x, 1).float(), self.mean, self.scale), self.labels[index]
