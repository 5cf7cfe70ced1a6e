"""Several networks of one shape trained together."""

import contextlib
import copy
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from sifting.config import Config, without
from sifting.data import Dataset, Split, class_names
from sifting.training.models import BUILDERS, kind
from sifting.training.reference import batches, loop
from sifting.training.stack import STACKS, Splits, Stack, stacked
from sifting.training.step import Step


def alike(config: Config) -> Config:
    """`config` without all that replicas may differ in: equal ones can be trained together.

    They may differ in settings that stack: in images and labels, how fast they learn, what is pruned.
    Labels may differ, the number of classes may not.
    """
    rewind_step = config.rewind_step if config.retrain == "rest" else 0
    count = len(class_names(config))
    same = without(config, lambda setting: setting.stacks)
    return dataclasses.replace(same, classes=count, rewind_step=rewind_step)


def stackable(configs: list[Config]) -> None:
    """Raise ValueError, naming the fields in which they differ, unless `configs` can be trained together."""
    if not configs:
        raise ValueError("there are no runs to train together")
    kinds = [dataclasses.asdict(alike(config)) for config in configs]
    for name in kinds[0]:
        if len(found := list(dict.fromkeys(kind[name] for kind in kinds))) > 1:
            raise ValueError(f"runs with different {name} do not stack: {', '.join(map(str, found))}")


@contextlib.contextmanager
def tf32():
    """Matrix products on a GPU in TensorFloat-32, several times faster; afterwards as before.

    It has 10 bits of mantissa.
    """
    before = torch.backends.cuda.matmul.fp32_precision
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.fp32_precision = before


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


class Stepper:
    """Takes the steps of several networks at once; see reference.Stepper.

    sums : (2, replicas) loss and accuracy of the batches, added up since they were set to zero

    Raises ValueError for networks and images that do not stack; see stacked and Splits.
    """

    def __init__(
        self,
        models: list[nn.Module],
        masks: list[dict[str, Tensor]],
        data: list[Dataset],
        configs: list[Config],
    ):
        self.stack, self.data, self.configs = stacked([model.train() for model in models]), data, configs
        trained = [some.train for some in data]
        shown = [
            config.batch_size if config.replacement else min(config.batch_size, len(split))
            for split, config in zip(trained, configs)
        ]
        self._step = Step(self.stack, Splits(trained), masks, configs, _same("batch sizes", shown))
        self.sums = self._step.sums

    def stream(self, level: int, steps: int) -> Iterator[tuple]:
        """For each step nothing: its images are drawn into where a captured step finds them."""
        draws = [
            batches(len(some.train), config, steps, level, self.stack.device)
            for some, config in zip(self.data, self.configs)
        ]
        for _ in range(steps):
            torch.stack([next(draw) for draw in draws], 1, out=self._step.index)
            yield ()

    def step(self, rate: float) -> None:
        """One step of every network, each at its own rate, which is constant."""
        self._step()

    def evaluate(self, split: str) -> list[float]:
        """Accuracy of every network, in [0, 1], over the images of that split of its data."""
        return evaluate(self.stack, [getattr(some, split) for some in self.data])

    def write_back(self) -> None:
        """Bring all models up to date."""
        self.stack.unstack()


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
    size : of the stack, with copies of the first replica where there are fewer. Rounding depends on it, and
           on nothing else: neither on what else is in the stack nor on the place in it. On a CPU, this holds
           where the inputs of every linear map are a multiple of four: others are not aligned at every place

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
    calls = {
        done: functools.partial(_call, [some[done] for some in after if done in some])
        for done in set().union(*after)
    }
    curves = loop(Stepper(models, masks, data, configs), configs[0], level, start, calls, progress)
    return [{name: [row[n] for row in rows] for name, rows in curves.items()} for n in range(count)]


def train_one(model, masks, data, config, level=0, start=0, after=None, progress=False, size=1) -> dict:
    """`train` with one replica, in a stack of `size`, called as reference.train is."""
    return train([model], [masks], [data], [config], level, start, [after or {}], progress, size)[0]


def _call(functions: list[Callable]) -> None:
    for function in functions:
        function()


def _same(what: str, values):
    """The one value of all `values`. Raises ValueError where they differ."""
    found = sorted(set(values))
    if len(found) != 1:
        raise ValueError(f"different {what} do not stack: {', '.join(map(str, found))}")
    return found[0]


# --- what engines.Engine asks for


def objection(config: Config, device: str = "cpu") -> str:
    """Why this engine does not train a run, as "with transform none, not rotate", or ""."""
    for field, only in (("transform", "none"), ("schedule", "constant")):
        if (value := getattr(config, field)) != only:
            return f"with {field} {only}, not {value}"
    if config.model in BUILDERS and kind(config.model) in STACKS:
        return ""
    return f"models {', '.join(name for name in BUILDERS if kind(name) in STACKS)}, not {config.model}"


def settle(model: nn.Module, config: Config) -> tuple[int]:
    """The size of the stack: 1, where a run is trained alone."""
    return (1,)


def read(words: Sequence[str]) -> list[int]:
    """The size of the stack, from text. Raises ValueError for all but a whole number above 0."""
    sizes = [int(word) for word in words]
    if len(sizes) > 1 or min(sizes, default=1) < 1:
        raise ValueError(f"a stack has one size, 1 or more, not {' '.join(words)}")
    return sizes
