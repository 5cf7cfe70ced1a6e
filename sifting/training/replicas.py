"""Several networks of one shape trained together; on a GPU, every step is one replay of a CUDA graph."""

import contextlib
import copy
import dataclasses
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import trange

from sifting.config import Config, without
from sifting.data import Dataset, Split, class_names
from sifting.training.reference import batches, evaluation_steps, make_optimizer
from sifting.training.stack import Splits, Stack, stacked


def alike(config: Config) -> Config:
    """`config` without all that replicas may differ in: equal ones can be trained together.

    They may differ in settings that stack: in images and labels, how fast they learn, what is pruned.
    Labels may differ, the number of classes may not.
    """
    rewind_step = config.rewind_step if config.retrain == "rest" else 0
    count = len(class_names(config))
    same = without(config, lambda setting: setting.stacks)
    return dataclasses.replace(same, classes=count, rewind_step=rewind_step)


def objection(config: Config) -> str:
    """Why a run cannot be trained by this engine, as "with transform none, not rotate"; empty where it can."""
    for field, only in (("transform", "none"), ("schedule", "constant")):
        if (value := getattr(config, field)) != only:
            return f"with {field} {only}, not {value}"
    return "models without shortcuts, not resnet20" if config.model == "resnet20" else ""


def accepts(config: Config) -> bool:
    """Whether a run can be trained by this engine at all."""
    return not objection(config)


def stackable(configs: list[Config]) -> None:
    """Raise ValueError, naming the fields in which they differ and must not, unless `configs` can be trained together."""
    if not configs:
        raise ValueError("there are no runs to train together")
    kinds = [dataclasses.asdict(alike(config)) for config in configs]
    for name in kinds[0]:
        if len(found := list(dict.fromkeys(kind[name] for kind in kinds))) > 1:
            raise ValueError(f"runs with different {name} do not stack: {', '.join(map(str, found))}")


@contextlib.contextmanager
def tf32():
    """Matrix products on a GPU in TensorFloat-32, with 10 bits of mantissa and several times faster; as before afterwards."""
    before = torch.backends.cuda.matmul.fp32_precision
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.fp32_precision = before


class Step:
    """One step of all replicas between fixed buffers: reference.step, stacked. Call it after filling `index`.

    index : (batch, replicas), int64, the images of the next step
    sums  : (2, replicas), loss and accuracy summed over the steps since they were set to zero

    On a GPU the step is captured in a CUDA graph, and a call replays it.
    """

    def __init__(
        self, stack: Stack, splits: Splits, masks: list[dict[str, Tensor]], configs: list[Config], batch: int
    ):
        self.stack, self.splits = stack, splits
        self.index = torch.zeros(batch, len(stack), dtype=torch.int64, device=stack.device)
        self.sums = torch.zeros(2, len(stack), device=stack.device)
        self.optimizers = [
            make_optimizer(stack.replica(number), config, fused=True) for number, config in enumerate(configs)
        ]
        self.pruned, self.masks = [], []
        for name in {name: None for some in masks for name in some}:
            value = stack.values[name].detach()
            all_kept = torch.ones_like(value[0], dtype=torch.bool)
            mask = torch.stack([some.get(name, all_kept) for some in masks])
            if not mask.all():
                self.pruned.append(value)
                self.masks.append(mask.to(value.dtype))
        self.prune()
        self._replay = None if stack.device.type == "cpu" else self.capture()

    def __call__(self) -> None:
        """Take the step: captured where there is a CUDA graph, plainly otherwise."""
        self._replay() if self._replay else self.plain()

    def plain(self) -> None:
        """The step itself."""
        x, y = self.splits.batch(self.index)
        logits = self.stack.forward(x.to(self.stack.dtype), training=True)
        # replica after replica, contiguous: then sums over images round alike for every one of them
        logits, y = logits.transpose(0, 1).contiguous(), y.mT
        losses = F.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none").view_as(y).mean(1)
        self.stack.backward(losses.sum())
        for optimizer in self.optimizers:
            optimizer.step()
        self.prune()
        for count in self.stack.counts:
            count += 1
        self.sums += torch.stack([losses.detach(), (logits.argmax(2) == y).float().mean(1)])

    def prune(self) -> None:
        """Set every pruned weight to exactly 0."""
        if self.pruned:
            torch._foreach_mul_(self.pruned, self.masks)

    @torch.no_grad()
    def rehearse(self, times: int = 3) -> None:
        """Take steps and undo them: after that all memory and all libraries that a step needs are there."""
        before = {name: value.clone() for name, value in self.stack.values.items()}
        with torch.enable_grad():
            for _ in range(times):
                self.plain()
        for name, value in self.stack.values.items():
            value.copy_(before[name])
        for optimizer in self.optimizers:
            for state in optimizer.state.values():
                for value in state.values():
                    if value is not None:
                        value.zero_()
        self.sums.zero_()

    def capture(self) -> Callable[[], None] | None:
        """What replays the step as one CUDA graph; None, and a warning, where it cannot be captured.

        Source: https://docs.pytorch.org/docs/stable/notes/cuda.html, "Whole-network capture".
        """
        graph, side = torch.cuda.CUDAGraph(), torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        replay = graph.replay
        with torch.cuda.stream(side):
            self.rehearse()
            for optimizer in self.optimizers:
                optimizer.param_groups[0]["capturable"] = True  # Adam asks for it
            try:
                with torch.cuda.graph(graph, stream=side):
                    self.plain()
            except RuntimeError as error:
                warnings.warn(f"steps are slow, for want of a CUDA graph: {error}", stacklevel=2)
                replay = None
        torch.cuda.current_stream().wait_stream(side)
        return replay


@torch.no_grad()
def evaluate(stack: Stack, splits: list[Split], chunk: int = 5000) -> list[float]:
    """Accuracy of every replica, in [0, 1], over all images of its split; as reference.evaluate.

    Raises ValueError for splits of different size.
    """
    size = _same("numbers of held-out images", [len(split) for split in splits])
    together = Splits(splits)
    right = torch.zeros(len(stack), dtype=torch.int64, device=together.labels.device)
    for index in torch.arange(size, device=right.device).split(max(1, chunk // len(stack))):
        x, y = together.batch(index[:, None].expand(-1, len(stack)))
        right += (stack.forward(x.to(stack.dtype), training=False).argmax(2) == y).sum(0)
    return [count / size for count in right.tolist()]


@tf32()
def train(
    models: list[nn.Module],
    masks: list[dict[str, Tensor]],
    data: list[Dataset],
    configs: list[Config],
    level: int = 0,
    start: int = 0,
    after: list[dict[int, Callable]] | None = None,
    progress: bool = False,
    size: int = 0,
) -> list[dict[str, list[float]]]:
    """reference.train of every replica, all at once: up to rounding, the same models and the same curves.

    models, masks, data, configs, after : of one length; for every replica what reference.train takes
    size : of the stack, with copies of the first replica where there are fewer: rounding depends on it, and on
           nothing else: neither on what else is in the stack nor on the place in it

    Every replica has its own weights, masks, images, learning rate, and batches, drawn as the reference
    draws them. On a GPU, matrix products are in TensorFloat-32.

    Raises ValueError for what does not stack; see `stackable`, stacked and Splits.
    """
    after = after or [{} for _ in models]
    _same(
        "numbers of models, masks, data, configs and after", map(len, (models, masks, data, configs, after))
    )
    stackable(configs)
    count, spare = len(models), max(0, size - len(models))
    models = [*models, *(copy.deepcopy(models[0]) for _ in range(spare))]
    masks, data, configs = ([*some, *some[:1] * spare] for some in (masks, data, configs))
    steps, stack = configs[0].steps, stacked(models)
    trained, val, test = ([getattr(some, split) for some in data] for split in ("train", "val", "test"))
    pairs = list(zip(trained, configs))
    draws = [batches(len(split), config, steps - start, level, stack.device) for split, config in pairs]
    shown = [
        config.batch_size if config.replacement else min(config.batch_size, len(split))
        for split, config in pairs
    ]
    step = Step(stack, Splits(trained), masks, configs, _same("batch sizes", shown))
    names = ("train_loss", "train_accuracy", "val_accuracy", "test_accuracy")
    curves = [{name: [] for name in names} for _ in models]
    stops = [start, *(stop for stop in evaluation_steps(configs[0]) if stop > start)]

    def call(done):
        due = [hooks[done] for hooks in after if done in hooks]
        if due:
            stack.unstack()
        for function in due:
            function()

    call(start)
    label = f"level {level}, {count} replica{'s' * (count > 1)}"
    for done in trange(start + 1, steps + 1, desc=label, leave=False, disable=not progress, unit="step"):
        torch.stack([next(draw) for draw in draws], 1, out=step.index)
        step()
        call(done)
        if done == stops[1]:
            means = (step.sums / (done - stops.pop(0))).tolist()
            rows = zip(*means, evaluate(stack, val), evaluate(stack, test))
            for curve, row in zip(curves, rows):
                for name, value in zip(names, row):
                    curve[name].append(value)
            step.sums.zero_()
    stack.unstack()
    for model in models:
        model.train()
    return curves[:count]


def train_one(model, masks, data, config, level=0, start=0, after=None, progress=False, size=1) -> dict:
    """`train` with one replica, in a stack of `size`, called as reference.train is."""
    return train([model], [masks], [data], [config], level, start, [after or {}], progress, size)[0]


def _same(what: str, values):
    """The one value of all `values`. Raises ValueError where they differ."""
    found = sorted(set(values))
    if len(found) != 1:
        raise ValueError(f"different {what} do not stack: {', '.join(map(str, found))}")
    return found[0]
