"""A loop on the CPU that grows cheaper as the network grows sparse, to the same results as reference.train.

Layers that are sparse enough (threshold.threshold) compute and train their kept weights alone. Units
that no longer vary with the image are constants, and those that reach no output get no gradients.
"""

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sifting.config import Config
from sifting.data import Dataset
from sifting.training import reference
from sifting.training.linear import Dense, Sparse
from sifting.training.models import FCN
from sifting.training.norm import Norm
from sifting.training.reference import evaluate, loop, make_optimizer
from sifting.training.threshold import threshold
from sifting.training.units import survey


class Network:
    """What trains of a masked FCN, in one flat vector, with a forward and a backward pass by hand.

    Images come as (images, inputs); inside, activations lie as (units, images). A network is
    called like the model, in training or evaluation mode, but a call never touches its statistics.
    """

    dense, sparse, norm = Dense, Sparse, Norm  # what its layers are made of

    def __init__(self, model: FCN, masks: dict[str, Tensor], limits: list[float]):
        """limits : the density of each layer up to which it computes kept weights alone; see `thresholds`."""
        self.model, self.depth, self.steps = model, len(model.linear), 0
        if len(limits) != self.depth:
            raise ValueError(
                f"the sparse engine takes a limit for each of {self.depth} layers, not {len(limits)}"
            )
        weights = [masks.get(f"linear.{n}.weight") for n in range(self.depth)]
        weights = [
            torch.ones_like(linear.weight, dtype=torch.bool) if mask is None else mask
            for mask, linear in zip(weights, model.linear)
        ]
        self.before = isinstance(model.before[0], nn.BatchNorm1d)
        self.after = not self.before and any(isinstance(norm, nn.BatchNorm1d) for norm in model.after)
        self.units = survey(weights, self.before or self.after)
        self.layers = [
            (self.dense if mask.all() or mask.sum() > limit * mask.numel() else self.sparse)(mask, *ends)
            for mask, limit, ends in zip(weights, limits, itertools.pairwise(self.units))
        ]
        self.norms = [
            self.norm(norm, units)
            for norm, units in zip(
                *((model.before, self.units) if self.before else (model.after, self.units[1:]))
            )
            if isinstance(norm, nn.BatchNorm1d)
        ]
        self._pack(masks)

    def _pack(self, masks: dict[str, Tensor]) -> None:
        """Gather what trains into one vector, of which every layer holds views."""
        pieces = [(linear.weight, layer.where) for linear, layer in zip(self.model.linear, self.layers)]
        pieces += [(linear.bias, units.order) for linear, units in zip(self.model.linear, self.units[1:])]
        for norm in self.norms:
            pieces += [(norm.module.weight, norm.units.order), (norm.module.bias, norm.units.order)]
        self.pieces = pieces
        with torch.no_grad():
            self.flat = nn.Parameter(torch.cat([value.flatten()[where] for value, where in pieces]))
        self.flat.grad = torch.zeros_like(self.flat)
        sizes = [len(where) for _, where in pieces]
        values, grads = self.flat.detach().split(sizes), self.flat.grad.split(sizes)
        for layer, *storage in zip(self.layers, values, grads):
            layer.bind(*storage)
        self.biases = values[self.depth : 2 * self.depth]
        self.bias_grads = grads[self.depth : 2 * self.depth]
        kept = [masks.get(f"linear.{n}.bias") for n in range(self.depth)]
        self.bias_masks = [
            None if mask is None or mask.all() else mask[units.order]
            for mask, units in zip(kept, self.units[1:])
        ]
        for n, norm in enumerate(self.norms):
            here = slice(2 * self.depth + 2 * n, 2 * self.depth + 2 * n + 2)
            norm.bind(values[here], grads[here])

    def parameters(self):
        """What an optimizer trains: one vector of all kept weights, biases, gammas and betas."""
        return iter([self.flat])

    @torch.no_grad()
    def write_back(self) -> None:
        """Bring the model's parameters and batch-norm statistics up to date."""
        for (parameter, where), values in zip(
            self.pieces, self.flat.split([len(where) for _, where in self.pieces])
        ):
            parameter.view(-1)[where] = values
        for norm in self.norms:
            norm.write_back(self.steps)
        self.steps = 0

    def eval(self) -> None:
        """Nothing to switch: a call uses the running statistics, `step` those of its batch."""

    def __call__(self, x: Tensor) -> Tensor:
        """(images, classes) logits of x, (images, inputs), by the running statistics."""
        return self._forward(x, training=False)[0].T.contiguous()

    @torch.no_grad()
    def step(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Leave the gradient of the cross-entropy of a batch; return loss and accuracy, as scalars."""
        z, trace = self._forward(x, training=True)
        logits = z.T.contiguous()
        self.steps += 1
        logs = F.log_softmax(logits, 1)
        here = torch.arange(len(y)), y
        loss = -logs[here].mean()
        d = logs.exp()
        d[here] -= 1
        self._backward(d.div_(len(y)).T, trace)
        return loss, (logits.argmax(1) == y).float().mean()

    def _forward(self, x: Tensor, training: bool) -> tuple[Tensor, list]:
        """Logits, (classes, images), and of every layer what its backward pass needs.

        That is input, scale, shift, and preactivation.
        """
        trace, z, constant = [], None, None
        for n, (layer, bias) in enumerate(zip(self.layers, self.biases)):
            scale = shift = None
            if n == 0:
                h, seen = self._pixels(x)
                if self.before:
                    norm = self.norms[0]
                    scale, shift = norm.observe_pixels(seen) if training else norm.recall(x.new_empty(0))
            else:
                if self.after:
                    norm = self.norms[n - 1]
                    gain, level = norm.observe(z, constant) if training else norm.recall(constant)
                    rows = self.units[n].computed
                    h, constant = torch.addcmul(level[:rows, None], gain[:rows, None], z), level[rows:]
                    h, constant = h.relu_(), constant.relu()
                else:
                    h, constant = z.relu_(), constant.relu()
                if self.before:
                    norm = self.norms[n]
                    scale, shift = norm.observe(h, constant) if training else norm.recall(constant)
                elif len(constant):
                    shift = torch.cat([bias.new_zeros(len(self.units[n]) - len(constant)), constant])
            trace.append((h, scale, shift, z))
            z, constant = layer.forward(h, scale, shift, bias)
        return z, trace

    def _backward(self, d: Tensor, trace: list) -> None:
        """Leave the gradients; d = dL/dz of the outputs, (outputs, images)."""
        constant = d.new_zeros(0)  # dL/dz of the constant units
        for n in reversed(range(self.depth)):
            layer, units = self.layers[n], self.units[n]
            h, scale, shift, z = trace[n]
            db = self.bias_grads[n]
            db.zero_()
            torch.sum(d, 1, out=db[: len(d)])
            db[len(db) - len(constant) :] = constant
            dscale, dshift = layer.backward(d, h, scale, shift, db)
            if self.bias_masks[n] is not None:
                db *= self.bias_masks[n]
            if n == 0:
                if self.before:
                    self.norms[0].backward(h, None, dscale, dshift)
                return
            d, constant = layer.transposed(d), d.new_zeros(0)
            h = h[: units.active]
            if self.before:
                d = self.norms[n].backward(h, d, dscale, dshift)
            d = torch.ops.aten.threshold_backward(d, h, 0)
            if self.after:
                d = self._through(n, d, h, z, dshift)
            elif not self.before and shift is not None:
                constant = (dshift * (shift > 0))[units.computed :]

    def _through(self, n: int, d: Tensor, h: Tensor, z: Tensor, dshift: Tensor | None) -> Tensor:
        """From dL/d(what the batch norm of hidden layer n puts out) to dL/d(what it takes in)."""
        norm, units = self.norms[n - 1], self.units[n]
        dscale, dlevel = torch.zeros_like(norm.gamma), torch.zeros_like(norm.beta)
        dscale[: units.active] = (d * z[: units.active]).sum(1)
        dlevel[: units.active] = d.sum(1)
        if dshift is not None:
            dlevel[units.computed :] = (dshift * (norm.beta > 0))[units.computed :]
        return norm.backward(z, d, dscale, dlevel)

    def _pixels(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The inputs that something reads, (read, images), and what a norm is to observe."""
        units, read = self.units[0], x
        if units.computed < len(units):
            read = x.index_select(1, units.order[: units.computed])
        return (read.T.contiguous() if isinstance(self.layers[0], Sparse) else read.T), x


def thresholds(model: FCN, images: int) -> list[float]:
    """Of each layer the density up to which it is faster sparse; `images` : in a batch."""
    return [threshold(*linear.weight.shape, images, linear.weight.dtype) for linear in model.linear]


class Stepper(reference.Stepper):
    """Takes the steps of a Network; see reference.Stepper."""

    def __init__(
        self,
        model: nn.Module,
        masks: dict[str, Tensor],
        data: Dataset,
        config: Config,
        limits: Sequence[float] = (),
    ):
        refuse(model, masks)
        super().__init__(model, masks, data, config)
        self.network = self.network_of(masks, limits)
        self.optimizer = make_optimizer(self.network, config)

    def network_of(self, masks: dict[str, Tensor], limits: Sequence[float]) -> Network:
        """What is trained; limits : as those of `train`."""
        return Network(self.model, masks, limits or thresholds(self.model, self.config.batch_size))

    def step(self, x: Tensor, y: Tensor, rate: float) -> None:
        """One step of the optimizer; the rate is constant. Pruned weights have no gradients."""
        self.sums += torch.stack(self.network.step(x, y))
        self.optimizer.step()

    def evaluate(self, split: str) -> float:
        """Accuracy in [0, 1] over the images of that split, val or test."""
        return evaluate(self.network, getattr(self.data, split), self.config.batch_size)

    def write_back(self) -> None:
        """Bring the model up to date."""
        self.network.write_back()


def train(
    model: nn.Module,
    masks: dict[str, Tensor],
    data: Dataset,
    config: Config,
    level: int = 0,
    start: int = 0,
    after: dict[int, Callable] | None = None,
    progress: bool = False,
    *limits: float,
) -> dict[str, list[float]]:
    """Train `model` in place, as reference.train does, and return the same curves.

    limits : the density of each layer up to which it computes kept weights alone; default: `thresholds`

    The results agree up to rounding, and equal limits give equal bits. With Adam they agree as far as those
    of the reference depend on no rounding: where a gradient is zero by an identity, as that of a bias before
    a batch norm, Adam takes steps of full size after its rounding errors. So it is where a batch norm whose
    beta is exactly 0 follows a dead unit: whether ReLU passes is up to rounding.
    Raises ValueError for models other than models.FCN, and for devices other than the CPU.
    """
    return loop(Stepper(model, masks, data, config, limits), config, level, start, after, progress)


def refuse(model: nn.Module, masks: dict[str, Tensor]) -> None:
    """Raise ValueError, saying why, for what this engine does not train."""
    if not isinstance(model, FCN):
        raise ValueError(f"the sparse engine trains fully connected networks, not {type(model).__name__}")
    if (device := next(model.parameters()).device.type) != "cpu":
        raise ValueError(f"the sparse engine computes on the CPU, and the model is on {device}")
    if unknown := sorted(name for name in masks if not name.startswith("linear.")):
        raise ValueError(f"the sparse engine prunes linear layers, not {', '.join(unknown)}")


# --- what engines.Engine asks for


def objection(config: Config, device: str) -> str:
    """Why this engine does not train a run on that device, as "model fcn, not lenet", or ""."""
    for what, value, only in (
        ("model", config.model, "fcn"),
        ("schedule", config.schedule, "constant"),
        ("on device", device, "cpu"),
    ):
        if value != only:
            return f"{what} {only}, not {value}"
    return ""


def settle(model: FCN, config: Config) -> list[float]:
    """The density up to which each layer is sparse, as measured on this machine."""
    return thresholds(model, config.batch_size)


def read(words: list[str]) -> list[float]:
    """These densities, from text. Raises ValueError for others."""
    limits = [float(word) for word in words]
    if not all(0 <= limit <= 1 for limit in limits):
        raise ValueError(f"densities are between 0 and 1, not {' '.join(words)}")
    return limits
