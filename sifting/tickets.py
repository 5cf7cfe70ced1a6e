"""The experiment: train, prune, rewind, again."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from sifting import engines
from sifting.config import Config, apart_from, changed, choose
from sifting.data import Dataset, class_names, load
from sifting.engines import replicas
from sifting.masks import NEVER, alive, at
from sifting.models import BUILDERS, build, prunable
from sifting.packing import Arrays, last_good, pack, pack_masks, pack_network, taken_back
from sifting.prune import CRITERIA, SCHEMES, prune, saliency
from sifting.train import generator
from sifting.treatments import TREATMENTS, rewind_

__all__ = [
    "Run",
    "check",
    "find",
    "find_together",
    "level_count",
    "pack",
    "pack_masks",
    "pack_network",
]


# criterion -> models that it is for, where it is not for all
ONLY = {"synflow": ("fcn",), "cavity": ("fcn",)}


def level_count(config: Config) -> int:
    """Most levels that a run has, the dense one included."""
    return config.levels + 1


def check(config: Config, engine: str = "auto") -> None:
    """Raise ValueError, naming the choices, for a dataset, labels, model, criterion or engine that there is not, and for a field that the model does not read."""
    engines.check(engine, config)
    class_names(config)
    choose("model", config.model, BUILDERS)
    choose("criterion", config.criterion, CRITERIA | SCHEMES)
    if config.model not in (only := ONLY.get(config.criterion, (config.model,))):
        raise ValueError(f"criterion {config.criterion} is for model {', '.join(only)}, not {config.model}")
    for field in ("width",) if config.model == "fcn" else ("widths", "batch_norm"):
        if field in changed(config):
            raise ValueError(f"{field} has no effect on model {config.model}")


def find(
    config: Config,
    device: str = "cpu",
    finished: list[Arrays] = (),
    progress: bool = False,
    engine: str = "auto",
) -> Iterator[Arrays]:
    """Iterative magnitude pruning (or what `config` makes of it), one level after another.

    finished : the records of the levels that are done already; the run goes on after them, to the
               same bits as if it had never stopped, for each level draws from generators of its own
    engine   : what trains, see engines.settle; a run goes on with the engine that it began with
    yields   : for every level its record, see Run.conclude

    The run ends after config.levels prunings, when fewer than config.min_alive of the units of a
    pruned layer keep an input, when a weight is no number any more, or when config.layerwise layers have been
    pruned in turn (Run._take_back).
    Source: Pellegrini & Biroli 2022, section 3; Frankle et al. 2020.
    """
    run = Run(config, load(config, device), device, finished, engine)
    train = engines.loop(run.engine)
    while ready := run.prepare():
        yield run.conclude(train(run.model, ready.masks, run.data, config, run.level, *ready[1:], progress))


def find_together(
    configs: list[Config],
    device: str = "cpu",
    finished: list[list[Arrays]] = (),
    progress: bool = False,
    size: int = 0,
) -> Iterator[list[Arrays | None]]:
    """`find` of several runs at once: all networks of a level are trained together, by engines.replicas.

    finished : for every run the records that it has; the runs that are furthest behind go first
    size     : of the stack, where runs begin: their number if that is larger; a run that goes on keeps its own
    yields   : for every run its next record, or None where it has ended or waits for the others

    Up to rounding, the records are those of `find`; to the bit those of any other runs in a stack of that size.
    Raises ValueError for runs that do not stack.
    """
    replicas.stackable(configs)
    seen = {}  # images and labels that runs have in common are loaded once
    for config in configs:
        if (same := _images_of(config)) not in seen:
            seen[same] = load(config, device)
    finished = finished or [()] * len(configs)
    engine = f"replicas {max(size, len(configs))}"
    runs = [
        Run(config, seen[_images_of(config)], device, done, engine) for config, done in zip(configs, finished)
    ]
    if odd := {run.engine for run in runs if not run.engine.startswith("replicas")}:
        raise ValueError(f"runs that began with the engine {', '.join(sorted(odd))} do not go on together")
    active = list(runs)
    while active:
        level = min(run.level for run in active)
        due = {run: run.prepare() for run in active if run.level == level}
        active = [run for run in active if due.get(run, True)]
        due = {run: ready for run, ready in due.items() if ready}
        if not due:
            continue
        [start] = {ready.start for ready in due.values()}
        curves = replicas.train(
            [run.model for run in due],
            [ready.masks for ready in due.values()],
            [run.data for run in due],
            [run.config for run in due],
            level,
            start,
            [ready.after for ready in due.values()],
            progress,
            max(int(run.engine.split()[1]) for run in due),
        )
        records = {run: run.conclude(curve) for run, curve in zip(due, curves)}
        yield [records.get(run) for run in runs]


def teams(configs: list[Config], most: int = 8) -> list[list[Config]]:
    """`configs` in groups of at most `most` that `find_together` takes, those that do not stack by themselves."""
    groups = {}
    for config in configs:
        batch = (
            () if config.replacement else (config.fraction, config.train_images)
        )  # few images, small batches
        key = (replicas.alike(config), batch) if replicas.accepts(config) else config
        groups.setdefault(key, []).append(config)
    return [group[n : n + most] for group in groups.values() for n in range(0, len(group), most)]


def _images_of(config: Config) -> Config:
    """`config` without what its images and labels do not depend on."""
    shown = {"data_seed", "fraction", "train_images", "labels"}
    return dataclasses.replace(apart_from(config, set(replicas.FREE) - shown), rewind_step=0)


class Ready(NamedTuple):
    """What the next level is trained with; see train.train."""

    masks: dict[str, torch.Tensor]
    start: int
    after: dict[int, Callable]


class Run:
    """One run of the experiment between its levels: whoever trains calls `prepare`, trains, calls `conclude`.

    finished : the records of the levels that are done already
    level    : the next level
    model    : the network, to be trained in place
    engine   : what is to train it, see engines.settle
    """

    def __init__(
        self, config: Config, data: Dataset, device: str, finished: list[Arrays] = (), engine: str = "auto"
    ):
        self.config, self.data, self.level = config, data, len(finished)
        self.model = build(config, data.shape, data.classes, generator(config, "weights")).to(device)
        parameters = dict(self.model.named_parameters())
        names = prunable(self.model, config.prune_biases, config.prune_head)
        self.removed_at = {
            name: torch.full_like(parameters[name], NEVER, dtype=torch.uint8) for name in names
        }
        self.rewind, self.scores, self.diverged = {}, {}, False
        self.engine = engines.settle(
            str(finished[0].get("engine", "reference")) if finished else engine, self.model, config
        )
        self.best = [record["val_accuracy"].max() for record in finished]
        if finished:
            if config.layerwise:
                self.good = _tensors(finished[last_good(self.best)], "trained", device)
            self.removed_at = _tensors(finished[-1], "removed_at", device)
            self.rewind = _tensors(finished[0], "rewind", device)
            self.model.load_state_dict(_tensors(finished[-1], "trained", device))
            self.diverged = not _finite(self.model)
            if not config.iterative:
                rewind_(self.model, _tensors(finished[0], "trained", device))
                self.scores = self._saliency(self._masks(0), 0)

    def prepare(self) -> Ready | None:
        """Rewind the network and say what the next level is trained with; None when the run has ended."""
        config, masks = self.config, self._masks(self.level)
        if self.level > config.levels or 0 < config.layerwise < self.layer or self.diverged:
            return None
        if self.level == 0:
            return Ready(masks, 0, {config.rewind_step: self._remember})
        if min(alive(mask) for mask in masks.values() if mask.ndim == 2) < config.min_alive:
            return None
        TREATMENTS[config.treatment](self.model, self.rewind)
        return Ready(masks, config.rewind_step if config.retrain == "rest" else 0, {})

    def conclude(self, curves: dict[str, list[float]]) -> Arrays:
        """Prune the network that has been trained, and go to the next level.

        returns : a record of arrays: the curves of train.train; removed_at/NAME, uint8, the level at
                  which each weight was removed, by this pruning too; trained/NAME, the parameters and
                  batch-norm statistics; and in level 0 rewind/NAME, what weights return to, and the engine
        """
        level, trained = self.level, _arrays("trained", self.model.state_dict())
        curves = {name: np.asarray(curve, np.float32) for name, curve in curves.items()}
        self.best.append(curves["val_accuracy"].max())
        if self.config.layerwise:
            self._take_back()
        self.diverged = not _finite(self.model)
        if level < self.config.levels and not self.diverged:
            masks = self._masks(level)
            for name, mask in self._pruned(masks).items():
                self.removed_at[name][masks[name] & ~mask] = level + 1
        self.level += 1
        first = {}
        if level == 0:
            first = {"shape": np.array(self.data.shape), "engine": np.array(self.engine)}
            first |= _arrays("rewind", self.rewind)
        return curves | _arrays("removed_at", self.removed_at) | trained | first

    @property
    def layer(self) -> int:
        """The layer whose turn it is, 1 the first, where layers are pruned one at a time."""
        return 1 + int(taken_back(self.best).sum())

    def _take_back(self):
        """Undo the last pruning if the network that it made does not beat the dense one: its layer is frozen as it was.

        The weights that the next layer is pruned by are then those of the last network that did. Source:
        Pellegrini & Biroli 2022, SM B.6. Differs: where their text leaves open whether the weights of a
        frozen layer go on training, they do, from the rewind point like all others.
        """
        if taken_back(self.best)[-1]:
            for levels in self.removed_at.values():
                levels[levels == self.level] = NEVER
            self.model.load_state_dict(self.good)
        else:
            self.good = {name: value.clone() for name, value in self.model.state_dict().items()}

    def _open(self, masks):
        """The masks that the next pruning may touch: all, or those of one layer."""
        layers = list(dict.fromkeys(name.rpartition(".")[0] for name in masks))
        if self.config.layerwise:
            layers = layers[: self.config.layerwise][self.layer - 1 : self.layer]
        return {name: mask for name, mask in masks.items() if name.rpartition(".")[0] in layers}

    def _pruned(self, masks):
        """New masks, by config.rounds prunings that together remove config.prune_fraction."""
        config, fraction = self.config, self.config.prune_fraction
        if config.rounds > 1:
            fraction = 1 - (1 - fraction) ** (1 / config.rounds)
        for number in range(config.rounds):
            if config.iterative or self.level == number == 0:
                self.scores = self._saliency(masks, self.level)
            open_masks = self._open(masks)
            scores = {name: score for name, score in self.scores.items() if name in open_masks}
            masks = masks | prune(open_masks, scores, fraction, config.scope, config.rounding)
        return masks

    def _masks(self, level):
        return {name: at(levels, level) for name, levels in self.removed_at.items()}

    def _saliency(self, masks, level):
        config = self.config
        if config.saliency_of == "rewound":
            rewind_(self.model, self.rewind)
        draw = generator(config, "pruning", level)
        return saliency(config.criterion, self.model, masks, self.data.train, draw)

    def _remember(self):
        self.rewind = {name: value.detach().clone() for name, value in self.model.named_parameters()}


def _finite(model: nn.Module) -> bool:
    """Whether all parameters are numbers: training has not diverged."""
    return all(bool(value.isfinite().all()) for value in model.parameters())


def _arrays(prefix: str, tensors: dict[str, torch.Tensor]) -> Arrays:
    return {f"{prefix}/{name}": tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}


def _tensors(record: Arrays, prefix: str, device: str) -> dict[str, torch.Tensor]:
    named = [
        (name.removeprefix(prefix + "/"), value)
        for name, value in record.items()
        if name.startswith(prefix + "/")
    ]
    return {name: torch.from_numpy(value.copy()).to(device) for name, value in named}
