"""One run of the experiment between its levels."""

import copy
import dataclasses
import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from sifting.config import Config
from sifting.data import Dataset
from sifting.pruning.criteria import Cut, prune, saliency
from sifting.pruning.prunable import prunable, with_norms
from sifting.pruning.treatments import TREATMENTS, rewind_
from sifting.results.masks import NEVER, alive, at
from sifting.results.packing import Arrays, last_good, taken_back
from sifting.training import engines
from sifting.training.models import build
from sifting.training.reference import generator, learning_rate


def snapshot_steps(config: Config) -> list[int]:
    """Steps of the dense network's training after which it is kept: config.snapshots of them.

    They are evenly spaced from its start; its end is left out.
    """
    return sorted({config.steps * n // config.snapshots for n in range(config.snapshots)})


class Ready(NamedTuple):
    """What the next level is trained with; see reference.train."""

    masks: dict[str, torch.Tensor]
    start: int
    after: dict[int, Callable]


class Run:
    """One run of the experiment between its levels: whoever trains calls `prepare`, trains, calls `conclude`.

    finished : the records of the levels that are done already
    level    : the next level
    model    : the network, to be trained in place
    engine   : what is to train it, an engines.Settled
    kept     : optimizer step of the first training, see snapshot_steps -> parameters and batch-norm
               statistics
    """

    def __init__(
        self, config: Config, data: Dataset, device: str, finished: list[Arrays] = (), engine: str = "auto"
    ):
        self.config, self.data, self.level = config, data, len(finished)
        self.model = self._begin().to(device)
        parameters = dict(self.model.named_parameters())
        self.removed_at = {
            name: torch.full_like(parameters[name], NEVER, dtype=torch.uint8)
            for name in prunable(self.model, config.prune_biases, config.prune_head)
        }
        self.rewind, self.scores, self.kept, self.diverged = {}, {}, {}, False
        self._thin()
        self.engine = engines.settle(
            str(finished[0].get("engine", "reference")) if finished else engine, self.model, config
        )
        self.best = [record["val_accuracy"].max() for record in finished]
        if finished:
            if config.layerwise:
                self.good = tensors(finished[last_good(self.best)], "trained", device)
            self.removed_at = tensors(finished[-1], "removed_at", device)
            self.rewind = tensors(finished[0], "rewind", device)
            self.model.load_state_dict(tensors(finished[-1], "trained", device))
            self.diverged = not _finite(self.model)
            if not config.iterative:
                dense = copy.deepcopy(self.model)
                dense.load_state_dict(tensors(finished[0], "trained", device))
                self.scores = self._saliency(dense, self._masks(0), 0)

    def prepare(self) -> Ready | None:
        """Rewind the network and say what the next level is trained with; None when the run has ended."""
        config, masks = self.config, self._masks(self.level)
        if self.level > config.levels or 0 < config.layerwise < self.layer or self.diverged:
            return None
        if self.level == 0:
            steps = {config.rewind_step, *snapshot_steps(config)}
            return Ready(
                with_norms(self.model, masks), 0, {n: functools.partial(self._pause, n) for n in steps}
            )
        # layers of single weights end a run; one that has lost its last channel does not
        if min((alive(mask) for mask in masks.values() if mask.ndim == 2), default=1) < config.min_alive:
            return None
        TREATMENTS[config.treatment](
            self.model, self._anew() if config.treatment == "reinit" else self.rewind
        )
        start = config.rewind_step if config.retrain == "rest" else 0
        return Ready(with_norms(self.model, masks), start, {})

    @property
    def training(self) -> Config:
        """What the next level is trained by: as the dense network, or for config.retrain_steps.

        It is fine-tuned at the last learning rate of the dense network.
        """
        config = self.config
        if self.level == 0:
            return config
        steps = config.retrain_steps or config.steps
        if config.treatment == "finetune":
            last = learning_rate(config, config.steps)
            return dataclasses.replace(config, steps=steps, retrain_steps=0, lr=last, schedule="constant")
        return dataclasses.replace(config, steps=steps, retrain_steps=0)

    def hand_over(self, curves: dict) -> tuple[dict, dict, dict, dict]:
        """What `take_over` takes, once the dense network has been trained."""
        state = {name: value.clone() for name, value in self.model.state_dict().items()}
        return curves, state, self.rewind, self.kept

    def take_over(self, curves: dict, state: dict, rewind: dict, kept: dict) -> dict[str, list[float]]:
        """Become the dense network that another run has trained in the same way; returns its curves."""
        self.model.load_state_dict(state)
        self.rewind, self.kept = rewind, kept
        return curves

    def conclude(self, curves: dict[str, list[float]]) -> Arrays:
        """Prune the network that has been trained, and go to the next level.

        returns : a record of arrays: the curves of reference.train; removed_at/NAME, uint8, the level at
                  which each weight was removed, by this pruning too; trained/NAME, the parameters and
                  batch-norm statistics; and in level 0 rewind/NAME, what weights return to, the engine, and
                  snapshot/STEP/NAME, what `kept` holds
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
            first = {"shape": np.array(self.data.shape), "engine": np.array(str(self.engine))}
            first |= _arrays("rewind", self.rewind)
            for step, state in self.kept.items():
                first |= _arrays(f"snapshot/{step}", state)
        return curves | _arrays("removed_at", self.removed_at) | trained | first

    @property
    def layer(self) -> int:
        """The layer whose turn it is, 1 the first, where layers are pruned one at a time."""
        return 1 + int(taken_back(self.best).sum())

    def _take_back(self):
        """Undo the last pruning if its network does not beat the dense one: the layer is frozen as it was.

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
                self.scores = self._saliency(self.model, masks, self.level)
            open_masks = self._open(masks)
            scores = {name: score for name, score in self.scores.items() if name in open_masks}
            masks = masks | prune(open_masks, scores, fraction, config.scope, config.rounding)
        return masks

    def _masks(self, level):
        return {name: at(levels, level) for name, levels in self.removed_at.items()}

    def _saliency(self, model, masks, level):
        """Scores of `model`, which is left as it is: what is fine-tuned goes on from there."""
        config = self.config
        if config.saliency_of == "rewound":
            model = copy.deepcopy(model)
            rewind_(model, self.rewind)
        draw = generator(config, "pruning", level)
        return saliency(
            config.criterion, Cut(model, masks, self.data.train, draw, self.rewind, self._initial)
        )

    def _pause(self, step):
        """In the first training after `step`: what weights return to, or what is measured later."""
        if step == self.config.rewind_step:
            self.rewind = {name: value.detach().clone() for name, value in self.model.named_parameters()}
        if step in snapshot_steps(self.config):
            self.kept[step] = {name: value.clone() for name, value in self.model.state_dict().items()}

    def _begin(self):
        """The network before any training, on the CPU.

        What a sparse start leaves of its weights has the variance that all would have.
        """
        config = self.config
        model = build(config, self.data.shape, self.data.classes, generator(config, "weights"))
        if config.start_density < 1:
            with torch.no_grad():
                for name in prunable(model, biases=False, head=config.prune_head):
                    model.get_parameter(name).div_(config.start_density**0.5)
        return model

    def _initial(self):
        """The parameters before any training, made anew."""
        device = next(self.model.parameters()).device
        return {name: value.detach() for name, value in self._begin().to(device).named_parameters()}

    def _thin(self):
        """Leave config.start_density of the weights of each layer, at random, from the start."""
        share, draw = self.config.start_density, generator(self.config, "start")
        for name in (name for name in self.removed_at if name.endswith(".weight") and share < 1):
            levels = self.removed_at[name].view(-1)
            order = torch.randperm(len(levels), generator=draw)
            levels[order[round(share * len(levels)) :].to(levels.device)] = 0

    def _anew(self):
        """Parameters of another initialization for the next level."""
        draw = generator(self.config, "weights", self.level)
        return dict(build(self.config, self.data.shape, self.data.classes, draw).named_parameters())


def _finite(model: nn.Module) -> bool:
    """Whether all parameters are numbers: training has not diverged."""
    return all(bool(value.isfinite().all()) for value in model.parameters())


def _arrays(prefix: str, tensors: dict[str, torch.Tensor]) -> Arrays:
    return {f"{prefix}/{name}": tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}


def tensors(record: Arrays, prefix: str, device: str) -> dict[str, torch.Tensor]:
    """The arrays PREFIX/NAME of a record, as tensors by their NAME."""
    named = [
        (name.removeprefix(prefix + "/"), value)
        for name, value in record.items()
        if name.startswith(prefix + "/")
    ]
    return {name: torch.from_numpy(value.copy()).to(device) for name, value in named}
