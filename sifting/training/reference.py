"""The readable reference loop: every other engine is tested against it."""

import hashlib
from collections.abc import Callable

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
    """The optimizer that `config` names, over all parameters of `model`; `options` are torch's own, as fused."""
    options |= {"lr": config.lr, "weight_decay": config.weight_decay}
    if config.optimizer == "adam":
        return torch.optim.Adam(model.parameters(), **options)
    return torch.optim.SGD(model.parameters(), momentum=config.momentum, **options)


DROPS = (
    0.5,
    0.75,
)  # shares of the steps of a level after which the schedule "drops" divides the learning rate by 10


def learning_rate(config: Config, step: int) -> float:
    """The learning rate of a step, 1 the first, by config.schedule. Source: He et al. 2016."""
    passed = sum(step > part * config.steps for part in DROPS) if config.schedule == "drops" else 0
    return config.lr / 10**passed


def step(model: nn.Module, optimizer: torch.optim.Optimizer, kept: list, x: Tensor, y: Tensor):
    """One optimizer step on the cross-entropy of a batch; then every pruned weight is exactly 0 again.

    kept    : pairs (parameter, mask as float)
    returns : loss, accuracy of the batch, as scalars still on the device
    """
    logits = model(x)
    loss = F.cross_entropy(logits, y)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for parameter, mask in kept:
            parameter.mul_(mask)
        return loss.detach(), (logits.argmax(1) == y).float().mean()


def piece(model: nn.Module) -> int:
    """How many images to show `model` at once where nothing is learned: on a CPU few, and fewer still to convolutions, which is up to twice as fast."""
    if next(model.parameters()).device.type != "cpu":
        return 5000
    return 100 if any(isinstance(layer, nn.Conv2d) for layer in model.modules()) else 500


@torch.no_grad()
def evaluate(model: nn.Module, split: Split, chunk: int = 0) -> float:
    """Accuracy in [0, 1] over all images of `split`, `chunk` at once (0: `piece`); the model is left in evaluation mode."""
    model.eval()
    right = 0
    for index in torch.arange(len(split), device=split.labels.device).split(chunk or piece(model)):
        x, y = split.batch(index)
        right += int((model(x).argmax(1) == y).sum())
    return right / len(split)


def evaluation_steps(config: Config) -> list[int]:
    """Optimizer steps after which accuracy is measured: config.evaluations of them, evenly spaced, the last included."""
    count = min(config.evaluations, config.steps)
    return [round(config.steps * (n + 1) / count) for n in range(count)]


def train(
    model: nn.Module,
    masks: dict[str, Tensor],
    data: Dataset,
    config: Config,
    level: int = 0,
    start: int = 0,
    after: dict[int, Callable] | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Train `model` in place from step `start` to config.steps under `masks`.

    masks    : parameter name -> bool, True = kept; other parameters train freely
    after    : optimizer step -> what to call, without arguments, once that many steps are done
    returns  : curves over the evaluation_steps after `start`: train_loss and
               train_accuracy (means over the batches since the last), val_accuracy, test_accuracy

    Source: Pellegrini & Biroli 2022, section 3.
    """
    device = next(model.parameters()).device
    after = after or {}
    optimizer = make_optimizer(model, config)
    parameters = dict(model.named_parameters())
    kept = [(parameters[name], mask.float()) for name, mask in masks.items() if not mask.all()]
    with torch.no_grad():
        for parameter, mask in kept:
            parameter.mul_(mask)

    curves = {name: [] for name in ("train_loss", "train_accuracy", "val_accuracy", "test_accuracy")}
    stops = [stop for stop in evaluation_steps(config) if stop > start]
    sums = torch.zeros(2, device=device)
    since = 0
    bar = tqdm(
        total=config.steps - start, desc=f"level {level}", leave=False, disable=not progress, unit="step"
    )
    if start in after:
        after[start]()
    model.train()
    for done, index in enumerate(
        batches(len(data.train), config, config.steps - start, level, device), start + 1
    ):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, done)
        sums += torch.stack(step(model, optimizer, kept, *data.train.batch(index)))
        since += 1
        if done in after:
            after[done]()
        if done in stops:
            loss, accuracy = (sums / since).tolist()
            curves["train_loss"].append(loss)
            curves["train_accuracy"].append(accuracy)
            curves["val_accuracy"].append(evaluate(model, data.val))
            curves["test_accuracy"].append(evaluate(model, data.test))
            model.train()
            bar.set_postfix(loss=f"{loss:.3f}", val=f"{curves['val_accuracy'][-1]:.3f}", refresh=False)
            sums.zero_()
            since = 0
        bar.update()
    bar.close()
    return curves
