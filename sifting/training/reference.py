"""The readable reference: how a step is taken, and the loop around the steps.

Every other engine takes its steps otherwise, within the same loop, and is tested against this one.
"""

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from sifting.config import Config
from sifting.data import Dataset, Split


def generator(config: Config, purpose: str, level: int = 0, device: str = "cpu") -> torch.Generator:
    """Random numbers for one purpose at one level, derived from config.seed alone."""
    digest = hashlib.sha256(f"{config.seed}/{purpose}/{level}".encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:7], "big"))


def batches(size: int, config: Config, steps: int, level: int, device: str):
    """Yield `steps` index tensors, (batch_size,), into `size` images: drawn with replacement, or by epochs.

    Other ones at every level, or always the same (config.reshuffle).
    """
    draw = generator(config, "batches", level if config.reshuffle else 0, device)
    if config.replacement:
        for _ in range(steps):
            yield torch.randint(size, (config.batch_size,), generator=draw, device=device)
        return
    count = min(config.batch_size, size)
    order = torch.empty(0, dtype=torch.int64, device=device)
    for _ in range(steps):
        if len(order) < count:
            order = torch.randperm(size, generator=draw, device=device)
        index, order = order[:count], order[count:]
        yield index


def make_optimizer(model: nn.Module, config: Config, **options) -> torch.optim.Optimizer:
    """The optimizer that `config` names, over all parameters of `model`.

    options : torch's own, as fused=True
    """
    options |= {"lr": config.lr, "weight_decay": config.weight_decay}
    if config.optimizer == "adam":
        return torch.optim.Adam(model.parameters(), **options)
    return torch.optim.SGD(model.parameters(), momentum=config.momentum, **options)


# shares of the steps of a level after which the schedule "drops" divides the learning rate by 10
DROPS = (0.5, 0.75)


def learning_rate(config: Config, step: int) -> float:
    """The learning rate of a step, 1 the first, by config.schedule. Source: He et al. 2016."""
    passed = sum(step > part * config.steps for part in DROPS) if config.schedule == "drops" else 0
    return config.lr / 10**passed


def chunk_size(model: nn.Module) -> int:
    """How many images to show `model` at once where nothing is learned.

    On a CPU few, and fewer still to convolutions, which is up to twice as fast.
    """
    if next(model.parameters()).device.type != "cpu":
        return 5000
    return 100 if any(isinstance(layer, nn.Conv2d) for layer in model.modules()) else 500


@torch.no_grad()
def evaluate(model: nn.Module, split: Split, chunk: int = 0) -> float:
    """Accuracy in [0, 1] over all images of `split`; the model is left in evaluation mode.

    chunk : how many images to show at once; 0: `chunk_size`
    """
    model.eval()
    right = 0
    for index in torch.arange(len(split), device=split.labels.device).split(chunk or chunk_size(model)):
        x, y = split.batch(index)
        right += int((model(x).argmax(1) == y).sum())
    return right / len(split)


def evaluation_steps(config: Config) -> list[int]:
    """Optimizer steps after which accuracy is measured: evenly spaced, the last included."""
    count = min(config.evaluations, config.steps)
    return [round(config.steps * (n + 1) / count) for n in range(count)]


class Stepper:
    """Takes the steps that train a masked network, the plain way.

    An engine that takes them otherwise has another class with these methods and `sums`.

    model   : trained in place; put into training mode
    masks   : parameter name -> bool, True = kept; other parameters train freely
    options : torch's own, of the optimizer, as fused=True
    sums    : (2,) loss and accuracy of the batches, added up since they were set to zero
    """

    def __init__(self, model: nn.Module, masks: dict[str, Tensor], data: Dataset, config: Config, **options):
        self.model, self.data, self.config = model.train(), data, config
        self.optimizer = make_optimizer(model, config, **options)
        parameters = dict(model.named_parameters())
        self.kept = [(parameters[name], mask.float()) for name, mask in masks.items() if not mask.all()]
        self.device = next(model.parameters()).device
        self.sums = torch.zeros(2, device=self.device)
        self.prune()

    def stream(self, level: int, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Images and classes for each of `steps` steps."""
        drawn = batches(len(self.data.train), self.config, steps, level, self.device)
        return map(self.data.train.batch, drawn)

    def step(self, x: Tensor, y: Tensor, rate: float) -> None:
        """One step on the cross-entropy of a batch; then every pruned weight is exactly 0 again."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        logits = self.model(x)
        loss = F.cross_entropy(logits, y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.prune()
        self.sums += torch.stack([loss.detach(), (logits.argmax(1) == y).float().mean()])

    @torch.no_grad()
    def prune(self) -> None:
        """Set every pruned weight to exactly 0."""
        for parameter, mask in self.kept:
            parameter.mul_(mask)

    def evaluate(self, split: str) -> float:
        """Accuracy in [0, 1] over the images of that split, val or test."""
        accuracy = evaluate(self.model, getattr(self.data, split))
        self.model.train()
        return accuracy

    def write_back(self) -> None:
        """Bring the model up to date: nothing to do where the model itself is trained."""


def loop(
    stepper: Stepper,
    config: Config,
    level: int = 0,
    start: int = 0,
    after: dict[int, Callable] | None = None,
    progress: bool = False,
) -> dict[str, list]:
    """Take the steps after `start` up to config.steps, and measure on the way.

    This is what all engines have in common. Arguments are those of `train`.

    returns : curves, as those of `train`; a stepper of several networks makes of each value a list
    """
    curves = {name: [] for name in ("train_loss", "train_accuracy", "val_accuracy", "test_accuracy")}
    after, stops, measured = after or {}, evaluation_steps(config), start

    def pause(done):
        if done in after:
            stepper.write_back()
            after[done]()

    pause(start)
    stream = stepper.stream(level, config.steps - start)
    bar = tqdm(stream, f"level {level}", config.steps - start, leave=False, disable=not progress, unit="step")
    for done, batch in enumerate(bar, start + 1):
        stepper.step(*batch, learning_rate(config, done))
        pause(done)
        if done in stops:
            means = (stepper.sums / (done - measured)).tolist()
            row = *means, stepper.evaluate("val"), stepper.evaluate("test")
            for curve, value in zip(curves.values(), row):
                curve.append(value)
            bar.set_postfix(loss=f"{np.mean(row[0]):.3f}", val=f"{np.mean(row[2]):.3f}", refresh=False)
            stepper.sums.zero_()
            measured = done
    stepper.write_back()
    return curves


def train(
    model: nn.Module,
    masks: dict[str, Tensor],
    data: Dataset,
    config: Config,
    level: int = 0,
    start: int = 0,
    after: dict[int, Callable] | None = None,
    progress: bool = False,
    **options,
) -> dict[str, list[float]]:
    """Train `model` in place from step `start` to config.steps under `masks`.

    masks    : parameter name -> bool, True = kept; other parameters train freely
    after    : optimizer step -> what to call, without arguments, once that many steps are done
    options  : torch's own, of the optimizer, as fused=True
    returns  : curves over the evaluation_steps after `start`: train_loss and
               train_accuracy (means over the batches since the last), val_accuracy, test_accuracy

    Source: Pellegrini & Biroli 2022, section 3.
    """
    return loop(Stepper(model, masks, data, config, **options), config, level, start, after, progress)
